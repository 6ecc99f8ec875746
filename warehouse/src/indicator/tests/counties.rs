//! Some counties computed, the others kept: the rows of these and of the region are those of a whole computation.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use yaojia_models::card::Indicator;

use super::engine;
use crate::indicator::{Engine, Kept, Outcome, unpack};

/// The rows of a county and the region.
fn of(batch: &RecordBatch, county: &str) -> RecordBatch {
    let column = batch.column_by_name("county").unwrap().as_string::<i32>().clone();
    let here = column.iter().map(|held| Some(held == Some(county) || held == Some("6528"))).collect();
    filter_record_batch(batch, &here).unwrap()
}

/// An engine over one county's rows.
async fn alone(fact: &str, county: &str, months: &[&str]) -> Engine {
    engine(&[("fact", &format!("SELECT * FROM ({fact}) AS f WHERE f.county = '{county}'"))], months).await
}

async fn is_the_same(indicator: &Indicator, fact: &str, months: &[&str]) -> Outcome {
    let whole = engine(&[("fact", fact)], months).await.compute(indicator, &[]).await.unwrap();
    for county in ["A", "B"] {
        let others = whole.computed.0.iter().filter(|((_, of), _)| of != county);
        let values = others.flat_map(|(_, bytes)| unpack(bytes).unwrap()).collect();
        let kept = Kept { counties: BTreeSet::from([county.to_owned()]), values };
        let some = alone(fact, county, months).await.compute_some(indicator, &[], kept).await.unwrap();
        for (whole, some) in [(&whole.values, &some.values), (&whole.alerts, &some.alerts), (&whole.evidence, &some.evidence)] {
            assert_eq!(&of(whole, county), some, "county {county}");
        }
        assert!(some.values.num_rows() < whole.values.num_rows());
        let own: Vec<_> = whole.computed.0.iter().filter(|((_, of), _)| of == county).collect();
        assert_eq!(some.computed.0.iter().collect::<Vec<_>>(), own);
    }
    whole
}

#[tokio::test]
async fn sums_of_the_region_take_the_kept_values() {
    let whole = is_the_same(&super::ratio::indicator(), super::ratio::FACT, &["2024-01", "2024-02", "2024-03"]).await;
    assert!(whole.evidence.num_rows() > 0 && whole.alerts.num_rows() > 0);
}

#[tokio::test]
async fn amounts_of_the_region_take_the_kept_states() {
    is_the_same(&super::amount::off_platform(), super::amount::FACT, &["2024-02", "2024-03"]).await;
}

#[tokio::test]
async fn where_no_county_changed_nothing_is_asked() {
    let (indicator, months) = (super::ratio::indicator(), ["2024-01", "2024-02", "2024-03"]);
    let whole = engine(&[("fact", super::ratio::FACT)], &months).await.compute(&indicator, &[]).await.unwrap();
    let values = whole.computed.0.values().flat_map(|bytes| unpack(bytes).unwrap()).collect();
    // There is not even a table.
    let some = engine(&[], &months).await.compute_some(&indicator, &[], Kept { counties: BTreeSet::new(), values }).await.unwrap();
    assert_eq!(some.values, of(&whole.values, "6528"));
    assert!(some.values.num_rows() > 0 && some.computed.0.is_empty());
}
