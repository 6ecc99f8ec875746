//! How the stale months of an indicator are done again: judged only, computed for the counties that changed, or computed whole.

use std::collections::{BTreeMap, BTreeSet};

use arrow::record_batch::RecordBatch;
use yaojia_models::card::{How as RollUp, Indicator, Level};
use yaojia_models::value::Month;

use super::kept::{County, KeptFile, KeptMonth};
use super::prints::Prints;
use super::{Indicators, StaleMonth, mark_name};
use crate::delta::Cell;
use crate::error::Result;
use crate::gold::{Fingerprint, Session, window};
use crate::indicator::{AskedMonth, Engine, EngineError, Exemptions, Kept, Names, Outcome, Packed, Value, unpack};
use crate::ledger::CellMarks;

/// How months are done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The kept values are judged.
    Judge,
    /// All rows are computed.
    Whole,
    /// The rows of some counties are computed, the others' values are kept.
    Counties,
}

/// Months of an indicator that are done again in the same way.
#[derive(Debug)]
pub(super) struct Pass {
    pub how: How,
    pub months: BTreeSet<Month>,
    /// The counties that changed, where only some are computed.
    changed: BTreeSet<String>,
    /// What is kept of the months as they were published.
    kept: BTreeMap<Month, KeptMonth>,
}

impl Pass {
    fn new(how: How) -> Self {
        Self { how, months: BTreeSet::new(), changed: BTreeSet::new(), kept: BTreeMap::new() }
    }

    fn add(&mut self, month: Month, kept: Option<KeptMonth>) {
        self.months.insert(month);
        self.kept.extend(kept.map(|kept| (month, kept)));
    }

    /// Whether the pass computes a county.
    fn computes(&self, county: &str) -> bool {
        self.how == How::Whole || (self.how == How::Counties && self.changed.contains(county))
    }
}

/// What came of a pass for one month.
pub(super) struct Made {
    /// The counties whose rows differ from those published; all where none are named.
    pub counties: Option<BTreeSet<String>>,
    /// Counties computed, where the indicator tells them apart.
    pub computed: u64,
    /// Counties whose values were taken over.
    pub kept: u64,
    /// What is to be kept of it.
    pub file: Option<KeptFile>,
}

impl Indicators<'_> {
    /// Parts an indicator's stale months.
    pub(super) async fn work(
        &self,
        indicator: &Indicator,
        months: &BTreeMap<Month, StaleMonth>,
        prints: &Prints,
        marks: &CellMarks,
        renamed: &BTreeSet<(String, String)>,
    ) -> Result<Vec<Pass>> {
        let by_county = window::is_by_county(&self.warehouse.contracts, indicator, &Self::tables(indicator)?);
        let judges_only = months.values().all(|month| month.judges_only);
        let (mut whole, mut some) = (Pass::new(How::Whole), Pass::new(How::Counties));
        for month in months.keys() {
            let held = marks.get(&mark_name(indicator.id()), &Cell::new("*", month.to_string())).map(|mark| mark.fingerprint.as_str());
            let kept = match held {
                Some(_) => KeptMonth::read(&self.warehouse.root, indicator.id(), &month.to_string()).await?,
                None => None,
            };
            let kept = kept.filter(|kept| held == Some(kept.print.as_str()));
            let named = renamed.contains(&(indicator.id().to_string(), month.to_string()));
            let now = prints.by_month.get(indicator.id()).and_then(|of| of.get(month));
            let stands = by_county && !judges_only && !named && held.zip(now).is_some_and(|(held, now)| now.facts_only(held));
            let changed = match &kept {
                Some(kept) if stands => self.changed(indicator, *month, prints, kept)?,
                _ => None,
            };
            match changed {
                Some(changed) => {
                    some.changed.extend(changed);
                    some.add(*month, kept);
                }
                None => whole.add(*month, kept),
            }
        }
        // Stored values are rounded: where theirs are not kept, months are computed.
        if judges_only && whole.kept.len() == whole.months.len() {
            whole.how = How::Judge;
        }
        // Months that look at each other's states are judged together.
        let persists = indicator.rules.iter().any(|rule| rule.persist.is_some());
        if persists && !whole.months.is_empty() {
            whole.months.append(&mut some.months);
            whole.kept.append(&mut some.kept);
        }
        Ok([whole, some].into_iter().filter(|pass| !pass.months.is_empty()).collect())
    }

    /// The counties whose rows follow from something else now; none can be told where something changed that all share. A county without
    /// cells of its own, now and then, has the rows it had.
    fn changed(&self, indicator: &Indicator, month: Month, prints: &Prints, kept: &KeptMonth) -> Result<Option<BTreeSet<String>>> {
        let now = self.by_county(prints, indicator, AskedMonth::at(month, self.instant))?;
        if now.shared != kept.shared {
            return Ok(None);
        }
        let differs = |county: &String| match kept.counties.get(county) {
            // The region's cell is always replaced: rows of its own, where it has any, are computed with their evidence.
            Some(kept) if county == &self.warehouse.region.code => !kept.values.is_empty(),
            Some(kept) => kept.print != self.county_print(&now, indicator, county, month),
            None => true,
        };
        Ok(Some(now.own.keys().chain(kept.counties.keys()).filter(|county| differs(county)).cloned().collect()))
    }

    /// Does a pass; the inner error is the indicator's own.
    pub(super) async fn pass(
        &self,
        session: &Session,
        indicator: &Indicator,
        pass: &Pass,
        stored: &[RecordBatch],
        exemptions: &Exemptions,
        names: &Names,
    ) -> Result<std::result::Result<Outcome, EngineError>> {
        // Only what the asked months and counties may read, as the card says.
        for table in Self::tables(indicator)? {
            let window = window::of_indicator(&self.warehouse.contracts, indicator, &table);
            let wanted = |cell: &Cell| {
                let here = pass.how != How::Counties
                    || window::is_every_county(window, &self.warehouse.region.code, &cell.county)
                    || pass.changed.contains(&cell.county);
                here && pass.months.iter().any(|month| window::takes(window, *month, &cell.month))
            };
            session.see_cells(&self.warehouse.root, &self.warehouse.contracts, &table, &wanted).await?;
        }
        let ask = self.ask(indicator, pass.months.iter().map(|month| AskedMonth::at(*month, self.instant)).collect())?;
        let engine = Engine::new(session.context().clone(), ask)?.with_exemptions(exemptions.clone()).with_names(names.clone());
        Ok(match pass.how {
            How::Judge => engine.rejudge(indicator, stored, self.others(pass)?).await,
            How::Whole => engine.compute(indicator, stored).await,
            How::Counties => {
                let values = if adds_up(indicator) { self.others(pass)? } else { Vec::new() };
                engine.compute_some(indicator, stored, Kept { counties: pass.changed.clone(), values }).await
            }
        })
    }

    /// The kept values of the counties that did not change.
    fn others(&self, pass: &Pass) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        for (month, kept) in &pass.kept {
            for (county, of) in kept.counties.iter().filter(|(county, _)| !pass.changed.contains(*county)) {
                let of = unpack(&of.values).ok_or_else(|| crate::error::WarehouseError::Contract {
                    table: format!("_cache/indicators ({county}, {month})"),
                    why: "what is kept cannot be read; delete the folder `_cache/indicators`".to_string(),
                })?;
                values.extend(of);
            }
        }
        Ok(values)
    }

    /// What a pass gave for a month, and what is to be kept of it: what was computed and taken over, and the digests of its `rows` by county.
    pub(super) fn keep(
        &self,
        indicator: &Indicator,
        pass: &Pass,
        month: Month,
        prints: &Prints,
        computed: &Packed,
        rows: BTreeMap<String, String>,
    ) -> Result<Made> {
        let before = pass.kept.get(&month);
        let mut made = Made { counties: None, computed: 0, kept: 0, file: None };
        // Rows of counties that were neither computed nor are the region's were not given, and stand.
        let given = |county: &String| pass.how != How::Counties || county == &self.warehouse.region.code || pass.changed.contains(county);
        if let Some(before) = before {
            let all = before.rows.keys().chain(rows.keys());
            made.counties = Some(all.filter(|county| given(county) && before.rows.get(*county) != rows.get(*county)).cloned().collect());
        }
        let Some(print) = prints.by_month.get(indicator.id()).and_then(|of| of.get(&month)).map(Fingerprint::text) else { return Ok(made) };
        let mut kept = before.cloned().unwrap_or_default();
        kept.print = print;
        kept.rows.retain(|county, _| !given(county));
        kept.rows.extend(rows);
        if pass.how != How::Judge {
            kept.counties.retain(|county, _| !pass.computes(county));
            let now = self.by_county(prints, indicator, AskedMonth::at(month, self.instant))?;
            let given = computed.0.keys().filter(|(of, _)| *of == month.to_string()).map(|(_, county)| county);
            let mut computed_now = 0;
            let counties: BTreeSet<&String> = now.own.keys().chain(given).filter(|county| pass.computes(county)).collect();
            for county in counties {
                let values = computed.0.get(&(month.to_string(), county.clone())).cloned().unwrap_or_default();
                kept.counties.insert(county.clone(), County { print: self.county_print(&now, indicator, county, month), values });
                computed_now += 1;
            }
            if window::is_by_county(&self.warehouse.contracts, indicator, &Self::tables(indicator)?) {
                (made.computed, made.kept) = (computed_now, kept.counties.len() as u64 - computed_now);
            }
            kept.shared = now.shared;
        }
        made.file = kept.file(indicator.id(), &month.to_string());
        Ok(made)
    }
}

/// Whether the region's rows add up those of the counties.
fn adds_up(indicator: &Indicator) -> bool {
    let region = |of: &yaojia_models::card::RollUp| of.levels.contains(&Level::Region) && of.how != RollUp::None;
    indicator.card.measures.iter().any(|measure| region(&measure.rollup))
}
