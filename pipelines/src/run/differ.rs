//! What differs between two versions of a table: cells by the digests in their files' names, values and alerts row by row.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::row::{Row, RowConverter, Rows, SortField};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use yaojia_warehouse::delta::{FileEntry, Table, digest_in, read_file};
use yaojia_warehouse::{Root, WarehouseError};

use crate::error::RunError;
use crate::publish::release::{CellChange, RowChange};

/// The files of a table at a version.
pub(crate) async fn files(root: &Root, full: &str, version: i64) -> Result<(Table, Vec<FileEntry>), RunError> {
    let (layer, name) = full.split_once('.').unwrap_or(("gold", full));
    let gone = || RunError::NotFound(format!("table `{full}` is not there at version {version}"));
    let table = Table::open_at(root, layer, name, Some(version)).await?.ok_or_else(gone)?;
    let files = table.files()?;
    Ok((table, files))
}

/// The place of a file: its folder, such as `county=652801/month=2024-01`.
pub(crate) fn place(file: &FileEntry) -> String {
    file.path.rsplit_once('/').map(|(folder, _)| folder.to_string()).unwrap_or_default()
}

/// What names a value.
const VALUE_KEY: [&str; 9] =
    ["indicator_id", "measure", "month", "county", "level", "subject_code", "product_code", "batch_code", "group_code"];
/// What is no change of a value.
const VALUE_BLIND: [&str; 3] = ["run_id", "as_of", "subject_name"];
/// What names an alert.
const ALERT_KEY: [&str; 7] = ["alert_id", "indicator_id", "measure", "month", "county", "level", "subject_code"];
/// What is no change of an alert.
const ALERT_BLIND: [&str; 3] = ["first_run_id", "as_of", "subject_name"];

/// The values (`gold.indicator_value`) or alerts (`gold.alert`) that differ between two versions of their table, in the cells that `wanted`
/// takes by their place.
pub(crate) async fn published(
    root: &Root,
    table: &str,
    versions: (Option<i64>, Option<i64>),
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<RowChange>, RunError> {
    let (before, after) = (side(root, table, versions.0).await?, side(root, table, versions.1).await?);
    let cells = cells(&before, &after);
    let changed: BTreeSet<&str> = cells.iter().map(|cell| cell.cell.as_str()).filter(|place| wanted(place)).collect();
    rows(table, &before, &after, &changed).await
}

/// A table in one of two releases: its cells' files.
pub(crate) struct Side {
    table: Option<Table>,
    files: BTreeMap<String, FileEntry>,
}

/// A table at a version; nothing where there is none.
pub(crate) async fn side(root: &Root, name: &str, version: Option<i64>) -> Result<Side, RunError> {
    let Some(version) = version else { return Ok(Side { table: None, files: BTreeMap::new() }) };
    let (table, files) = files(root, name, version).await?;
    Ok(Side { table: Some(table), files: files.into_iter().map(|file| (place(&file), file)).collect() })
}

/// The cells that differ.
pub(crate) fn cells(before: &Side, after: &Side) -> Vec<CellChange> {
    let places: BTreeSet<&String> = before.files.keys().chain(after.files.keys()).collect();
    places
        .into_iter()
        .filter_map(|place| {
            let (old, new) = (before.files.get(place), after.files.get(place));
            let change = match (old, new) {
                (Some(old), Some(new)) if digest_in(&old.path) == digest_in(&new.path) => return None,
                (Some(_), Some(_)) => "changed",
                (None, _) => "added",
                (_, None) => "removed",
            };
            let rows = |file: Option<&FileEntry>| file.and_then(|file| file.rows);
            Some(CellChange { cell: place.clone(), change, rows_before: rows(old), rows_after: rows(new) })
        })
        .collect()
}

/// The rows of the cells that differ, compared by key; `table` is `gold.indicator_value` or `gold.alert`.
pub(crate) async fn rows(table: &str, before: &Side, after: &Side, cells: &BTreeSet<&str>) -> Result<Vec<RowChange>, RunError> {
    let (key, blind): (&[&str], &[&str]) = match table {
        "gold.alert" => (&ALERT_KEY, &ALERT_BLIND),
        _ => (&VALUE_KEY, &VALUE_BLIND),
    };
    let (mut old, mut new) = (Texts::new(), Texts::new());
    for place in cells {
        let (one, other) = (batches(before, place).await?, batches(after, place).await?);
        // Most rows of a cell that differs are what they were: they are told apart without being made text.
        let (one, other) = match others(table, &one, &other, blind)? {
            Some(both) => both,
            None => (one, other),
        };
        read(table, place, &one, key, &mut old)?;
        read(table, place, &other, key, &mut new)?;
    }
    let keys: BTreeSet<&Vec<String>> = old.keys().chain(new.keys()).collect();
    let mut all = Vec::new();
    for name in keys {
        let key: BTreeMap<String, String> = key.iter().map(ToString::to_string).zip(name.iter().cloned()).collect();
        let shown = |row: &BTreeMap<String, Option<String>>| -> BTreeMap<String, Option<String>> {
            row.iter()
                .filter(|(column, value)| value.is_some() && !key.contains_key(*column))
                .map(|(c, v)| (c.clone(), v.clone()))
                .collect()
        };
        match (old.get(name), new.get(name)) {
            (Some(old), None) => all.push(RowChange { change: "vanished", before: shown(old), after: BTreeMap::new(), key }),
            (None, Some(new)) => all.push(RowChange { change: "appeared", before: BTreeMap::new(), after: shown(new), key }),
            (Some(old), Some(new)) => {
                let columns: BTreeSet<&String> = old.keys().chain(new.keys()).filter(|column| !blind.contains(&column.as_str())).collect();
                let value = |row: &BTreeMap<String, Option<String>>, column: &String| row.get(column).cloned().flatten();
                let differ: Vec<&String> = columns.into_iter().filter(|column| value(old, column) != value(new, column)).collect();
                if !differ.is_empty() {
                    let side = |row| differ.iter().map(|column| ((*column).clone(), value(row, column))).collect();
                    all.push(RowChange { change: "changed", before: side(old), after: side(new), key });
                }
            }
            (None, None) => {}
        }
    }
    Ok(all)
}

/// Rows as text by key; partition columns are put back.
type Texts = BTreeMap<Vec<String>, BTreeMap<String, Option<String>>>;

/// The stored rows of a cell.
async fn batches(side: &Side, place: &str) -> Result<Vec<RecordBatch>, RunError> {
    match (&side.table, side.files.get(place)) {
        (Some(table), Some(file)) => Ok(read_file(&table.store(), table.label(), &file.path, None).await?),
        _ => Ok(Vec::new()),
    }
}

/// Rows of both sides.
type Both = (Vec<RecordBatch>, Vec<RecordBatch>);

/// Of each side the rows that the other does not have, whatever the blind columns say; `None` where the columns are not the same.
fn others(table: &str, one: &[RecordBatch], other: &[RecordBatch], blind: &[&str]) -> Result<Option<Both>, WarehouseError> {
    let Some(schema) = one.iter().chain(other).next().map(RecordBatch::schema) else { return Ok(None) };
    if one.iter().chain(other).any(|batch| batch.schema().fields() != schema.fields()) {
        return Ok(None);
    }
    let arrow = |source| WarehouseError::Arrow { table: table.to_string(), source };
    let seen: Vec<usize> =
        schema.fields().iter().enumerate().filter(|(_, f)| !blind.contains(&f.name().as_str())).map(|(at, _)| at).collect();
    let fields = seen.iter().map(|at| SortField::new(schema.field(*at).data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(arrow)?;
    let encoded = |batches: &[RecordBatch]| -> Result<Vec<Rows>, WarehouseError> {
        let columns = |batch: &RecordBatch| seen.iter().map(|at| batch.column(*at).clone()).collect::<Vec<_>>();
        batches.iter().map(|batch| converter.convert_columns(&columns(batch)).map_err(arrow)).collect()
    };
    let (mine, theirs) = (encoded(one)?, encoded(other)?);
    let without = |batches: &[RecordBatch], rows: &[Rows], others: &[Rows]| -> Result<Vec<RecordBatch>, WarehouseError> {
        let known: HashSet<Row<'_>> = others.iter().flat_map(Rows::iter).collect();
        let left = batches.iter().zip(rows).map(|(batch, rows)| {
            let keep: BooleanArray = rows.iter().map(|row| Some(!known.contains(&row))).collect();
            filter_record_batch(batch, &keep).map_err(arrow)
        });
        left.collect()
    };
    Ok(Some((without(one, &mine, &theirs)?, without(other, &theirs, &mine)?)))
}

/// Takes a cell's rows as text; partition columns are put back.
fn read(table: &str, place: &str, batches: &[RecordBatch], key: &[&str], all: &mut Texts) -> Result<(), WarehouseError> {
    let parts: Vec<(String, String)> =
        place.split('/').filter_map(|part| part.split_once('=')).map(|(name, value)| (name.to_string(), value.to_string())).collect();
    for batch in batches {
        for mut row in texts(table, batch)? {
            row.extend(parts.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
            let key = key.iter().map(|name| row.get(*name).cloned().flatten().unwrap_or_default()).collect();
            all.insert(key, row);
        }
    }
    Ok(())
}

fn texts(label: &str, batch: &RecordBatch) -> Result<Vec<BTreeMap<String, Option<String>>>, WarehouseError> {
    let arrow = |source| WarehouseError::Arrow { table: label.to_string(), source };
    let options = FormatOptions::default();
    let formatters =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect::<Result<Vec<_>, _>>().map_err(arrow)?;
    let schema = batch.schema();
    (0..batch.num_rows())
        .map(|row| {
            let mut values = BTreeMap::new();
            for ((column, field), formatter) in batch.columns().iter().zip(schema.fields()).zip(&formatters) {
                let value = if column.is_null(row) { None } else { Some(formatter.value(row).try_to_string().map_err(arrow)?) };
                values.insert(field.name().clone(), value);
            }
            Ok(values)
        })
        .collect()
}
