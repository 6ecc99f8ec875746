//! The same world, in one load and in several nights whose windows overlap: the same silver, the same gold, the same counts.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::delta::{differences, gold, rows};
use crate::support::{AS_OF, Platform, Project, copy_of_world, first_report, loaded, world};

/// Unknown keys and titles by dataset.
type Unknown = BTreeMap<String, BTreeMap<String, u64>>;

fn unknown(report: &Value, all: &mut Unknown) {
    for (dataset, load) in report["load"]["datasets"].as_object().expect("the loads") {
        for (name, n) in load["unknown_columns"].as_object().expect("unknown columns") {
            *all.entry(dataset.clone()).or_default().entry(name.clone()).or_default() += n.as_u64().expect("a count");
        }
    }
}

/// Lines of the platform's files that carry a key.
fn carried(key: &str) -> BTreeMap<String, u64> {
    let entries = fs::read_dir(world().join("platform")).expect("the platform's files");
    let count = |path: &std::path::Path| {
        let text = fs::read_to_string(path).expect("lines");
        text.lines().filter(|line| line.contains(&format!("\"{key}\":"))).count() as u64
    };
    entries
        .map(|entry| entry.expect("a file").path())
        .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), count(&path)))
        .filter(|(_, n)| *n > 0)
        .collect()
}

#[test]
fn several_nights_end_where_one_load_does() {
    let whole = world();
    let (_held, landing) = copy_of_world();
    let platform = Platform::serve(&whole);
    let project = Project::fresh(&landing, &platform.url);
    // A day of overlap is the default: three days make every night read again what the one before had.
    project.configure("#overlap_days = 1", "overlap_days = 3");
    project.configure("window_days = 400", "window_days = 30");
    let (exports, away) = (landing.join("exports"), landing.join("away"));
    fs::rename(&exports, &away).expect("the files, put away");
    fs::create_dir_all(&exports).expect("an empty landing folder");
    let mut told = Unknown::new();
    let mut delivered = 0;
    for (instant, until) in [("2024-02-10T02:00:00", "202401"), ("2024-03-12T02:00:00", "202402"), (AS_OF, "999999")] {
        for file in crate::support::files(&away) {
            let month = file.split('/').nth(2).expect("dataset, county, month").to_owned();
            if month.as_str() <= until {
                let target = exports.join(&file);
                fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
                fs::rename(away.join(&file), target).expect("a delivery");
                delivered += 1;
            }
        }
        let run = project.run_at(instant, ["nightly", "--json"]).exits(0);
        unknown(&run.json(), &mut told);
    }
    assert!(delivered > 20, "only {delivered} files were delivered");
    let one = loaded();
    assert_eq!(project.counts(), one.counts(), "silver counts");
    let wrong = differences(&gold(&one.warehouse()), &gold(&project.warehouse()));
    assert!(wrong.is_empty(), "{} gold cells differ from one load:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(rows(&project.warehouse(), "silver"), rows(&one.warehouse(), "silver"), "rows of silver");
    assert!(
        rows(&project.warehouse(), "bronze").values().sum::<u64>() > rows(&one.warehouse(), "bronze").values().sum::<u64>(),
        "the windows did not overlap: the test proves nothing"
    );
    let mut at_once = Unknown::new();
    unknown(&first_report(), &mut at_once);
    assert_eq!(told, at_once, "unknown keys, all nights together");
    let again = project.run(["nightly", "--json"]).exits(0);
    assert_eq!(again.json()["changed"], Value::Bool(false), "{again}");
}

#[test]
fn unknown_keys_are_counted_once_a_row() {
    let mut told = Unknown::new();
    unknown(&first_report(), &mut told);
    let mut seen = 0;
    for key in ["rid", "psnName"] {
        let carried = carried(key);
        let found: BTreeMap<String, u64> = told.iter().filter_map(|(dataset, of)| of.get(key).map(|n| (dataset.clone(), *n))).collect();
        assert_eq!(found, carried, "rows with `{key}`");
        seen += carried.len();
    }
    assert!(seen > 1, "the world has no unknown keys");
}
