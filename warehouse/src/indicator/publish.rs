//! Judged rows as `gold.indicator_value`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::error::ArrowError;
use yaojia_models::card::{Indicator, Level, SubjectKind};

use super::stored::inputs_text;
use super::value::Judged;
use super::{Ask, EngineError, Exact, Names};

/// Whether a row is published (subject rows that only feed a roll-up are not).
pub(super) fn is_public(indicator: &Indicator, row: &Judged) -> bool {
    row.value.key.level != Level::Subject || indicator.card.measure(&row.value.key.measure).is_some_and(|measure| measure.subject)
}

/// The kind of subject of a row.
pub(super) fn subject_kind(indicator: &Indicator, row: &Judged) -> SubjectKind {
    match (row.value.key.level, indicator.card.measure(&row.value.key.measure)) {
        (Level::Subject, Some(measure)) => indicator.card.subject_kind_of(measure),
        _ => SubjectKind::Area,
    }
}

/// The rows of `gold.indicator_value`, without `completeness` and `run_id`, which the caller knows.
///
/// # Errors
/// When a number does not fit its published type.
pub fn values(indicator: &Indicator, ask: &Ask, names: &Names, judged: &[&Judged]) -> Result<RecordBatch, EngineError> {
    let rows: Vec<&Judged> = judged.iter().copied().filter(|row| is_public(indicator, row)).collect();
    let build = Table { indicator, rows: &rows };
    let columns = vec![
        build.texts("indicator_id", |_| Some(indicator.id())),
        build.texts("measure", |row| Some(&row.value.key.measure)),
        build.texts("month", |row| Some(&row.value.key.month)),
        build.texts("county", |row| Some(&row.value.key.county)),
        build.texts("level", |row| Some(row.value.key.level.as_str())),
        build.texts("subject_kind", |row| Some(subject_kind(indicator, row).as_str())),
        build.texts("subject_code", |row| Some(&row.value.key.subject_code)),
        build.texts("subject_name", |row| Some(names.name(subject_kind(indicator, row), &row.value.key.subject_code))),
        build.texts("product_code", |row| Some(&row.value.key.product_code)),
        build.texts("batch_code", |row| Some(&row.value.key.batch_code)),
        build.texts("group_code", |row| Some(&row.value.key.group_code)),
        build.decimals("numerator", 38, 6, |row| row.value.numerator)?,
        build.decimals("denominator", 38, 6, |row| row.value.denominator)?,
        build.doubles("value", |row| row.result),
        build.decimals("amount_at_risk", 38, 2, |row| row.value.amount)?,
        build.wholes("sample_n", |row| row.value.sample_n),
        build.texts("state", |row| Some(row.state.as_str())),
        build.texts("mark", |row| Some(&row.mark)),
        build.texts("threshold", |row| row.threshold.as_deref()),
        build.texts("rule_version", |row| row.rule_version.as_deref()),
        build.owned_texts("inputs", |row| inputs_text(&row.value)),
        build.times("as_of", |row| ask.asked(&row.value.key.month).map(|asked| asked.as_of)),
    ];
    build.finish(columns)
}

/// Columns built from judged rows.
pub(super) struct Table<'a> {
    pub(super) indicator: &'a Indicator,
    pub(super) rows: &'a [&'a Judged],
}

/// A named column.
type Column = (&'static str, ArrayRef);

impl<'a> Table<'a> {
    /// A text column.
    pub(super) fn texts(&self, name: &'static str, of: impl Fn(&'a Judged) -> Option<&'a str>) -> Column {
        (name, Arc::new(self.rows.iter().map(|row| of(row)).collect::<StringArray>()))
    }

    /// A text column made for each row.
    pub(super) fn owned_texts(&self, name: &'static str, of: impl Fn(&Judged) -> Option<String>) -> Column {
        (name, Arc::new(self.rows.iter().map(|row| of(row)).collect::<StringArray>()))
    }

    /// A decimal column, rounded half away from zero.
    pub(super) fn decimals(
        &self,
        name: &'static str,
        precision: u8,
        places: i8,
        of: impl Fn(&Judged) -> Option<Exact>,
    ) -> Result<Column, EngineError> {
        let fit = |row: &&Judged| match of(row) {
            None => Ok(None),
            Some(number) => number.decimal128(precision, places).map(Some).ok_or_else(|| EngineError::TooLarge {
                indicator: self.indicator.id().to_owned(),
                what: name,
                row: row.value.key.to_string(),
            }),
        };
        let numbers = self.rows.iter().map(fit).collect::<Result<Vec<Option<i128>>, _>>()?;
        let column = Decimal128Array::from(numbers).with_precision_and_scale(precision, places).map_err(|e| self.failed(e))?;
        Ok((name, Arc::new(column)))
    }

    /// A column of doubles.
    pub(super) fn doubles(&self, name: &'static str, of: impl Fn(&Judged) -> Option<Exact>) -> Column {
        (name, Arc::new(self.rows.iter().map(|row| of(row).map(Exact::double)).collect::<Float64Array>()))
    }

    /// A column of whole numbers.
    pub(super) fn wholes(&self, name: &'static str, of: impl Fn(&Judged) -> Option<i64>) -> Column {
        (name, Arc::new(self.rows.iter().map(|row| of(row)).collect::<Int64Array>()))
    }

    /// A column of instants.
    pub(super) fn times(&self, name: &'static str, of: impl Fn(&Judged) -> Option<i64>) -> Column {
        (name, Arc::new(self.rows.iter().map(|row| of(row)).collect::<TimestampMicrosecondArray>()))
    }

    /// The batch.
    pub(super) fn finish(&self, columns: Vec<Column>) -> Result<RecordBatch, EngineError> {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).map_err(|e| self.failed(e))
    }

    /// What Arrow says.
    fn failed(&self, source: ArrowError) -> EngineError {
        EngineError::Build { indicator: self.indicator.id().to_owned(), source }
    }
}
