//! Sealed months: verified with the public key alone, made again from the original rows, and any changed byte named.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Project, Run, files, loaded, yaojia};

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

/// What `doctor --deep` says that is not well.
fn deep(project: &Project) -> String {
    let run = project.run(["doctor", "--offline", "--deep"]);
    let bad: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert_eq!(run.code, Some(i32::from(!bad.is_empty())), "{run}");
    bad.join("\n")
}

#[test]
fn what_the_ledger_has_on_record_is_what_is_there() {
    let project = Project::copy_of_loaded(NOBODY);
    let warehouse = project.warehouse();
    assert_eq!(deep(&project), "");
    let commits = |table: &str| -> Vec<PathBuf> {
        let log = format!("{table}/_delta_log/");
        files(&warehouse)
            .into_iter()
            .filter(|path| path.starts_with(&log) && path.ends_with(".json"))
            .map(|path| warehouse.join(path))
            .collect()
    };
    let last = |table: &str| commits(table).pop().unwrap_or_else(|| panic!("{table} has no commit"));
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    // The newest commits of the ledger, of bronze, of the record itself.
    for table in ["_ops/release", "bronze/ord_detl", "_ops/head"] {
        let path = last(table);
        let held = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let said = deep(&project);
        let expected = if table == "_ops/head" { "no run put it on record".to_owned() } else { name(&path) };
        assert!(said.contains(&expected) || said.contains("_ops.head"), "the last commit of {table} is gone: {said}");
        fs::write(&path, held).unwrap();
    }
    // Row counts, and statistics by which a reader passes over rows.
    let log = last("gold/indicator_value");
    let held = fs::read_to_string(&log).unwrap();
    assert!(held.contains("{\\\"numRecords\\\":"), "{held}");
    for stats in ["{\\\"numRecords\\\":1", "{\\\"minValues\\\":{\\\"indicator_id\\\":\\\"X\\\"},\\\"numRecords\\\":"] {
        fs::write(&log, held.replacen("{\\\"numRecords\\\":", stats, 1)).unwrap();
        assert!(deep(&project).contains(&name(&log)), "{stats} was not noticed");
    }
    fs::write(&log, &held).unwrap();
    // A report, and an original.
    let report = one(&warehouse, "_ops/runs/", "run.json");
    let held = fs::read_to_string(&report).unwrap();
    fs::write(&report, held.replacen(": 1", ": 2", 1)).unwrap();
    assert!(deep(&project).contains("run.json"), "an edited report was not noticed");
    fs::write(&report, held).unwrap();
    let original = one(&warehouse, "archive/", "");
    let held = fs::read(&original).unwrap();
    fs::remove_file(&original).unwrap();
    let said = deep(&project);
    assert!(said.contains(name(&original).split('.').next().unwrap()), "an original is gone: {said}");
    fs::write(&original, held).unwrap();
    assert_eq!(deep(&project), "");
}

#[test]
fn a_lost_file_is_made_again() {
    let project = Project::copy_of_loaded(NOBODY);
    let warehouse = project.warehouse();
    let query = ["--json", "query", "SELECT COUNT(*) AS n, SUM(o.purc_amt) AS s FROM gold.fact_order AS o"];
    let values = ["--json", "query", "SELECT COUNT(*) AS n, COUNT(DISTINCT v.subject_code) AS s FROM gold.indicator_value AS v"];
    let before: Vec<Value> = [query, values].into_iter().map(|words| project.run(words).exits(0).json()["rows"].clone()).collect();
    for begins in ["gold/fact_order/county", "gold/indicator_value/county", "silver/ord_detl/county"] {
        fs::remove_file(one(&warehouse, begins, ".parquet")).unwrap();
    }
    project.run(query).exits(3);
    let said = deep(&project);
    assert!(said.contains("gold/fact_order") && said.contains("is gone"), "{said}");
    assert!(project.run(["plan"]).exits(0).stdout.contains("file_lost"));
    let run = project.run(["build", "--json"]).exits(0);
    assert_eq!(run.json()["repaired"]["gold.fact_order"], 1, "{run}");
    let after: Vec<Value> = [query, values].into_iter().map(|words| project.run(words).exits(0).json()["rows"].clone()).collect();
    assert_eq!(before, after);
    assert_eq!(deep(&project), "");
    assert_eq!(project.run(["build", "--json"]).exits(0).json()["changed"], false);
    // A changed one is made again when it is asked for, and kept aside.
    let path = one(&warehouse, "gold/fact_order/county", ".parquet");
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, bytes).unwrap();
    project.run(["build", "--repair", "gold.nothing"]).exits(2);
    project.run(["build", "--repair", "gold.fact_order"]).exits(0);
    assert_eq!(deep(&project), "");
    assert!(files(&warehouse).iter().any(|path| path.starts_with("_ops/candidates/") && path.contains("/repaired/gold/fact_order/")));
}

/// A new project, for its keys.
fn init(dir: &Path) {
    let mut command = yaojia();
    command.arg("--project").arg(dir).arg("init");
    Run::of(command).exits(0);
}

#[test]
fn sealing_keys_are_handed_over() {
    let project = sealed(&["2024-02"]);
    let secrets = project.dir.join("secrets");
    let (key, public) = (secrets.join("seal-key.pem"), secrets.join("seal-public-key.pem"));
    let old = secrets.join("old-public.pem");
    fs::copy(&public, &old).unwrap();
    let new = secrets.join("new-public.pem");
    // A key pair of another project is as good as one of OpenSSL.
    let fresh = project.dir.join("fresh");
    init(&fresh);
    fs::copy(fresh.join("secrets/seal-public-key.pem"), &new).unwrap();
    let word = |path: &Path| path.to_str().unwrap().to_owned();
    let handed = project.run(["seal", "--hand-over", &word(&new), "--why", "到期", "--json"]).exits(0);
    assert!(handed.json()["path"].as_str().is_some_and(|path| path.starts_with("_ops/seals/keys/")), "{handed}");
    // The old key seals nothing any more, and hands over to nobody else.
    project.run(["seal", "2024-03"]).exits(2);
    fs::copy(fresh.join("secrets/seal-key.pem"), &key).unwrap();
    // Whether the old one is configured still or not.
    fs::copy(&new, &public).unwrap();
    let sealed = project.run(["seal", "2024-03", "--json"]).exits(0);
    assert_eq!(sealed.json()["other_key"], Value::Null, "{sealed}");
    // The first key alone verifies all; the new one alone does not know the first; both do, in one file or two.
    project.run(["verify", "--no-recompute", "--public-key", &word(&old)]).exits(0);
    let half = project.run(["verify", "--no-recompute", "--public-key", &word(&new)]).exits(1);
    assert!(half.stdout.contains("signed by the key"), "{half}");
    project.run(["verify", "--no-recompute", "--public-key", &word(&old), "--public-key", &word(&new)]).exits(0);
    let both = [fs::read_to_string(&old).unwrap(), fs::read_to_string(&new).unwrap()].concat();
    fs::write(&public, &both).unwrap();
    project.run(["verify", "--no-recompute"]).exits(0);
    assert_eq!(deep(&project), "");
}

#[test]
fn a_key_that_was_only_exchanged_goes_on_with_a_warning() {
    let project = sealed(&["2024-02"]);
    let secrets = project.dir.join("secrets");
    let fresh = project.dir.join("fresh");
    init(&fresh);
    let old = secrets.join("old-public.pem");
    fs::copy(secrets.join("seal-public-key.pem"), &old).unwrap();
    for name in ["seal-key.pem", "seal-public-key.pem"] {
        fs::copy(fresh.join("secrets").join(name), secrets.join(name)).unwrap();
    }
    let run = project.run(["seal", "2024-03", "--json"]).exits(0);
    assert!(run.json()["other_key"].is_string() && run.stderr.contains("another key"), "{run}");
    let new = secrets.join("seal-public-key.pem");
    project.run(["verify", "--no-recompute", "--public-key", old.to_str().unwrap(), "--public-key", new.to_str().unwrap()]).exits(0);
    assert_eq!(project.run(["verify", "--no-recompute"]).code, Some(1));
}
