//! Delta logs, read as JSON: what is in a table, without the engine that wrote it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// One cell: the canonical digests its active files are named by, and its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    pub digests: Vec<String>,
    pub rows: u64,
}

/// Folder of the partition → cell.
pub type Cells = BTreeMap<String, Cell>;

/// The active files of one table as path → rows.
fn active(table: &Path) -> BTreeMap<String, u64> {
    let log = table.join("_delta_log");
    let mut versions: Vec<_> = fs::read_dir(&log)
        .unwrap_or_else(|error| panic!("{}: {error}", log.display()))
        .map(|entry| entry.expect("a log entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    versions.sort();
    let mut files = BTreeMap::new();
    for (number, path) in versions.iter().enumerate() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert_eq!(name, format!("{number:020}"), "the log of {} has a gap", table.display());
        for line in fs::read_to_string(path).expect("a commit").lines().filter(|line| !line.trim().is_empty()) {
            let action: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", path.display()));
            if let Some(add) = action.get("add") {
                let stats: Value = serde_json::from_str(add["stats"].as_str().expect("statistics")).expect("statistics in JSON");
                files.insert(add["path"].as_str().expect("a path").to_owned(), stats["numRecords"].as_u64().expect("numRecords"));
            } else if let Some(remove) = action.get("remove") {
                let path = remove["path"].as_str().expect("a path");
                assert!(files.remove(path).is_some(), "{path} was removed but not there");
            }
        }
    }
    for file in files.keys() {
        assert!(table.join(file).is_file(), "{file} is active in {} and not there", table.display());
    }
    files
}

/// The tables of a layer, in order.
pub fn tables(warehouse: &Path, layer: &str) -> Vec<String> {
    let dir = warehouse.join(layer);
    let mut names: Vec<String> = fs::read_dir(&dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.expect("a table").file_name().to_string_lossy().into_owned())
        .filter(|name| dir.join(name).join("_delta_log").is_dir())
        .collect();
    names.sort();
    names
}

/// Rows of every table of a layer.
pub fn rows(warehouse: &Path, layer: &str) -> BTreeMap<String, u64> {
    tables(warehouse, layer).into_iter().map(|name| (name.clone(), active(&warehouse.join(layer).join(name)).values().sum())).collect()
}

/// Table → cell → digest and rows of gold. A file is named `<64 hex digits>-<run>-<hash of its bytes>.parquet`.
pub fn gold(warehouse: &Path) -> BTreeMap<String, Cells> {
    tables(warehouse, "gold")
        .into_iter()
        .map(|name| {
            let mut cells = Cells::new();
            for (path, rows) in active(&warehouse.join("gold").join(&name)) {
                let (folder, file) = path.rsplit_once('/').unwrap_or(("", path.as_str()));
                let digest = file.split('-').next().unwrap_or_default();
                assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "no digest in the name of gold.{name} {path}");
                let cell = cells.entry(folder.to_owned()).or_default();
                cell.digests.push(digest.to_owned());
                cell.rows += rows;
            }
            cells.values_mut().for_each(|cell| cell.digests.sort());
            (name, cells)
        })
        .collect()
}

/// The cells in which two warehouses differ, in words.
pub fn differences(expected: &BTreeMap<String, Cells>, actual: &BTreeMap<String, Cells>) -> Vec<String> {
    let mut out = Vec::new();
    let none = Cells::new();
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    for name in names {
        let (left, right) = (expected.get(name).unwrap_or(&none), actual.get(name).unwrap_or(&none));
        let folders: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
        for folder in folders {
            if left.get(folder) != right.get(folder) {
                out.push(format!("gold.{name} {folder}: expected {:?}, found {:?}", left.get(folder), right.get(folder)));
            }
        }
    }
    out
}
