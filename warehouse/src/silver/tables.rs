//! Tables opened once in a build: opening one reads its log, and most datasets refer to the same few.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::delta::Table;
use crate::error::Result;
use crate::store::Root;

/// The tables opened so far, by label.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    opened: Mutex<BTreeMap<String, Option<Table>>>,
}

impl Tables {
    /// The table as it was when it was first asked for, or as it was last [put](Self::put); `None` when it does not exist.
    pub(crate) async fn get(&self, root: &Root, layer: &str, name: &str) -> Result<Option<Table>> {
        let label = format!("{layer}.{name}");
        let held = self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(&label).cloned();
        if let Some(table) = held {
            return Ok(table);
        }
        let table = Table::open(root, layer, name).await?;
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(label, table.clone());
        Ok(table)
    }

    /// Takes a table as it is after a commit of ours.
    pub(crate) fn put(&self, table: &Table) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(table.label().to_string(), Some(table.clone()));
    }
}
