//! A person who knows SQL adds an indicator, and later a threshold: files only, nothing recompiled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::support::{Platform, Project, files, world};

pub const CARD: &str = r#"id           = "X01"
version      = 1
name_zh      = "订单明细行数"
name_en      = "order lines"
question     = "每家机构当月发出多少订单明细？"
why          = "行数异常多，值得一看。"
class        = "预警提醒"
chain        = "采"
subject_kind = "institution"
window       = "1m"
kind         = "sum"
unit         = "行"
bad_side     = "high"
recipients   = ["属地医保局价格招采科"]
needs        = ["ord_detl"]
authored     = "acceptance test, 2024-04-16"
next_review  = "2025-04-16"

[[measure]]
name = "main"
title_zh = "订单明细行数"
kind = "sum"
rollup = { levels = ["county", "region"], how = "sum" }

[[example]]
title = "太多"
month = "2024-02"
numerator = "100000"
sample_n = 100000
expect = { state = "warn", value = "100000" }
"#;

const ROWS: &str = "-- Order lines sent in the month, by institution.
SELECT
    m.month AS month,
    line.county AS county,
    line.medins_code AS subject_code,
    CAST(1 AS DECIMAL(38, 6)) AS num,
    'fact_order' AS source_table,
    line.ord_detl_id AS row_key
FROM gold.fact_order AS line
INNER JOIN ask.month AS m
    ON m.month = line.month
WHERE line.send_time < m.as_of
";

pub fn rule(number: u32, limit: u32, replaces: &str) -> String {
    format!(
        "[[rule]]\nid = \"X01.warn.{number}\"\nlevel = \"warn\"\nop = \">\"\nlimit = \"{limit}\"\ntag = \"I\"\ntext_zh = \"订单明细超过{limit}行\"\n\
         valid_from = \"2020-01\"\nknown_from = \"2020-01-01\"\n{replaces}\n"
    )
}

/// Institution and month → lines, as the rows say.
fn lines(project: &Project) -> BTreeMap<(String, String), u64> {
    let rows = project.query("SELECT f.medins_code AS subject, f.month AS month, COUNT(*) AS n FROM gold.fact_order AS f WHERE f.send_time < TIMESTAMP '2024-04-16T02:00:00' GROUP BY f.medins_code, f.month");
    rows.into_iter()
        .filter(|row| row["month"].as_str() >= "2024-01")
        .map(|row| ((row["subject"].clone(), row["month"].clone()), row["n"].parse().expect("a count")))
        .collect()
}

/// Institution and month → value, state of the new indicator.
fn values(project: &Project) -> BTreeMap<(String, String), (u64, String)> {
    let rows = project.query("SELECT v.subject_code AS subject, v.month AS month, CAST(v.numerator AS BIGINT) AS n, v.state AS state FROM gold.indicator_value AS v WHERE v.indicator_id = 'X01' AND v.level = 'subject'");
    rows.into_iter()
        .map(|row| ((row["subject"].clone(), row["month"].clone()), (row["n"].parse().expect("a number"), row["state"].clone())))
        .collect()
}

/// Every other indicator's values, to be left alone.
fn others(project: &Project) -> BTreeSet<String> {
    let sql = "SELECT v.indicator_id AS id, v.month AS month, v.county AS county, COUNT(*) AS n, SUM(v.numerator) AS num, SUM(v.sample_n) AS sample, MIN(v.run_id) AS run \
               FROM gold.indicator_value AS v WHERE v.indicator_id <> 'X01' GROUP BY v.indicator_id, v.month, v.county";
    project.query(sql).into_iter().map(|row| format!("{row:?}")).collect()
}

#[track_caller]
fn judged_by(values: &BTreeMap<(String, String), (u64, String)>, limit: u64) {
    for (key, (lines, state)) in values {
        assert_eq!(state == "warn", *lines > limit, "{key:?} with {lines} lines is `{state}` under the limit {limit}");
    }
    let warned = values.values().filter(|(_, state)| state == "warn").count();
    assert!(warned > 0 && warned < values.len(), "the limit {limit} parts nothing: {values:?}");
}

#[test]
fn an_indicator_and_a_limit_are_files() {
    let world = world();
    let platform = Platform::serve(&world);
    let project = Project::copy_of_loaded(&platform.url);
    let before = others(&project);
    let lines = lines(&project);
    // Two limits that part the institutions differently.
    let counts: BTreeSet<u64> = lines.values().copied().collect();
    let counts: Vec<u64> = counts.into_iter().collect();
    assert!(counts.len() >= 4, "the world is too even: {counts:?}");
    let (low, high) = (counts[0], counts[counts.len() - 2]);

    project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    let folder = project.dir.join("sql-local/indicators/X01_order_lines");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("indicator.toml"), CARD).expect("the card");
    fs::write(folder.join("rows.sql"), ROWS).expect("the query");
    fs::write(folder.join("README.md"), "# X01 order lines\n\nHow many order lines each institution sent in the month.\n")
        .expect("the text");
    fs::write(folder.join("rules.toml"), rule(1, u32::try_from(high).expect("a small number"), "")).expect("the rules");

    project.run(["indicator", "check"]).exits(0);
    let listed = project.run(["indicator", "list", "--json"]).exits(0);
    assert!(listed.stdout.contains("\"X01\""), "the list does not have it:\n{listed}");
    let run = project.run(["nightly", "--json"]).exits(0);
    let report = run.json();
    assert_eq!(report["changed"], Value::Bool(true), "{run}");
    let found = values(&project);
    let numbers: BTreeMap<_, u64> = found.iter().map(|(key, (n, _))| (key.clone(), *n)).collect();
    assert_eq!(numbers, lines, "values and the rows they are made of");
    judged_by(&found, high);
    let region = project.number(
        "SELECT CAST(SUM(v.numerator) AS BIGINT) AS n FROM gold.indicator_value AS v WHERE v.indicator_id = 'X01' AND v.level = 'region'",
    );
    assert_eq!(region, lines.values().sum::<u64>(), "the roll-up");
    assert_eq!(others(&project), before, "values of other indicators changed");

    // A rule that a release has used stays; the new limit is a rule that takes its place.
    let rules = format!(
        "{}\n{}",
        rule(1, u32::try_from(high).expect("a small number"), ""),
        rule(2, u32::try_from(low).expect("a small number"), "replaces = [\"X01.warn.1\"]")
    );
    fs::write(folder.join("rules.toml"), rules).expect("the rules");
    let run = project.run(["plan", "--why", "--json"]).exits(0);
    let plan = run.json();
    let stale: BTreeSet<(String, String)> = plan["indicators"]
        .as_array()
        .unwrap_or_else(|| panic!("no indicators:\n{run}"))
        .iter()
        .map(|month| (month["indicator"].as_str().unwrap_or_default().to_owned(), month["reason"].as_str().unwrap_or_default().to_owned()))
        .collect();
    assert_eq!(stale, BTreeSet::from([("X01".to_owned(), "rule_changed".to_owned())]), "{run}");
    assert!(plan["gold"].as_array().is_some_and(Vec::is_empty) && plan["silver"].as_array().is_some_and(Vec::is_empty), "{run}");
    let text = project.run(["plan", "--why"]).exits(0);
    assert!(text.stdout.contains("rule_changed") && text.stdout.contains("X01"), "{text}");

    let run = project.run(["build", "--json"]).exits(0);
    let report = run.json();
    assert_eq!(report["build"]["computed"], 0, "it was computed again:\n{run}");
    assert!(report["build"]["judged"].as_u64().is_some_and(|n| n > 0), "nothing was judged again:\n{run}");
    let found = values(&project);
    judged_by(&found, low);
    assert_eq!(found.into_iter().map(|(key, (n, _))| (key, n)).collect::<BTreeMap<_, _>>(), lines, "a new limit changed values");
    assert_eq!(others(&project), before, "values of other indicators changed");
    let run = project.run(["build", "--json"]).exits(0);
    assert_eq!(run.json()["changed"], Value::Bool(false), "{run}");

    // Both rules have been used: neither can be edited or deleted any more, and nothing is written on the way.
    let written = fs::read_to_string(folder.join("rules.toml")).expect("the rules");
    let before_edit = files(&project.warehouse());
    for (edited, what) in [
        (
            written.replacen(&format!("limit = \"{high}\""), "limit = \"9999\"", 1),
            "X01.warn.1` was used by a release and was edited: `limit = ",
        ),
        (rule(1, u32::try_from(high).expect("a small number"), ""), "X01.warn.2` was used by a release and is gone"),
    ] {
        fs::write(folder.join("rules.toml"), edited).expect("the rules");
        for verb in ["build", "nightly"] {
            let run = project.run([verb]).exits(2);
            assert!(run.stderr.contains("error[E-IND-012]") && run.stderr.contains(what) && run.stderr.contains("[[rule]]"), "{run}");
        }
        let run = project.run(["check"]).exits(1);
        assert!(run.stdout.contains("FAIL  rules") && run.stdout.contains(what), "{run}");
    }
    assert_eq!(files(&project.warehouse()), before_edit, "a refused run wrote something");
    // Closing one and adding another is what there is to do.
    let closed = written.replacen("known_from", "valid_to = \"2024-02\"\nknown_from", 1);
    fs::write(folder.join("rules.toml"), format!("{closed}\n{}", rule(3, 9999, "replaces = [\"X01.warn.1\", \"X01.warn.2\"]")))
        .expect("the rules");
    project.run(["check"]).exits(0);
    let run = project.run(["build", "--json"]).exits(0);
    assert_eq!(run.json()["build"]["computed"], 0, "{run}");
    assert!(values(&project).values().all(|(_, state)| state == "normal"), "{:?}", values(&project));

    // Another text of the same query is other code, of this indicator alone.
    fs::write(folder.join("rows.sql"), ROWS.replace("Order lines", "All order lines")).expect("the query");
    assert_eq!(reasons(&project), BTreeSet::from([("X01".to_owned(), "code_changed".to_owned())]));
}

/// Stale indicators and why.
fn reasons(project: &Project) -> BTreeSet<(String, String)> {
    let plan = project.run(["plan", "--why", "--json"]).exits(0).json();
    let text = |month: &Value, key: &str| month[key].as_str().unwrap_or_default().to_owned();
    let months = plan["indicators"].as_array().expect("indicators");
    months.iter().map(|month| (text(month, "indicator"), text(month, "reason"))).collect()
}

#[test]
fn a_parameter_nobody_knows_is_an_error() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    let path = project.dir.join("yaojia.toml");
    let text = fs::read_to_string(&path).expect("yaojia.toml");
    for (parameters, what) in [
        ("[parameters.D99]\nlimit = \"1\"\n", "`parameters.D99`: there is no indicator `D99`"),
        ("[parameters.D01]\nnonsense = \"1\"\n", "`parameters.D01.nonsense`: indicator `D01` has no such parameter"),
    ] {
        fs::write(&path, format!("{text}\n{parameters}")).expect("yaojia.toml");
        let run = project.run(["check"]).exits(1);
        assert!(run.stdout.contains("FAIL  parameters") && run.stdout.contains(what), "{run}");
        let run = project.run(["build"]).exits(2);
        assert!(run.stderr.contains("error[E-CFG-004]") && run.stderr.contains(what), "{run}");
    }
}

#[test]
fn an_indicator_that_overflows_does_not_keep_the_others_from_being_published() {
    let world = world();
    let platform = Platform::serve(&world);
    let project = Project::copy_of_loaded(&platform.url);
    project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    // X01 counts lines; X02 is the same with a number that fits no published column.
    for (id, number) in [("X01", "1"), ("X02", "99999999999999999999999999999999")] {
        let folder = project.dir.join(format!("sql-local/indicators/{id}_order_lines"));
        fs::create_dir_all(&folder).expect("a folder");
        let text = |text: &str| text.replace("X01", id).replace("CAST(1 AS", &format!("CAST({number} AS"));
        fs::write(folder.join("indicator.toml"), text(CARD)).expect("the card");
        fs::write(folder.join("rows.sql"), text(ROWS)).expect("the query");
        fs::write(folder.join("rules.toml"), text(&rule(1, 1, ""))).expect("the rules");
    }
    let run = project.run(["build", "--json"]);
    assert!(run.code != Some(0) && run.stderr.contains("error[E-IND-001]") && run.stderr.contains("X02"), "{run}");
    assert!(!values(&project).is_empty(), "X01 was not published");
    let overflowed = "SELECT COUNT(*) AS n FROM gold.indicator_value AS v WHERE v.indicator_id = 'X02'";
    assert_eq!(project.number(overflowed), 0, "X02 was published");
}
