//! The balance of every dataset: what was received is accepted, superseded, void or in quarantine.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value};
use yaojia_models::contract::Registry;

use crate::support::{first_report, flat, loaded, world};

fn expected() -> Map<String, Value> {
    let text = fs::read_to_string(world().join("expected_silver.json")).expect("the simulator's own count");
    serde_json::from_str(&text).expect("JSON")
}

fn actual() -> Map<String, Value> {
    let run = loaded().run(["status", "--silver-counts"]).exits(0);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("not one JSON object ({error}):\n{run}"))
}

#[test]
fn counts_are_those_the_simulator_kept() {
    let (expected, actual) = (expected(), actual());
    let datasets: Vec<&String> = expected.keys().filter(|name| !name.starts_with('_')).collect();
    assert!(datasets.len() >= 25, "the world has only {datasets:?}");
    let mut wrong = Vec::new();
    for name in &datasets {
        let (mut want, mut got) = (flat(&expected[*name]), actual.get(*name).map(flat).unwrap_or_default());
        // What is planted twice; overlapping windows bring more of them.
        let (planted, repeated) = (want.remove("repeated").unwrap_or(0), got.remove("repeated").unwrap_or(0));
        if want != got || repeated < planted {
            wrong.push(format!("{name}: expected {want:?} (repeated ≥ {planted}), found {got:?} (repeated {repeated})"));
        }
    }
    wrong.extend(actual.keys().filter(|name| !expected.contains_key(*name)).map(|name| format!("{name}: not in the world")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_was_received_balances() {
    let actual = actual();
    let registry = Registry::embedded().expect("the contracts");
    for dataset in registry.datasets() {
        let name = &dataset.name;
        let counts = flat(actual.get(name).unwrap_or_else(|| panic!("no counts of {name}")));
        let of = |key: &str| counts.get(key).copied().unwrap_or(0);
        let quarantined: u64 = counts.iter().filter(|(key, _)| key.starts_with("quarantined.")).map(|(_, count)| count).sum();
        assert!(of("received") > 0, "nothing of {name} was received: {counts:?}");
        assert_eq!(of("received"), of("accepted") + of("superseded") + of("void") + quarantined, "{name}: {counts:?}");
    }
}

#[test]
fn tables_hold_what_is_counted() {
    let (project, actual) = (loaded(), actual());
    let registry = Registry::embedded().expect("the contracts");
    let names: Vec<&String> = registry.datasets().iter().map(|dataset| &dataset.name).collect();
    let union = |select: &dyn Fn(&String) -> String| names.iter().map(|name| select(name)).collect::<Vec<_>>().join(" UNION ALL ");
    let counted = |sql: &str| -> BTreeMap<String, u64> {
        project.query(sql).into_iter().map(|row| (row["name"].clone(), row["n"].parse().expect("a count"))).collect()
    };
    let silver = counted(&union(&|name| format!("SELECT '{name}' AS name, COUNT(*) AS n FROM silver.{name} AS t")));
    let bronze = counted(&union(&|name| format!("SELECT '{name}' AS name, COUNT(*) AS n FROM bronze.{name} AS t")));
    let quarantine = counted("SELECT q.dataset AS name, COUNT(*) AS n FROM silver.quarantine AS q GROUP BY q.dataset");
    for name in names {
        let counts = flat(&actual[name]);
        let of = |key: &str| counts.get(key).copied().unwrap_or(0);
        let quarantined: u64 = counts.iter().filter(|(key, _)| key.starts_with("quarantined.")).map(|(_, count)| count).sum();
        assert_eq!(silver[name], of("accepted"), "rows of silver.{name}: {counts:?}");
        assert_eq!(bronze[name], of("received") + of("repeated"), "rows of bronze.{name}: {counts:?}");
        assert_eq!(quarantine.get(name).copied().unwrap_or(0), quarantined, "rows of {name} in silver.quarantine: {counts:?}");
    }
}

#[test]
fn refused_files_are_named_with_their_reason_and_do_not_stop_the_run() {
    let (expected, report) = (expected(), first_report());
    let pairs = |value: &Value, prefix: &str| -> BTreeMap<String, String> {
        let of = |value: &Value| value.as_str().expect("text").to_owned();
        value.as_array().expect("a list").iter().map(|pair| (of(&pair[0]).trim_start_matches(prefix).to_owned(), of(&pair[1]))).collect()
    };
    let want = pairs(&expected["_files"]["refused"], "exports/");
    assert!(!want.is_empty(), "the world has no file to refuse");
    assert_eq!(pairs(&report["load"]["refused"], ""), want);
    assert_eq!(report["load"]["files"], expected["_files"]["loaded"], "files loaded");
    let names = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .expect("a list")
            .iter()
            .map(|name| name.as_str().expect("text").trim_start_matches("exports/").to_owned())
            .collect()
    };
    assert_eq!(
        names(&report["load"]["same_content"]),
        names(&expected["_files"]["same_content"]),
        "files loaded before under another name"
    );
}
