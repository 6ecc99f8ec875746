//! Exact numbers, alert ids and the tables of a question.

use arrow::datatypes::i256;
use yaojia_models::card::Level;

use super::{engine, lines};
use crate::indicator::{Exact, RowKey};

/// An exact number of a text.
fn exact(text: &str) -> Exact {
    Exact::parse(text).unwrap()
}

#[test]
fn quotients_are_rounded_once_half_away() {
    for (n, d, quotient) in [
        ("1", "3", "0.333333"),
        ("2", "3", "0.666667"),
        ("-1", "2000000", "-0.000001"),
        ("1", "2000000", "0.000001"),
        ("0.4999999", "1000000", "0"),
        ("7", "7", "1"),
    ] {
        assert_eq!(exact(n).over6(exact(d)), Some(exact(quotient)), "{n} / {d}");
    }
    assert_eq!(exact("1").over6(Exact::ZERO), None);
    assert_eq!(exact("2.345").decimal128(18, 2), Some(235));
    assert_eq!(exact("-2.345").decimal128(18, 2), Some(-235));
    assert_eq!(exact("10000000000000000").decimal128(18, 2), None);
    assert_eq!(exact("0.802160").double().to_string(), "0.80216");
    assert_eq!(Exact::new(i256::from_i128(10), 13), Some(exact("0.000000000001")));
    assert_eq!(Exact::new(i256::from_i128(1), 13), None);
    assert_eq!((exact("-0.50").to_string(), exact("12").to_string()), ("-0.5".to_owned(), "12".to_owned()));
}

#[test]
fn alert_ids_are_stable() {
    let text = str::to_owned;
    let key = RowKey {
        measure: text("main"),
        month: text("2024-05"),
        county: text("652801"),
        level: Level::Subject,
        subject_code: text("H65280100001"),
        product_code: String::new(),
        batch_code: String::new(),
        group_code: String::new(),
    };
    assert_eq!(key.joined("D05"), "D05|main|2024-05|652801|subject|H65280100001|||");
    assert_eq!(key.alert_id("D05"), "0d3764034dd767f44c8f2996144610b3");
    assert_ne!(key.alert_id("D05"), key.in_month("2024-06").alert_id("D05"));
}

#[tokio::test]
async fn the_question_is_registered() {
    let engine = engine(&[], &["2024-02", "2025-02"]).await;
    let read = async |sql: &str| {
        let batches = engine.session().sql(sql).await.unwrap().collect().await.unwrap();
        batches
            .iter()
            .flat_map(|batch| lines(batch, &batch.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        read("SELECT * FROM ask.month").await,
        [
            "2024-02 2024-02-01T00:00:00 2024-03-01T00:00:00 2024-03-01T00:00:00 2024-02-29 2024-01 - 1",
            "2025-02 2025-02-01T00:00:00 2025-03-01T00:00:00 2025-03-01T00:00:00 2025-02-28 2025-01 2024-02 13",
        ]
    );
    assert_eq!(read("SELECT * FROM ask.span WHERE month = '2024-02'").await, ["2024-02 2024-02 0", "2024-02 2024-01 1"]);
    assert_eq!(read("SELECT COUNT(*) AS n FROM ask.span WHERE month = '2025-02'").await, ["12"]);
    assert_eq!(read("SELECT COUNT(*) AS n, MIN(month) AS a, MAX(month) AS b FROM ask.calendar").await, ["14 2024-01 2025-02"]);
}

#[tokio::test]
async fn the_run_adds_its_columns() {
    use crate::indicator::{stamp_alerts, stamp_values};
    let engine = engine(&[("fact", super::ratio::FACT)], &["2024-01"]).await;
    let outcome = engine.compute(&super::ratio::indicator(), &[]).await.unwrap();
    let values =
        stamp_values(&outcome.values, "R7", |county, month| if (county, month) == ("A", "2024-01") { "complete" } else { "incomplete" })
            .unwrap();
    let all = lines(&values, &["subject_code", "completeness", "run_id"]);
    assert!(all.contains(&"H1 complete R7".to_owned()) && all.contains(&"6528 incomplete R7".to_owned()));
    let alerts = stamp_alerts(&outcome.alerts, |id| format!("R1 {}", id.len())).unwrap();
    assert_eq!(lines(&alerts, &["first_run_id"])[0], "R1 32");
}
