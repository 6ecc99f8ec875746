//! Computes or judges what is stale.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::record_batch::RecordBatch;
use yaojia_models::card::Indicator;
use yaojia_models::value::Month;

use super::done::Done;
use super::prints::print_of;
use super::rows::{append, digests_by_county, place, shape, sorted_cells};
use super::work::How;
use super::{IndicatorOutcome, Indicators, MonthCounts, NAMES, Sheet, StaleMonth, mark_name};
use crate::delta::{Cell, CellRows};
use crate::error::Result;
use crate::gold::{Session, replacing};
use crate::indicator::{AskedMonth, Engine, Exemptions, Names};
use crate::ledger::{CellMark, CellMarks, RunStamp, UsedRules};

impl Indicators<'_> {
    /// Computes what is stale and replaces the cells that differ.
    ///
    /// # Errors
    /// [`WarehouseError::Indicator`] naming the indicator, or as the storage says.
    pub async fn build(
        &self,
        session: &Session,
        run: &RunStamp,
        marks: &mut CellMarks,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<IndicatorOutcome> {
        let began = std::time::Instant::now();
        let prints = self.prints().await?;
        tracing::debug!(seconds = ?began.elapsed(), "prints");
        let renamed = self.renamed(marks).await?;
        let stale = self.stale(&prints, marks, &renamed);
        tracing::debug!(seconds = ?began.elapsed(), "stale");
        let mut outcome = IndicatorOutcome::default();
        if stale.is_empty() {
            return Ok(outcome);
        }
        for (indicator, months) in &prints.by_month {
            let stale = stale.get(indicator).map_or(0, |months| months.len() as u64);
            outcome.months.insert(indicator.clone(), MonthCounts { all: months.len() as u64, stale, ..MonthCounts::default() });
        }
        let stored = match self.stored_months(&stale) {
            months if months.is_empty() => Vec::new(),
            months => self.read(Sheet::Value, &|cell| months.contains(&cell.month)).await?,
        };
        for name in Self::DIMENSIONS {
            session.see(&self.warehouse.root, &self.warehouse.contracts, &format!("gold.{name}")).await?;
        }
        let names = Names::load(session.context()).await?;
        let exemptions = Exemptions::read(&self.silver("exemption").await?)?;
        tracing::debug!(seconds = ?began.elapsed(), "stored and named");
        let mut fresh: BTreeMap<Sheet, Vec<RecordBatch>> = BTreeMap::new();
        let mut done = Done::default();
        let mut files = Vec::new();
        for indicator in self.warehouse.indicators() {
            let Some(months) = stale.get(indicator.id()) else { continue };
            tell(indicator.id());
            let clock = std::time::Instant::now();
            let work = self.work(indicator, months, &prints, marks, &renamed).await?;
            let mut results = Vec::new();
            for pass in &work {
                match self.pass(session, indicator, pass, &stored, &exemptions, &names).await? {
                    Ok(out) => results.push((pass, out)),
                    // One indicator that cannot be computed keeps its old rows and does not keep the others from being published.
                    Err(error) => {
                        outcome.failed.push(error);
                        results.clear();
                        break;
                    }
                }
            }
            for (pass, out) in results {
                let (count, counts) = (pass.months.len() as u64, outcome.months.entry(indicator.id().to_string()).or_default());
                if pass.how == How::Judge {
                    (outcome.judged, counts.judged) = (outcome.judged + count, counts.judged + count);
                } else {
                    (outcome.computed, counts.computed) = (outcome.computed + count, counts.computed + count);
                }
                let sheets = [
                    (Sheet::Value, self.finish_values(indicator, &out.values, run)?),
                    (Sheet::Alert, self.certified(indicator, &out.alerts)?),
                    (Sheet::Evidence, out.evidence),
                ];
                let mut digests = digests_by_county(sheets.iter().map(|(_, batch)| batch))?;
                for month in &pass.months {
                    let rows = digests.remove(&month.to_string()).unwrap_or_default();
                    let made = self.keep(indicator, pass, *month, &prints, &out.computed, rows)?;
                    (counts.counties, counts.counties_kept) = (counts.counties + made.computed, counts.counties_kept + made.kept);
                    files.extend(made.file);
                    done.add(indicator.id(), *month, made.counties);
                }
                for (sheet, batch) in sheets {
                    fresh.entry(sheet).or_default().push(batch);
                }
            }
            tracing::debug!(indicator = indicator.id(), seconds = ?clock.elapsed(), "indicator");
        }
        tracing::debug!(seconds = ?began.elapsed(), "computed");
        // Several tables are replaced one after the other; killed in between, none of these months is fresh, whatever comes next.
        for (indicator, month) in done.months() {
            let cell = Cell::new("*", month);
            if let Some(held) = marks.get(&mark_name(indicator), &cell).cloned() {
                marks.set(&mark_name(indicator), cell, CellMark { fingerprint: replacing(&held.fingerprint), ..held });
            }
        }
        marks.flush(&self.warehouse.root, run.seq).await?;
        // The dimension first: values refer to it.
        let listed = crate::gold::catalogue::list(self, run).await?;
        outcome.cells.insert("gold.dim_indicator".to_string(), listed);
        let print = print_of(&prints, &stale);
        for sheet in Sheet::ALL {
            let new = fresh.remove(&sheet).unwrap_or_default();
            let changed = self.replace(session, sheet, new, &done, run, &print).await?;
            outcome.cells.insert(format!("gold.{}", sheet.name()), changed);
            tracing::debug!(table = sheet.name(), seconds = ?began.elapsed(), "replaced");
        }
        for file in files {
            file.write(&self.warehouse.root).await?;
        }
        let judged: Vec<&Indicator> = self.warehouse.indicators().iter().filter(|i| done.months().any(|(id, _)| id == i.id())).collect();
        UsedRules::read(&self.warehouse.root)
            .await?
            .remember(&self.warehouse.root, run.seq, &judged, Month::of_micros(self.instant - 1))
            .await?;
        // Names of the others' subjects were not looked at where only some are built.
        if outcome.failed.is_empty() && self.only.is_none() {
            let mark = CellMark { fingerprint: self.naming().await?, ..CellMark::default() };
            marks.set(NAMES, Cell::new("*", "*"), mark);
        }
        for (indicator, months) in &prints.by_month {
            for (month, print) in months {
                if done.has(indicator, &month.to_string()) {
                    let mark = CellMark { fingerprint: print.text(), ..CellMark::default() };
                    marks.set(&mark_name(indicator), Cell::new("*", month.to_string()), mark);
                }
            }
        }
        Ok(outcome)
    }

    /// Months whose stored values are needed: those before stale ones, as far as rules persist.
    fn stored_months(&self, stale: &BTreeMap<String, BTreeMap<Month, StaleMonth>>) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        for indicator in self.warehouse.indicators() {
            let persist = indicator.rules.iter().filter_map(|rule| rule.persist).max().unwrap_or(1);
            let Some(months) = stale.get(indicator.id()) else { continue };
            for month in months.keys() {
                let before = (1..i32::try_from(persist).unwrap_or(1)).map(|back| month.plus(-back));
                // What is judged now is not looked up.
                needed.extend(before.filter(|before| !months.contains_key(before)).map(|before| before.to_string()));
            }
        }
        needed
    }

    /// What an indicator gives for the asked months, by table and cell, as it would be published; the session holds its tables, `earlier`
    /// are rows of values of the months before.
    pub(crate) async fn computed(
        &self,
        session: &Session,
        indicator: &Indicator,
        register: &[RecordBatch],
        months: Vec<AskedMonth>,
        earlier: &[RecordBatch],
    ) -> Result<BTreeMap<(String, Cell), CellRows>> {
        let names = Names::load(session.context()).await?;
        let engine = Engine::new(session.context().clone(), self.ask(indicator, months)?)?
            .with_exemptions(Exemptions::read(register)?)
            .with_names(names);
        let out = engine.compute(indicator, earlier).await?;
        let run = RunStamp { seq: 0, id: String::new(), at: self.instant };
        let blank: ArrayRef = Arc::new(StringArray::from(vec![""; out.alerts.num_rows()]));
        let sheets = [
            (Sheet::Value, self.finish_values(indicator, &out.values, &run)?),
            (Sheet::Alert, append(&self.certified(indicator, &out.alerts)?, vec![("first_run_id", blank)])?),
            (Sheet::Evidence, out.evidence),
        ];
        let mut all = BTreeMap::new();
        for (sheet, rows) in sheets {
            let contract = self.contract(sheet)?;
            let label = format!("gold.{}", sheet.name());
            let rows = shape(&label, &Arc::new(contract.arrow_schema()), &rows)?;
            all.extend(sorted_cells(contract, &[rows])?.into_iter().map(|(cell, rows)| ((label.clone(), cell), rows)));
        }
        Ok(all)
    }

    /// Rows of `gold.indicator_value` among computed cells, county and month put back.
    pub(crate) fn values_of(&self, cells: &BTreeMap<(String, Cell), CellRows>) -> Result<Vec<RecordBatch>> {
        let label = format!("gold.{}", Sheet::Value.name());
        cells.iter().filter(|((table, _), _)| *table == label).map(|((_, cell), rows)| place(&label, &rows.batch, cell)).collect()
    }
}
