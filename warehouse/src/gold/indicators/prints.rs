//! What a month of an indicator follows from.

use std::collections::BTreeMap;

use yaojia_models::card::Indicator;
use yaojia_models::value::Month;

use super::{Indicators, Sheet, StaleMonth};
use crate::delta::{Cell, Table};
use crate::error::Result;
use crate::gold::{Fingerprint, part, window};
use crate::indicator::AskedMonth;

/// Bumped when the engine changes what comes out for the same facts, cards and rules.
const ENGINE: &str = "indicator-1";

/// Fingerprints by indicator and month.
type ByMonth = BTreeMap<String, BTreeMap<Month, Fingerprint>>;

/// What all months of all indicators follow from.
#[derive(Debug, Default)]
pub(super) struct Prints {
    /// Fingerprints by indicator and month.
    pub by_month: ByMonth,
    /// Digests of the cells of the tables that indicators read.
    digests: BTreeMap<String, BTreeMap<Cell, String>>,
}

/// What the rows of a month of an indicator follow from, by county.
#[derive(Debug)]
pub(super) struct ByCounty {
    /// T, the region's cells, and the cells of tables that are read whole or across counties: every county's.
    pub shared: String,
    /// The counties that have cells of their own, with these.
    pub own: BTreeMap<String, String>,
}

/// One print of all that would be published now.
pub(super) fn print_of(prints: &Prints, stale: &BTreeMap<String, BTreeMap<Month, StaleMonth>>) -> String {
    let mut text = String::new();
    for (indicator, months) in stale {
        for month in months.keys() {
            if let Some(print) = prints.by_month.get(indicator).and_then(|of| of.get(month)) {
                text.push_str(&format!("{indicator} {month} {}\n", print.text()));
            }
        }
    }
    part(&text)
}

impl Indicators<'_> {
    /// Fingerprints by indicator and month.
    pub(super) async fn prints(&self) -> Result<Prints> {
        let mut digests: BTreeMap<String, BTreeMap<Cell, String>> = BTreeMap::new();
        let exemptions = Table::digests(&self.warehouse.root, "silver.exemption").await?;
        let contracts: String = Sheet::ALL
            .iter()
            .filter_map(|sheet| self.warehouse.contracts.gold_table(sheet.name()))
            .map(|contract| contract.digest())
            .collect();
        let contracts = part(&contracts);
        let mut by_month = BTreeMap::new();
        for indicator in self.warehouse.indicators() {
            let tables = Self::tables(indicator)?;
            for table in &tables {
                if !digests.contains_key(table) {
                    digests.insert(table.clone(), Table::digests(&self.warehouse.root, table).await?);
                }
            }
            let code = format!(
                "{ENGINE}\n{}\n{}\n{:?}\n{:?}\n{:?}\n{:?}",
                &self.warehouse.region.code,
                self.warehouse.region.first_month,
                indicator.card,
                indicator.query,
                indicator.relations,
                self.warehouse.parameters.get(indicator.id())
            );
            let base = Fingerprint {
                contract: contracts.clone(),
                code: part(&code),
                register: part(&format!("{exemptions:?}")),
                rules: part(&format!("{:?}", indicator.rules)),
                ..Fingerprint::default()
            };
            let mut months = BTreeMap::new();
            for asked in self.months() {
                let mut text = format!("{}\n", asked.as_of);
                for table in &tables {
                    let window = window::of_indicator(&self.warehouse.contracts, indicator, table);
                    for (cell, digest) in digests.get(table).into_iter().flatten() {
                        // Nothing else can matter: the card says it, `prove` proves it.
                        if window::takes(window, asked.month, &cell.month) {
                            text.push_str(&format!("{table} {cell} {digest}\n"));
                        }
                    }
                }
                text.push_str(&self.set_aside.text(indicator, asked.month));
                let sources = part(&self.completeness.text(indicator, asked.month));
                months.insert(asked.month, Fingerprint { input: part(&text), sources, ..base.clone() });
            }
            by_month.insert(indicator.id().to_string(), months);
        }
        Ok(Prints { by_month, digests })
    }

    /// What the rows of a month of an indicator follow from besides code, contracts, rules and exemptions, by county.
    pub(super) fn by_county(&self, prints: &Prints, indicator: &Indicator, asked: AskedMonth) -> Result<ByCounty> {
        let mut of = ByCounty { shared: format!("{}\n", asked.as_of), own: BTreeMap::new() };
        for table in Self::tables(indicator)? {
            let window = window::of_indicator(&self.warehouse.contracts, indicator, &table);
            for (cell, digest) in prints.digests.get(&table).into_iter().flatten() {
                if !window::takes(window, asked.month, &cell.month) {
                    continue;
                }
                let text = match window::is_every_county(window, &self.warehouse.region.code, &cell.county) {
                    true => &mut of.shared,
                    false => of.own.entry(cell.county.clone()).or_default(),
                };
                text.push_str(&format!("{table} {cell} {digest}\n"));
            }
        }
        of.shared = part(&of.shared);
        Ok(of)
    }

    /// The print of a county's rows, besides what all counties share.
    pub(super) fn county_print(&self, of: &ByCounty, indicator: &Indicator, county: &str, month: Month) -> String {
        let month = month.to_string();
        let cells = of.own.get(county).map_or("", String::as_str);
        let (aside, certificate) = (self.set_aside.of(indicator, county, &month), self.completeness.of(indicator, county, &month));
        part(&format!("{cells}{aside} {certificate}\n"))
    }

    /// The tables that name subjects, as they are now.
    pub(super) async fn naming(&self) -> Result<String> {
        let mut text = String::new();
        for name in Self::DIMENSIONS {
            let digests = Table::digests(&self.warehouse.root, &format!("gold.{name}")).await?;
            text.extend(digests.iter().map(|(cell, digest)| format!("{name} {cell} {digest}\n")));
        }
        Ok(part(&text))
    }
}
