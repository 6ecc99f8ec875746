//! Silver and gold files that are gone, or are not what they were written as: the log is told so, and the next build makes their cells again.
//!
//! What a seal pinned is put back as it was. Of the rest the log gives the files up, and the ledger's marks of what was made of them say that it
//! is no longer there; releases that showed them cannot be read any more and are written down as such. A file that was changed is kept
//! aside, below `_ops/candidates/`, as evidence.

use std::collections::{BTreeMap, BTreeSet};

use super::tables::{LAYERS, TableName, tables};
use crate::audit::file_digest;
use crate::delta::{Cell, Change, FileEntry, Table, digest_in, hash_in, is_as_written};
use crate::error::Result;
use crate::gold::{Indicators, replacing};
use crate::ledger::{CellMark, CellMarks, RunStamp, record_vacuumed, releases, vacuumed};
use crate::silver::QUARANTINE;
use crate::store::Root;

/// A file that is in use and cannot be used.
#[derive(Debug, Clone)]
pub struct Lost {
    /// Its table.
    pub table: TableName,
    /// As the log has it.
    pub file: FileEntry,
    /// Whether it is there and was changed; else it is gone.
    pub changed: bool,
}

impl Lost {
    /// Its path below the warehouse root.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}/{}", self.table.layer, self.table.name, self.file.path.replace("%3D", "="))
    }
}

/// Files in use of silver and gold tables that are gone.
///
/// # Errors
/// As the storage says.
pub async fn lost(root: &Root) -> Result<Vec<Lost>> {
    let listing = root.list(&["silver", "gold"]).await?;
    let mut found = Vec::new();
    for (table, objects) in tables(&listing) {
        let Some(open) = Table::open(root, &table.layer, &table.name).await? else { continue };
        let gone = open.files()?.into_iter().filter(|file| !objects.contains_key(&file.path.replace("%3D", "=")));
        found.extend(gone.map(|file| Lost { table: table.clone(), file, changed: false }));
    }
    Ok(found)
}

/// Files in use of a silver or gold table whose bytes, rows or digests are not those on record.
///
/// # Errors
/// As the storage says.
pub async fn damaged(root: &Root, table: &TableName, marks: &CellMarks) -> Result<Vec<Lost>> {
    let mut found = Vec::new();
    let Some(open) = Table::open(root, &table.layer, &table.name).await? else { return Ok(found) };
    for file in open.files()? {
        let of = Lost { table: table.clone(), file, changed: true };
        let Some(bytes) = root.get_opt(&of.path()).await? else { continue };
        let dataset = of.file.part("dataset");
        let name = if dataset.is_empty() { table.label() } else { format!("{}/{dataset}", table.label()) };
        let mark = marks.get(&name, &of.file.cell());
        let fits = is_as_written(&of.path(), &bytes) == Some(true)
            && match file_digest(&open, &of.file.path).await {
                Ok((digest, rows)) => {
                    digest_in(&of.file.path) == Some(digest.as_str())
                        && of.file.rows == Some(rows)
                        && mark.is_none_or(|mark| mark.digest == digest && mark.rows == rows)
                }
                Err(_) => false,
            };
        if !fits {
            found.push(of);
        }
    }
    Ok(found)
}

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Files that were put back from what seals pinned, by table.
    pub restored: BTreeMap<String, u64>,
    /// Files that the log gave up, so that a build makes their cells again, by table.
    pub given_up: BTreeMap<String, u64>,
}

/// Puts back what seals pinned and lets the log give up the rest, so that the next build makes it again. The caller holds the lease. Killed on
/// the way, the next one finds what is left.
///
/// # Errors
/// As the storage says.
pub async fn repair(root: &Root, all: &[Lost], stamp: &RunStamp) -> Result<Repaired> {
    let mut done = Repaired::default();
    let pinned: Vec<String> = root.list(&["_ops/sealed"]).await?.into_iter().map(|meta| meta.location.to_string()).collect();
    let mut rest: BTreeMap<&TableName, Vec<&Lost>> = BTreeMap::new();
    for of in all {
        let path = of.path();
        if of.changed
            && let Some(bytes) = root.get_opt(&path).await?
        {
            root.put(&format!("_ops/candidates/{}/repaired/{path}", stamp.id), bytes).await?;
        }
        if put_back(root, &path, &pinned).await? {
            *done.restored.entry(of.table.label()).or_default() += 1;
        } else {
            rest.entry(&of.table).or_default().push(of);
        }
    }
    if rest.is_empty() {
        return Ok(done);
    }
    let given_up = releases_with(root, &rest).await?;
    record_vacuumed(root, stamp.seq, &stamp.id, &given_up).await?;
    let mut marks = CellMarks::read(root).await?;
    for of in rest.values().flatten() {
        unmark(&mut marks, of);
    }
    marks.flush(root, stamp.seq).await?;
    for (table, files) in rest {
        let Some(mut open) = Table::open(root, &table.layer, &table.name).await? else { continue };
        let remove = files.iter().map(|of| of.file.path.clone()).collect();
        let info = vec![("yaojia.run".to_string(), stamp.id.clone()), ("yaojia.repair".to_string(), files.len().to_string())];
        open.commit(Change { remove, info, ..Change::default() }).await?;
        for of in files.iter().filter(|of| of.changed) {
            root.delete(&of.path()).await?;
        }
        done.given_up.insert(table.label(), files.len() as u64);
    }
    Ok(done)
}

/// Puts a file back from a pinned copy of the same bytes.
async fn put_back(root: &Root, path: &str, pinned: &[String]) -> Result<bool> {
    let Some(hash) = hash_in(path) else { return Ok(false) };
    let copy = pinned.iter().find(|pinned| pinned.rsplit('/').next().is_some_and(|name| name.starts_with(hash)));
    let Some(copy) = copy else { return Ok(false) };
    match root.get_opt(copy).await? {
        Some(bytes) if is_as_written(path, &bytes) == Some(true) => {
            root.put(path, bytes).await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Releases that can be read and show one of the files.
async fn releases_with(root: &Root, lost: &BTreeMap<&TableName, Vec<&Lost>>) -> Result<Vec<i64>> {
    let gone = vacuumed(root).await?;
    let mut found = Vec::new();
    // Many releases have the same version of a table.
    let mut known: BTreeMap<(String, i64), bool> = BTreeMap::new();
    for release in releases(root).await?.into_iter().filter(|release| !gone.contains_key(&release.number)) {
        let mut shows = false;
        for (table, files) in lost {
            let Some(version) = release.tables.get(&table.label()).copied() else { continue };
            let key = (table.label(), version);
            if !known.contains_key(&key) {
                let open = Table::open_at(root, &table.layer, &table.name, Some(version)).await?;
                let held: BTreeSet<String> =
                    open.map(|open| open.files()).transpose()?.unwrap_or_default().into_iter().map(|file| file.path).collect();
                known.insert(key.clone(), files.iter().any(|of| held.contains(&of.file.path)));
            }
            shows |= known.get(&key).copied().unwrap_or_default();
        }
        if shows {
            found.push(release.number);
        }
    }
    Ok(found)
}

/// Lets the marks say that what they were set for is no longer there.
fn unmark(marks: &mut CellMarks, of: &Lost) {
    let name = of.table.name.as_str();
    let mut stale: Vec<(String, Cell)> = Vec::new();
    if of.table.layer == "silver" {
        let dataset = if name == QUARANTINE { of.file.part("dataset") } else { name.to_string() };
        stale.push((format!("silver.{dataset}"), Cell::new("*", "*")));
    } else if Indicators::TABLES.contains(&name) || name == "dim_indicator" {
        for indicator in marks.names().filter(|name| name.starts_with("indicator/")) {
            let months = marks.of(indicator).into_keys().filter(|cell| cell.month != "*");
            // The list of indicators is written whenever anything of them is.
            let of = months.filter(|cell| name == "dim_indicator" || cell.month == of.file.part("month")).max();
            stale.extend(of.map(|cell| (indicator.to_string(), cell)));
        }
    }
    // Cells of facts and dimensions are stale by themselves where the table does not hold what their marks say.
    for (name, cell) in stale {
        if let Some(held) = marks.get(&name, &cell).cloned() {
            marks.set(&name, cell, CellMark { fingerprint: replacing(&held.fingerprint), ..held });
        }
    }
}

/// The silver or gold table of this name: `gold.fact_order`, `silver.shp`, or the name alone where one has it.
#[must_use]
pub fn repairable(text: &str, known: &BTreeSet<String>) -> Option<TableName> {
    let label = match text.split_once('.') {
        Some(_) => known.get(text),
        None => known.iter().find(|label| label.split_once('.').is_some_and(|(layer, name)| name == text && layer != "bronze")),
    }?;
    let (layer, name) = label.split_once('.')?;
    (LAYERS.contains(&layer) && layer != "bronze").then(|| TableName { layer: layer.to_string(), name: name.to_string() })
}
