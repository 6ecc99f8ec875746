//! Values that are stored already, for persistence, and the `inputs` column of those that will be.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use yaojia_models::card::Indicator;

use super::columns::Texts;
use super::read::Keys;
use super::value::Value;
use super::{Ask, EngineError, RowKey};

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
