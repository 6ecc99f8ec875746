//! Verbs that only read leave nothing behind: no folder where none was, and not a byte in a warehouse that nobody may write to.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use crate::support::{Project, world};

const NOBODY: &str = "http://127.0.0.1:9/nobody";

/// Path → when it was changed and how large it is, folders too.
fn state(folder: &Path, all: &mut BTreeMap<String, (SystemTime, u64)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let meta = path.metadata().expect("what it is");
        all.insert(path.display().to_string(), (meta.modified().expect("a time"), meta.len()));
        if meta.is_dir() {
            state(&path, all);
        }
    }
}

/// Takes the right to write from everything below, or gives it back.
fn writable(folder: &Path, may: bool) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            writable(&path, may);
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(if may { 0o644 } else { 0o444 })).expect("permissions");
        }
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(if may { 0o755 } else { 0o555 })).expect("permissions");
}

#[test]
fn readers_make_no_warehouse() {
    let project = Project::fresh(&world(), NOBODY);
    for line in [&["status"][..], &["plan"], &["release", "list"], &["backfill", "list"], &["query", "SELECT 1 AS one"], &["explain", "ab"]]
    {
        let run = project.run(line.iter().copied());
        assert!(matches!(run.code, Some(0 | 1)), "{line:?}:\n{run}");
        assert!(!project.warehouse().exists(), "`{line:?}` made a warehouse");
    }
}

#[test]
fn a_warehouse_that_nobody_may_write_to_can_be_read() {
    let project = Project::copy_of_loaded(NOBODY);
    let alert = project.query("SELECT MIN(a.alert_id) AS id FROM gold.alert AS a WHERE a.level = 'subject'")[0]["id"].clone();
    let page = project.dir.join("page.html");
    let page = page.to_string_lossy();
    let lines: [&[&str]; 10] = [
        &["status"],
        &["status", "--completeness"],
        &["plan", "--why"],
        &["query", "SELECT COUNT(*) AS n FROM bronze.shp AS b"],
        &["query", "SELECT COUNT(*) AS n FROM ops.run AS r"],
        &["explain", &alert],
        &["explain", &alert, "--html", &page],
        &["quarantine", "list"],
        &["quarantine", "show", "--dataset", "ord_detl", "--limit", "3"],
        &["release", "list"],
    ];
    let mut before = BTreeMap::new();
    writable(&project.warehouse(), false);
    state(&project.warehouse(), &mut before);
    let runs: Vec<_> = lines.iter().map(|line| (line, project.run(line.iter().copied()))).collect();
    let mut after = BTreeMap::new();
    state(&project.warehouse(), &mut after);
    writable(&project.warehouse(), true);
    for (line, run) in runs {
        assert_eq!(run.code, Some(0), "{line:?}:\n{run}");
    }
    let changed: Vec<&String> = after.iter().filter(|(path, of)| before.get(*path) != Some(*of)).map(|(path, _)| path).collect();
    assert!(changed.is_empty() && after.len() == before.len(), "readers changed {changed:?}");
}
