//! How many rows of an indicator's inputs sit in quarantine.

use std::collections::BTreeMap;

use yaojia_models::card::Indicator;
use yaojia_models::value::Month;

use crate::delta::{Cell, Table, UNKNOWN};
use crate::error::Result;
use crate::gold::window::months_back;
use crate::silver::QUARANTINE;
use crate::store::Root;

/// Rows in quarantine by dataset, county and month; told by the table's log, no row is read.
#[derive(Debug, Clone, Default)]
pub struct SetAside {
    region: String,
    rows: BTreeMap<String, BTreeMap<Cell, u64>>,
}

impl SetAside {
    /// Reads the log of `silver.quarantine`.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn read(root: &Root, region: &str) -> Result<Self> {
        let mut new = Self { region: region.to_string(), rows: BTreeMap::new() };
        let Some(table) = Table::open(root, "silver", QUARANTINE).await? else { return Ok(new) };
        for file in table.files()? {
            *new.rows.entry(file.part("dataset")).or_default().entry(file.cell()).or_default() += file.rows.unwrap_or_default();
        }
        Ok(new)
    }

    /// Rows of the datasets an indicator needs that sit in quarantine, in the months of its window: of a county its own, of the region
    /// all, those whose county or month cannot be told included.
    #[must_use]
    pub fn of(&self, indicator: &Indicator, county: &str, month: &str) -> i64 {
        let Ok(last) = Month::parse(month) else { return 0 };
        let first = last.plus(1 - months_back(&indicator.card.window));
        let whole = county == self.region;
        let counts = |cell: &Cell| {
            let within = Month::parse(&cell.month).is_ok_and(|month| (first..=last).contains(&month));
            (whole || cell.county == county) && (within || (whole && cell.month == UNKNOWN))
        };
        let cells = indicator.card.needs.iter().filter_map(|need| self.rows.get(need)).flatten();
        let rows: u64 = cells.filter(|(cell, _)| counts(cell)).map(|(_, rows)| *rows).sum();
        i64::try_from(rows).unwrap_or(i64::MAX)
    }

    /// What a month's fingerprint must hold of the counts.
    #[must_use]
    pub fn text(&self, indicator: &Indicator, month: Month) -> String {
        let month = month.to_string();
        let needed = indicator.card.needs.iter().filter_map(|need| self.rows.get(need)).flat_map(BTreeMap::keys);
        let mut counties: Vec<&str> = needed.map(|cell| cell.county.as_str()).chain([self.region.as_str()]).collect();
        counties.sort_unstable();
        counties.dedup();
        counties
            .into_iter()
            .map(|county| (county, self.of(indicator, county, &month)))
            .filter(|(_, rows)| *rows > 0)
            .map(|(county, rows)| format!("{county} quarantined {rows}\n"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use yaojia_models::card::Catalogue;

    use super::*;

    #[test]
    fn rows_count_in_their_county_and_window_and_all_in_the_region() {
        let catalogue = Catalogue::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql")).unwrap();
        let d05 = catalogue.get("D05").unwrap();
        let need = d05.card.needs.first().unwrap();
        assert!(months_back(&d05.card.window) == 1 && !d05.card.needs.contains(&"workday".to_string()), "D05 is another indicator now");
        let cells = |all: &[(&str, &str, u64)]| all.iter().map(|(c, m, n)| (Cell::new(*c, *m), *n)).collect::<BTreeMap<_, _>>();
        let of = SetAside {
            region: "652800".into(),
            rows: BTreeMap::from([
                (
                    need.clone(),
                    cells(&[
                        ("652801", "2024-03", 2),
                        ("652801", "2024-02", 40),
                        ("652822", "2024-03", 3),
                        ("unknown", "2024-03", 5),
                        ("652801", "unknown", 7),
                    ]),
                ),
                ("workday".to_string(), cells(&[("652801", "2024-03", 1000)])),
            ]),
        };
        assert_eq!(of.of(d05, "652801", "2024-03"), 2);
        assert_eq!(of.of(d05, "652822", "2024-03"), 3);
        assert_eq!(of.of(d05, "652822", "2024-02"), 0);
        // 2 + 3 + 5 of no county + 7 of no month
        assert_eq!(of.of(d05, "652800", "2024-03"), 17);
        let month = Month::parse("2024-03").unwrap();
        assert_eq!(of.text(d05, month), "652800 quarantined 17\n652801 quarantined 2\n652822 quarantined 3\nunknown quarantined 5\n");
    }
}
