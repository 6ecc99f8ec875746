//! Releases: listed, shown, compared, taken back, and what the next run makes of it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{Project, loaded};

/// A stricter limit for D13, so that a build changes states and alerts and nothing else: every county below 99.9 %.
fn stricter(project: &Project) {
    project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    let from = crate::support::workspace().join("sql/indicators/D13_on_time_delivery");
    let to = project.dir.join("sql-local/indicators/D13_on_time_delivery");
    fs::create_dir_all(&to).expect("a folder");
    for name in ["indicator.toml", "rows.sql", "rules.toml"] {
        fs::copy(from.join(name), to.join(name)).expect(name);
    }
    let mut rules = fs::read_to_string(to.join("rules.toml")).expect("the rules");
    rules.push_str(
        "\n[[rule]]\nid = \"D13.warn.2\"\nreplaces = [\"D13.warn.1\"]\nlevel = \"verify\"\nop = \"<\"\nlimit = \"0.999\"\ntag = \"I\"\n\
         text_zh = \"配送及时率低于99.9%\"\nvalid_from = \"2020-01\"\nknown_from = \"2020-01-01\"\n",
    );
    fs::write(to.join("rules.toml"), rules).expect("the rules");
}

fn verified(project: &Project) -> u64 {
    project.number("SELECT COUNT(*) AS n FROM gold.alert AS a WHERE a.indicator_id = 'D13' AND a.state = 'verify'")
}

fn current(project: &Project) -> i64 {
    let run = project.run(["release", "list", "--json"]).exits(0);
    run.json()["releases"].as_array().and_then(|all| all.last()).and_then(|last| last["number"].as_i64()).expect("a release")
}

#[test]
fn one_release_is_listed_and_shown() {
    let project = loaded();
    let list = project.run(["release", "list", "--json"]).exits(0).json();
    let first = &list["releases"][0];
    assert_eq!((first["number"].as_i64(), first["as_of"].as_str()), (Some(1), Some("2024-04-16T02:00:00")));
    assert!(first["rollback"].is_null() && first["changed"].as_array().is_some_and(|changed| changed.len() > 30));
    let show = project.run(["release", "show", "1", "--json"]).exits(0).json();
    let tables = show["tables"].as_array().expect("tables");
    let receipt = tables.iter().find(|table| table["table"] == "gold.fact_receipt").expect("gold.fact_receipt");
    assert_eq!(receipt["rows"].as_u64(), Some(project.number("SELECT COUNT(*) AS n FROM gold.fact_receipt AS f")));
    assert!(receipt["root"].as_str().is_some_and(|root| root.len() == 64));
    let same = project.run(["release", "diff", "1", "1"]).exits(0);
    assert!(same.stdout.contains("hold the same"), "{same}");
    project.run(["release", "show", "9"]).exits(1);
    project.run(["release", "rollback", "9", "--by", "a", "--why", "b"]).exits(1);
    project.run(["release", "rollback", "1"]).exits(2);
}

#[test]
fn a_restatement_is_told_and_taken_back() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    let before = verified(&project);
    stricter(&project);
    project.run(["build"]).exits(0);
    let after = verified(&project);
    assert!(after > before, "the stricter limit changed nothing: {before}, {after}");

    // The ledger says the same of closed months, with the cause.
    let told = project.run(["release", "restatements", "--release", "2", "--json"]).exits(0).json();
    let told = told["restatements"].as_array().expect("restatements").clone();
    assert!(!told.is_empty() && told.iter().all(|row| row["cause"] == "rule" && row["key"]["indicator_id"] == "D13"), "{told:?}");
    assert!(told.iter().all(|row| row["key"]["month"].as_str().is_some_and(|month| month < "2024-04")), "{told:?}");

    // What changed, both values: only D13, and never a number, only its verdict.
    let run = project.run(["release", "diff", "1", "2", "--json"]).exits(1);
    let diff = run.json();
    let values = diff["values"].as_array().expect("values");
    assert!(!values.is_empty() && values.iter().all(|row| row["change"] == "changed" && row["key"]["indicator_id"] == "D13"), "{run}");
    let columns: BTreeSet<&str> =
        values.iter().flat_map(|row| row["after"].as_object().expect("a row").keys().map(String::as_str)).collect();
    assert!(columns.contains("state") && !columns.contains("numerator") && !columns.contains("value"), "{columns:?}");
    let one = values.iter().find(|row| row["after"]["state"] == "verify").expect("one to verify");
    assert!(one["before"]["state"].is_string() && one["before"]["state"] != "verify", "{one}");
    let alerts = diff["alerts"].as_array().expect("alerts");
    let change = |change: &str| alerts.iter().filter(|row| row["change"] == change).count() as u64;
    let (old, new): (u64, u64) = {
        let count = "SELECT COUNT(*) AS n FROM gold.alert AS a";
        let new = project.number(count);
        project.run(["release", "rollback", "1", "--by", "张三", "--why", "规则有误"]).exits(0);
        (project.number(count), new)
    };
    assert_eq!(new, old + change("appeared") - change("vanished"), "{run}");
    let tables: BTreeSet<&str> = diff["tables"].as_array().expect("tables").iter().filter_map(|table| table["table"].as_str()).collect();
    assert!(tables.contains("gold.alert") && !tables.contains("gold.fact_order"), "{tables:?}");
    let text = project.run(["release", "diff", "1", "2"]).exits(1);
    assert!(text.stdout.contains("changed") && text.stdout.contains("D13"), "{text}");

    // Readers see the first release again, under a new number that says who and why.
    assert_eq!((current(&project), verified(&project)), (3, before));
    let list = project.run(["release", "list", "--json"]).exits(0).json();
    let back = &list["releases"][2]["rollback"];
    assert_eq!((back["from"].as_i64(), back["to"].as_i64()), (Some(2), Some(1)));
    assert_eq!((back["by"].as_str(), back["why"].as_str()), (Some("张三"), Some("规则有误")));
    project.run(["release", "diff", "1", "3"]).exits(0);
    let again = project.run(["release", "rollback", "1", "--by", "张三", "--why", "再来", "--json"]).exits(0).json();
    assert!(again["run_id"].is_null(), "{again}");

    // A run that has nothing to do leaves it standing; what counts as fresh has not changed.
    let plan = project.run(["plan", "--json"]).exits(0).json();
    assert!(plan["indicators"].as_array().is_some_and(Vec::is_empty) && plan["gold"].as_array().is_some_and(Vec::is_empty), "{plan}");
    let build = project.run(["build", "--json"]).exits(0).json();
    assert_eq!((&build["changed"], current(&project)), (&Value::Bool(false), 3));

    // The cause is corrected, by a rule of its own since the wrong one was published: the next build changes the tables and publishes all
    // of them together.
    let rules = project.dir.join("sql-local/indicators/D13_on_time_delivery/rules.toml");
    let mut text = fs::read_to_string(&rules).expect("the rules");
    text.push_str(
        "\n[[rule]]\nid = \"D13.warn.3\"\nreplaces = [\"D13.warn.2\"]\nlevel = \"warn\"\nop = \"<\"\nlimit = \"0.90\"\ntag = \"I\"\npersist = 2\n\
         text_zh = \"配送及时率低于90%\"\nvalid_from = \"2020-01\"\nknown_from = \"2020-01-01\"\n",
    );
    fs::write(&rules, text).expect("the rules");
    let build = project.run(["build", "--json"]).exits(0).json();
    assert_eq!(build["changed"], Value::Bool(true), "{build}");
    assert_eq!((current(&project), verified(&project)), (4, before));
    let same = project.run(["release", "diff", "1", "4", "--json"]).json();
    let states = |rows: &Value| rows.as_array().expect("rows").iter().filter(|row| row["after"].get("state").is_some()).count();
    assert_eq!(
        (states(&same["values"]), same["alerts"].as_array().map(|all| all.iter().filter(|row| row["change"] != "changed").count())),
        (0, Some(0)),
        "{same}"
    );
}

#[test]
fn a_release_whose_files_are_gone_is_not_taken_back_to() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    stricter(&project);
    project.run(["build"]).exits(0);
    // A file that only the first release names.
    let root = project.warehouse().join("gold/alert");
    let now: BTreeSet<String> = project.run(["release", "diff", "1", "2", "--json"]).exits(1).json()["tables"]
        .as_array()
        .expect("tables")
        .iter()
        .find(|table| table["table"] == "gold.alert")
        .expect("gold.alert")["cells"]
        .as_array()
        .expect("cells")
        .iter()
        .filter(|cell| cell["change"] == "changed")
        .filter_map(|cell| cell["cell"].as_str().map(str::to_owned))
        .collect();
    let cell = now.iter().next().expect("a changed cell");
    let gone = fs::read_dir(root.join(cell))
        .expect("the cell")
        .map(|entry| entry.expect("a file").path())
        // `<digest>-<run>-<bytes>.parquet`
        .find(|path| path.to_string_lossy().rsplit('-').nth(1) == Some("1"));
    fs::remove_file(gone.expect("a file of the first run")).expect("removed");
    let refused = project.run(["release", "rollback", "1", "--by", "张三", "--why", "规则有误"]).exits(1);
    assert!(refused.stderr.contains("cannot be read any more"), "{refused}");
    assert_eq!(current(&project), 2);
}
