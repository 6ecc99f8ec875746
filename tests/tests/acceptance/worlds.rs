//! Random worlds of the simulator: whatever the world, evidence adds up to values, roll-ups are the sums of their subjects, and neither
//! the order of arrival nor threads, batch sizes, page sizes or the number of nights change a digest.
//!
//! `YAOJIA_WORLDS` says how many worlds (2 when not set; `make soak` takes 200), `YAOJIA_WORLDS_FROM` the first seed (1001).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use yaojia_models::card::{Catalogue, How, Measure};
use yaojia_models::contract::{Dataset, Registry, camel_case};

use crate::delta::{differences, gold};
use crate::support::{AS_OF, Platform, Project, Run, files, workspace, yaojia};

/// Nights of the world that arrives month by month, the last on everything.
const NIGHTS: [&str; 3] = ["2024-02-06T02:00:00", "2024-03-06T02:00:00", AS_OF];
/// What stands before a platform row's time.
const UPDATED: &str = "\"updtTime\":\"";

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var_os(name).map(|text| text.to_string_lossy().into_owned());
    given.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: `{text}`")))
}

/// A random number that follows from what it is asked with.
fn dice(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Deals items in a random order.
fn shuffle<T>(items: &mut [T], state: &mut u64) {
    for at in (1..items.len()).rev() {
        items.swap(at, usize::try_from(dice(state)).expect("small") % (at + 1));
    }
}

/// A platform row's place: its time, and its key where it can be told.
fn place(dataset: &Dataset, line: &str) -> Option<(String, String)> {
    let at = line.rfind(UPDATED)? + UPDATED.len();
    let row: Value = serde_json::from_str(line).ok()?;
    let names = |column: &str| {
        let aliases = dataset.json_aliases.iter().filter(|(_, to)| *to == column).map(|(alias, _)| alias.clone());
        std::iter::once(camel_case(column)).chain(aliases).collect::<Vec<_>>()
    };
    let mut key = Vec::new();
    for column in &dataset.key {
        let value = names(column).iter().find_map(|name| row.get(name)).filter(|value| !value.is_null())?.clone();
        key.push(value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned()));
    }
    Some((line.get(at..at + 19)?.to_owned(), key.join("|")))
}

/// The world in another order of arrival. Shuffled is what must not matter: rows of the platform with the same `updtTime`, as far as
/// they are of different keys (between versions of a key of the same time the order of receipt decides, so it stays; a row whose time
/// or key cannot be read stays where it is, since it takes its time from its neighbour). Rows of different times a platform gives in
/// the order of time. Of the export folders a random half is written now; the names of the others are given back.
fn shuffled(world: &Path, target: &Path, registry: &Registry, seed: u64) -> (u64, BTreeSet<String>) {
    let mut state = seed;
    let (mut moved, mut later) = (0, BTreeSet::new());
    for file in files(world) {
        let to = target.join(&file);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let Some(dataset) = file.strip_prefix("platform/").and_then(|name| registry.dataset(name.trim_end_matches(".jsonl"))) else {
            let mut coin = folder.bytes().fold(seed, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
            if file.starts_with("exports/") && dice(&mut coin).is_multiple_of(2) {
                later.insert(file);
            } else {
                fs::copy(world.join(&file), &to).expect("a copy");
            }
            continue;
        };
        let text = fs::read_to_string(world.join(&file)).expect("rows");
        let mut lines: Vec<&str> = text.lines().collect();
        let places: Vec<Option<(String, String)>> = lines.iter().map(|line| place(dataset, line)).collect();
        let mut at_once: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, (time, _)) in places.iter().enumerate().filter_map(|(at, place)| Some((at, place.as_ref()?))) {
            at_once.entry(time).or_default().push(at);
        }
        let before = lines.clone();
        for slots in at_once.values().filter(|slots| slots.len() > 1) {
            let mut from = slots.clone();
            shuffle(&mut from, &mut state);
            // The rows of one key take the places dealt to it in their own order.
            let mut own: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for at in &from {
                own.entry(&places[*at].as_ref().expect("a place").1).or_default().push(*at);
            }
            own.values_mut().for_each(|rows| rows.sort_unstable_by(|a, b| b.cmp(a)));
            for (slot, at) in slots.iter().zip(&from) {
                let row = own.get_mut(places[*at].as_ref().expect("a place").1.as_str()).and_then(Vec::pop).expect("a row");
                lines[*slot] = before[row];
                moved += u64::from(row != *slot);
            }
        }
        fs::write(&to, lines.join("\n") + "\n").expect("the rows in another order");
    }
    (moved, later)
}

/// What had arrived by a night: the files of the months before its own (of the last night: all). The platform hides later rows itself.
/// The one file of service costs holds all months, so it can only come at the end: a row that says it was updated after the day it
/// arrived is quarantined, and rightly.
fn arrived(world: &Path, target: &Path, night: &str) {
    let before = if night == AS_OF { "999999".to_owned() } else { night[..7].replace('-', "") };
    for file in files(&world.join("exports")) {
        let month = file.split('/').nth(2).unwrap_or_default();
        if month < before.as_str() && (night == AS_OF || !file.starts_with("serv_cost/")) {
            let to = target.join(&file);
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::copy(world.join("exports").join(&file), &to).expect("a copy");
        }
    }
}

/// A project on a world of its own, loaded once at [`AS_OF`].
fn at_once(world: &Path) -> Project {
    let platform = Platform::serve(world);
    let project = Project::fresh(world, &platform.url);
    project.run(["nightly", "-q"]).exits(0);
    project
}

/// The same world in another order of arrival, on other pages, in other windows; rows moved, and folders that came later.
fn in_another_order(world: &Path, folder: &Path, registry: &Registry, seed: u64) -> (Project, u64, usize) {
    let (moved, later) = shuffled(world, folder, registry, seed);
    let platform = Platform::serve_with(folder, &["--page-size", &(7 + seed % 90).to_string()]);
    fs::create_dir_all(folder.join("exports")).expect("a landing folder");
    let project = Project::fresh(folder, &platform.url);
    project.configure("window_days = 400", &format!("window_days = {}", 40 + seed % 100));
    project.run(["load", "-q"]).exits(0);
    for file in &later {
        fs::create_dir_all(folder.join(file).parent().expect("a folder")).expect("a folder");
        fs::copy(world.join(file), folder.join(file)).expect("a copy");
    }
    project.run(["nightly", "-q"]).exits(0);
    (project, moved, later.len())
}

/// The same world in three nights.
fn in_nights(world: &Path, folder: &Path) -> Project {
    let landing = folder.join("landing");
    fs::create_dir_all(landing.join("exports")).expect("a landing folder");
    let mut project: Option<Project> = None;
    for night in NIGHTS {
        let platform = Platform::serve_with(world, &["--until", night]);
        arrived(world, &landing.join("exports"), night);
        let held = project.get_or_insert_with(|| {
            fs::copy(world.join("aliases.json"), landing.join("aliases.json")).expect("the aliases");
            Project::fresh(&landing, &platform.url)
        });
        let mut command = yaojia();
        command.arg("--project").arg(&held.dir).args(["--as-of", night, "nightly", "-q"]).env("YAOJIA_PLATFORM_URL", &platform.url);
        Run::of(command).exits(0);
    }
    project.expect("a project")
}

/// Alerts whose evidence does not add up.
fn evidence(project: &Project, catalogue: &Catalogue) -> Vec<String> {
    let rows = project.query(
        "SELECT a.indicator_id AS indicator, a.measure AS measure, a.alert_id AS id, a.level AS level, a.evidence_n AS n, v.numerator AS num, \
         v.denominator AS den, COUNT(e.row_key) AS found, SUM(e.num) AS sum_num, SUM(e.den) AS sum_den \
         FROM gold.alert AS a \
         INNER JOIN gold.indicator_value AS v ON v.indicator_id = a.indicator_id AND v.measure = a.measure AND v.level = a.level AND v.county = a.county \
           AND v.month = a.month AND v.subject_code = a.subject_code AND v.product_code = a.product_code AND v.batch_code = a.batch_code AND v.group_code = a.group_code \
         LEFT JOIN gold.alert_evidence AS e ON e.alert_id = a.alert_id \
         GROUP BY a.indicator_id, a.measure, a.alert_id, a.level, a.evidence_n, v.numerator, v.denominator",
    );
    let mut wrong = Vec::new();
    if rows.len() as u64 != project.number("SELECT COUNT(*) AS n FROM gold.alert AS a") {
        wrong.push("an alert has not exactly one value".to_owned());
    }
    for row in rows {
        if row["n"] != row["found"] || row["n"] == "0" {
            wrong.push(format!("evidence_n: {row:?}"));
        }
        // Of rows.sql the evidence of a subject's alert is what was added up; value.sql has evidence of another kind.
        let adds = catalogue.get(&row["indicator"]).is_some_and(|i| matches!(i.query, yaojia_models::card::Query::Rows(_)));
        let same = |value: &str, sum: &str| row.get(value).is_none_or(|value| row.get(sum) == Some(value));
        if adds && row["level"] == "subject" && !(same("num", "sum_num") && same("den", "sum_den")) {
            wrong.push(format!("evidence does not add up: {row:?}"));
        }
    }
    wrong
}

/// A value's key without level and subject, as text.
fn key(row: &BTreeMap<String, String>, measure: &Measure, area: &str) -> String {
    let code = |name: &str| if measure.rollup.drop.iter().any(|dropped| dropped == name) { "" } else { row[name].as_str() };
    format!(
        "{} {} {} {area} {} {} {}",
        row["indicator_id"],
        row["measure"],
        row["month"],
        code("product_code"),
        code("batch_code"),
        code("group_code")
    )
}

/// Roll-ups that are not the sums of their subjects.
fn rollups(project: &Project, catalogue: &Catalogue) -> (usize, Vec<String>) {
    // Whole numbers of a millionth, so that nothing is rounded here.
    let rows = project.query(
        "SELECT v.indicator_id AS indicator_id, v.measure AS measure, v.month AS month, v.county AS county, v.level AS level, v.product_code AS product_code, \
         v.batch_code AS batch_code, v.group_code AS group_code, v.state AS state, CAST(v.numerator * 1000000 AS VARCHAR) AS num, \
         CAST(v.denominator * 1000000 AS VARCHAR) AS den, CAST(v.amount_at_risk * 100 AS VARCHAR) AS amount FROM gold.indicator_value AS v",
    );
    let whole = |row: &BTreeMap<String, String>, name: &str| -> i128 {
        row.get(name).map_or(0, |text| text.split('.').next().unwrap_or_default().parse().unwrap_or_else(|_| panic!("{name} of {row:?}")))
    };
    let mut sums: BTreeMap<String, (i128, i128)> = BTreeMap::new();
    let mut amounts: BTreeMap<String, i128> = BTreeMap::new();
    let measure_of = |row: &BTreeMap<String, String>| {
        catalogue.get(&row["indicator_id"]).and_then(|i| i.card.measure(&row["measure"])).unwrap_or_else(|| panic!("no measure: {row:?}"))
    };
    for row in rows.iter().filter(|row| row["level"] == "subject") {
        let measure = measure_of(row);
        for area in [row["county"].as_str(), "652800"] {
            let sum = sums.entry(key(row, measure, area)).or_default();
            *sum = (sum.0 + whole(row, "num"), sum.1 + whole(row, "den"));
            if ["warn", "verify"].contains(&row["state"].as_str()) && row["measure"] == "main" {
                *amounts.entry(format!("{} {} {area}", row["indicator_id"], row["month"])).or_default() += whole(row, "amount");
            }
        }
    }
    let (mut seen, mut wrong) = (0, Vec::new());
    for row in rows.iter().filter(|row| row["level"] != "subject") {
        let measure = measure_of(row);
        // Roll-ups of subjects that are not published cannot be added up from outside.
        match measure.rollup.how {
            How::Sum | How::Shown if measure.subject => {
                seen += 1;
                let (num, den) = sums.get(&key(row, measure, &row["county"])).copied().unwrap_or_default();
                if num != whole(row, "num") || (row.contains_key("den") && den != whole(row, "den")) {
                    wrong.push(format!("roll-up: subjects add up to {num} ÷ {den} millionths, {row:?}"));
                }
            }
            How::Amount if row["measure"] == "main" => {
                seen += 1;
                let sum = amounts.get(&format!("{} {} {}", row["indicator_id"], row["month"], row["county"])).copied().unwrap_or_default();
                if sum != whole(row, "amount") {
                    wrong.push(format!("amount: subjects add up to {sum} cents, {row:?}"));
                }
            }
            _ => {}
        }
    }
    (seen, wrong)
}

/// What is wrong in one world, in words; and a line on what was looked at.
fn judge(seed: u64, catalogue: &Catalogue, registry: &Registry) -> (String, Vec<String>) {
    let held = tempfile::tempdir().expect("a folder");
    let world = held.path().join("world");
    let mut simulate = yaojia();
    simulate.args(["simulate", "--size", "tiny", "--seed", &seed.to_string(), "--no-serve", "--write"]).arg(&world);
    Run::of(simulate).exits(0);
    let mut wrong = Vec::new();

    let at_once = at_once(&world);
    let expected = gold(&at_once.warehouse());
    let cells: usize = expected.values().map(BTreeMap::len).sum();
    wrong.extend(evidence(&at_once, catalogue));
    let (rolled, faults) = rollups(&at_once, catalogue);
    wrong.extend(faults);

    // Threads, batch sizes, orders of the input: every model against itself and against what is published.
    let run = at_once.run(["prove", "--all", "--quick", "--json"]);
    if run.code != Some(0) {
        let models = run.json()["models"].as_array().cloned().unwrap_or_default();
        wrong.extend(models.iter().filter_map(|m| m["difference"].as_str()).map(|text| format!("prove: {text}")));
        wrong.push(format!("prove ended with {:?}", run.code));
    }

    let (other, moved, later) = in_another_order(&world, &held.path().join("shuffled"), registry, seed);
    wrong.extend(differences(&expected, &gold(&other.warehouse())).into_iter().map(|text| format!("shuffled: {text}")));

    // Month by month.
    let nights = in_nights(&world, &held.path().join("nights"));
    wrong.extend(differences(&expected, &gold(&nights.warehouse())).into_iter().map(|text| format!("in nights: {text}")));
    (format!("{cells} gold cells, {rolled} roll-ups, {moved} rows moved, {later} files later"), wrong)
}

#[test]
fn random_worlds_keep_their_promises() {
    let (count, from) = (number("YAOJIA_WORLDS", 2), number("YAOJIA_WORLDS_FROM", 1001));
    let catalogue = Catalogue::load(&workspace().join("sql")).expect("the indicators");
    let registry = Registry::embedded().expect("the contracts");
    let began = Instant::now();
    let mut failed: BTreeSet<u64> = BTreeSet::new();
    for seed in from..from + count {
        let clock = Instant::now();
        let (seen, wrong) = judge(seed, &catalogue, &registry);
        println!("world {seed}: {} ({seen}; {:.0?})", if wrong.is_empty() { "ok" } else { "FAILED" }, clock.elapsed());
        if !wrong.is_empty() {
            failed.insert(seed);
            wrong.iter().take(12).for_each(|text| println!("  {text}"));
            println!("  {} faults", wrong.len());
        }
    }
    println!("{} of {count} worlds keep all promises ({:.0?})", count - failed.len() as u64, began.elapsed());
    assert!(failed.is_empty(), "worlds that do not keep their promises: {failed:?}");
}
