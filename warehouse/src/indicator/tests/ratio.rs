//! Ratios: sums, roll-ups, `na`, small samples, persistence, exemption, evidence.

use yaojia_models::card::{Files, Indicator};

use super::{ask, beginning, engine, lines, session};
use crate::indicator::{Engine, Exemption, Exemptions, Outcome, check_examples, unpack};

/// The card and rules of the README.
const README: &str = include_str!("../../../../models/src/card/README.md");

/// num and den per institution and month; H1 in two rows, H5 only excluded.
pub(super) const FACT: &str = "SELECT month, county, org, CAST(num AS DECIMAL(18, 2)) AS num, CAST(den AS DECIMAL(18, 2)) AS den, row_key, reason FROM (VALUES
    ('2024-01', 'A', 'H1', 80000, 60000, 'r1', NULL), ('2024-01', 'A', 'H1', 5000, 40000, 'r2', NULL), ('2024-01', 'A', 'H2', 60000, 100000, 'r3', NULL),
    ('2024-01', 'B', 'H3', 4000, 4999, 'r4', NULL), ('2024-01', 'B', 'H4', 10, 0, 'r5', NULL), ('2024-01', 'B', 'H5', 1, 1, 'r6', 'cancelled'),
    ('2024-02', 'A', 'H1', 85000, 100000, 'r7', NULL), ('2024-02', 'A', 'H2', 60000, 100000, 'r8', NULL),
    ('2024-03', 'A', 'H1', 85000, 100000, 'r9', NULL), ('2024-03', 'A', 'H2', 95000, 100000, 'r10', NULL)) AS t(month, county, org, num, den, row_key, reason)";

/// rows.sql.
const ROWS: &str = "SELECT f.month AS month, f.county AS county, f.org AS subject_code, f.num AS num, f.den AS den,
    'fact' AS source_table, f.row_key AS row_key, f.reason AS excluded_reason FROM gold.fact AS f INNER JOIN ask.month AS m ON m.month = f.month";

/// The README's indicator.
pub(super) fn indicator() -> Indicator {
    let block = |n: usize| README.split("```toml\n").nth(n + 1).and_then(|rest| rest.split("```").next()).unwrap();
    // Its window is that of the README's words; the rows here come from a table of their own.
    let card = block(0).replace("\"gold.fact_receipt\" = \"-11..0\"", "\"gold.fact\" = \"0\"");
    Indicator::read("D05", Files { card: &card, rules: Some(block(1)), rows: Some(ROWS), ..Files::default() }).unwrap()
}

/// H2 is exempt in February.
fn exemptions() -> Exemptions {
    let text = str::to_owned;
    Exemptions::new(vec![Exemption {
        exempt_id: text("EX1"),
        indicator_id: text("D05"),
        measure: String::new(),
        subject_code: text("H2"),
        product_code: String::new(),
        batch_code: String::new(),
        group_code: String::new(),
        begn_month: text("2024-02"),
        end_month: text("2024-02"),
    }])
}

/// Computes the months.
async fn compute(months: &[&str]) -> Outcome {
    engine(&[("fact", FACT)], months).await.with_exemptions(exemptions()).compute(&indicator(), &[]).await.unwrap()
}

#[tokio::test]
async fn values_and_states() {
    let outcome = compute(&["2024-01", "2024-02", "2024-03"]).await;
    let all = lines(&outcome.values, &["month", "level", "subject_code", "numerator", "denominator", "value", "state", "rule_version"]);
    // in the order of the keys: county, then level
    assert_eq!(
        beginning(&all, "2024-01"),
        [
            "2024-01 region 6528 149010.000000 204999.000000 0.726882 warn D05.warn.1@2024-01",
            "2024-01 subject H1 85000.000000 100000.000000 0.85 warn D05.warn.1@2024-01",
            "2024-01 subject H2 60000.000000 100000.000000 0.6 verify D05.verify.1@2024-01",
            "2024-01 county A 145000.000000 200000.000000 0.725 warn D05.warn.1@2024-01",
            "2024-01 subject H3 4000.000000 4999.000000 0.80016 insufficient -",
            "2024-01 subject H4 10.000000 0.000000 - na -",
            "2024-01 county B 4010.000000 4999.000000 0.80216 insufficient -",
        ]
    );
}

#[tokio::test]
async fn alerts_and_evidence_add_up() {
    let outcome = compute(&["2024-01", "2024-02", "2024-03"]).await;
    let alerts = lines(&outcome.alerts, &["month", "subject_code", "state", "evidence_n", "exempt_id", "recipients"]);
    assert_eq!(beginning(&alerts, "2024-01 H1"), ["2024-01 H1 warn 2 - 县市医保局价采科、医疗机构药剂科"]);
    assert_eq!(beginning(&alerts, "2024-02 H2"), ["2024-02 H2 exempt 1 EX1 县市医保局价采科、医疗机构药剂科"]);
    assert_eq!(beginning(&alerts, "2024-01 6528"), ["2024-01 6528 warn 4 - 县市医保局价采科、医疗机构药剂科"]);
    assert_eq!(outcome.alerts.num_rows(), 9);
    // the evidence of every alert adds up to its numerator
    for row in outcome.judged.iter().filter(|row| row.state.is_alert()) {
        let id = row.value.key.alert_id("D05");
        let parts = lines(&outcome.evidence, &["alert_id", "num"]);
        let sum: i64 = beginning(&parts, &id).iter().map(|line| line.split([' ', '.']).nth(1).unwrap().parse::<i64>().unwrap()).sum();
        assert_eq!(Some(crate::indicator::Exact::whole(sum)), row.value.numerator, "{}", row.value.key);
    }
    let evidence = lines(&outcome.evidence, &["source_layer", "source_table", "row_key"]);
    assert!(evidence.contains(&"gold fact r2".to_owned()));
    assert!(evidence.contains(&"gold indicator_value D05|main|2024-01|A|subject|H1|||".to_owned()));
}

#[tokio::test]
async fn order_threads_and_memory_do_not_matter() {
    let months = ["2024-01", "2024-02", "2024-03"];
    let expected = compute(&months).await;
    for (order, threads, batch, memory) in [("row_key", 1, 8192, 500_000), ("num DESC, row_key", 4, 1, 500_000), ("den, num", 3, 2, 0)] {
        let fact = format!("SELECT * FROM ({FACT}) AS f ORDER BY {order}");
        let ctx = session(&[("fact", fact.as_str())], threads, batch).await;
        let engine = Engine::new(ctx, ask(&months)).unwrap().with_exemptions(exemptions()).with_rows_in_memory(memory);
        let outcome = engine.compute(&indicator(), &[]).await.unwrap();
        assert_eq!(outcome.values, expected.values);
        assert_eq!(outcome.alerts, expected.alerts);
        assert_eq!(outcome.evidence, expected.evidence);
    }
}

#[tokio::test]
async fn kept_values_are_judged_again() {
    let months = ["2024-01", "2024-02", "2024-03"];
    let first = compute(&months).await;
    let engine = engine(&[("fact", FACT)], &months).await.with_exemptions(exemptions());
    let values: Vec<_> = first.computed.0.values().flat_map(|bytes| unpack(bytes).unwrap()).collect();
    let again = engine.rejudge(&indicator(), &[], values.clone()).await.unwrap();
    assert_eq!((again.values, again.alerts, again.evidence), (first.values.clone(), first.alerts, first.evidence));
    // without the register February's H2 is verify again
    let bare = super::engine(&[("fact", FACT)], &months).await.rejudge(&indicator(), &[], values).await.unwrap();
    let states = lines(&bare.values, &["month", "subject_code", "state"]);
    assert!(states.contains(&"2024-02 H2 verify".to_owned()));
}

#[test]
fn the_examples_of_the_readme_come_out() {
    check_examples(&indicator()).unwrap();
}
