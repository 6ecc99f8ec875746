//! Which months of which indicators do not follow any more from what is there.

use std::collections::{BTreeMap, BTreeSet};

use yaojia_models::value::Month;

use super::prints::{Prints, print_of};
use super::rows::texts;
use super::{Indicators, NAMES, Sheet, StaleMonth, mark_name};
use crate::delta::Cell;
use crate::error::Result;
use crate::gold::Session;
use crate::indicator::Names;
use crate::ledger::{CellMarks, Refused};

impl Indicators<'_> {
    /// Which months of which indicators are stale.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn plan(&self, marks: &CellMarks) -> Result<Vec<StaleMonth>> {
        let prints = self.prints().await?;
        let stale = self.stale(&prints, marks, &self.renamed(marks).await?);
        let refused = Refused::read(&self.warehouse.root).await?;
        let print = print_of(&prints, &stale);
        let was_refused = Sheet::ALL.iter().any(|sheet| refused.is(&format!("gold.{}", sheet.name()), &print));
        let mut months: Vec<StaleMonth> = stale.into_values().flat_map(BTreeMap::into_values).collect();
        if was_refused {
            months.iter_mut().for_each(|month| month.reason = "check_failed".to_string());
        }
        Ok(months)
    }

    pub(super) fn stale(
        &self,
        prints: &Prints,
        marks: &CellMarks,
        renamed: &BTreeSet<(String, String)>,
    ) -> BTreeMap<String, BTreeMap<Month, StaleMonth>> {
        let mut stale: BTreeMap<String, BTreeMap<Month, StaleMonth>> = BTreeMap::new();
        for indicator in self.warehouse.indicators().iter().filter(|of| self.only.is_none_or(|only| only.contains(of.id()))) {
            let persist = indicator.rules.iter().filter_map(|r| r.persist).max().unwrap_or(1);
            let Some(months) = prints.by_month.get(indicator.id()) else { continue };
            let of = stale.entry(indicator.id().to_string()).or_default();
            for (month, print) in months {
                let mark = marks.get(&mark_name(indicator.id()), &Cell::new("*", month.to_string())).map(|m| m.fingerprint.as_str());
                let Some(reason) = print.reason(mark) else { continue };
                let judges_only = mark.is_some_and(|held| print.judges_only(held));
                let entry = |month: Month, reason: &str| StaleMonth {
                    indicator: indicator.id().to_string(),
                    month: month.to_string(),
                    reason: reason.to_string(),
                    judges_only,
                };
                // Its own reason goes over that of a month before.
                of.insert(*month, entry(*month, reason));
                // A month's state can turn those of the next ones where a rule persists.
                for later in 1..i32::try_from(persist).unwrap_or(1) {
                    let next = month.plus(later);
                    if months.contains_key(&next) {
                        let reason = if reason == "rule_changed" { reason } else { "input_changed" };
                        of.entry(next).or_insert_with(|| entry(next, reason));
                    }
                }
            }
            for month in months.keys().filter(|month| renamed.contains(&(indicator.id().to_string(), month.to_string()))) {
                of.entry(*month).or_insert_with(|| StaleMonth {
                    indicator: indicator.id().to_string(),
                    month: month.to_string(),
                    reason: "input_changed".to_string(),
                    judges_only: true,
                });
            }
            if of.is_empty() {
                stale.remove(indicator.id());
            }
        }
        stale
    }

    /// Published indicator-months in which a subject has another name by now: a name is no input of a value, so no fingerprint says it.
    /// The stored rows are looked at only when a dimension changed since names were looked at last.
    pub(super) async fn renamed(&self, marks: &CellMarks) -> Result<BTreeSet<(String, String)>> {
        let mut renamed = BTreeSet::new();
        let naming = self.naming().await?;
        if marks.get(NAMES, &Cell::new("*", "*")).is_some_and(|mark| mark.fingerprint == naming) {
            return Ok(renamed);
        }
        let stored = self.read(Sheet::Value, &|_| true).await?;
        if stored.is_empty() {
            return Ok(renamed);
        }
        let session = Session::new(Some(1), None)?;
        for name in Self::DIMENSIONS {
            session.see(&self.warehouse.root, &self.warehouse.contracts, &format!("gold.{name}")).await?;
        }
        let names = Names::load(session.context()).await?;
        for batch in stored {
            let (ids, months) = (texts(&batch, "indicator_id")?, texts(&batch, "month")?);
            let (kinds, codes, held) = (texts(&batch, "subject_kind")?, texts(&batch, "subject_code")?, texts(&batch, "subject_name")?);
            for row in (0..batch.num_rows()).filter(|row| !names.is(kinds.value(*row), codes.value(*row), held.value(*row))) {
                renamed.insert((ids.value(row).to_string(), months.value(row).to_string()));
            }
        }
        Ok(renamed)
    }
}
