//! What a row holds beside the contract's columns: the JSON object of `_extra`, and what was kept out of it.

use yaojia_models::text;

use super::header::{Header, Slot};
use super::read::FileReport;
use crate::kit::personal::PersonalRules;

/// A row's values of unknown columns on their way into `_extra`.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    values: serde_json::Map<String, serde_json::Value>,
    /// Columns without a name that hold a value here.
    nameless: Vec<String>,
    /// Columns of which the value was dropped.
    dropped: Vec<String>,
}

impl Extra {
    /// Takes the cell at a position of the file, unless its column is one of the contract or dropped, or the value is personal.
    pub(crate) fn put(&mut self, header: &Header, position: usize, cell: &str, rules: &PersonalRules) {
        let Some(name) = header.extra_name(position) else { return };
        if !matches!(header.slots.get(position), Some(Slot::Extra(_))) {
            if text::clean(cell).is_none() {
                return;
            }
            self.nameless.push(name.as_ref().to_owned());
        }
        self.keep(&name, cell, rules);
    }

    /// Takes a value under a name, unless it is personal.
    pub(crate) fn keep(&mut self, name: &str, cell: &str, rules: &PersonalRules) {
        let mut name = name.to_owned();
        if rules.is_personal_value(cell) {
            self.dropped.push(name);
            return;
        }
        // a title may be the very name that a place has
        while self.values.contains_key(&name) {
            name.push('′');
        }
        self.values.insert(name, cell.into());
    }

    /// Columns without a name that hold a value.
    pub(crate) fn nameless(&self) -> &[String] {
        &self.nameless
    }

    /// Columns of which the value was dropped.
    pub(crate) fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// Tells the report what was found.
    pub(crate) fn tell(&self, report: &mut FileReport) {
        for name in &self.nameless {
            report.unknown.entry(name.clone()).or_insert(1);
        }
        for name in &self.dropped {
            report.personal = true;
            report.dropped.entry(name.clone()).or_insert(1);
        }
    }

    /// The object as text; none where nothing is in it.
    pub(crate) fn text(self) -> Option<String> {
        (!self.values.is_empty()).then(|| serde_json::Value::Object(self.values).to_string())
    }
}
