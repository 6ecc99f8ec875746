//! What must become of every row: counted while the rows are made.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::row::{Fate, Row};

/// What silver must count for one dataset once everything has arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DatasetTruth {
    /// Rows that become the current version of their key.
    pub accepted: u64,
    /// Rows put aside, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Distinct rows received: accepted, superseded, void and quarantined together.
    pub received: u64,
    /// Rows given twice with the same content. Windows that overlap add to it.
    pub repeated: u64,
    /// Older versions.
    pub superseded: u64,
    /// Versions that remove their key.
    pub void: u64,
    /// Warnings on accepted rows.
    pub warnings: BTreeMap<String, u64>,
}

impl DatasetTruth {
    /// Counts a row.
    pub(crate) fn count(&mut self, row: &Row) {
        self.received += u64::from(row.fate != Fate::Repeated);
        match row.fate {
            Fate::Accepted => {
                self.accepted += 1;
                let w = row.warned;
                for (name, on) in
                    [("amount_mismatch", w.amount_mismatch), ("unit_assumed", w.unit_assumed), ("unknown_product", w.unknown_product)]
                {
                    if on {
                        *self.warnings.entry(name.to_owned()).or_default() += 1;
                    }
                }
            }
            Fate::Superseded => self.superseded += 1,
            Fate::Void => self.void += 1,
            Fate::Repeated => self.repeated += 1,
            Fate::Quarantined(reason) => *self.quarantined.entry(reason.to_owned()).or_default() += 1,
        }
    }
}

/// What must become of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FilesTruth {
    /// Files that load.
    pub loaded: u64,
    /// Files refused whole, with the reason: path and `rows`, `sums:COLUMN`, `sha256`, `undecodable` or `no_header`.
    pub refused: Vec<(String, String)>,
    /// Files skipped because their content came before under another name.
    pub same_content: Vec<String>,
}

/// What must come of the whole world; serialised it has the shape of `silver.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// The files.
    #[serde(rename = "_files")]
    pub files: FilesTruth,
    /// Each dataset.
    #[serde(flatten)]
    pub datasets: BTreeMap<String, DatasetTruth>,
}
