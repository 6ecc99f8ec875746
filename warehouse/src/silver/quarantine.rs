//! Rows that cannot be used, with the reason and the row as received.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::Dataset;

use crate::delta::{Cell, Change, FileEntry, Table, canonical, digest_in, read_file, write_cell};
use crate::error::{Result, WarehouseError};
use crate::ledger::{CellMark, CellMarks, RunStamp};
use crate::silver::index::Indexes;
use crate::silver::judge::{Judged, month_text};
use crate::silver::plan::Plan;
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

/// Replaces a dataset's quarantine cells that differ; returns how many.
#[expect(clippy::too_many_arguments, reason = "one step of the silver build")]
pub(crate) async fn replace(
    root: &Root,
    dataset: &Dataset,
    plan: &Plan,
    indexes: &Indexes,
    bronze: &Table,
    files: &[FileEntry],
    rows: &[Judged],
    list: &[usize],
    run: &RunStamp,
    marks: &mut CellMarks,
) -> Result<u64> {
    let held = match Table::open(root, "silver", QUARANTINE).await? {
        None if list.is_empty() => return Ok(0),
        other => other,
    };
    let mut table = match held {
        Some(table) => table,
        None => Table::open_or_create(root, "silver", QUARANTINE, &quarantine_schema(), &["dataset", "county", "month"], "隔离区").await?,
    };
    let label = table.label().to_string();
    let schema = file_schema();
    let mut by_file: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for i in list {
        by_file.entry(rows[*i].file).or_default().push(*i);
    }
    let mut cells: BTreeMap<Cell, Vec<RecordBatch>> = BTreeMap::new();
    for (number, members) in by_file {
        let path = files.get(number as usize).map(|f| f.path.as_str()).unwrap_or_default();
        let batches = read_file(&bronze.store(), bronze.label(), path, None).await?;
        let mut first = 0_u32;
        for batch in &batches {
            let next = first + u32::try_from(batch.num_rows()).unwrap_or_default();
            let mut here: BTreeMap<Cell, Vec<&Judged>> = BTreeMap::new();
            for i in members.iter().filter(|i| (first..next).contains(&rows[**i].position)) {
                let row = &rows[*i];
                here.entry(Cell::new(indexes.counties.code(row.county), month_text(row.month))).or_default().push(row);
            }
            for (cell, picked) in here {
                cells.entry(cell).or_default().push(rows_of(dataset, plan, &schema, batch, first, &picked)?);
            }
            first = next;
        }
    }
    let active: BTreeMap<Cell, FileEntry> =
        table.files()?.into_iter().filter(|f| f.part("dataset") == dataset.name).map(|f| (f.cell(), f)).collect();
    let mut change = Change { info: vec![("yaojia.run".to_string(), run.id.clone())], ..Change::default() };
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
            change.add.push(write_cell(&table.store(), &label, partition, sorted, run.seq).await?);
        }
        marks.set(&mark_name, cell.clone(), mark);
    }
    for (cell, file) in active.iter().filter(|(c, _)| !cells.contains_key(*c)) {
        change.remove.push(file.path.clone());
        marks.set(&mark_name, cell.clone(), CellMark::default());
    }
    let changed = change.add.len().max(change.remove.len()) as u64;
    if changed > 0 {
        table.commit(change).await?;
    }
    Ok(changed)
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
