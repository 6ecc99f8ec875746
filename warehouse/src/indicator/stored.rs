//! Values that are stored already: for persistence, and to be judged again when only rules changed.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, RecordBatch};
use yaojia_models::card::{How, Indicator, Level, MeasureKind};

use super::columns::{Exacts, Texts, doubles, wholes};
use super::read::Keys;
use super::value::{Fold, Input, Value};
use super::{Ask, EngineError, Exact, RowKey};

/// The table, in messages.
const TABLE: &str = "gold.indicator_value";

/// Rows of earlier months that were warn or verify before exemption.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History(BTreeSet<RowKey>);

impl History {
    /// Reads an indicator's rows of `gold.indicator_value`, leaving out the asked months.
    ///
    /// # Errors
    /// When a column is missing.
    pub fn read(batches: &[RecordBatch], indicator: &Indicator, ask: &Ask) -> Result<Self, EngineError> {
        let mut hits = BTreeSet::new();
        for batch in batches {
            let text = |name: &str| Texts::of(batch, name).map_err(|why| EngineError::table(TABLE, why));
            let (ids, states) = (text("indicator_id")?, text("state")?);
            let keys = Keys::of(batch).map_err(|why| EngineError::table(TABLE, why))?;
            for row in 0..batch.num_rows() {
                if ids.get(row) == Some(indicator.id()) && matches!(states.get(row), Some("warn" | "verify" | "exempt")) {
                    let key = keys.plain(row).map_err(|why| EngineError::table(TABLE, why))?;
                    if ask.asked(&key.month).is_none() {
                        hits.insert(key);
                    }
                }
            }
        }
        Ok(Self(hits))
    }

    /// Takes up a row that was hit.
    pub(super) fn add(&mut self, key: RowKey) {
        self.0.insert(key);
    }

    /// Whether the row was hit in a month.
    pub(super) fn was_hit(&self, key: &RowKey, month: &str) -> bool {
        self.0.contains(&key.in_month(month))
    }
}

/// Reads an indicator's stored rows of the asked months, as they were before judging. Roll-ups that follow judging are left out.
///
/// # Errors
/// When a column is missing or an input cannot be read.
pub fn values(batches: &[RecordBatch], indicator: &Indicator, ask: &Ask) -> Result<Vec<Value>, EngineError> {
    let mut values = BTreeMap::new();
    for batch in batches {
        read(batch, indicator, ask, &mut values).map_err(|why| EngineError::table(TABLE, why))?;
    }
    Ok(values.into_values().collect())
}

/// Reads one batch.
fn read(batch: &RecordBatch, indicator: &Indicator, ask: &Ask, values: &mut BTreeMap<RowKey, Value>) -> Result<(), String> {
    let keys = Keys::of(batch)?;
    let ids = Texts::of(batch, "indicator_id")?;
    let (numerators, denominators, amounts) =
        (Exacts::maybe(batch, "numerator")?, Exacts::maybe(batch, "denominator")?, Exacts::maybe(batch, "amount_at_risk")?);
    let (results, samples, inputs) = (doubles(batch, "value")?, wholes(batch, "sample_n")?, Texts::of(batch, "inputs")?);
    for row in 0..batch.num_rows() {
        if ids.get(row) != Some(indicator.id()) {
            continue;
        }
        let key = keys.plain(row)?;
        let Some(measure) = indicator.card.measure(&key.measure) else {
            continue;
        };
        let after_judging = key.level != Level::Subject && matches!(measure.rollup.how, How::Amount | How::AmountNumerator);
        if ask.asked(&key.month).is_none() || after_judging {
            continue;
        }
        let mut value = Value::new(key.clone());
        value.numerator = numerators.get(row)?;
        value.denominator = denominators.get(row)?;
        if measure.kind == MeasureKind::Value && results.is_valid(row) {
            value.given = Exact::parse(&format!("{:.6}", results.value(row)));
        }
        value.amount = amounts.get(row)?;
        value.sample_n = samples.as_ref().and_then(|samples| samples.is_valid(row).then(|| samples.value(row)));
        take_inputs(&mut value, inputs.get(row))?;
        values.insert(key, value);
    }
    Ok(())
}

/// Reads the `inputs` column back: inputs, flags and the mark of the source rows.
fn take_inputs(value: &mut Value, text: Option<&str>) -> Result<(), String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    let inputs: BTreeMap<String, String> = serde_json::from_str(text).map_err(|e| format!("column `inputs`: {e}"))?;
    for (name, content) in inputs {
        match name.as_str() {
            "na" => value.na = true,
            "insufficient" => value.insufficient = true,
            "row_mark" => value.mark = content,
            _ => drop(value.inputs.insert(name, (Fold::None, Input::parse(&content)))),
        }
    }
    Ok(())
}

/// The `inputs` column of a row: a JSON object of texts in the order of the names, or none when there is nothing to say.
pub(super) fn inputs_text(value: &Value) -> Option<String> {
    let mut all: BTreeMap<&str, String> = value.inputs.iter().map(|(name, (_, content))| (name.as_str(), content.to_string())).collect();
    if value.na {
        all.insert("na", "1".to_owned());
    }
    if value.insufficient {
        all.insert("insufficient", "1".to_owned());
    }
    if !value.mark.is_empty() {
        all.insert("row_mark", value.mark.clone());
    }
    if all.is_empty() { None } else { serde_json::to_string(&all).ok() }
}
