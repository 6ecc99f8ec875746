//! Replaces the cells of values, alerts and evidence that differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use yaojia_models::card::Indicator;

use super::done::Done;
use super::rows::{append, divided, shape, sorted_cells, texts};
use super::{Indicators, Sheet};
use crate::delta::{Cell, Change, FileEntry, Table, digest_in, write_cell};
use crate::error::Result;
use crate::gold::Session;
use crate::gold::check::Candidate;
use crate::ledger::RunStamp;

impl Indicators<'_> {
    /// Adds `completeness`, `quarantined_rows` and `run_id`.
    pub(super) fn finish_values(&self, indicator: &Indicator, values: &RecordBatch, run: &RunStamp) -> Result<RecordBatch> {
        let runs = StringArray::from(vec![run.id.as_str(); values.num_rows()]);
        append(&self.certified(indicator, values)?, vec![("run_id", Arc::new(runs) as ArrayRef)])
    }

    /// Adds `completeness` and `quarantined_rows`, which are of the row's county and month.
    pub(super) fn certified(&self, indicator: &Indicator, rows: &RecordBatch) -> Result<RecordBatch> {
        let (counties, months) = (texts(rows, "county")?, texts(rows, "month")?);
        let mut known: BTreeMap<(&str, &str), (&str, i64)> = BTreeMap::new();
        for row in 0..rows.num_rows() {
            let (county, month) = (counties.value(row), months.value(row));
            known
                .entry((county, month))
                .or_insert_with(|| (self.completeness.of(indicator, county, month), self.set_aside.of(indicator, county, month)));
        }
        let of = |row: usize| known.get(&(counties.value(row), months.value(row)));
        let certified: StringArray = (0..rows.num_rows()).map(|row| of(row).map(|of| of.0)).collect();
        let aside: Int64Array = (0..rows.num_rows()).map(|row| of(row).map(|of| of.1)).collect();
        append(rows, vec![("completeness", Arc::new(certified) as ArrayRef), ("quarantined_rows", Arc::new(aside) as ArrayRef)])
    }

    /// Replaces the cells that differ among those with new rows.
    pub(super) async fn replace(
        &self,
        session: &Session,
        sheet: Sheet,
        new: Vec<RecordBatch>,
        done: &Done,
        run: &RunStamp,
        print: &str,
    ) -> Result<u64> {
        let held = self.read(sheet, &|cell| done.touches(cell)).await?;
        let new = new.iter().map(|batch| divided(batch, done, true)).collect::<Result<Vec<_>>>()?;
        let new = match sheet {
            Sheet::Alert => first_seen(&held, &new, run)?,
            _ => new,
        };
        let kept = held.iter().map(|batch| divided(batch, done, false)).collect::<Result<Vec<_>>>()?;
        let contract = self.contract(sheet)?;
        let schema: SchemaRef = Arc::new(contract.arrow_schema());
        let label = format!("gold.{}", sheet.name());
        let rows = new.iter().chain(&kept).map(|b| shape(&label, &schema, b)).collect::<Result<Vec<_>>>()?;
        let mut table =
            Table::open_or_create(&self.warehouse.root, "gold", sheet.name(), &schema, &["county", "month"], &contract.title).await?;
        let active: BTreeMap<Cell, Vec<FileEntry>> =
            table.files()?.into_iter().filter(|f| done.touches(&f.cell())).fold(BTreeMap::new(), |mut m, f| {
                m.entry(f.cell()).or_default().push(f);
                m
            });
        let cells = sorted_cells(contract, &rows)?;
        let emptied: BTreeSet<Cell> = active.keys().filter(|c| !cells.contains_key(*c)).cloned().collect();
        let candidate = Candidate { contract, rows: &cells, emptied: &emptied, whole: false, print };
        candidate.check(session, &self.warehouse.root, &self.warehouse.contracts, run).await?;
        let mut change = Change { info: vec![("yaojia.run".to_string(), run.id.clone())], ..Change::default() };
        for (cell, sorted) in cells {
            let held = active.get(&cell).map(Vec::as_slice).unwrap_or_default();
            if held.len() == 1 && digest_in(&held[0].path) == Some(sorted.digest.as_str()) {
                continue;
            }
            let partition = vec![("county".to_string(), cell.county.clone()), ("month".to_string(), cell.month.clone())];
            change.remove.extend(held.iter().map(|f| f.path.clone()));
            change.add.push(write_cell(&table.store(), &label, partition, sorted, run.seq).await?);
        }
        for (_, files) in active.iter().filter(|(c, _)| emptied.contains(*c)) {
            change.remove.extend(files.iter().map(|f| f.path.clone()));
        }
        let changed = change.add.len().max(change.remove.len()) as u64;
        if changed > 0 {
            change.positions.push(("yaojia".to_string(), run.seq));
            table.commit(change).await?;
        }
        Ok(changed)
    }
}

/// Gives each alert the run that saw it first: its id holds its county and month, so only alerts `held` in the cells with new rows can be
/// the same.
fn first_seen(held: &[RecordBatch], alerts: &[RecordBatch], run: &RunStamp) -> Result<Vec<RecordBatch>> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for batch in held {
        let (ids, runs) = (texts(batch, "alert_id")?, texts(batch, "first_run_id")?);
        first.extend((0..batch.num_rows()).map(|row| (ids.value(row), runs.value(row))));
    }
    let stamped = |batch: &RecordBatch| {
        let ids = texts(batch, "alert_id")?;
        let runs: StringArray = (0..batch.num_rows()).map(|row| Some(first.get(ids.value(row)).copied().unwrap_or(&run.id))).collect();
        append(batch, vec![("first_run_id", Arc::new(runs) as ArrayRef)])
    };
    alerts.iter().map(stamped).collect()
}
