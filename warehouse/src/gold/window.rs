//! Which cells of a table something reads: an indicator's month by its card, a cell of a fact by its contract.

use std::collections::BTreeSet;

use yaojia_models::card::{How, Indicator};
use yaojia_models::contract::{Months, ReadWindow, Registry};
use yaojia_models::value::Month;

use crate::delta::Cell;

/// Months a window reaches back, its own included, as the card's text begins: `12m`, `3m`, anything else looks at its own month.
pub(crate) fn months_back(window: &str) -> i32 {
    if window.starts_with("12m") {
        12
    } else if window.starts_with("3m") {
        3
    } else {
        1
    }
}

/// Whether a table's partition month is when a row was updated, not when something happened: no window of months says anything about it.
pub(crate) fn is_reference(registry: &Registry, table: &str) -> bool {
    let name = table.strip_prefix("gold.").unwrap_or(table);
    registry
        .gold_table(name)
        .is_none_or(|c| name.starts_with("dim_") || c.month_of.is_empty() || c.month_of.iter().any(|m| m == "updt_time"))
}

/// How an indicator reads a table: by its card, a reference table whole whatever the card says.
pub(crate) fn of_indicator(registry: &Registry, indicator: &Indicator, table: &str) -> ReadWindow {
    if is_reference(registry, table) {
        return ReadWindow { months: Months::Latest, all_counties: true };
    }
    indicator.window(table)
}

/// Whether an indicator's rows of a county follow from that county's cells and from what every county shares (the region's cells, tables
/// that are read whole or across counties): its card reads some table of events by county and leaves no roll-up to its SQL.
pub(crate) fn is_by_county(registry: &Registry, indicator: &Indicator, tables: &BTreeSet<String>) -> bool {
    let own = |table: &String| !is_reference(registry, table) && !indicator.window(table).all_counties;
    tables.iter().any(own) && !indicator.card.measures.iter().any(|measure| measure.rollup.how == How::Own)
}

/// Whether a cell that is read through a window belongs to every county.
pub(crate) fn is_every_county(window: ReadWindow, region: &str, county: &str) -> bool {
    window.all_counties || county == region
}

/// Whether a value of `asked` may follow from a cell of `month`; cells of an unknown month belong to every window.
pub(crate) fn takes(window: ReadWindow, asked: Month, month: &str) -> bool {
    match window.months {
        Months::Relative { from, to } => in_window(&asked.to_string(), month, from, to),
        Months::Agreement | Months::Latest => true,
    }
}

/// Whether a window tells cells apart; a table read in any other way says the same in every cell.
pub(crate) fn by_cell(window: Option<ReadWindow>) -> Option<(Option<i32>, Option<i32>)> {
    match window {
        Some(ReadWindow { months: Months::Relative { from, to }, all_counties: false }) => Some((from, to)),
        _ => None,
    }
}

/// Whether one of the `wanted` cells of a table may read the cell `other` of a table it reads through `window`.
pub(crate) fn reaches(window: Option<ReadWindow>, wanted: &BTreeSet<Cell>, other: &Cell) -> bool {
    let Some((from, to)) = by_cell(window) else { return true };
    wanted.iter().any(|cell| cell.county == other.county && in_window(&cell.month, &other.month, from, to))
}

/// Whether `other` lies in the window around `month`; rows of an unknown month belong to every window.
pub(crate) fn in_window(month: &str, other: &str, from: Option<i32>, to: Option<i32>) -> bool {
    let (Ok(own), Ok(other)) = (Month::parse(month), Month::parse(other)) else { return true };
    let distance = other.since(own);
    from.is_none_or(|f| distance >= f) && to.is_none_or(|t| distance <= t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_reached_in_its_county_and_window_only() {
        let wanted = BTreeSet::from([Cell::new("652801", "2024-05")]);
        let reaches = |window: &str, county: &str, month: &str| reaches(ReadWindow::parse(window), &wanted, &Cell::new(county, month));
        assert!(reaches("-1..0", "652801", "2024-04") && reaches("-1..0", "652801", "unknown"));
        assert!(!reaches("-1..0", "652801", "2024-03") && !reaches("-1..0", "652801", "2024-06") && !reaches("-1..0", "652822", "2024-05"));
        assert!(reaches("*", "652801", "2023-01") && !reaches("*", "652822", "2024-05"));
        assert!(reaches("latest", "652822", "2020-01") && reaches("0 all_counties", "652822", "2020-01"));
    }

    #[test]
    fn a_county_stands_alone_unless_a_card_reads_across() {
        let registry = Registry::embedded().unwrap();
        let catalogue = yaojia_models::card::Catalogue::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql")).unwrap();
        let across: Vec<&str> =
            catalogue.indicators().iter().filter(|i| !is_by_county(&registry, i, &i.tables().unwrap())).map(|i| i.id()).collect();
        assert_eq!(across, ["C03", "D03"]);
        let d10 = catalogue.get("D10").unwrap();
        let of = |table: &str| of_indicator(&registry, d10, table);
        assert!(
            !is_every_county(of("gold.fact_receipt"), "652800", "652801") && is_every_county(of("gold.fact_receipt"), "652800", "652800")
        );
        assert!(is_every_county(of("gold.fact_agreement"), "652800", "652801"));
    }

    #[test]
    fn an_indicator_takes_the_months_its_card_names_and_reference_tables_whole() {
        let registry = Registry::embedded().unwrap();
        let catalogue = yaojia_models::card::Catalogue::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql")).unwrap();
        let d10 = catalogue.get("D10").unwrap();
        let asked = Month::parse("2024-05").unwrap();
        let takes = |table: &str, month: &str| takes(of_indicator(&registry, d10, table), asked, month);
        assert!(takes("gold.fact_receipt", "2024-03") && takes("gold.fact_receipt", "unknown"));
        assert!(!takes("gold.fact_receipt", "2024-02") && !takes("gold.fact_receipt", "2024-06"));
        assert!(is_reference(&registry, "gold.fact_agreement") && takes("gold.fact_agreement", "2025-01"));
    }
}
