//! From an alert down to original bytes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use yaojia_models::card::{Catalogue, Indicator, Query};
use yaojia_models::contract::Registry;

use crate::support::{Project, loaded};

/// One alert of every indicator and level that has some: the first by id.
fn alerts(project: &Project) -> Vec<BTreeMap<String, String>> {
    project.query(
        "SELECT a.indicator_id AS indicator, a.level AS level, MIN(a.alert_id) AS id, COUNT(*) AS n \
         FROM gold.alert AS a GROUP BY a.indicator_id, a.level ORDER BY a.indicator_id, a.level",
    )
}

fn object<'a>(value: &'a Value, key: &str) -> &'a Map<String, Value> {
    value[key].as_object().filter(|map| !map.is_empty()).unwrap_or_else(|| panic!("`{key}` is empty in {value:#}"))
}

/// What is wrong with an explanation, in words.
fn faults(registry: &Registry, explained: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned());
        }
    };
    let (alert, value, rule) = (object(explained, "alert"), object(explained, "value"), object(explained, "rule"));
    for key in
        ["indicator_id", "measure", "month", "county", "level", "subject_code", "product_code", "batch_code", "group_code", "rule_version"]
    {
        must(alert.get(key) == value.get(key), &format!("alert and value differ in `{key}`"));
    }
    must(
        value.get("value").is_some_and(|v| !v.is_null()) || value.get("numerator").is_some_and(|v| !v.is_null()),
        "the value has no number",
    );
    must(
        rule.get("id")
            .and_then(Value::as_str)
            .is_some_and(|id| alert["rule_version"].as_str().is_some_and(|v| v.starts_with(&format!("{id}@")))),
        "the rule is not the alert's",
    );
    must(rule.get("condition").and_then(Value::as_str).is_some_and(|text| !text.is_empty()), "the rule has no condition");
    must(explained["card"].get("sources").is_some(), "the card names no sources");
    let evidence = explained["evidence"].as_array().cloned().unwrap_or_default();
    must(!evidence.is_empty(), "there is no evidence");
    must(
        alert["evidence_n"].as_str().map(str::to_owned) == Some(explained["evidence_n"].to_string()),
        "evidence_n differs from the alert's",
    );
    must(evidence.iter().any(|row| row["row"].as_object().is_some_and(|map| !map.is_empty())), "no fact row");
    let silver: Vec<&Value> = evidence.iter().flat_map(|row| row["silver"].as_array().into_iter().flatten()).collect();
    must(!silver.is_empty(), "no silver row");
    let original = &explained["original"];
    must(original.is_object(), "no original");
    let bytes = original["bytes"].as_str().unwrap_or_default();
    must(!bytes.is_empty(), &format!("no original bytes: {}", original["why_not"]));
    // The original is that of a silver row shown, and its bytes name that row's key as received.
    let dataset = original["dataset"].as_str().and_then(|name| registry.dataset(name));
    if let (Some(dataset), Some(bronze)) = (dataset, original["bronze"].as_object()) {
        let table = format!("silver.{}", dataset.name);
        let shown = silver.iter().any(|pair| {
            pair[0].as_str() == Some(&table)
                && pair[1]["_artifact"] == original["artifact"]
                && pair[1]["_row"].as_str().map(str::to_owned) == Some(original["row"].to_string())
        });
        must(shown, "the original is of no silver row shown");
        for column in &dataset.key {
            // A personal column is hashed at the door: its bytes are another text.
            let key = bronze.get(column).and_then(Value::as_str).unwrap_or_default();
            must(
                key.is_empty() || dataset.personal_hash.contains(column) || bytes.contains(key),
                &format!("the bytes do not contain `{column}` = `{key}`: {bytes}"),
            );
        }
        must(dataset.key.iter().any(|column| bronze.get(column).is_some()), "bronze shows no key");
    } else {
        must(false, "the original has no bronze row of a known dataset");
    }
    faults
}

#[test]
fn json_goes_from_the_value_to_the_bytes_for_every_indicator_and_level() {
    let project = loaded();
    let registry = Registry::embedded().expect("the contracts");
    let alerts = alerts(&project);
    assert!(alerts.len() >= 15, "the world has alerts of few indicators: {alerts:?}");
    let mut wrong = Vec::new();
    for alert in &alerts {
        let run = project.run(["explain", &alert["id"], "--json"]).exits(0);
        let explained = run.json();
        let faults = faults(&registry, &explained);
        if !faults.is_empty() {
            let first = &explained["evidence"][0];
            wrong.push(format!(
                "{} {} {} ({} {}): {}",
                alert["indicator"],
                alert["level"],
                alert["id"],
                first["table"],
                first["row_key"],
                faults.join("; ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} alerts are not explained:\n{}", wrong.len(), alerts.len(), wrong.join("\n"));
}

#[test]
fn text_says_the_same_as_json() {
    let project = loaded();
    let id =
        &project.query("SELECT MIN(a.alert_id) AS id FROM gold.alert AS a WHERE a.indicator_id = 'D13' AND a.level = 'subject'")[0]["id"];
    let json = project.run(["explain", id, "--json"]).exits(0).json();
    let run = project.run(["explain", id]).exits(0);
    let mut wanted: Vec<String> = Vec::new();
    for (part, keys) in [("value", &["numerator", "denominator", "value", "state"][..]), ("rule", &["id", "condition"])] {
        wanted.extend(keys.iter().map(|key| object(&json, part)[*key].as_str().unwrap_or_default().to_owned()));
    }
    let first = &json["evidence"][0];
    wanted.extend(
        [first["table"].as_str(), first["row_key"].as_str(), first["silver"][0][0].as_str(), json["original"]["artifact"].as_str()]
            .map(|text| text.unwrap_or_default().to_owned()),
    );
    wanted.extend(json["original"]["bytes"].as_str().unwrap_or_default().lines().map(str::to_owned));
    wanted.push("where it comes from".to_owned());
    assert!(wanted.iter().all(|text| !text.is_empty()), "the JSON lacks something: {json:#}");
    let missing: Vec<&String> = wanted.iter().filter(|text| !run.stdout.contains(*text)).collect();
    assert!(missing.is_empty(), "the text lacks {missing:#?}\n{run}");
}

/// A text as it stands in a page.
fn escaped(text: &str) -> String {
    let signs = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#x27;"), ("/", "&#x2f;")];
    signs.iter().fold(text.to_owned(), |text, (sign, name)| text.replace(sign, name))
}

#[test]
fn a_page_to_be_filed_holds_everything_and_needs_nothing() {
    let project = loaded();
    let id =
        &project.query("SELECT MIN(a.alert_id) AS id FROM gold.alert AS a WHERE a.indicator_id = 'D13' AND a.level = 'subject'")[0]["id"];
    let file = project.dir.join("filed.html");
    let json = project.run(["explain", id, "--json", "--trace", "3", "--html", &file.to_string_lossy()]).exits(0).json();
    let page = std::fs::read_to_string(&file).expect("the page");
    // Nothing that a browser would fetch or run.
    for word in ["<script", "<link", "<img", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(word), "the page has `{word}`");
    }
    let evidence = json["evidence"].as_array().expect("evidence");
    assert_eq!(evidence.len() as u64, json["evidence_n"].as_u64().expect("a number"), "a page has all evidence");
    let opened: Vec<&Value> = evidence.iter().flat_map(|row| row["originals"].as_array().into_iter().flatten()).collect();
    assert!(opened.len() >= 3, "three rows are followed to the bottom: {opened:#?}");
    let mut wanted: Vec<String> = evidence.iter().map(|row| row["row_key"].as_str().unwrap_or_default().to_owned()).collect();
    for original in &opened {
        wanted.extend(
            [&original["artifact"], &original["bytes"], &original["source"]].map(|text| text.as_str().unwrap_or_default().to_owned()),
        );
    }
    wanted.extend(["num", "den"].map(|name| json["sum"][name].as_str().unwrap_or_default().to_owned()));
    wanted.push(format!("replay --release {}", json["release"]["number"]));
    assert!(wanted.iter().all(|text| !text.is_empty()), "the JSON lacks something: {json:#}");
    let missing: Vec<&String> = wanted.iter().filter(|text| !page.contains(&escaped(text))).collect();
    assert!(missing.is_empty(), "the page lacks {missing:#?}");
    assert_eq!(json["sum"]["adds_up"], true);
    assert_eq!(json["sum"]["num"].as_str(), json["value"]["numerator"].as_str());
}

#[test]
fn the_beginning_of_an_id_is_enough_and_an_unknown_one_an_error() {
    let project = loaded();
    let ids: Vec<String> = project.query("SELECT a.alert_id AS id FROM gold.alert AS a").into_iter().map(|row| row["id"].clone()).collect();
    let unique = ids
        .iter()
        .find(|id| ids.iter().filter(|other| other.starts_with(&id[..8])).count() == 1)
        .expect("an id with a beginning of its own");
    let run = project.run(["explain", &unique[..8], "--json"]).exits(0);
    assert_eq!(run.json()["alert"]["alert_id"].as_str(), Some(unique.as_str()), "{run}");
    let run = project.run(["explain", "00000000000000000000000000000000", "--json"]);
    assert!(run.code == Some(1) || run.code == Some(2), "{run}");
    assert!(run.stdout.is_empty() && run.stderr.contains("error[E-"), "{run}");
}

#[test]
fn evidence_adds_up_to_the_value_of_every_alert() {
    let project = loaded();
    // Indicators made of rows.sql add numerators and denominators up; the others' evidence may be of another kind.
    let catalogue = Catalogue::load(&crate::support::workspace().join("sql")).expect("the indicators");
    let is_of_rows = |of: &&Indicator| matches!(of.query, Query::Rows(_));
    let of_rows: Vec<String> = catalogue.indicators().iter().filter(is_of_rows).map(|of| of.id().to_owned()).collect();
    let rows = project.query(
        "SELECT a.indicator_id AS indicator, a.alert_id AS id, a.level AS level, a.evidence_n AS n, v.numerator AS num, v.denominator AS den, \
         COUNT(e.row_key) AS found, SUM(e.num) AS sum_num, SUM(e.den) AS sum_den \
         FROM gold.alert AS a \
         INNER JOIN gold.indicator_value AS v ON v.indicator_id = a.indicator_id AND v.measure = a.measure AND v.level = a.level AND v.county = a.county \
           AND v.month = a.month AND v.subject_code = a.subject_code AND v.product_code = a.product_code AND v.batch_code = a.batch_code AND v.group_code = a.group_code \
         LEFT JOIN gold.alert_evidence AS e ON e.alert_id = a.alert_id \
         GROUP BY a.indicator_id, a.alert_id, a.level, a.evidence_n, v.numerator, v.denominator",
    );
    assert_eq!(rows.len() as u64, project.number("SELECT COUNT(*) AS n FROM gold.alert AS a"), "an alert has not exactly one value");
    let mut wrong: Vec<String> =
        rows.iter().filter(|row| row["n"] != row["found"] || row["n"] == "0").map(|row| format!("evidence_n: {row:?}")).collect();
    let sums: Vec<_> = rows.iter().filter(|row| of_rows.contains(&row["indicator"]) && row["level"] == "subject").collect();
    assert!(sums.len() > 20, "only {} alerts to add up", sums.len());
    for row in sums {
        let same = |value: &str, sum: &str| row.get(value).is_none_or(|value| row.get(sum) == Some(value));
        if !same("num", "sum_num") || !same("den", "sum_den") {
            wrong.push(format!("sum: {row:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} alerts:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
