//! `backfill`: what a source changed behind the position's back is found; killed and resumed it comes to the same.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::delta::{differences, gold, rows};
use crate::partial::{released, replays_exactly};
use crate::support::{Platform, Project, copy_of_world, loaded};

/// Changes the received count of every third receipt of a month in the platform's rows, and not when they were updated; how many rows.
fn repaired(world: &Path, month: &str) -> u64 {
    let path = world.join("platform/shp.jsonl");
    let text = fs::read_to_string(&path).expect("the rows");
    let (mut seen, mut changed) = (0, 0);
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let received = line.contains("\"shpStas\":\"3\"") && line.contains(&format!("\"updtTime\":\"{month}"));
            seen += usize::from(received);
            let number = line.split_once("\"shppCnt\":").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
            if !received || seen % 3 != 0 || !number {
                return line.to_owned();
            }
            changed += 1;
            line.replacen("\"shppCnt\":", "\"shppCnt\":1", 1)
        })
        .collect();
    fs::write(&path, lines.join("\n") + "\n").expect("the rows");
    changed
}

/// The loaded project over a platform whose February was repaired; and how many rows were.
fn over_repaired() -> (tempfile::TempDir, Platform, Project, u64) {
    let (held, world) = copy_of_world();
    let changed = repaired(&world, "2024-02");
    assert!(changed > 3, "the world has too few receipts");
    let platform = Platform::serve(&world);
    let project = Project::copy_of_loaded(&platform.url);
    (held, platform, project, changed)
}

fn shown(project: &Project) -> Value {
    project.run(["backfill", "show", "1", "--json"]).exits(0).json()["backfill"].clone()
}

const ASK: [&str; 9] = ["backfill", "--from", "2024-01", "--to", "2024-04", "--why", "平台修复未改更新时间", "--by", "张三"];

#[test]
fn rows_that_were_changed_in_place_are_found() {
    let (held, platform, project, changed) = over_repaired();
    let before = rows(&project.warehouse(), "bronze");
    // The nightly run cannot see it: nothing was updated since.
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], Value::Bool(false));
    let done = project.run(ASK.into_iter().chain(["--json"])).exits(0).json();
    let steps = done["steps"].as_array().expect("the steps");
    let appended: Vec<(String, u64)> = steps
        .iter()
        .map(|step| {
            let rows = step["load"]["datasets"].as_object().expect("datasets").values().map(|of| of["appended"].as_u64().expect("rows"));
            (step["backfill"]["month"].as_str().expect("a month").to_owned(), rows.sum())
        })
        .collect();
    let expected = [("2024-01", 0), ("2024-02", changed), ("2024-03", 0), ("2024-04", 0)].map(|(month, n)| (month.to_owned(), n));
    assert_eq!(appended, expected, "{done}");
    assert_eq!(done["backfill"]["state"], "done");
    let after = rows(&project.warehouse(), "bronze");
    assert_eq!(after["shp"], before["shp"] + changed, "rows that were held are not held twice");
    assert!(before.iter().all(|(name, n)| name == "shp" || after[name] == *n), "{after:?}");
    let runs = project.query("SELECT r.verb AS verb FROM ops.run AS r WHERE r.state = 'done'");
    assert_eq!(runs.iter().filter(|run| run["verb"] == "backfill").count(), 4);

    // As if it had been like this from the beginning.
    let fresh = Project::fresh(&held.path().join("world"), &platform.url);
    fresh.run(["nightly"]).exits(0);
    let wrong = differences(&gold(&fresh.warehouse()), &gold(&project.warehouse()));
    assert!(wrong.is_empty(), "{} gold cells differ from a load of the repaired rows:\n{}", wrong.len(), wrong.join("\n"));
    assert!(!differences(&gold(&loaded().warehouse()), &gold(&project.warehouse())).is_empty(), "the repair changed nothing");

    // The position stands where it stood, and a second backfill finds nothing.
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], Value::Bool(false));
    let again =
        project.run(["backfill", "--from", "2024-02", "--to", "2024-02", "--why", "再查", "--by", "张三", "--json"]).exits(0).json();
    assert_eq!(again["backfill"]["id"], "b0002");
    assert_eq!(rows(&project.warehouse(), "bronze"), after);
    assert_eq!(released(&project), 2, "months that change nothing make no release");
    replays_exactly(&project);
}

#[test]
fn killed_and_resumed_it_comes_to_the_same() {
    let (_held, _platform, project, _) = over_repaired();
    let undisturbed = Project::copy_of_loaded(&project.url);
    undisturbed.run(ASK).exits(0);
    let mut child = project.command(ASK).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a backfill");
    let deadline = Instant::now() + Duration::from_secs(120);
    let done = |of: &Value| of["months"].as_array().expect("months").iter().filter(|month| month["state"] == "done").count();
    loop {
        assert!(Instant::now() < deadline, "the backfill does not come on");
        let list = project.run(["backfill", "list", "--json"]).exits(0).json();
        if list["backfills"].as_array().expect("backfills").first().is_some_and(|of| done(of) > 0) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    // While it runs nobody else writes.
    let other = project.run(["backfill", "--from", "2024-01", "--to", "2024-01", "--why", "x", "--by", "y"]);
    let still = child.try_wait().expect("its state").is_none();
    assert!(!still || other.code == Some(5), "{other}");
    child.kill().expect("kill -9");
    child.wait().expect("its end");
    let killed = shown(&project);
    let before = done(&killed);
    assert!((1..4).contains(&before), "it was not killed in the middle: {killed}");

    // It is told wherever one would meet it.
    let status = project.run(["status"]).exits(0);
    assert!(status.stdout.contains("open backfills") && status.stdout.contains("b0001"), "{status}");
    let second = project.run(["backfill", "--from", "2024-03", "--to", "2024-03", "--why", "x", "--by", "y"]).exits(2);
    assert!(second.stderr.contains("b0001") && second.stderr.contains("backfill resume b0001"), "{second}");

    let resumed = project.run(["backfill", "resume", "1", "--json"]).exits(0).json();
    assert_eq!(resumed["steps"].as_array().map(Vec::len), Some(4 - before), "{resumed}");
    assert_eq!((resumed["backfill"]["state"].as_str(), done(&resumed["backfill"])), (Some("done"), 4));
    let wrong = differences(&gold(&undisturbed.warehouse()), &gold(&project.warehouse()));
    assert!(wrong.is_empty(), "{} gold cells differ from an undisturbed backfill:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(rows(&project.warehouse(), "silver"), rows(&undisturbed.warehouse(), "silver"));
    assert_eq!(rows(&project.warehouse(), "bronze"), rows(&undisturbed.warehouse(), "bronze"), "rows that were held are not held twice");
    // Nothing is left of it.
    assert_eq!(project.run(["backfill", "resume", "b0001", "--json"]).exits(0).json()["steps"], serde_json::json!([]));
    project.run(["backfill", "cancel", "1", "--by", "李四"]).exits(2);
    replays_exactly(&project);
}

#[test]
fn months_from_before_the_beginning() {
    let (_held, world) = copy_of_world();
    let platform = Platform::serve(&world);
    let project = Project::fresh(&world, &platform.url);
    // Until now only from 2023 on; and a folder was not there.
    project.configure("since = \"2022-01-01\"", "since = \"2023-01-01\"");
    let (folder, away) = (world.join("exports/stock_month"), world.join("away"));
    fs::rename(&folder, &away).expect("the folder, put away");
    project.run(["nightly"]).exits(0);
    let early = ["backfill", "--from", "2022-11", "--to", "2022-11", "--why", "初始化", "--by", "张三"];
    let refused = project.run(early).exits(2);
    assert!(refused.stderr.contains("since") && refused.stderr.contains("2022-11-01"), "{refused}");
    let backwards = project.run(["backfill", "--from", "2024-03", "--to", "2024-01", "--why", "x", "--by", "y"]).exits(2);
    assert!(backwards.stderr.contains("backwards"), "{backwards}");
    let future = project.run(["backfill", "--from", "2024-03", "--to", "2024-05", "--why", "x", "--by", "y"]).exits(2);
    assert!(future.stderr.contains("has not begun") && future.stderr.contains("--to 2024-04"), "{future}");
    project.run(["backfill", "--from", "2024-03", "--to", "2024-03", "--by", "y"]).exits(2);
    project.run(["backfill", "show", "7"]).exits(1);
    assert_eq!(project.run(["backfill", "list", "--json"]).exits(0).json()["backfills"], serde_json::json!([]));

    // The beginning is moved; the platform is asked for what lies before, and the folder is there again.
    project.configure("since = \"2023-01-01\"", "since = \"2022-11-01\"");
    fs::rename(&away, &folder).expect("the folder, restored");
    let of = |words: &[&'static str]| [&["backfill", "--why", "初始化", "--by", "张三", "--json"], words].concat();
    let platform_only = project.run(of(&["--from", "2022-11", "--to", "2022-12", "--dataset", "tag:platform", "--newest-first"]));
    let done = platform_only.exits(0).json();
    assert_eq!(done["backfill"]["months"][0]["month"], "2022-12");
    assert!(
        done["steps"].as_array().is_some_and(|steps| steps.len() == 2 && steps.iter().all(|step| step["load"]["files"] == 0)),
        "{done}"
    );
    let files = project.run(of(&["--from", "2024-01", "--to", "2024-03", "--dataset", "stock_month"])).exits(0).json();
    let found: u64 = files["steps"].as_array().expect("steps").iter().map(|step| step["load"]["files"].as_u64().expect("files")).sum();
    assert!(found > 0, "{files}");
    let wrong = differences(&gold(&loaded().warehouse()), &gold(&project.warehouse()));
    assert!(wrong.is_empty(), "{} gold cells differ from one load:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(project.counts(), loaded().counts());
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], Value::Bool(false));
    let line = project.run(["backfill", "cancel", "b0002", "--by", "李四"]).exits(2);
    assert!(line.stderr.contains("is done"), "{line}");
}
