//! Judging rows before they are received: what silver would say of them whatever else the warehouse holds.

use arrow::array::Array;
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::{Dataset, Reason};

use crate::bronze::Retired;
use crate::error::Result;
use crate::silver::index::Indexes;
use crate::silver::judge::{Cells, Judge, Parsed, column};
use crate::silver::plan::Plan;

/// A reason, and the column it is about.
pub type Verdict = (Reason, Option<String>);

/// What silver would make of a row by itself.
#[derive(Debug, Clone)]
pub struct Alone {
    /// Why it would be set aside; none for a row that only its references could still fail.
    pub verdict: Option<Verdict>,
    /// Name of its key: equal keys, equal names. Of a row that is not set aside.
    pub key: u128,
    /// Its `updt_time`, microseconds.
    pub updt: i64,
    /// Name of its content: a row of equal content is no other row.
    pub content: u128,
}

/// What silver would make of each row: the first reason that applies to it of a text batch by itself, with the column it is about; none for a row that only its
/// references could still fail. `now` (microseconds) stands for the row's arrival.
///
/// # Errors
/// [`crate::WarehouseError::Contract`] when the batch is not the dataset's text batch.
pub fn judge_alone(dataset: &Dataset, batch: &RecordBatch, now: i64) -> Result<Vec<Alone>> {
    let table = format!("bronze.{}", dataset.name);
    let mut plan = Plan::new(dataset)?;
    plan.references.clear();
    let indexes = Indexes::default();
    let judge = Judge { plan: &plan, indexes: &indexes, retired: &Retired::default(), region: 0 };
    let columns = plan.columns.iter().map(|c| column(&table, batch, &c.name)).collect::<Result<Vec<_>>>()?;
    let (notes, raws) = (column(&table, batch, "_note")?, column(&table, batch, "_raw")?);
    let mut parsed: Vec<Parsed> = vec![Parsed::Null; columns.len()];
    let mut cells = Cells::default();
    Ok((0..batch.num_rows())
        .map(|row| {
            cells.fill(&plan, &columns, row);
            let note = if notes.is_null(row) { "" } else { notes.value(row) };
            let raw = (!raws.is_null(row)).then(|| raws.value(row));
            let judged = judge.row(&cells, &mut parsed, note, raw, now);
            let at = usize::try_from(judged.column).ok().and_then(|at| plan.columns.get(at));
            let verdict = judged.verdict.map(|reason| (reason, at.map(|column| column.name.clone())));
            Alone { verdict, key: judged.key, updt: judged.updt, content: judged.content }
        })
        .collect())
}
