//! Other engines read every gold table and agree with ours.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use yaojia_models::contract::Registry;

use crate::delta::tables;
use crate::support::{Project, Run, loaded};

/// Rows, and column → sum as text without trailing zeros (none: all null).
#[derive(Debug, PartialEq, Eq)]
struct Totals {
    rows: u64,
    sums: BTreeMap<String, Option<String>>,
}

fn plain(number: &str) -> String {
    let cut = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    if cut.is_empty() || cut == "-0" { "0".to_owned() } else { cut.to_owned() }
}

fn theirs(value: &Value) -> Totals {
    let sums = value["sums"].as_object().unwrap_or_else(|| panic!("no sums in {value}"));
    Totals {
        rows: value["rows"].as_u64().unwrap_or_else(|| panic!("no rows in {value}")),
        sums: sums.iter().map(|(name, sum)| (name.clone(), sum.as_str().map(plain))).collect(),
    }
}

#[test]
fn duckdb_and_deltalake_read_every_gold_table() {
    every_engine_reads(&loaded());
}

/// Rows and sums of every gold table, by three engines. Nothing where the other two are not to be asked.
pub fn every_engine_reads(project: &Project) {
    if std::env::var_os("YAOJIA_SKIP_INTEROP").is_some() {
        println!("skipped: YAOJIA_SKIP_INTEROP is set");
        return;
    }
    let registry = Registry::embedded().expect("the contracts");
    let mut python = Command::new(std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acceptance/interop.py")).arg(project.warehouse());
    let run = Run::of(python);
    assert!(run.code != Some(3), "Python packages are missing; install them as .ci/run does, or set YAOJIA_SKIP_INTEROP:\n{run}");
    let run = run.exits(0);
    let read: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}:\n{run}"));
    println!("duckdb reads by {}", read["duckdb_reads"]);
    let found = read["tables"].as_object().expect("the tables");

    let mut wrong = Vec::new();
    let contracts: BTreeSet<String> = registry.gold().iter().map(|table| table.name.clone()).collect();
    let present: BTreeSet<String> = found.keys().cloned().collect();
    assert_eq!(present, tables(&project.warehouse(), "gold").into_iter().collect(), "tables read and tables that are there");
    wrong.extend(contracts.difference(&present).map(|name| format!("gold.{name}: there is a contract and no table")));
    wrong.extend(present.difference(&contracts).map(|name| format!("gold.{name}: there is a table and no contract")));

    let mut decimals = 0;
    let mut rows = 0;
    for (name, of) in found {
        let (delta, duck) = (theirs(&of["deltalake"]), theirs(&of["duckdb"]));
        let columns: String = delta.sums.keys().map(|column| format!(", SUM(t.{column}) AS {column}")).collect();
        let mut mine = project.query(&format!("SELECT COUNT(*) AS row_count{columns} FROM gold.{name} AS t")).remove(0);
        let ours = Totals {
            rows: mine.remove("row_count").and_then(|n| n.parse().ok()).expect("a count"),
            sums: delta.sums.keys().map(|column| (column.clone(), mine.get(column).map(|sum| plain(sum)))).collect(),
        };
        decimals += ours.sums.values().flatten().count();
        rows += ours.rows;
        if ours != delta {
            wrong.push(format!("gold.{name}: yaojia {ours:?}, deltalake {delta:?}"));
        }
        if ours != duck {
            wrong.push(format!("gold.{name}: yaojia {ours:?}, duckdb {duck:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
    assert!(decimals > 50 && rows > 5000, "compared only {decimals} sums of {rows} rows: the world is too small to prove anything");
}
