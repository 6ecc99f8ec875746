//! Which rows a build gives anew: of an indicator's month all, or those of some counties.

use std::collections::{BTreeMap, BTreeSet};

use yaojia_models::value::Month;

use crate::delta::Cell;

/// Counties of an indicator's month; all where none are named.
type Counties = Option<BTreeSet<String>>;

/// The rows that are given anew.
#[derive(Debug, Default)]
pub(super) struct Done {
    by_indicator: BTreeMap<String, BTreeMap<String, Counties>>,
    by_month: BTreeMap<String, Counties>,
}

impl Done {
    /// Takes up a month of an indicator.
    pub(super) fn add(&mut self, indicator: &str, month: Month, counties: Counties) {
        let month = month.to_string();
        let all = self.by_month.entry(month.clone()).or_insert_with(|| Some(BTreeSet::new()));
        *all = match (all.take(), &counties) {
            (Some(mut all), Some(counties)) => {
                all.extend(counties.iter().cloned());
                Some(all)
            }
            _ => None,
        };
        self.by_indicator.entry(indicator.to_string()).or_default().insert(month, counties);
    }

    /// Indicators and months, in order.
    pub(super) fn months(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_indicator.iter().flat_map(|(indicator, months)| months.keys().map(move |month| (indicator.as_str(), month.as_str())))
    }

    /// Whether some rows of a month of an indicator are given.
    pub(super) fn has(&self, indicator: &str, month: &str) -> bool {
        self.by_indicator.get(indicator).is_some_and(|months| months.contains_key(month))
    }

    /// Whether the rows of a county and month of an indicator are given.
    pub(super) fn gives(&self, indicator: &str, county: &str, month: &str) -> bool {
        let counties = self.by_indicator.get(indicator).and_then(|months| months.get(month));
        counties.is_some_and(|counties| counties.as_ref().is_none_or(|counties| counties.contains(county)))
    }

    /// Whether a cell of the tables may come out otherwise.
    pub(super) fn touches(&self, cell: &Cell) -> bool {
        self.by_month.get(&cell.month).is_some_and(|counties| counties.as_ref().is_none_or(|counties| counties.contains(&cell.county)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_touched_by_any_indicator_and_given_by_its_own() {
        let month = |text: &str| Month::parse(text).unwrap();
        let mut done = Done::default();
        done.add("D05", month("2024-01"), Some(BTreeSet::from(["1".to_string(), "9".to_string()])));
        done.add("D06", month("2024-01"), Some(BTreeSet::from(["2".to_string()])));
        done.add("D05", month("2024-02"), None);
        done.add("D06", month("2024-02"), Some(BTreeSet::new()));
        assert!(done.touches(&Cell::new("1", "2024-01")) && done.touches(&Cell::new("2", "2024-01")));
        assert!(!done.touches(&Cell::new("3", "2024-01")) && !done.touches(&Cell::new("1", "2024-03")));
        assert!(done.touches(&Cell::new("3", "2024-02")));
        assert!(done.gives("D05", "9", "2024-01") && !done.gives("D05", "2", "2024-01"));
        assert!(done.gives("D05", "7", "2024-02") && !done.gives("D06", "7", "2024-02"));
        assert!(done.has("D06", "2024-02") && !done.has("D07", "2024-02"));
        assert_eq!(done.months().count(), 4);
    }
}
