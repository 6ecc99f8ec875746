//! The warehouse as it was known at a run: bronze and the load ledger up to it, in a place of its own.

use std::collections::BTreeMap;

use arrow::array::{AsArray as _, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;
use yaojia_models::contract::Registry;

use super::Basis;
use crate::bronze::FileName;
use crate::delta::{Change, FileEntry, NewFile, Table, read_file, write_file};
use crate::error::{Result, WarehouseError};
use crate::ledger::{LoadMark, RunStamp, loads, record_loads};
use crate::store::Root;

/// Application under which the platform's position is recorded, and what a unit of it is in microseconds.
const SECOND: i64 = 1_000_000;

/// What was taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Bronze files.
    pub files: u64,
    /// Bronze rows.
    pub rows: u64,
    /// Lines of the load ledger.
    pub loads: u64,
}

/// Fills the empty place `to` with the bronze rows and load marks of `from` that were there at the end of `basis`' run. Original
/// bytes are not copied: nothing is parsed again.
///
/// # Errors
/// As the storage says.
pub async fn as_known(from: &Root, to: &Root, registry: &Registry, basis: &Basis, position: &str) -> Result<Known> {
    let mut known = Known::default();
    for dataset in registry.datasets() {
        let source = Table::open(from, "bronze", &dataset.name).await?;
        let cursor = basis.cursors.get(&dataset.name).map(|micros| micros.div_euclid(SECOND));
        if source.is_none() && cursor.is_none() {
            continue;
        }
        let mut target =
            Table::open_or_create(to, "bronze", &dataset.name, &dataset.bronze_schema(), &["county", "month"], &dataset.title).await?;
        let mut add = Vec::new();
        let files = source.as_ref().map(Table::files).transpose()?.unwrap_or_default();
        for file in files {
            let name = FileName::of(&file.path);
            if name.as_ref().is_some_and(|name| name.first_run > basis.run_seq) {
                continue;
            }
            if name.as_ref().is_some_and(|name| name.run > basis.run_seq) {
                // Merged by `maintain` from files of runs before and after.
                if let Some(source) = &source
                    && let Some(part) = part(source, &target, &file, basis.run_seq).await?
                {
                    known.files += 1;
                    known.rows += part.rows;
                    add.push(part);
                }
                continue;
            }
            let source = format!("bronze/{}/{}", dataset.name, file.path);
            copy(from, to, &source).await?;
            known.files += 1;
            known.rows += file.rows.unwrap_or_default();
            add.push(NewFile {
                partition: partition(&file),
                path: file.path,
                rows: file.rows.unwrap_or_default(),
                size: u64::try_from(file.size).unwrap_or_default(),
            });
        }
        let positions = cursor.map(|seconds| (position.to_string(), seconds)).into_iter().collect();
        target.commit(Change { add, positions, ..Change::default() }).await?;
    }
    let mut by_run: BTreeMap<(i64, String), Vec<LoadMark>> = BTreeMap::new();
    for mark in loads(from).await?.into_iter().filter(|mark| mark.run_seq <= basis.run_seq) {
        known.loads += 1;
        by_run.entry((mark.run_seq, mark.run_id.clone())).or_default().push(mark);
    }
    for ((seq, id), marks) in by_run {
        record_loads(to, &RunStamp { seq, id, at: 0 }, &marks).await?;
    }
    Ok(known)
}

fn partition(file: &FileEntry) -> Vec<(String, String)> {
    let mut values: Vec<(String, String)> =
        file.partition.iter().map(|(name, value)| (name.clone(), value.clone().unwrap_or_default())).collect();
    values.sort();
    values
}

/// The rows of a merged file that runs up to `run` received, as a file of their own in the other place.
async fn part(source: &Table, target: &Table, file: &FileEntry, run: i64) -> Result<Option<NewFile>> {
    let arrow = |error| WarehouseError::Arrow { table: source.label().to_string(), source: error };
    let mut batches = Vec::new();
    for batch in read_file(&source.store(), source.label(), &file.path, None).await? {
        let runs = batch.column_by_name("_run_seq").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let runs =
            runs.ok_or_else(|| WarehouseError::Contract { table: source.label().to_string(), why: "no column `_run_seq`".to_string() })?;
        let known: BooleanArray = runs.iter().map(|seq| seq.map(|seq| seq <= run)).collect();
        let kept = filter_record_batch(&batch, &known).map_err(arrow)?;
        if kept.num_rows() > 0 {
            batches.push(kept);
        }
    }
    let Some(schema) = batches.first().map(RecordBatch::schema) else { return Ok(None) };
    let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    // Named as the merged one but for the last run, so that it says of itself what is in it.
    let place = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let Some(name) = FileName::of(&file.path) else { return Ok(None) };
    let path = format!("{place}/{}", FileName { run, ..name }.render(target.version() + 1, 0));
    let (path, size) = write_file(&target.store(), target.label(), &path, &schema, batches).await?;
    Ok(Some(NewFile { path, partition: partition(file), rows, size }))
}

/// Copies one object: a hard link where both places are local folders, else its bytes.
async fn copy(from: &Root, to: &Root, path: &str) -> Result<()> {
    if let (Some(source), Some(target)) = (from.local(), to.local()) {
        let (source, target) = (source.join(path), target.join(path));
        let failed = |e: std::io::Error| WarehouseError::Store {
            path: path.to_string(),
            source: object_store::Error::Generic { store: "local", source: Box::new(e) },
        };
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        if std::fs::hard_link(&source, &target).is_err() {
            std::fs::copy(&source, &target).map_err(failed)?;
        }
        return Ok(());
    }
    let failed = |source| WarehouseError::Store { path: path.to_string(), source };
    let place = ObjectPath::from(path);
    let bytes = from.store().get(&place).await.map_err(failed)?.bytes().await.map_err(failed)?;
    to.put(path, bytes).await
}
