//! Certificates: every row is accounted for by county and month, and values say when their inputs are not whole.

use std::collections::BTreeMap;

use serde_json::Value;
use yaojia_models::card::Catalogue;

use crate::support::{loaded, workspace};

/// The certificates as `status` gives them.
fn certificates() -> Vec<Value> {
    let run = loaded().run(["status", "--completeness", "--json"]).exits(0);
    run.json()["completeness"].as_array().unwrap_or_else(|| panic!("no certificates:\n{run}")).clone()
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {of}"))
}

fn count(of: &Value, name: &str) -> u64 {
    of[name].as_u64().unwrap_or_else(|| panic!("no count `{name}` in {of}"))
}

#[test]
fn every_certificate_balances_and_they_add_up_to_the_counts() {
    let all = certificates();
    let mut sums: BTreeMap<(String, bool), BTreeMap<&str, u64>> = BTreeMap::new();
    for of in &all {
        let accounted: u64 = ["accepted", "quarantined", "superseded", "void"].iter().map(|name| count(of, name)).sum();
        assert_eq!(count(of, "received"), accounted, "{of}");
        assert!(count(of, "parsed") <= count(of, "received"), "{of}");
        let sum = sums.entry((text(of, "dataset").to_owned(), text(of, "county") == "*")).or_default();
        for name in ["received", "repeated", "parsed", "accepted", "quarantined", "superseded", "void"] {
            *sum.entry(name).or_default() += count(of, name);
        }
    }
    let counts = loaded().counts();
    assert!(counts.len() >= 25, "{counts:?}");
    for (dataset, of) in &counts {
        let (cells, total) = (&sums[&(dataset.clone(), false)], &sums[&(dataset.clone(), true)]);
        assert_eq!(cells, total, "cells and total of {dataset}");
        for name in ["received", "accepted", "superseded", "void"] {
            assert_eq!(total[name], of.get(name).copied().unwrap_or(0), "{name} of {dataset}");
        }
        let bad_rows = of.get("quarantined.bad_row").copied().unwrap_or(0);
        assert_eq!(total["parsed"], total["received"] - bad_rows, "parsed of {dataset}");
    }
    let declared = all.iter().find(|of| text(of, "dataset") == "ord_detl" && text(of, "county") == "*").expect("the total of ord_detl");
    assert_eq!(declared["declared"], declared["delivered"], "{declared}");
    assert!(all.iter().filter(|of| text(of, "dataset") == "ord_detl" && text(of, "county") != "*").all(|of| of["declared"].is_null()));
}

#[test]
fn a_refused_file_makes_its_county_and_month_incomplete_and_says_why() {
    let refused = loaded().run(["status", "--json"]).exits(0).json()["refused"].as_array().expect("refused files").clone();
    assert!(!refused.is_empty(), "the world has no refused file");
    let all = certificates();
    for of in refused {
        let file = text(&of, "file").to_owned();
        let parts: Vec<&str> = file.split('/').collect();
        let month = format!("{}-{}", &parts[2][..4], &parts[2][4..]);
        let certificate = all
            .iter()
            .find(|c| text(c, "dataset") == parts[0] && text(c, "county") == parts[1] && text(c, "month") == month)
            .unwrap_or_else(|| panic!("no certificate for {file}"));
        assert_eq!(text(certificate, "state"), "incomplete", "{certificate}");
        assert!(text(certificate, "reason").contains(text(&of, "reason")), "{certificate} does not say `{}`", text(&of, "reason"));
    }
}

/// How bad a state is.
fn rank(state: &str) -> u8 {
    match state {
        "complete" => 0,
        "undeclared" => 1,
        _ => 2,
    }
}

#[test]
fn values_and_alerts_say_what_the_certificates_and_the_quarantine_say() {
    let project = loaded();
    let catalogue = Catalogue::load(&workspace().join("sql")).expect("the cards");
    let all = certificates();
    let state = |dataset: &str, county: &str, month: &str| {
        let found = all.iter().find(|c| text(c, "dataset") == dataset && text(c, "county") == county && text(c, "month") == month);
        found.map(|c| text(c, "state").to_owned())
    };
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut aside = 0;
    let sql = "SELECT DISTINCT v.indicator_id, v.county, v.month, v.completeness, v.quarantined_rows FROM gold.indicator_value AS v";
    let quarantine = project
        .query("SELECT q.dataset, q.county, q.month, COUNT(*) AS n FROM silver.quarantine AS q GROUP BY q.dataset, q.county, q.month");
    for row in project.query(sql) {
        let card = &catalogue.get(&row["indicator_id"]).expect("its card").card;
        if card.window.starts_with("12m") || card.window.starts_with("3m") {
            continue;
        }
        let (county, month) = (row["county"].as_str(), row["month"].as_str());
        let region = county == "652800";
        let rows: u64 = quarantine
            .iter()
            .filter(|q| card.needs.contains(&q["dataset"]))
            .filter(|q| if region { q["month"] == month || q["month"] == "unknown" } else { q["month"] == month && q["county"] == county })
            .map(|q| q["n"].parse::<u64>().expect("a count"))
            .sum();
        assert_eq!(row["quarantined_rows"], rows.to_string(), "{row:?}, needs {:?}", card.needs);
        aside += u64::from(rows > 0);
        if !region {
            // A register of the region has its certificate there, of any month; every other dataset in the county.
            let worst = card.needs.iter().map(|need| {
                let own = state(need, county, month).map_or(1, |state| rank(&state));
                let register =
                    all.iter().filter(|c| text(c, "dataset") == need && text(c, "county") == "652800" && !c["declared"].is_null());
                register.map(|c| rank(text(c, "state"))).max().unwrap_or(own)
            });
            let platform = card.needs.iter().all(|need| all.iter().any(|c| text(c, "dataset") == need && text(c, "county") == "*"));
            assert!(platform, "a need of {} has no certificate", card.id);
            let worst = worst.max().unwrap_or(0);
            // Reference data of the platform has no county of its own: it is as complete as its total.
            if card.needs.iter().all(|need| state(need, county, month).is_some()) {
                assert_eq!(rank(&row["completeness"]), worst, "{row:?}, needs {:?}", card.needs);
            }
        }
        *seen.entry(row["completeness"].clone()).or_default() += 1;
    }
    assert!(seen.len() > 1 && aside > 0, "there is little to compare: {seen:?}, {aside} with rows in quarantine");
    let differs = "SELECT COUNT(*) AS n FROM gold.alert AS a INNER JOIN gold.indicator_value AS v \
                   ON v.indicator_id = a.indicator_id AND v.measure = a.measure AND v.month = a.month AND v.county = a.county AND v.level = a.level \
                   AND v.subject_code = a.subject_code AND v.product_code = a.product_code AND v.batch_code = a.batch_code AND v.group_code = a.group_code";
    let both = project.number(differs);
    assert_eq!(both, project.number("SELECT COUNT(*) AS n FROM gold.alert AS a"), "alerts have values");
    let same = format!("{differs} WHERE v.completeness = a.completeness AND v.quarantined_rows = a.quarantined_rows");
    assert_eq!(project.number(&same), both, "alerts say what their values say");
}
