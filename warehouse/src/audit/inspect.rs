//! Looking through a whole warehouse: whether every file is what it was written as, and whether tables, ledger and releases fit.

use std::collections::{BTreeMap, BTreeSet};

use object_store::ObjectMeta;
use yaojia_models::contract::Registry;
use yaojia_models::digest::sha256_hex;

use super::TEXTS;
use super::seal::Finding;
use crate::delta::{Cell, Table, digest_in, is_as_written};
use crate::error::{Result, WarehouseError};
use crate::keep::{History, TableName, tables};
use crate::ledger::{CellMarks, Release, releases, vacuumed};
use crate::silver::QUARANTINE;
use crate::store::{Archive, Root};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Tables opened.
    pub tables: u64,
    /// Active files found in place.
    pub files: u64,
    /// Cells whose mark was compared.
    pub cells: u64,
    /// Objects whose bytes were hashed.
    pub hashed: u64,
    /// Encrypted originals that no identity at hand opens: they were not looked into.
    pub closed: u64,
    /// What does not fit.
    pub findings: Vec<Finding>,
}

impl Inspection {
    fn find(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.findings.push(Finding { what: what.into(), why: why.into() });
    }
}

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
            for (label, table) in newest.iter().filter(|(label, _)| label.starts_with("gold.")) {
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
    let opened: BTreeSet<String> = active.into_iter().map(|file| file.path.replace("%3D", "=")).collect();
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
    for file in active {
        // The log writes a path as a URL does; ours hold nothing that this changes but `=`.
        let path = format!("{layer}/{name}/{}", file.path.replace("%3D", "="));
        match sizes.get(&path) {
            None => found.find(path, format!("`{}` needs the file and it is gone", table.label())),
            Some(size) if u64::try_from(file.size) != Ok(*size) => {
                found.find(path, format!("it has {size} bytes, `{}` says {}", table.label(), file.size));
            }
            Some(_) => found.files += 1,
        }
    }
}

/// The cells of a gold table are those on record in `_ops.cell`.
fn cells(label: &str, table: &Table, marks: &CellMarks, found: &mut Inspection) {
    let Ok(active) = table.files() else { return };
    let held: BTreeMap<Cell, String> =
        active.iter().map(|file| (file.cell(), digest_in(&file.path).unwrap_or_default().to_string())).collect();
    let marked = marks.of(label);
    // The engine's tables are marked by indicator and month, not by cell.
    if marked.is_empty() {
        return;
    }
    let places: BTreeSet<&Cell> = held.keys().chain(marked.keys()).collect();
    for cell in places {
        found.cells += 1;
        let (is, said) = (held.get(cell).map(String::as_str).unwrap_or_default(), marked.get(cell).map(|mark| mark.digest.as_str()));
        match said {
            None => found.find(format!("{label} {cell}"), "the cell is in the table and not on record in `_ops.cell`"),
            Some(said) if said != is => {
                found.find(format!("{label} {cell}"), "the table holds another cell than `_ops.cell` has on record")
            }
            Some(_) => {}
        }
    }
}

/// The bytes of every Parquet file, text and original: whether they are what they were written as.
///
/// # Errors
/// As the storage says.
pub async fn inspect_bytes(root: &Root, archive: &Archive) -> Result<Inspection> {
    let mut found = Inspection::default();
    for meta in root.list(&["bronze", "silver", "gold", "_ops", "archive"]).await? {
        let path = meta.location.to_string();
        let name = path.rsplit('/').next().unwrap_or_default();
        let stem = name.split('.').next().unwrap_or_default();
        if path.starts_with("archive/") {
            original(archive, &path, stem, name.ends_with(".age"), &mut found).await;
            continue;
        }
        let by_hash = path.starts_with(TEXTS) || path.starts_with("_ops/sealed/");
        if !by_hash && !name.ends_with(".parquet") {
            continue;
        }
        let Some(bytes) = root.get_opt(&path).await? else { continue };
        let fits = if by_hash { Some(sha256_hex(&bytes) == stem) } else { is_as_written(&path, &bytes) };
        match fits {
            Some(true) => found.hashed += 1,
            Some(false) => found.find(path, "it was changed: its bytes are not those it was written with"),
            None if path.contains("/_delta_log/") || path.contains("/candidates/") => {}
            None => found.find(path, "no file of ours has such a name"),
        }
    }
    Ok(found)
}

async fn original(archive: &Archive, path: &str, sha256: &str, encrypted: bool, found: &mut Inspection) {
    if encrypted && !archive.opens_sealed() {
        found.closed += 1;
        return;
    }
    match archive.get(sha256).await {
        Ok(Some(bytes)) if sha256_hex(&bytes) == sha256 => found.hashed += 1,
        Ok(Some(_)) => found.find(path, "it was changed: the original's SHA-256 is not its name"),
        Ok(None) => found.find(path, "no original of ours has such a name"),
        Err(error) => found.find(path, format!("it was changed: {error}")),
    }
}
