//! Sealed months: verified with the public key alone, made again from the original rows, and any changed byte named.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Project, files, loaded};

const NOBODY: &str = "http://127.0.0.1:9/nobody";

fn sealed(months: &[&str]) -> Project {
    let project = Project::copy_of_loaded(NOBODY);
    for month in months {
        let run = project.run(["seal", month, "--json"]).exits(0);
        assert!(run.json()["cells"].as_u64().is_some_and(|cells| cells > 5), "few cells were sealed:\n{run}");
    }
    project
}

/// A file whose path begins and ends so, the first that is large enough to be changed in its middle.
fn one(root: &Path, begins: &str, ends: &str) -> PathBuf {
    let found = files(root).into_iter().filter(|path| path.starts_with(begins) && path.ends_with(ends));
    let found = found.map(|path| root.join(path)).find(|path| fs::metadata(path).is_ok_and(|meta| meta.len() > 64));
    found.unwrap_or_else(|| panic!("there is no file {begins}…{ends}"))
}

#[test]
fn a_sealed_month_verifies_and_is_computed_again() {
    let project = sealed(&["2024-02", "2024-03"]);
    let again = project.run(["seal", "2024-03", "--json"]).exits(0);
    assert_eq!(again.json()["repeated"], Value::Bool(true), "it was sealed twice:\n{again}");
    let run = project.run(["verify", "--json"]).exits(0);
    let report = run.json();
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    assert_eq!(report["seals"].as_array().map(Vec::len), Some(2));
    assert!(report["recomputed"].as_u64().is_some_and(|cells| cells > 50), "little was computed again:\n{run}");
    // A month that has not ended by the release's instant, and a month that is not sealed.
    project.run(["seal", "2024-04"]).exits(2);
    project.run(["verify", "2024-01"]).exits(1);
    // Somebody else's key.
    let other = sealed(&[]);
    let key = other.dir.join("other.pem");
    fs::write(&key, "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n")
        .unwrap();
    let wrong = project.run(["verify", "--no-recompute", "--public-key", key.to_str().unwrap()]).exits(1);
    assert!(wrong.stdout.contains("signed by the key"), "{wrong}");
}

#[test]
fn the_public_key_alone_verifies() {
    let project = sealed(&["2024-03"]);
    fs::remove_file(project.dir.join("secrets/seal-key.pem")).unwrap();
    project.run(["verify", "--no-recompute"]).exits(0);
    let pem = project.run(["seal", "--public-key"]).exits(0).stdout;
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----"), "{pem}");
}

#[test]
fn every_changed_byte_is_named() {
    let project = sealed(&["2024-02", "2024-03"]);
    let warehouse = project.warehouse();
    let kinds = [
        ("archive/", "", "an archived page or file"),
        ("bronze/ord_detl/county", ".parquet", "a bronze file"),
        ("bronze/fee_list/_delta_log", ".json", "a commit of bronze"),
        ("_ops/load/", ".parquet", "a row of the ledger"),
        ("_ops/texts/", "", "an SQL text"),
        ("_ops/sealed/", ".parquet", "a sealed cell"),
        ("_ops/seals/", "02.json", "the first seal"),
        ("_ops/seals/", "03.json", "the last seal"),
    ];
    for (begins, ends, what) in kinds {
        let path = one(&warehouse, begins, ends);
        let held = fs::read(&path).unwrap();
        for at in [3, held.len() / 2, held.len() - 5] {
            let mut changed = held.clone();
            changed[at] ^= 0x11;
            fs::write(&path, &changed).unwrap();
            let run = project.run(["verify", "--no-recompute", "--json"]);
            assert_ne!(run.code, Some(0), "byte {at} of {what} was changed in {} and nothing noticed:\n{run}", path.display());
            if run.code == Some(1) {
                let text = run.stdout.as_str();
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                assert!(text.contains(&name) || text.contains("list of objects"), "{} is not named:\n{run}", path.display());
            }
        }
        fs::remove_file(&path).unwrap();
        let gone = project.run(["verify", "--no-recompute"]);
        assert_ne!(gone.code, Some(0), "{what} was removed and nothing noticed:\n{gone}");
        fs::write(&path, &held).unwrap();
    }
    project.run(["verify", "--no-recompute"]).exits(0);
}

#[test]
fn a_release_is_replayed_from_the_warehouse_alone() {
    let project = Project::copy_of_loaded(NOBODY);
    fs::remove_dir_all(project.warehouse().join("archive")).unwrap();
    let run = project.run(["replay", "--json"]).exits(0);
    let report = run.json();
    assert!(report["cells"].as_u64().is_some_and(|cells| cells > 100), "{run}");
    assert_eq!(report["different"], Value::Array(Vec::new()));
    // With another rule of today only what depends on it differs, and the first row says how.
    let dir = project.dir.join("sql/fact");
    fs::create_dir_all(&dir).unwrap();
    let text = fs::read_to_string(crate::support::workspace().join("sql/fact/fact_appeal.sql")).unwrap();
    fs::write(dir.join("fact_appeal.sql"), format!("{text}\n-- no change of meaning\n")).unwrap();
    project.run(["replay", "--sql", "now"]).exits(0);
    assert_eq!(loaded().run(["replay", "--run", "77"]).code, Some(1));
}
