//! Whether tables, ledger and releases fit each other, as logs and names tell.

use std::collections::{BTreeMap, BTreeSet};

use object_store::ObjectMeta;
use yaojia_models::contract::Registry;

use super::{Inspection, plain};
use crate::delta::{Cell, FileEntry, Table, digest_in};
use crate::error::{Result, WarehouseError};
use crate::keep::{History, TableName, tables};
use crate::ledger::{CellMarks, Release, releases, vacuumed};
use crate::silver::QUARANTINE;
use crate::store::Root;

/// Tables, ledger and release: they open, their files are there at their sizes, the cells are those on record.
///
/// # Errors
/// As the storage says when a folder cannot be listed; what cannot be opened or read is a finding.
pub async fn inspect_tables(root: &Root, registry: &Registry) -> Result<Inspection> {
    let mut found = Inspection::default();
    let listing = root.list(&["bronze", "silver", "gold", "_ops"]).await?;
    let sizes: BTreeMap<String, u64> = listing.iter().map(|meta| (meta.location.to_string(), meta.size)).collect();
    let (mut newest, mut histories) = (BTreeMap::new(), BTreeMap::new());
    for (name, objects) in &tables(&listing) {
        let (label, known) = (name.label(), is_ours(registry, name));
        if !known {
            found.find(&label, "no contract knows a table of this name");
        }
        match Table::open(root, &name.layer, &name.name).await {
            Ok(Some(table)) => {
                files(&table, &name.layer, &name.name, &sizes, &mut found);
                if let Some(history) = log(root, name, objects, &table, &mut found).await {
                    histories.insert(label.clone(), history);
                }
                newest.insert(label, table);
            }
            Ok(None) => found.find(label, "its folder holds no table"),
            Err(error) => found.find(label, format!("the table does not open: {error}")),
        }
    }
    match CellMarks::read(root).await {
        Ok(marks) => {
            for (label, table) in &newest {
                cells(label, table, &marks, &mut found);
            }
        }
        Err(error) => found.find("_ops.cell", format!("the ledger cannot be read: {error}")),
    }
    let releases = async { Ok::<_, WarehouseError>((releases(root).await?, vacuumed(root).await?)) };
    match releases.await {
        Ok((all, gone)) => {
            if let Some(release) = all.last() {
                current(root, release, &sizes, &mut found).await;
            }
            earlier(all.iter().rev().skip(1).filter(|release| !gone.contains_key(&release.number)), &histories, &sizes, &mut found);
        }
        Err(error) => found.find("_ops.release", format!("the ledger cannot be read: {error}")),
    }
    found.findings.dedup();
    Ok(found)
}

/// The tables of the current release open at its versions, and their files are there.
async fn current(root: &Root, release: &Release, sizes: &BTreeMap<String, u64>, found: &mut Inspection) {
    for (label, version) in &release.tables {
        let (layer, name) = label.split_once('.').unwrap_or(("gold", label));
        match Table::open_at(root, layer, name, Some(*version)).await {
            Ok(Some(table)) => files(&table, layer, name, sizes, found),
            Ok(None) => found.find(label, format!("release {} names the table and it is gone", release.number)),
            Err(error) => found.find(label, format!("version {version} of release {} does not open: {error}", release.number)),
        }
    }
}

/// The files of earlier releases that can still be read are there.
fn earlier<'a>(
    releases: impl Iterator<Item = &'a Release>,
    histories: &BTreeMap<String, History>,
    sizes: &BTreeMap<String, u64>,
    found: &mut Inspection,
) {
    let mut seen = BTreeSet::new();
    for release in releases {
        for (label, version) in &release.tables {
            let Some(history) = histories.get(label).filter(|_| seen.insert((label, *version))) else { continue };
            if *version < history.first {
                found.find(label, format!("release {} is of version {version}, and the log begins with {}", release.number, history.first));
            }
            for path in history.at(&[*version].into()) {
                let path = format!("{}/{path}", label.replacen('.', "/", 1));
                if !sizes.contains_key(&path) {
                    found.find(path, format!("release {} needs the file and it is gone", release.number));
                }
            }
        }
    }
}

/// Whether we have tables of this name.
fn is_ours(registry: &Registry, table: &TableName) -> bool {
    match table.layer.as_str() {
        "bronze" => registry.dataset(&table.name).is_some(),
        "silver" => table.name == QUARANTINE || registry.dataset(&table.name).is_some(),
        "gold" => registry.gold_table(&table.name).is_some(),
        _ => true,
    }
}

/// A table opens, by its checkpoints, with the files that its commits tell one by one.
async fn log(
    root: &Root,
    name: &TableName,
    objects: &BTreeMap<String, ObjectMeta>,
    table: &Table,
    found: &mut Inspection,
) -> Option<History> {
    let history = match History::read(root, name, objects).await {
        Ok(history) => history,
        Err(error) => {
            found.find(name.label(), error.to_string());
            return None;
        }
    };
    let active = table.files().ok()?;
    let opened: BTreeSet<String> = active.into_iter().map(|file| plain(&file.path)).collect();
    let versions = [history.latest].into();
    let told: BTreeSet<String> = history.at(&versions).into_iter().map(ToString::to_string).collect();
    for path in opened.symmetric_difference(&told).take(1) {
        let path = format!("{}/{}/{path}", name.layer, name.name);
        found.find(path, format!("a checkpoint of `{}` and its commits say different things of the file", name.label()));
    }
    Some(history)
}

/// The active files of a table are there, at their sizes.
fn files(table: &Table, layer: &str, name: &str, sizes: &BTreeMap<String, u64>, found: &mut Inspection) {
    found.tables += 1;
    let active = match table.files() {
        Ok(active) => active,
        Err(error) => return found.find(table.label(), error.to_string()),
    };
    match table.oddities() {
        Ok(odd) => odd.into_iter().for_each(|(path, why)| found.find(format!("{layer}/{name}/{}", plain(&path)), why)),
        Err(error) => found.find(table.label(), error.to_string()),
    }
    for file in active {
        let path = format!("{layer}/{name}/{}", plain(&file.path));
        if !lies_where_it_says(&file) {
            found.find(&path, format!("the log of `{}` says it is of {}", table.label(), file.cell()));
        }
        match sizes.get(&path) {
            None => found.find(path, format!("`{}` needs the file and it is gone", table.label())),
            Some(size) if u64::try_from(file.size) != Ok(*size) => {
                found.find(path, format!("it has {size} bytes, `{}` says {}", table.label(), file.size));
            }
            Some(_) => found.files += 1,
        }
    }
}

/// Whether a file lies in the folder of the partition that the log says it is of.
fn lies_where_it_says(file: &FileEntry) -> bool {
    let path = plain(&file.path);
    let folders = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let told: BTreeMap<&str, &str> = folders.split('/').filter_map(|part| part.split_once('=')).collect();
    let said: BTreeMap<&str, &str> =
        file.partition.iter().map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default())).collect();
    told == said
}

/// The cells of a silver or gold table are those on record in `_ops.cell`, as their files' names tell.
fn cells(label: &str, table: &Table, marks: &CellMarks, found: &mut Inspection) {
    let Ok(active) = table.files() else { return };
    // The quarantine is marked by dataset.
    let mut parts: BTreeMap<String, BTreeMap<Cell, String>> = BTreeMap::new();
    for file in &active {
        let name = mark_name(label, file);
        parts.entry(name).or_default().insert(file.cell(), digest_in(&file.path).unwrap_or_default().to_string());
    }
    if label == format!("silver.{QUARANTINE}") {
        for name in marks.names().filter(|name| name.starts_with(&format!("{label}/"))) {
            parts.entry(name.to_string()).or_default();
        }
    } else if label.starts_with("silver.") || label.starts_with("gold.") {
        parts.entry(label.to_string()).or_default();
    }
    for (name, held) in parts {
        let marked: BTreeMap<Cell, String> =
            marks.of(&name).into_iter().filter(|(cell, _)| cell.county != "*").map(|(cell, mark)| (cell, mark.digest)).collect();
        // Written by a version that did not mark it.
        if marked.is_empty() {
            continue;
        }
        for cell in held.keys().chain(marked.keys()).collect::<BTreeSet<_>>() {
            found.cells += 1;
            let (is, said) = (held.get(cell).map(String::as_str).unwrap_or_default(), marked.get(cell).map(String::as_str));
            match said {
                None => found.find(format!("{name} {cell}"), "the cell is in the table and not on record in `_ops.cell`"),
                Some(said) if said != is => {
                    found.find(format!("{name} {cell}"), "the table holds another cell than `_ops.cell` has on record");
                }
                Some(_) => {}
            }
        }
    }
}

/// Under which name a file's cell is marked in the ledger.
pub(super) fn mark_name(label: &str, file: &FileEntry) -> String {
    let dataset = file.part("dataset");
    if dataset.is_empty() { label.to_string() } else { format!("{label}/{dataset}") }
}
