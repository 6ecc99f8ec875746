//! Certificates: do all sources that an indicator needs have delivered, for its county and months?

use std::collections::BTreeMap;

use yaojia_models::card::Indicator;
use yaojia_models::contract::{Registry, SourceKind};
use yaojia_models::value::Month;

use crate::ledger::LoadMark;

/// `complete`: every needed source declared what it had and all of it arrived; `incomplete`: something declared is missing or was
/// refused; `undeclared`: nobody said how much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Certificate {
    Complete,
    Undeclared,
    Incomplete,
}

impl Certificate {
    fn text(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Undeclared => "undeclared",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What the load ledger says, by dataset.
#[derive(Debug, Default)]
pub struct Completeness {
    /// Platform dataset → the last instant (microseconds) up to which every window was read whole.
    platform: BTreeMap<String, i64>,
    /// Export dataset → (county, month) of the landing folder → certificate.
    export: BTreeMap<String, BTreeMap<(String, String), Certificate>>,
    platform_datasets: Vec<String>,
    /// Export datasets that lie once for the region: their month does not matter.
    region: String,
    counties: Vec<String>,
    instant: i64,
}

impl Completeness {
    /// Reads the ledger's rows; `cursors` are the committed positions of the platform's datasets in microseconds.
    #[must_use]
    pub fn new(registry: &Registry, region: &str, instant: i64, loads: &[LoadMark], cursors: BTreeMap<String, i64>) -> Self {
        let mut new = Self {
            platform: cursors,
            platform_datasets: registry.datasets().iter().filter(|d| d.source == SourceKind::Platform).map(|d| d.name.clone()).collect(),
            region: region.to_string(),
            instant,
            ..Self::default()
        };
        // The last word on a file counts: a refused one may have been delivered again.
        let mut files: BTreeMap<(&str, &str), &LoadMark> = BTreeMap::new();
        for load in loads.iter().filter(|l| !new.platform_datasets.contains(&l.dataset) && l.state != "same_content") {
            files.insert((&load.dataset, &load.name), load);
        }
        for ((dataset, name), load) in files {
            let mut parts = name.split('/').skip_while(|p| *p != dataset).skip(1);
            let (Some(county), Some(month)) = (parts.next(), parts.next()) else { continue };
            let month = match (month.get(..4), month.get(4..6)) {
                (Some(y), Some(m)) => format!("{y}-{m}"),
                _ => continue,
            };
            let certificate = match (load.state.as_str(), load.declared) {
                ("refused", _) => Certificate::Incomplete,
                (_, d) if d < 0 => Certificate::Undeclared,
                (_, d) if u64::try_from(d).is_ok_and(|d| d == load.rows) => Certificate::Complete,
                _ => Certificate::Incomplete,
            };
            let cell = new.export.entry(dataset.to_string()).or_default().entry((county.to_string(), month)).or_insert(certificate);
            *cell = (*cell).max(certificate);
            if county != region && !new.counties.iter().any(|c| c == county) {
                new.counties.push(county.to_string());
            }
        }
        new.counties.sort();
        new
    }

    /// The certificate of an indicator value of a county (or the region) and month.
    #[must_use]
    pub fn of(&self, indicator: &Indicator, county: &str, month: &str) -> &'static str {
        let Ok(last) = Month::parse(month) else { return Certificate::Undeclared.text() };
        let counties: Vec<&str> = if county == self.region { self.counties.iter().map(String::as_str).collect() } else { vec![county] };
        let mut worst = Certificate::Complete;
        for need in &indicator.card.needs {
            if self.platform_datasets.iter().any(|d| d == need) {
                let until = self.instant.min(last.next().first_micros());
                let read = self.platform.get(need).is_some_and(|cursor| *cursor + 1_000_000 >= until);
                worst = worst.max(if read { Certificate::Complete } else { Certificate::Incomplete });
                continue;
            }
            let Some(cells) = self.export.get(need) else {
                worst = worst.max(Certificate::Undeclared);
                continue;
            };
            // A register that lies once for the region has no county months of its own.
            if let Some(certificate) = cells.iter().filter(|((c, _), _)| *c == self.region).map(|(_, c)| *c).max() {
                worst = worst.max(certificate);
                continue;
            }
            for back in 0..span(&indicator.card.window) {
                let month = last.plus(-back).to_string();
                for county in &counties {
                    let found = cells.get(&((*county).to_string(), month.clone())).copied().unwrap_or(Certificate::Undeclared);
                    worst = worst.max(found);
                }
            }
        }
        worst.text()
    }

    /// What a month's fingerprint must hold of the certificates.
    #[must_use]
    pub fn text(&self, indicator: &Indicator, month: Month) -> String {
        let month = month.to_string();
        std::iter::once(self.region.as_str())
            .chain(self.counties.iter().map(String::as_str))
            .map(|county| format!("{county} {}\n", self.of(indicator, county, &month)))
            .collect()
    }
}

/// Months a window reaches back, its own included: the greatest number before an `m` in the card's text.
fn span(window: &str) -> i32 {
    if window.starts_with("12m") {
        12
    } else if window.starts_with("3m") {
        3
    } else {
        1
    }
}
