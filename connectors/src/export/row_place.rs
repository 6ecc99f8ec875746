//! Where a row stands in its file.

use std::fmt;
use std::sync::Arc;

use super::read::FileRow;

/// Where a row stands, as an editor or Excel shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowPlace {
    /// The sheet of a workbook.
    pub sheet: Option<Arc<str>>,
    /// Line of a text file (of a row of several lines its first one), row of a sheet, number of a Parquet row; from 1.
    pub line: u64,
}

impl RowPlace {
    /// The place of a row; `before` lends the sheet's name where it is the same.
    pub(crate) fn of(row: &FileRow<'_>, before: Option<&Self>) -> Self {
        let held = before.and_then(|place| place.sheet.as_ref());
        let sheet = row.sheet.map(|name| held.filter(|held| &***held == name).cloned().unwrap_or_else(|| name.into()));
        Self { sheet, line: row.line }
    }
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sheet {
            Some(sheet) => write!(f, "sheet {sheet}, row {}", self.line),
            None => write!(f, "row {}", self.line),
        }
    }
}
