//! Builds of a part: only what is selected is built, and all tables switch together once nothing is stale any more.

use std::fs;

use serde_json::Value;

use crate::delta::{differences, gold};
use crate::support::{Project, workspace};

const NOBODY: &str = "http://127.0.0.1:9/nobody";

/// A stricter limit for an indicator, in the project's own folder: it has to be judged again.
pub fn stricter(project: &Project, folder: &str) {
    let text = fs::read_to_string(project.dir.join("yaojia.toml")).expect("yaojia.toml");
    if text.contains("#paths = [\"sql-local\"]") {
        project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    }
    let (from, to) = (workspace().join("sql/indicators").join(folder), project.dir.join("sql-local/indicators").join(folder));
    fs::create_dir_all(&to).expect("a folder");
    for name in ["indicator.toml", "rows.sql", "rules.toml"] {
        fs::copy(from.join(name), to.join(name)).expect(name);
    }
    let id = folder.split('_').next().expect("an id");
    let mut rules = fs::read_to_string(to.join("rules.toml")).expect("the rules");
    rules.push_str(&format!(
        "\n[[rule]]\nid = \"{id}.verify.77\"\nlevel = \"verify\"\nop = \"<\"\nlimit = \"0.999\"\ntag = \"I\"\n\
         text_zh = \"低于99.9%\"\nvalid_from = \"2020-01\"\nknown_from = \"2020-01-01\"\n",
    ));
    fs::write(to.join("rules.toml"), rules).expect("the rules");
}

/// The number of the release readers see.
pub fn released(project: &Project) -> i64 {
    let status = project.run(["status", "--json"]).exits(0).json();
    status["release"]["number"].as_i64().expect("a release")
}

/// Every release is what it was when it is made again as known then.
pub fn replays_exactly(project: &Project) {
    for release in 1..=released(project) {
        project.run(["replay", "--release", &release.to_string()]).exits(0);
    }
}

fn stale(project: &Project, words: &[&str]) -> Vec<String> {
    let plan = project.run([&["plan", "--json"], words].concat()).exits(0).json();
    let mut all: Vec<String> =
        plan["indicators"].as_array().expect("months").iter().map(|of| of["indicator"].as_str().expect("an id").to_owned()).collect();
    all.extend(plan["gold"].as_array().expect("cells").iter().map(|of| of["table"].as_str().expect("a table").to_owned()));
    all.dedup();
    all
}

fn verified(project: &Project, id: &str) -> u64 {
    project.number(&format!("SELECT COUNT(*) AS n FROM gold.alert AS a WHERE a.indicator_id = '{id}' AND a.state = 'verify'"))
}

#[test]
fn a_part_keeps_the_release_and_the_rest_moves_it() {
    let (part, whole) = (Project::copy_of_loaded(NOBODY), Project::copy_of_loaded(NOBODY));
    for project in [&part, &whole] {
        stricter(project, "D13_on_time_delivery");
        stricter(project, "D05_online_purchase_rate");
    }
    assert_eq!(stale(&part, &[]), ["D05", "D13"]);
    assert_eq!(stale(&part, &["D13"]), ["D13"]);
    assert_eq!(stale(&part, &["changed", "tag:no-such-tag,D05"][..1]), ["D05", "D13"]);
    assert_eq!(stale(&part, &["layer:gold"]), Vec::<String>::new());
    assert_eq!(stale(&part, &["fact_receipt+", "--month", "2024-01..2024-02"]), ["D05", "D13"]);
    assert_eq!(stale(&part, &["--month", "2023-01"]), Vec::<String>::new());

    let before = verified(&part, "D13");
    let first = part.run(["build", "D13", "--json"]).exits(0).json();
    let months = first["build"]["waits"].as_u64().expect("the release waits");
    assert!(months > 0 && months < 10, "{first}");
    assert_eq!((first["build"]["computed"].as_u64(), first["release"].as_i64()), (Some(0), Some(1)), "{first}");
    assert_eq!((released(&part), verified(&part, "D13"), stale(&part, &[])), (1, before, vec!["D05".to_owned()]));
    // What is selected is fresh: nothing to do, and the release waits still.
    let again = part.run(["build", "D13", "layer:gold", "--json"]).exits(0).json();
    assert_eq!((again["changed"].as_bool(), again["build"]["waits"].as_u64()), (Some(false), Some(months)), "{again}");
    let text = part.run(["build", "D13"]).exits(0);
    assert!(text.stdout.contains(&format!("release waits: {months} stale cells left")), "{text}");

    let second = part.run(["build", "tag:采", "--json"]).exits(0).json();
    assert!(second["build"]["waits"].is_null() && second["release"] == 2, "{second}");
    assert!(verified(&part, "D13") > before);
    // The cause of what the first of the two made is told by the release that shows it.
    let told = part.run(["release", "restatements", "--release", "2", "--json"]).exits(0).json();
    let told = told["restatements"].as_array().expect("restatements").clone();
    let of = |id: &str| told.iter().filter(|row| row["key"]["indicator_id"] == id).count();
    assert!(of("D13") > 0 && of("D05") > 0 && told.iter().all(|row| row["cause"] == "rule"), "{told:?}");
    assert_eq!(part.run(["build", "--json"]).exits(0).json()["changed"], Value::Bool(false));

    whole.run(["build"]).exits(0);
    let wrong = differences(&gold(&whole.warehouse()), &gold(&part.warehouse()));
    assert!(wrong.is_empty(), "{} gold cells differ from one build:\n{}", wrong.len(), wrong.join("\n"));
    replays_exactly(&part);
}

#[test]
fn a_nightly_finishes_what_a_part_began() {
    let project = Project::copy_of_loaded(NOBODY);
    project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    let folder = project.dir.join("sql-local/fact");
    fs::create_dir_all(&folder).expect("a folder");
    // The same rows by another text, and one row fewer: what reads it has to follow.
    let own = fs::read_to_string(workspace().join("sql/fact/fact_receipt.sql")).expect("the model");
    fs::write(folder.join("fact_receipt.sql"), format!("{own}-- another text\n")).expect("the model");
    let run = project.run(["build", "silver.shp", "fact_receipt", "--json"]).exits(0).json();
    assert!(run["build"]["waits"].is_null() && run["build"]["stale"]["gold.fact_receipt"].as_u64() > Some(0), "{run}");
    assert_eq!(released(&project), 2, "nothing else was stale: the release moves");
    let unknown = project.run(["build", "fact_reciept"]).exits(2);
    assert!(unknown.stderr.contains("E-RUN-005") && unknown.stderr.contains("`fact_receipt`") && unknown.stdout.is_empty(), "{unknown}");
    project.run(["plan", "+D99"]).exits(2);
    project.run(["plan", "--month", "2024-03..2024-01"]).exits(2);
    replays_exactly(&project);
}
