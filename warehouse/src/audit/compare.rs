//! Where the cells of two warehouses differ, down to the first row. Rows are compared with rows: a cell's digest is computed from what its
//! files hold, whatever their names say.

use std::collections::{BTreeMap, BTreeSet};

use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use object_store::ObjectStoreExt as _;
use object_store::path::Path as ObjectPath;

use crate::delta::{Cell, RowDigest, Table, digest_in, read_file, scan_bytes};
use crate::error::{Result, WarehouseError};
use crate::gold::blind_columns;
use crate::store::Root;

/// A cell that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `layer.table`.
    pub table: String,
    /// County and month.
    pub cell: Cell,
    /// Digest here and there; `None` where the cell has no rows.
    pub digests: (Option<String>, Option<String>),
    /// The first row that is not the same, as `column=value` of the left and of the right.
    pub row: Option<(String, String)>,
}

/// One side: a warehouse, and the version of the table to look at (`None`: the latest).
pub type Side<'a> = (&'a Root, Option<i64>);

/// The cells of `layer.name` that differ; of the first, the first row that does. `only` restricts them to a month.
///
/// # Errors
/// As the storage says.
pub async fn compare(left: Side<'_>, right: Side<'_>, full: &str, only: Option<&str>) -> Result<(u64, Vec<Difference>)> {
    let (layer, name) = full.split_once('.').unwrap_or(("gold", full));
    let one = Table::open_at(left.0, layer, name, left.1).await?;
    let two = Table::open_at(right.0, layer, name, right.1).await?;
    let (ones, twos) = (cells(one.as_ref(), only).await?, cells(two.as_ref(), only).await?);
    let places: BTreeSet<&Cell> = ones.keys().chain(twos.keys()).collect();
    let mut found = Vec::new();
    for place in &places {
        let (a, b) = (ones.get(*place), twos.get(*place));
        let digests = (a.map(|a| a.1.clone()), b.map(|b| b.1.clone()));
        if digests.0 == digests.1 {
            continue;
        }
        let row = if found.is_empty() { first_row(one.as_ref(), a, two.as_ref(), b).await? } else { None };
        found.push(Difference { table: full.to_string(), cell: (*place).clone(), digests, row });
    }
    Ok((places.len() as u64, found))
}

/// Cell → files, and the digests of their rows.
async fn cells(table: Option<&Table>, only: Option<&str>) -> Result<BTreeMap<Cell, Held>> {
    let mut cells: BTreeMap<Cell, Held> = BTreeMap::new();
    let Some(table) = table else { return Ok(cells) };
    for file in table.files()?.into_iter().filter(|file| only.is_none_or(|month| file.part("month") == month)) {
        let digest = match file_digest(table, &file.path).await {
            Ok((digest, _)) => digest,
            // Maintenance removes the rows of old releases: what is left of such a cell is the name it had.
            Err(error) if is_gone(&error) => digest_in(&file.path).unwrap_or(&file.path).to_string(),
            Err(error) => return Err(error),
        };
        // A quarantine cell has a file a dataset; their digests follow each other.
        let cell = cells.entry(file.cell()).or_default();
        cell.1.push_str(&digest);
        cell.0.push(file.path);
    }
    Ok(cells)
}

/// The canonical digest of a stored file's rows, and their number.
///
/// # Errors
/// As the storage says.
pub async fn file_digest(table: &Table, path: &str) -> Result<(String, u64)> {
    let failed = |source| WarehouseError::Store { path: format!("{}: {path}", table.label()), source };
    let bytes = table.store().get(&ObjectPath::from(path)).await.map_err(failed)?.bytes().await.map_err(failed)?;
    let (label, path) = (table.label().to_string(), path.to_string());
    tokio::task::spawn_blocking(move || {
        let mut digest = RowDigest::new(blind_columns(&label));
        scan_bytes(&label, &path, bytes, &mut |batch| digest.update(&label, batch))?;
        Ok(digest.finish())
    })
    .await
    .map_err(|e| WarehouseError::Task(e.to_string()))?
}

fn is_gone(error: &WarehouseError) -> bool {
    matches!(error, WarehouseError::Store { source: object_store::Error::NotFound { .. }, .. })
}

type Held = (Vec<String>, String);

/// The first row that is not the same; `None` where a side's rows are gone (maintenance removes those of old releases).
async fn first_row(one: Option<&Table>, a: Option<&Held>, two: Option<&Table>, b: Option<&Held>) -> Result<Option<(String, String)>> {
    let (left, right) = match (texts(one, a).await, texts(two, b).await) {
        (Err(error), _) | (_, Err(error)) if is_gone(&error) => return Ok(None),
        (left, right) => (left?, right?),
    };
    let rows = left.len().max(right.len());
    let none = || "no row".to_string();
    Ok((0..rows)
        .map(|n| (left.get(n), right.get(n)))
        .find(|(l, r)| l != r)
        .map(|(l, r)| (l.cloned().unwrap_or_else(none), r.cloned().unwrap_or_else(none))))
}

/// The rows of a cell as text, in the order they are stored in, which is that of the grain. Provenance columns are left out.
async fn texts(table: Option<&Table>, held: Option<&Held>) -> Result<Vec<String>> {
    let (Some(table), Some((files, _))) = (table, held) else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for file in files {
        for batch in read_file(&table.store(), table.label(), file, None).await? {
            lines(table.label(), &batch, &mut rows)?;
        }
    }
    Ok(rows)
}

fn lines(table: &str, batch: &RecordBatch, rows: &mut Vec<String>) -> Result<()> {
    let bad = |source| WarehouseError::Arrow { table: table.to_string(), source };
    let options = FormatOptions::default().with_null("null");
    let schema = batch.schema();
    let columns = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .filter(|(field, _)| !field.name().starts_with('_'))
        .map(|(field, column)| Ok((field.name().clone(), ArrayFormatter::try_new(column.as_ref(), &options)?)))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(bad)?;
    for row in 0..batch.num_rows() {
        rows.push(columns.iter().map(|(name, column)| format!("{name}={}", column.value(row))).collect::<Vec<_>>().join(" "));
    }
    Ok(())
}
