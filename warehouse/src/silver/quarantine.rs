//! Rows that cannot be used, with the reason and the row as received.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatchOptions, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::Dataset;

use crate::delta::{Cell, Change, FileEntry, Table, canonical, digest_in, read_file, write_cell};
use crate::error::{Result, WarehouseError};
use crate::ledger::{CellMark, CellMarks};
use crate::silver::build::{Decided, Job};
use crate::silver::judge::{Judged, month_text};
use crate::silver::plan::Plan;
use crate::silver::rows::Rows;
use crate::store::Root;

/// Name of the table, in layer `silver`.
pub const QUARANTINE: &str = "quarantine";

const COLUMNS: [(&str, &str); 7] = [
    ("reason", "隔离原因"),
    ("column_name", "有问题的列"),
    ("column_value", "该列的值"),
    ("row_key", "主键（各列以|相连）"),
    ("row_json", "原行（合同列，JSON）"),
    ("_source", "来源"),
    ("_artifact", "原件摘要"),
];

/// Schema of the quarantine, partition columns included.
#[must_use]
pub fn quarantine_schema() -> Schema {
    let titled = |name: &str, ty: DataType, title: &str| {
        Field::new(name, ty, true).with_metadata(std::iter::once(("comment".to_string(), title.to_string())).collect())
    };
    let mut fields: Vec<Field> = COLUMNS.iter().map(|(name, title)| titled(name, DataType::Utf8, title)).collect();
    fields.push(titled("_row", DataType::Int64, "原件中的行号"));
    fields.push(titled("_run_id", DataType::Utf8, "解析该行的运行"));
    fields.push(titled("_ingested_at", DataType::Timestamp(TimeUnit::Microsecond, None), "首次收到的时间"));
    fields.push(titled("dataset", DataType::Utf8, "数据集"));
    fields.push(titled("county", DataType::Utf8, "医保区划"));
    fields.push(titled("month", DataType::Utf8, "月份"));
    Schema::new(fields)
}

fn file_schema() -> SchemaRef {
    let fields: Vec<Field> = quarantine_schema()
        .fields()
        .iter()
        .filter(|f| !["dataset", "county", "month"].contains(&f.name().as_str()))
        .map(|f| f.as_ref().clone())
        .collect();
    Arc::new(Schema::new(fields))
}

/// Stored rows of the quarantine's cells concerned that stay.
pub(super) type Stays = BTreeMap<Cell, Vec<RecordBatch>>;

/// The stored cells that the rows concerned were set aside in or are now, without those rows. `None` when the table does not hold what
/// the last build left.
pub(super) async fn stays(job: &Job<'_>, table: Option<&Table>, rows: &Rows, before: &Decided, now: &Decided) -> Result<Option<Stays>> {
    let mut out: BTreeMap<Cell, BTreeSet<(String, i64)>> = BTreeMap::new();
    for (cell, places) in places(before, rows, job).await? {
        out.insert(cell, places);
    }
    let mut concerned: BTreeSet<Cell> = out.keys().cloned().collect();
    concerned.extend(now.outcome.quarantined.iter().map(|i| cell_of(now, *i)));
    let files = match table {
        Some(table) => active(table, job.dataset)?,
        None => BTreeMap::new(),
    };
    let mut stays = Stays::new();
    for cell in concerned {
        let out = out.remove(&cell).unwrap_or_default();
        let (mut left, mut dropped) = (Vec::new(), 0);
        if let (Some(file), Some(table)) = (files.get(&cell), table) {
            for batch in read_file(&table.store(), table.label(), &file.path, None).await? {
                let (artifacts, numbers) = receipts(QUARANTINE, &batch)?;
                let keeps: Vec<bool> =
                    (0..batch.num_rows()).map(|row| !out.contains(&(artifacts.value(row).to_string(), numbers.value(row)))).collect();
                dropped += keeps.iter().filter(|keeps| !**keeps).count();
                let source = |source| WarehouseError::Arrow { table: format!("silver.{QUARANTINE}"), source };
                left.push(filter_record_batch(&batch, &BooleanArray::from(keeps)).map_err(source)?);
            }
        }
        if dropped != out.len() {
            return Ok(None);
        }
        left.retain(|batch| batch.num_rows() > 0);
        stays.insert(cell, left);
    }
    Ok(Some(stays))
}

fn cell_of(decided: &Decided, row: usize) -> Cell {
    let row = &decided.judged[row];
    Cell::new(decided.indexes.counties.code(row.county), month_text(row.month))
}

fn receipts<'a>(table: &str, batch: &'a RecordBatch) -> Result<(&'a StringArray, &'a Int64Array)> {
    let missing = |name: &str| WarehouseError::Contract { table: table.to_string(), why: format!("no column `{name}`") };
    let artifacts = batch.column_by_name("_artifact").and_then(|c| c.as_string_opt::<i32>()).ok_or_else(|| missing("_artifact"))?;
    let numbers = batch.column_by_name("_row").and_then(|c| c.as_primitive_opt::<Int64Type>()).ok_or_else(|| missing("_row"))?;
    Ok((artifacts, numbers))
}

/// Where the rows set aside came from (artifact and row), by cell.
async fn places(decided: &Decided, rows: &Rows, job: &Job<'_>) -> Result<BTreeMap<Cell, BTreeSet<(String, i64)>>> {
    let mut places: BTreeMap<Cell, BTreeSet<(String, i64)>> = BTreeMap::new();
    let mut by_part: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for i in &decided.outcome.quarantined {
        by_part.entry(decided.judged[*i].file).or_default().push(*i);
    }
    for (part, members) in by_part {
        let mut first = 0_u32;
        for batch in rows.batches(&job.bronze, part).await? {
            let next = first + u32::try_from(batch.num_rows()).unwrap_or_default();
            let (artifacts, numbers) = receipts(job.bronze.label(), &batch)?;
            for i in members.iter().filter(|i| (first..next).contains(&decided.judged[**i].position)) {
                let at = (decided.judged[*i].position - first) as usize;
                places.entry(cell_of(decided, *i)).or_default().insert((artifacts.value(at).to_string(), numbers.value(at)));
            }
            first = next;
        }
    }
    Ok(places)
}

/// A dataset's cells.
fn active(table: &Table, dataset: &Dataset) -> Result<BTreeMap<Cell, FileEntry>> {
    Ok(table.files()?.into_iter().filter(|f| f.part("dataset") == dataset.name).map(|f| (f.cell(), f)).collect())
}

/// Replaces a dataset's quarantine cells that differ: all of them, or, where stored rows are given that stay, those cells. Returns the
/// table as it is then, and how many cells were replaced.
pub(super) async fn replace(
    root: &Root,
    held: Option<Table>,
    job: &Job<'_>,
    rows: &Rows,
    now: &Decided,
    stays: Option<Stays>,
    marks: &mut CellMarks,
) -> Result<(Option<Table>, u64)> {
    let (dataset, list) = (job.dataset, &now.outcome.quarantined);
    let mut table = match held {
        Some(table) => table,
        None if list.is_empty() => return Ok((None, 0)),
        None => Table::open_or_create(root, "silver", QUARANTINE, &quarantine_schema(), &["dataset", "county", "month"], "隔离区").await?,
    };
    let label = table.label().to_string();
    let schema = file_schema();
    let mut by_part: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for i in list {
        by_part.entry(now.judged[*i].file).or_default().push(*i);
    }
    let active = active(&table, dataset)?;
    let concerned: BTreeSet<Cell> = match &stays {
        Some(stays) => stays.keys().cloned().collect(),
        None => active.keys().cloned().collect(),
    };
    let mut cells = stays.unwrap_or_default();
    cells.retain(|_, batches| !batches.is_empty());
    for (number, members) in by_part {
        let mut first = 0_u32;
        for batch in rows.batches(&job.bronze, number).await? {
            let next = first + u32::try_from(batch.num_rows()).unwrap_or_default();
            let mut here: BTreeMap<Cell, Vec<&Judged>> = BTreeMap::new();
            for i in members.iter().filter(|i| (first..next).contains(&now.judged[**i].position)) {
                here.entry(cell_of(now, *i)).or_default().push(&now.judged[*i]);
            }
            for (cell, picked) in here {
                cells.entry(cell).or_default().push(rows_of(dataset, &job.plan, &schema, &batch, first, &picked)?);
            }
            first = next;
        }
    }
    let mut change = Change { info: vec![("yaojia.run".to_string(), job.run.id.clone())], ..Change::default() };
    let grain = ["_artifact", "_row"].map(ToString::to_string);
    let mark_name = format!("{label}/{}", dataset.name);
    for (cell, batches) in &cells {
        let sorted = canonical(&label, &schema, &grain, &[], batches)?;
        let mark = CellMark { fingerprint: String::new(), digest: sorted.digest.clone(), rows: sorted.batch.num_rows() as u64 };
        let there = active.get(cell);
        if there.and_then(|f| digest_in(&f.path)) != Some(sorted.digest.as_str()) {
            let partition = vec![
                ("dataset".to_string(), dataset.name.clone()),
                ("county".to_string(), cell.county.clone()),
                ("month".to_string(), cell.month.clone()),
            ];
            change.remove.extend(there.map(|f| f.path.clone()));
            change.add.push(write_cell(&table.store(), &label, partition, sorted, job.run.seq).await?);
        }
        marks.set(&mark_name, cell.clone(), mark);
    }
    for (cell, file) in active.iter().filter(|(cell, _)| concerned.contains(*cell) && !cells.contains_key(*cell)) {
        change.remove.push(file.path.clone());
        marks.set(&mark_name, cell.clone(), CellMark::default());
    }
    let changed = change.add.len().max(change.remove.len()) as u64;
    if changed > 0 {
        table.commit(change).await?;
    }
    Ok((Some(table), changed))
}

fn rows_of(dataset: &Dataset, plan: &Plan, schema: &SchemaRef, batch: &RecordBatch, first: u32, picked: &[&Judged]) -> Result<RecordBatch> {
    let table = "silver.quarantine".to_string();
    let missing = |name: &str| WarehouseError::Contract { table: format!("bronze.{}", dataset.name), why: format!("no column `{name}`") };
    let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).ok_or_else(|| missing(name));
    let columns = plan.columns.iter().map(|c| text(&c.name)).collect::<Result<Vec<_>>>()?;
    let (raws, extras) = (text("_raw")?, text("_extra")?);
    let at = |array: &StringArray, row: usize| (!array.is_null(row)).then(|| array.value(row).to_string());
    let places: Vec<usize> = picked.iter().map(|p| (p.position - first) as usize).collect();
    let json: Vec<Option<String>> = places
        .iter()
        .map(|row| {
            let mut object = serde_json::Map::new();
            for (column, array) in plan.columns.iter().zip(&columns) {
                if let Some(value) = at(array, *row) {
                    object.insert(column.name.clone(), value.into());
                }
            }
            for (name, array) in [("_raw", raws), ("_extra", extras)] {
                if let Some(value) = at(array, *row) {
                    object.insert(name.to_string(), value.into());
                }
            }
            Some(serde_json::Value::Object(object).to_string())
        })
        .collect();
    let subject = |p: &Judged| usize::try_from(p.column).ok().filter(|i| *i < columns.len());
    let whole = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int64Type>()).ok_or_else(|| missing(name));
    let numbers = whole("_row")?;
    let times = batch
        .column_by_name("_ingested_at")
        .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
        .ok_or_else(|| missing("_ingested_at"))?;
    let receipt = |name: &str| -> Result<StringArray> {
        let array = text(name)?;
        Ok(places.iter().map(|row| at(array, *row)).collect())
    };
    let arrays: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(picked.iter().map(|p| p.verdict.map(|r| r.as_str())).collect::<StringArray>()),
        Arc::new(picked.iter().map(|p| subject(p).map(|i| plan.columns[i].name.clone())).collect::<StringArray>()),
        Arc::new(picked.iter().zip(&places).map(|(p, row)| subject(p).and_then(|i| at(columns[i], *row))).collect::<StringArray>()),
        Arc::new(
            places
                .iter()
                .map(|row| Some(plan.key.iter().map(|i| at(columns[*i], *row).unwrap_or_default()).collect::<Vec<_>>().join("|")))
                .collect::<StringArray>(),
        ),
        Arc::new(json.into_iter().collect::<StringArray>()),
        Arc::new(receipt("_source")?),
        Arc::new(receipt("_artifact")?),
        Arc::new(places.iter().map(|row| numbers.value(*row)).collect::<arrow::array::Int64Array>()),
        Arc::new(receipt("_run_id")?),
        Arc::new(places.iter().map(|row| Some(times.value(*row))).collect::<arrow::array::TimestampMicrosecondArray>()),
    ];
    RecordBatch::try_new_with_options(schema.clone(), arrays, &RecordBatchOptions::new())
        .map_err(|source| WarehouseError::Arrow { table, source })
}
