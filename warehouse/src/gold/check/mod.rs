//! Checks on candidates before they are published.
//!
//! A candidate is what a build would publish: sorted rows by cell. The rows of each cell are checked for themselves ([`cell`]), then all
//! together against the tables they refer to and are made from ([`cross`]). Where one fails nothing of the table is committed, the
//! failing cells' rows are kept below `_ops/candidates/`, and the ledger remembers what was refused and why.

mod cell;
mod cross;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use arrow::record_batch::RecordBatch;
use yaojia_models::contract::{Registry, TableContract};

use crate::delta::{Cell, CellRows, write_file};
use crate::error::{Result, WarehouseError};
use crate::gold::Session;
use crate::ledger::{CheckMark, RunStamp, record_checks};
use crate::store::Root;

/// One failed check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// `not_null`, `accepted_values`, `accepted_range`, `grain_unique`, `reference`, `reconcile`.
    pub check: &'static str,
    /// Where.
    pub cell: Cell,
    /// What was found.
    pub why: String,
}

/// A table's rows before they are published.
pub(crate) struct Candidate<'a> {
    /// The table's contract.
    pub contract: &'a TableContract,
    /// The rows, by cell.
    pub rows: &'a BTreeMap<Cell, CellRows>,
    /// Cells that must be judged though they have no rows; a cell of neither is left alone.
    pub emptied: &'a BTreeSet<Cell>,
    /// Whether this is the whole table.
    pub whole: bool,
    /// What it was built from, for the ledger.
    pub print: &'a str,
}

impl Candidate<'_> {
    /// Checks it.
    ///
    /// # Errors
    /// [`WarehouseError::Check`] when it must not be published; its failing cells are kept then. Else as the storage or the engine says.
    pub(crate) async fn check(&self, session: &Session, root: &Root, registry: &Registry, run: &RunStamp) -> Result<()> {
        let mut failures = Vec::new();
        for (cell, rows) in self.rows {
            failures.extend(cell::check_cell(self.contract, cell, &rows.batch)?);
        }
        failures.extend(cross::check(self, session, root, registry).await?);
        if failures.is_empty() { Ok(()) } else { Err(self.keep(root, run, &failures).await?) }
    }

    /// Keeps the rows of the failing cells and remembers what failed; gives the error to end with.
    async fn keep(&self, root: &Root, run: &RunStamp, failures: &[Failure]) -> Result<WarehouseError> {
        let table = format!("gold.{}", self.contract.name);
        let mut kept: BTreeMap<Cell, String> = BTreeMap::new();
        for failure in failures {
            let Some(rows) = self.rows.get(&failure.cell) else { continue };
            if kept.contains_key(&failure.cell) {
                continue;
            }
            let path = format!("_ops/candidates/{}/{table}/{}-{}.parquet", run.id, failure.cell.county, failure.cell.month);
            let batch: &RecordBatch = &rows.batch;
            let (path, _) = write_file(root.store(), &table, &path, &batch.schema(), vec![batch.clone()]).await?;
            kept.insert(failure.cell.clone(), path);
        }
        let marks: Vec<CheckMark> = failures
            .iter()
            .map(|failure| CheckMark {
                table: table.clone(),
                cell: failure.cell.clone(),
                check: failure.check.to_string(),
                why: failure.why.clone(),
                candidate: kept.get(&failure.cell).cloned().unwrap_or_default(),
                fingerprint: self.print.to_string(),
            })
            .collect();
        record_checks(root, run.seq, &marks).await?;
        let Some(first) = failures.first() else {
            return Err(WarehouseError::Task("a candidate without a failure was kept".to_string()));
        };
        let more = if failures.len() > 1 { format!("; and {} more", failures.len() - 1) } else { String::new() };
        let place = kept.get(&first.cell).map_or_else(String::new, |path| format!("; the candidate is kept in `{path}`"));
        Ok(WarehouseError::Check { check: first.check, table, cell: first.cell.to_string(), why: format!("{}{more}{place}", first.why) })
    }
}
