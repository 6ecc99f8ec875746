//! Persistence over months, within one question and over stored values.

use super::ratio::{FACT, indicator};
use super::{engine, lines};

/// Month, subject and state of the subject and roll-up rows named.
async fn states(months: &[&str], earlier: &[arrow::array::RecordBatch]) -> (Vec<String>, arrow::array::RecordBatch) {
    let outcome = engine(&[("fact", FACT)], months).await.compute(&indicator(), earlier).await.unwrap();
    (lines(&outcome.values, &["month", "subject_code", "state", "threshold"]), outcome.values)
}

#[tokio::test]
async fn the_third_month_is_verify() {
    let (all, _) = states(&["2024-01", "2024-02", "2024-03"], &[]).await;
    for line in [
        "2024-01 H1 warn value < 0.90",
        "2024-02 H1 warn value < 0.90",
        "2024-03 H1 verify value < 0.90, 3 months in a row",
        "2024-03 H2 normal -",
    ] {
        assert!(all.contains(&line.to_owned()), "{line} in {all:?}");
    }
}

#[tokio::test]
async fn stored_months_count_and_missing_ones_do_not() {
    let (_, earlier) = states(&["2024-01", "2024-02"], &[]).await;
    let (all, _) = states(&["2024-03"], &[earlier]).await;
    assert!(all.contains(&"2024-03 H1 verify value < 0.90, 3 months in a row".to_owned()));
    let (_, february) = states(&["2024-02"], &[]).await;
    let (all, _) = states(&["2024-03"], &[february]).await;
    assert!(all.contains(&"2024-03 H1 warn value < 0.90".to_owned()));
    let (all, _) = states(&["2024-03"], &[]).await;
    assert!(all.contains(&"2024-03 H1 warn value < 0.90".to_owned()));
}
