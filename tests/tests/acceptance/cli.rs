//! Exit codes and streams: what a scheduler relies on.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Platform, Project, Run, files, first_report, loaded, world, yaojia};

/// Exit 2, `error[E-…]: …` on stderr, nothing on stdout.
#[track_caller]
fn refused(run: Run) {
    let run = run.exits(2);
    assert_eq!(run.stdout, "", "something on stdout:\n{run}");
    assert!(run.stderr.contains("error[E-"), "no error code on stderr:\n{run}");
}

#[test]
fn an_unknown_verb_is_wrong_usage() {
    let mut command = yaojia();
    command.arg("frobnicate");
    refused(Run::of(command));
}

#[test]
fn an_unknown_option_is_wrong_usage() {
    refused(loaded().run(["status", "--frobnicate"]));
}

#[test]
fn a_missing_configuration_is_wrong_usage() {
    let empty = tempfile::tempdir().expect("a folder");
    let mut command = yaojia();
    command.arg("--project").arg(empty.path()).arg("nightly");
    refused(Run::of(command));
    assert!(files(empty.path()).is_empty(), "it wrote something: {:?}", files(empty.path()));
}

#[test]
fn an_unknown_key_of_the_configuration_is_wrong_usage() {
    let project = Project::fresh(&world(), "http://127.0.0.1:9/nobody");
    project.configure("[region]", "[region]\nfrobnicate = 1");
    let run = project.run(["nightly", "--json"]);
    assert!(run.stderr.contains("frobnicate"), "the key is not named:\n{run}");
    refused(run);
    assert!(!project.warehouse().exists(), "a warehouse was made");
}

#[test]
fn a_query_that_is_no_select_is_wrong_usage() {
    let project = loaded();
    refused(project.run(["query", "DELETE FROM gold.alert"]));
    refused(project.run(["query", "SELEC 1"]));
    refused(project.run(["query", "SELECT t.nothing AS x FROM gold.alert AS t", "--json"]));
}

#[test]
fn init_overwrites_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let init = || {
        let mut command = yaojia();
        command.arg("--project").arg(folder.path()).arg("init");
        Run::of(command)
    };
    let contents = || -> BTreeMap<String, Vec<u8>> {
        files(folder.path()).into_iter().map(|file| (file.clone(), fs::read(folder.path().join(file)).expect("a file"))).collect()
    };
    init().exits(0);
    let mut text = fs::read_to_string(folder.path().join("yaojia.toml")).expect("yaojia.toml");
    text.push_str("\n# a line of mine\n");
    fs::write(folder.path().join("yaojia.toml"), text).expect("yaojia.toml");
    let before = contents();
    let again = init();
    assert!(again.code != Some(0) && again.stderr.contains("error[E-"), "the second init did not say that it refuses:\n{again}");
    assert_eq!(contents(), before, "the second init changed files");
}

#[test]
fn doctor_passes_on_a_project_that_works() {
    let world = world();
    let platform = Platform::serve(&world);
    let project = Project::copy_of_loaded(&platform.url);
    let run = project.run(["doctor"]).exits(0);
    assert!(run.stdout.contains("platform") && run.stdout.contains("warehouse"), "it checked little:\n{run}");
    project.run(["doctor", "--json"]).exits(0).json();
    drop(platform);
    let run = project.run(["doctor"]);
    assert!(run.code != Some(0), "doctor passes without a platform:\n{run}");
}

#[test]
fn every_verb_gives_one_json_document() {
    let world = world();
    let platform = Platform::serve(&world);
    let project = Project::copy_of_loaded(&platform.url);
    let alert = project.query("SELECT MIN(a.alert_id) AS id FROM gold.alert AS a")[0]["id"].clone();
    let lines: [&[&str]; 13] = [
        &["status"],
        &["plan"],
        &["plan", "--why"],
        &["check"],
        &["indicator", "list"],
        &["indicator", "show", "D05"],
        &["indicator", "check"],
        &["quarantine", "list"],
        &["quarantine", "show", "--limit", "3"],
        &["query", "SELECT COUNT(*) AS n FROM gold.alert AS a"],
        &["explain", &alert],
        &["load"],
        &["build"],
    ];
    for line in lines {
        let run = project.run(line.iter().copied().chain(["--json"])).exits(0);
        run.json();
        assert!(!run.stderr.contains('\u{1b}'), "escape codes off a terminal:\n{run}");
        if !matches!(line[0], "load" | "build") {
            let run = project.run(line).exits(0);
            assert!(!run.stdout.trim().is_empty(), "nothing on stdout:\n{run}");
            assert!(!run.stdout.contains('\u{1b}'), "escape codes off a terminal:\n{run}");
        }
    }
}

#[test]
fn the_first_nightly_reports_what_it_did() {
    let report = first_report();
    assert_eq!(report["schema_version"], 1, "{report}");
    assert_eq!(report["changed"], Value::Bool(true), "{report}");
    assert_eq!(report["release"], 1, "{report}");
    let project = loaded();
    let path = project.warehouse().join("_ops/runs").join(report["run_id"].as_str().expect("a run id")).join("run.json");
    let kept: Value =
        serde_json::from_str(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).expect("run.json");
    for part in ["schema_version", "run_id", "as_of", "release", "load"] {
        assert_eq!(kept[part], report[part], "`{part}` of run.json and of --json");
    }
    assert_eq!(kept["build"]["silver"], report["build"]["silver"], "counts of run.json and of --json");
    assert!(project.number("SELECT COUNT(*) AS n FROM gold.indicator_value AS v") > 0);
    for id in ["D05", "D09", "D11", "D13", "C05"] {
        assert!(
            project.number(&format!("SELECT COUNT(*) AS n FROM gold.indicator_value AS v WHERE v.indicator_id = '{id}'")) > 0,
            "no value of {id}"
        );
    }
}

#[test]
fn a_second_nightly_writes_nothing_and_says_so() {
    let world = world();
    let platform = Platform::serve(&world);
    let project = Project::copy_of_loaded(&platform.url);
    let before = files(&project.warehouse());
    let mut times = Vec::new();
    for _ in 0..3 {
        let run = project.run(["nightly"]).exits(0);
        assert!(run.stdout.contains("nothing new"), "it does not say so:\n{run}");
        assert_eq!(files(&project.warehouse()), before, "there are new objects after\n{run}");
        times.push(run.took);
    }
    // Other tests run at the same time: the quietest counts.
    // How long it takes to say so is no test: machines differ. Some 0.5 to 1.5 s here.
    println!("a run without news took {times:?}");
    let run = project.run(["nightly", "--json"]).exits(0);
    assert_eq!(run.json()["changed"], Value::Bool(false), "{run}");
    assert_eq!(files(&project.warehouse()), before, "there are new objects after\n{run}");
    let run = project.run(["build", "--json"]).exits(0);
    assert_eq!(run.json()["changed"], Value::Bool(false), "{run}");
    assert_eq!(files(&project.warehouse()), before, "there are new objects after\n{run}");
}

#[test]
fn of_two_at_once_one_waits() {
    let world = world();
    let platform = Platform::serve(&world);
    let project = Project::fresh(&world, &platform.url);
    let mut nightly = project.command(["nightly"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a nightly run");
    let lease = project.warehouse().join("_ops/lease.json");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !lease.exists() {
        assert!(Instant::now() < deadline && nightly.try_wait().expect("its state").is_none(), "the nightly run took no lease");
        thread::sleep(Duration::from_millis(10));
    }
    let second = project.run(["build"]);
    let first_still_there = nightly.try_wait().expect("its state").is_none();
    let first = nightly.wait_with_output().expect("its end");
    assert!(first_still_there, "the nightly run ended before the build: the test proves nothing\n{second}");
    let second = second.exits(5);
    assert!(second.stderr.contains("error[E-") && second.stdout.is_empty(), "streams of\n{second}");
    assert_eq!(first.status.code(), Some(0), "the nightly run was disturbed: {}", String::from_utf8_lossy(&first.stderr));
}

#[test]
fn without_the_platform_the_files_are_kept_and_the_next_run_goes_on() {
    let world = world();
    // A port where nobody listens.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let project = Project::fresh(&world, &format!("http://{free}/tps-local-bd"));
    project.configure("#tries = 6", "tries = 2");
    project.configure("#first_wait_ms = 300", "first_wait_ms = 10");
    let down = project.run(["nightly", "--json"]).exits(3);
    let report = down.json();
    assert!(report["failed"].as_str().is_some_and(|why| why.starts_with("E-")), "the report does not say why it failed:\n{down}");
    assert!(report["load"]["datasets"]["fee_list"]["appended"].as_u64().is_some_and(|rows| rows > 0), "nor what was loaded:\n{down}");
    assert!(down.stderr.contains("error[E-") || down.stderr.contains("warning"), "it does not say why:\n{down}");
    let kept = |project: &Project| {
        project.number("SELECT COUNT(*) AS n FROM bronze.fee_list AS t") + project.number("SELECT COUNT(*) AS n FROM bronze.workday AS t")
    };
    let rows = kept(&project);
    assert!(rows > 0, "nothing of the files was kept:\n{down}");

    let platform = Platform::serve(&world);
    let mut up = project;
    up.url.clone_from(&platform.url);
    let run = up.run(["nightly", "--json"]).exits(0);
    assert_eq!(run.json()["load"]["files"], 0, "files were loaded again:\n{run}");
    assert_eq!(kept(&up), rows, "rows of the files after the second run");
    let counts = |project: &Project| project.run(["status", "--silver-counts"]).exits(0).stdout;
    assert_eq!(counts(&up), counts(&loaded()), "silver counts differ from an undisturbed run");
}
