//! Maintenance: fewer files and the same warehouse; what no kept release needs goes; a backup is a warehouse.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::delta::{differences, gold, rows};
use crate::support::{AS_OF, Platform, Project, copy, copy_of_world, files, world};

const NOBODY: &str = "http://127.0.0.1:9/nobody";
/// Merges at once, checkpoints at once, and nothing is left alone for being young.
const EAGER: &str = "compact_files = 2\ncheckpoint_commits = 3\nidle_hours = 0\n";

fn configure(project: &Project, keys: &str) {
    project.configure("[maintain]\n", &format!("[maintain]\n{keys}"));
}

/// Three nights of the tiny world, whose windows overlap; releases 1 to 3.
fn three_nights() -> Project {
    let whole = world();
    let (_held, landing) = copy_of_world();
    let platform = Platform::serve(&whole);
    let project = Project::fresh(&landing, &platform.url);
    project.configure("#overlap_days = 1", "overlap_days = 3");
    project.configure("window_days = 400", "window_days = 60");
    let (exports, away) = (landing.join("exports"), landing.join("away"));
    fs::rename(&exports, &away).expect("the files, put away");
    fs::create_dir_all(&exports).expect("an empty landing folder");
    for (instant, until) in [("2024-02-10T02:00:00", "202401"), ("2024-03-12T02:00:00", "202402"), (AS_OF, "999999")] {
        for file in files(&away) {
            if file.split('/').nth(2).expect("dataset, county, month") <= until {
                let target = exports.join(&file);
                fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
                fs::rename(away.join(&file), target).expect("a delivery");
            }
        }
        project.run_at(instant, ["nightly"]).exits(0);
    }
    // Nobody is asked from now on.
    let text = fs::read_to_string(project.dir.join("yaojia.toml")).expect("yaojia.toml");
    let text = text.replace(&landing.display().to_string(), &whole.display().to_string());
    fs::write(project.dir.join("yaojia.toml"), text).expect("yaojia.toml");
    project
}

/// Rows of every table of bronze. Its logs may begin with a checkpoint, so the engine is asked.
fn received(project: &Project) -> BTreeMap<String, String> {
    let names = crate::delta::tables(&project.warehouse(), "bronze");
    let one = |name: &String| format!("SELECT '{name}' AS name, COUNT(*) AS n FROM bronze.{name} AS b");
    let found = project.query(&names.iter().map(one).collect::<Vec<_>>().join(" UNION ALL "));
    assert!(found.len() == names.len() && found.len() > 15, "{found:?}");
    found.into_iter().map(|mut row| (row.remove("name").expect("a name"), row.remove("n").expect("a count"))).collect()
}

fn parquet(project: &Project, layer: &str) -> usize {
    files(&project.warehouse().join(layer)).iter().filter(|path| path.ends_with(".parquet") && !path.contains("_delta_log")).count()
}

fn replayed(project: &Project, release: i64) {
    let run = project.run(["replay", "--release", &release.to_string(), "--json"]).exits(0);
    let report = run.json();
    assert_eq!(report["different"], Value::Array(Vec::new()), "{run}");
    assert!(report["cells"].as_u64().is_some_and(|cells| cells > 50), "{run}");
}

fn whole(project: &Project) {
    let run = project.run(["doctor", "--offline", "--deep"]);
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn fewer_files_the_same_warehouse_and_every_release_again() {
    let project = three_nights();
    let (before, silver) = (gold(&project.warehouse()), rows(&project.warehouse(), "silver"));
    let bronze_rows = received(&project);
    let (counts, held) = (project.counts(), (parquet(&project, "_ops"), parquet(&project, "bronze")));
    let marks = "SELECT COUNT(*) AS n FROM ops.load AS l";
    let loads = project.number(marks);
    // A month that is sealed before stays what it is.
    project.run(["seal", "2024-01"]).exits(0);
    let sealed = files(&project.warehouse().join("bronze"));
    configure(&project, "compact_files = 3\ncheckpoint_commits = 3\nidle_hours = 0\nkeep_releases = 1\nkeep_days = 0\n");
    let plan = project.run(["maintain", "--dry-run", "--json"]).exits(0).json();
    assert!(plan["dry_run"] == true && plan["changed"] == false && plan["run_id"].is_null(), "{plan}");
    assert_eq!(files(&project.warehouse().join("bronze")), sealed, "a dry run wrote");

    let done = project.run(["maintain", "--json"]).exits(0).json();
    assert_eq!(
        done["compacted"].as_object().map(|of| of.keys().collect::<Vec<_>>()),
        plan["compacted"].as_object().map(|of| of.keys().collect())
    );
    assert!(done["compacted"]["_ops.cell"]["before"].as_u64() > done["compacted"]["_ops.cell"]["after"].as_u64(), "{done}");
    assert!(
        done["compacted"].as_object().is_some_and(|of| of.keys().all(|table| table.starts_with("_ops."))),
        "sealed bronze was merged: {done}"
    );
    assert_eq!(
        files(&project.warehouse().join("bronze")).iter().filter(|path| path.ends_with(".parquet")).count(),
        held.1 + checkpoints(&project, "bronze")
    );
    // Release 3 is the current one and the sealed one.
    assert_eq!(done["given_up"], serde_json::json!([1, 2]), "{done}");
    assert!(done["superseded"].as_object().is_some_and(|of| of.keys().any(|table| table.starts_with("gold."))), "{done}");

    assert!(differences(&before, &gold(&project.warehouse())).is_empty());
    assert_eq!((rows(&project.warehouse(), "silver"), received(&project)), (silver, bronze_rows));
    assert_eq!((project.counts(), project.number(marks)), (counts, loads));
    whole(&project);
    for release in 1..=3 {
        replayed(&project, release);
    }
    let run = project.run(["verify", "--json"]).exits(0);
    assert!(run.json()["findings"] == Value::Array(Vec::new()) && run.json()["recomputed"].as_u64().is_some_and(|n| n > 10), "{run}");

    // What was given up says so.
    let list = project.run(["release", "list", "--json"]).exits(0).json();
    let readable: Vec<bool> = list["releases"].as_array().expect("releases").iter().map(|of| of["readable"] == true).collect();
    assert_eq!(readable, [false, false, true]);
    for verb in [
        vec!["release", "rollback", "1", "--by", "张三", "--why", "x"],
        vec!["release", "diff", "2", "3"],
        vec!["seal", "2024-01", "--release", "1"],
    ] {
        let run = project.run(verb).exits(1);
        assert!(run.stderr.contains("E-WH-011") && run.stderr.contains("cannot be read any more"), "{run}");
    }
    project.run(["release", "diff", "3", "3"]).exits(0);

    // It is done: nothing to do, for either.
    let again = project.run(["maintain", "--json"]).exits(0).json();
    let after = project.run(["maintain", "--json"]).exits(0).json();
    assert!(after["changed"] == false || again["changed"] == false, "maintenance never ends: {after}");
    assert_eq!(project.run(["build", "--json"]).exits(0).json()["changed"], false);
}

fn checkpoints(project: &Project, layer: &str) -> usize {
    files(&project.warehouse().join(layer)).iter().filter(|path| path.contains(".checkpoint") && path.ends_with(".parquet")).count()
}

#[test]
fn received_rows_are_merged_across_runs_and_known_as_of_each() {
    let mut project = three_nights();
    let (before, bronze_rows) = (gold(&project.warehouse()), received(&project));
    let held = parquet(&project, "bronze");
    configure(&project, EAGER);
    let done = project.run(["maintain", "--json"]).exits(0).json();
    assert!(done["compacted"].as_object().is_some_and(|of| of.keys().filter(|table| table.starts_with("bronze.")).count() > 5), "{done}");
    assert!(done["given_up"].as_array().is_some_and(Vec::is_empty), "all releases are kept: {done}");
    assert!(parquet(&project, "bronze") < held, "{} files of {held}", parquet(&project, "bronze"));
    assert_eq!(received(&project), bronze_rows);
    let merged = files(&project.warehouse().join("bronze")).iter().filter(|path| path.contains("/r000001_00000")).count();
    assert!(merged > 5, "only {merged} files hold rows of several runs");
    whole(&project);
    // Rows of runs that came later are not known then.
    for release in 1..=3 {
        replayed(&project, release);
    }
    // Nothing is judged again, nothing is received again.
    let build = project.run(["build", "--json"]).exits(0).json();
    assert_eq!(build["changed"], false, "{build}");
    let platform = Platform::serve(&world());
    project.url.clone_from(&platform.url);
    project.run(["nightly", "--json"]).exits(0);
    assert!(differences(&before, &gold(&project.warehouse())).is_empty());
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], false);
    // Seals made from now on stand on the merged files.
    project.run(["seal", "2024-02"]).exits(0);
    project.run(["verify"]).exits(0);
    project.run(["maintain"]).exits(0);
    project.run(["verify"]).exits(0);
    let diff = project.run(["release", "diff", "1", "3"]).exits(1);
    assert!(diff.stdout.contains("cells that differ"), "{diff}");
}

#[test]
fn what_killed_runs_left_is_found_and_removed_once_it_is_old_enough() {
    let project = Project::copy_of_loaded(NOBODY);
    let warehouse = project.warehouse();
    let strays =
        ["gold/fact_order/county=652801/month=2024-01/stray-1-0123456789abcdef.parquet", "archive/ab/abcd.zst#1", "bronze/shp/x.parquet#2"];
    for path in strays {
        let path = warehouse.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, b"half").expect("a stray");
    }
    let refused = warehouse.join("_ops/candidates/r000009-x/gold.alert/652801-2024-01-0123456789abcdef.parquet");
    fs::create_dir_all(refused.parent().expect("a folder")).expect("a folder");
    fs::write(&refused, b"rows").expect("a candidate");
    let said = project.run(["doctor", "--offline"]).exits(0);
    assert!(said.stdout.contains("gold.fact_order 1 files") && said.stdout.contains("unfinished uploads 2 files"), "{said}");
    // Too young.
    let young = project.run(["maintain", "--json"]).exits(0).json();
    assert_eq!((young["young"]["files"].as_u64(), young["orphans"].as_object().map(serde_json::Map::len)), (Some(1), Some(0)), "{young}");
    assert!(strays.iter().all(|path| warehouse.join(path).exists()) && refused.exists());
    configure(&project, "idle_hours = 0\ncandidate_days = 0\n");
    let done = project.run(["maintain", "--json"]).exits(0).json();
    assert_eq!(done["orphans"]["gold.fact_order"], serde_json::json!({"files": 1, "bytes": 4}), "{done}");
    assert_eq!((done["leftovers"]["files"].as_u64(), done["candidates"]["files"].as_u64()), (Some(2), Some(1)), "{done}");
    assert!(strays.iter().all(|path| !warehouse.join(path).exists()) && !refused.exists());
    let run = project.number("SELECT COUNT(*) AS n FROM ops.run AS r WHERE r.verb = 'maintain' AND r.state = 'done'");
    assert!(run >= 1);
    whole(&project);
    project.run(["replay"]).exits(0);
}

#[test]
fn logs_that_nobody_opens_go_and_every_engine_reads_on() {
    let project = three_nights();
    configure(&project, &format!("{EAGER}keep_releases = 1\nkeep_days = 0\nkeep_history = false\n"));
    let before = gold(&project.warehouse());
    let cells = project.query("SELECT COUNT(*) AS n, SUM(v.numerator) AS s FROM gold.indicator_value AS v");
    project.run(["maintain"]).exits(0);
    let done = project.run(["maintain", "--json"]).exits(0).json();
    let log = project.warehouse().join("_ops/cell/_delta_log");
    assert!(!log.join("00000000000000000000.json").exists(), "the ledger's log was kept whole: {done}");
    assert_eq!(project.query("SELECT COUNT(*) AS n, SUM(v.numerator) AS s FROM gold.indicator_value AS v"), cells);
    whole(&project);
    assert_eq!(project.run(["build", "--json"]).exits(0).json()["changed"], false);
    replayed(&project, 3);
    let shown = project.run(["release", "show", "3", "--json"]).exits(0).json();
    assert_eq!(shown["tables"].as_array().map(Vec::len), Some(before.len() + rows_tables(&shown)));
    crate::interop::every_engine_reads(&project);
}

/// Tables of a release that are not gold.
fn rows_tables(shown: &Value) -> usize {
    let names: BTreeSet<&str> = shown["tables"].as_array().expect("tables").iter().filter_map(|of| of["table"].as_str()).collect();
    names.iter().filter(|name| !name.starts_with("gold.")).count()
}

#[test]
fn a_backup_is_a_warehouse() {
    let mut project = three_nights();
    let copied = project.dir.join("backup");
    let at = copied.to_str().expect("a path");
    let first = project.run(["maintain", "backup", at, "--json"]).exits(0).json();
    assert_eq!(first["copied"]["files"], first["all"]["files"]);
    // More happens, and the copy follows with what is new.
    configure(&project, EAGER);
    project.run(["maintain"]).exits(0);
    project.run(["maintain"]).exits(0);
    project.run(["seal", "2024-02"]).exits(0);
    let second = project.run(["maintain", "backup", at, "--prune", "--json"]).exits(0).json();
    let (copied_files, all, pruned) = (&second["copied"]["files"], &second["all"]["files"], &second["pruned"]["files"]);
    assert!(copied_files.as_u64() < all.as_u64() && copied_files.as_u64() > Some(10) && pruned.as_u64() > Some(10), "{second}");
    assert_eq!(project.run(["maintain", "backup", at, "--prune", "--json"]).exits(0).json()["copied"]["files"], 0);
    // What only saves time is no part of a copy.
    let ours =
        |root: &Path| files(root).into_iter().filter(|path| path != "_ops/lease.json" && !path.starts_with("_cache/")).collect::<Vec<_>>();
    assert_eq!(ours(&copied), ours(&project.warehouse()));
    let status = |project: &Project| {
        let mut status = project.run(["status", "--json"]).exits(0).json();
        status.as_object_mut().expect("an object").remove("warehouse");
        status
    };
    let before = status(&project);

    // The warehouse is gone; the copy takes its place.
    fs::remove_dir_all(project.warehouse()).expect("the warehouse");
    copy(&copied, &project.warehouse());
    assert_eq!(status(&project), before);
    whole(&project);
    project.run(["replay"]).exits(0);
    project.run(["verify"]).exits(0);
    project.run(["build", "--json"]).exits(0);
    let platform = Platform::serve(&world());
    project.url.clone_from(&platform.url);
    project.run(["nightly"]).exits(0);
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], false);
    // The copy itself is a warehouse, too; another warehouse's copy is not written over.
    project.run(["--warehouse", at, "doctor", "--offline", "--deep"]).exits(0);
    let other = Project::copy_of_loaded(NOBODY);
    let refused = other.run(["maintain", "backup", at]).exits(2);
    assert!(refused.stderr.contains("another warehouse"), "{refused}");
    other.run(["maintain", "backup", other.warehouse().join("x").to_str().expect("a path")]).exits(2);
}

#[test]
fn whatever_writes_waits_for_the_lease() {
    let project = Project::copy_of_loaded(NOBODY);
    let lease = fs::OpenOptions::new().write(true).open(project.warehouse().join("_ops/lease.json")).expect("the lease");
    lease.lock().expect("the lock");
    let backup = project.dir.join("backup");
    let verbs: [&[&str]; 8] = [
        &["nightly"],
        &["load"],
        &["build"],
        &["quarantine", "replay"],
        &["seal", "2024-01"],
        &["maintain"],
        &["maintain", "backup", backup.to_str().expect("a path")],
        &["release", "rollback", "1", "--by", "a", "--why", "b"],
    ];
    for verb in verbs {
        let run = project.run(verb).exits(5);
        assert!(run.stderr.contains("E-WH-007"), "{run}");
    }
    // A dry run, like all that reads, waits for nobody.
    project.run(["maintain", "--dry-run"]).exits(0);
    drop(lease);
    project.run(["maintain"]).exits(0);
}

/// Starts a verb and kills it after the delay; whether it was still there.
fn killed(project: &Project, verb: &[&str], delay: Duration) -> bool {
    let mut child = project.command(verb).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process");
    thread::sleep(delay);
    child.kill().expect("kill -9");
    child.wait().expect("its end").code().is_none()
}

#[test]
fn killed_while_it_seals_and_maintains() {
    let project = Project::copy_of_loaded(NOBODY);
    let (before, counts) = (gold(&project.warehouse()), project.counts());
    configure(&project, "compact_files = 2\ncheckpoint_commits = 2\nidle_hours = 0\n");
    let calm = Project::copy_of_loaded(NOBODY);
    configure(&calm, "compact_files = 2\ncheckpoint_commits = 2\nidle_hours = 0\n");
    for (verb, moments) in
        [(&["seal", "2024-02"][..], [0.55, 0.8]), (&["maintain"][..], [0.35, 0.6]), (&["seal", "2024-03"][..], [0.7, 0.9])]
    {
        let whole = calm.run(verb).exits(0).took;
        for moment in moments {
            let hit = killed(&project, verb, whole.mul_f64(moment));
            println!("{verb:?} at {moment} of {whole:?}: {}", if hit { "killed" } else { "it was done before" });
        }
        project.run(verb).exits(0);
    }
    project.run(["maintain"]).exits(0);
    assert!(differences(&before, &gold(&project.warehouse())).is_empty());
    assert_eq!(project.counts(), counts);
    let doubled = "SELECT s.month, COUNT(*) AS n FROM ops.seal AS s GROUP BY s.month HAVING COUNT(*) > 1";
    assert!(project.query(doubled).is_empty());
    whole(&project);
    let run = project.run(["verify", "--json"]).exits(0);
    assert_eq!(run.json()["seals"].as_array().map(Vec::len), Some(2), "{run}");
    assert_eq!(project.run(["build", "--json"]).exits(0).json()["changed"], false);
}
