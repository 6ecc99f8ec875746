//! Checkpoints: a table's state in one file, so that readers need not go through hundreds of commits.

use super::history::History;
use super::policy::Keep;
use super::tables::{TableName, tables};
use crate::delta::Table;
use crate::error::Result;
use crate::store::Root;

/// Writes checkpoints.
#[derive(Debug)]
pub struct Checkpoints<'a> {
    /// Warehouse root.
    pub root: &'a Root,
    /// What is kept.
    pub keep: &'a Keep,
}

impl Checkpoints<'_> {
    /// Tables whose log grew enough, and by how many commits.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn plan(&self) -> Result<Vec<(TableName, u64)>> {
        let listing = self.root.list(&super::tables::LAYERS).await?;
        let mut due = Vec::new();
        for (table, objects) in tables(&listing) {
            let grown = History::outline(&objects).since_checkpoint();
            if grown >= self.keep.commits_of(&table.label()) {
                due.push((table, grown));
            }
        }
        Ok(due)
    }

    /// Writes the checkpoint of a table.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn run(&self, table: &TableName) -> Result<()> {
        match Table::open(self.root, &table.layer, &table.name).await? {
            Some(open) => open.checkpoint().await,
            None => Ok(()),
        }
    }
}
