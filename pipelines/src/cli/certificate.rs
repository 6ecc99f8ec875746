//! Certificates of completeness, as people read them and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yaojia_warehouse::ledger::{CertificateKey, CertificateRow};

use super::table::Table;
use super::{App, CliError};

/// Certificates by what they are of.
pub(super) type Certificates = BTreeMap<CertificateKey, CertificateRow>;

/// Stands for all counties, and for all months.
const ALL: &str = "*";

/// Prints every certificate.
pub(super) fn print(app: &App, all: &Certificates) -> Result<(), CliError> {
    if app.json() {
        app.printer.json("status", &json!({"completeness": document(all)}))?;
    } else if all.is_empty() {
        app.printer.text("nothing was built yet");
    } else {
        app.printer.table("", &lines(all));
    }
    Ok(())
}

/// Every certificate, one object each.
pub(super) fn document(all: &Certificates) -> Value {
    let one = |(key, of): (&CertificateKey, &CertificateRow)| {
        json!({
            "dataset": key.dataset,
            "county": key.county,
            "month": key.month,
            "declared": of.declared,
            "delivered": of.delivered,
            "received": of.counts.received,
            "repeated": of.counts.repeated,
            "parsed": of.counts.parsed,
            "accepted": of.counts.accepted,
            "quarantined": of.counts.quarantined,
            "superseded": of.counts.superseded,
            "void": of.counts.void,
            "state": of.state,
            "reason": of.reason,
        })
    };
    Value::Array(all.iter().map(one).collect())
}

fn lines(all: &Certificates) -> Table {
    let mut table = Table::new([
        "dataset",
        "county",
        "month",
        "declared",
        "delivered",
        "received",
        "parsed",
        "accepted",
        "quarantined",
        "superseded",
        "void",
        "state",
        "reason",
    ]);
    let maybe = |n: Option<u64>| n.map_or_else(|| "–".to_owned(), |n| n.to_string());
    for (key, of) in all {
        let c = &of.counts;
        let counts = [c.received, c.parsed, c.accepted, c.quarantined, c.superseded, c.void].map(|n| n.to_string());
        let place = [key.dataset.clone(), key.county.clone(), key.month.clone(), maybe(of.declared), maybe(of.delivered)];
        table.push(place.into_iter().chain(counts).chain([of.state.clone(), of.reason.clone()]));
    }
    table
}

/// Dataset × month: counties with a complete certificate, of all. Reference data of the region has one word for all months.
pub(super) fn matrix(all: &Certificates, region: &str) -> Table {
    let mut by_dataset: BTreeMap<&str, BTreeMap<&str, (u64, u64)>> = BTreeMap::new();
    let mut months: BTreeSet<&str> = BTreeSet::new();
    for (key, of) in all.iter().filter(|(key, _)| key.county != ALL && key.county != region) {
        // A month in which nothing but rows set aside lies (2099, say) is no month that anybody delivers.
        let odd = !key.month.starts_with(|c: char| c.is_ascii_digit()) || !key.county.starts_with(|c: char| c.is_ascii_digit());
        if odd || (of.counts.accepted == 0 && of.declared.is_none() && of.counts.received > 0) {
            continue;
        }
        months.insert(&key.month);
        let square = by_dataset.entry(&key.dataset).or_default().entry(&key.month).or_default();
        square.0 += u64::from(of.state == "complete");
        square.1 += 1;
    }
    let mut table = Table::new(["dataset", "all"].into_iter().chain(months.iter().copied()));
    for (key, of) in all.iter().filter(|(key, _)| key.county == ALL) {
        let squares = by_dataset.get(key.dataset.as_str());
        let cells = months.iter().map(|month| {
            let square = squares.and_then(|of| of.get(month));
            square.map_or_else(|| "–".to_owned(), |(complete, of)| format!("{complete}/{of}"))
        });
        table.push([key.dataset.clone(), of.state.clone()].into_iter().chain(cells));
    }
    table
}

#[cfg(test)]
mod tests {
    use yaojia_warehouse::silver::CellCounts;

    use super::*;

    fn one(dataset: &str, county: &str, month: &str, state: &str) -> (CertificateKey, CertificateRow) {
        let key = CertificateKey { dataset: dataset.into(), county: county.into(), month: month.into() };
        let counts = CellCounts { received: 2, parsed: 2, accepted: 1, quarantined: 1, ..CellCounts::default() };
        (key, CertificateRow { declared: Some(2), delivered: Some(2), counts, state: state.into(), reason: String::new() })
    }

    #[test]
    fn a_matrix_counts_counties() {
        let all = Certificates::from([
            one("fee_list", "*", "*", "incomplete"),
            one("fee_list", "652801", "2024-01", "complete"),
            one("fee_list", "652822", "2024-01", "incomplete"),
            one("fee_list", "652801", "2024-02", "complete"),
            one("workday", "*", "*", "undeclared"),
            one("workday", "652800", "2024-01", "undeclared"),
        ]);
        let expected = "\
dataset   all         2024-01  2024-02
fee_list  incomplete  1/2      1/1
workday   undeclared  –        –
";
        assert_eq!(matrix(&all, "652800").render(), expected);
        assert_eq!(document(&all)[1]["quarantined"], json!(1));
        assert!(lines(&all).render().contains("652822"));
    }
}
