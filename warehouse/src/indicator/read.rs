//! Keys and inputs of result rows.

use std::collections::BTreeMap;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::datatypes::DataType;
use yaojia_models::card::{How, Indicator, Level, SubjectKind};

use super::columns::{Exacts, Texts, flags};
use super::shape::InputColumn;
use super::value::{Fold, Input};
use super::{Ask, Exact, RowKey};

/// The key columns of a batch.
pub(super) struct Keys {
    columns: Vec<Texts>,
}

impl Keys {
    /// Reads the key columns, all of which must be there.
    pub(super) fn of(batch: &RecordBatch) -> Result<Self, String> {
        let columns = super::shape::KEY.iter().map(|name| Texts::of(batch, name)).collect::<Result<_, _>>()?;
        Ok(Self { columns })
    }

    /// The key of a row, unchecked but for nulls.
    pub(super) fn plain(&self, row: usize) -> Result<RowKey, String> {
        let mut parts = Vec::with_capacity(self.columns.len());
        for (name, column) in super::shape::KEY.iter().zip(&self.columns) {
            parts.push(column.get(row).ok_or_else(|| format!("a row has no `{name}`"))?.to_owned());
        }
        let [measure, month, county, level, subject_code, product_code, batch_code, group_code] =
            <[String; 8]>::try_from(parts).map_err(|_| "a row has no complete key".to_owned())?;
        let level = Level::named(&level).ok_or_else(|| format!("`{level}` is no level"))?;
        Ok(RowKey { measure, month, county, level, subject_code, product_code, batch_code, group_code })
    }

    /// The key of a computed row: an asked month, a measure of the card, a level it may have.
    pub(super) fn get(&self, indicator: &Indicator, ask: &Ask, row: usize) -> Result<RowKey, String> {
        let mut key = self.plain(row)?;
        if ask.asked(&key.month).is_none() {
            return Err(format!("a row is of month `{}`, which was not asked", key.month));
        }
        let measure = indicator.card.measure_in_sql(&key.measure).ok_or_else(|| format!("the card has no measure `{}`", key.measure))?;
        key.measure.clone_from(&measure.name);
        if key.county.is_empty() || key.subject_code.is_empty() {
            return Err(format!("the row `{key}` has a blank county or subject"));
        }
        match key.level {
            Level::Subject if indicator.card.subject_kind_of(measure) == SubjectKind::Product && key.product_code != key.subject_code => {
                Err(format!("the row `{key}` is about a product: its code is subject_code and product_code"))
            }
            Level::Subject => Ok(key),
            level if measure.rollup.how == How::Own && measure.rollup.levels.contains(&level) => Ok(key),
            level => Err(format!("the row `{key}` is of level `{level}`, which the card does not leave to value.sql")),
        }
    }
}

/// The input columns of a batch.
pub(super) struct Inputs<'a> {
    columns: Vec<(&'a InputColumn, Content)>,
}

/// What an input column holds.
enum Content {
    /// Numbers.
    Numbers(Exacts),
    /// Flags, taken as 0 and 1.
    Flags(BooleanArray),
    /// All else, as text.
    Texts(Texts),
}

impl<'a> Inputs<'a> {
    /// Reads the input columns.
    pub(super) fn of(batch: &RecordBatch, inputs: &'a [InputColumn]) -> Result<Self, String> {
        let mut columns = Vec::with_capacity(inputs.len());
        for input in inputs {
            let kind = batch.column_by_name(&input.column).map_or(&DataType::Null, |column| column.data_type());
            let content = if kind.is_integer() || kind.is_decimal() || *kind == DataType::Null {
                Content::Numbers(Exacts::maybe(batch, &input.column)?)
            } else if let (DataType::Boolean, Some(flags)) = (kind, flags(batch, &input.column)?) {
                Content::Flags(flags)
            } else {
                Content::Texts(Texts::of(batch, &input.column)?)
            };
            columns.push((input, content));
        }
        Ok(Self { columns })
    }

    /// The inputs of a row, without those that are null.
    pub(super) fn get(&self, row: usize) -> Result<BTreeMap<String, (Fold, Input)>, String> {
        let mut inputs = BTreeMap::new();
        for (input, content) in &self.columns {
            let content = match content {
                Content::Numbers(numbers) => numbers.get(row)?.map(Input::Number),
                Content::Flags(flags) if flags.is_null(row) => None,
                Content::Flags(flags) => Some(Input::Number(Exact::whole(i64::from(flags.value(row))))),
                Content::Texts(texts) => texts.get(row).map(Input::parse),
            };
            if let Some(content) = content {
                inputs.insert(input.name.clone(), (input.fold, content));
            }
        }
        Ok(inputs)
    }
}
