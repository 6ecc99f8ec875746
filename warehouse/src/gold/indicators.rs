//! Values, alerts and evidence of all indicators: what is stale is computed or judged again, and cells that differ are replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use indexmap::IndexMap;
use yaojia_models::card::{Indicator, Query};
use yaojia_models::contract::{Registry, TableContract};
use yaojia_models::graph::table_refs;
use yaojia_models::value::Month;

use crate::delta::{Cell, CellRows, Change, FileEntry, Table, canonical, digest_in, file_schema, read_file, split_cells, write_cell};
use crate::error::{Result, WarehouseError};
use crate::gold::check::Candidate;
use crate::gold::{Completeness, Fingerprint, Session, SetAside, part};
use crate::indicator::{Ask, AskedMonth, Engine, EngineError, Exemptions, Names};
use crate::ledger::{CellMark, CellMarks, Refused, RunStamp, UsedRules};
use crate::store::Root;

/// Name under which the ledger keeps what the dimensions were when subjects were named last.
const NAMES: &str = "indicator/names";
/// Bumped when the engine changes what comes out for the same facts, cards and rules.
const ENGINE: &str = "indicator-1";
/// The three published tables of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sheet {
    Value,
    Alert,
    Evidence,
}

impl Sheet {
    const ALL: [Self; 3] = [Self::Value, Self::Alert, Self::Evidence];

    fn name(self) -> &'static str {
        match self {
            Self::Value => "indicator_value",
            Self::Alert => "alert",
            Self::Evidence => "alert_evidence",
        }
    }
}

/// A month of an indicator that is not fresh.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct StaleMonth {
    /// Indicator.
    pub indicator: String,
    /// Month.
    pub month: String,
    /// `never_built`, `contract_changed`, `code_changed`, `input_changed`, `rule_changed`, `source_incomplete`, `check_failed`.
    pub reason: String,
    /// Whether its values stand and are only judged again.
    pub judges_only: bool,
}

/// What a build of the indicators did.
#[derive(Debug, Default)]
pub struct IndicatorOutcome {
    /// Indicator-months computed.
    pub computed: u64,
    /// Indicator-months only judged again.
    pub judged: u64,
    /// Cells replaced, by table.
    pub cells: BTreeMap<String, u64>,
    /// Indicators that could not be computed; their old rows stay.
    pub failed: Vec<EngineError>,
}

/// The indicators of one warehouse.
pub struct Indicators<'a> {
    /// Warehouse root.
    pub root: &'a Root,
    /// All contracts.
    pub registry: &'a Registry,
    /// Region code.
    pub region: &'a str,
    /// First month of which the region has all sources.
    pub first_month: Month,
    /// Cards, rules and SQL.
    pub indicators: &'a [Indicator],
    /// Data instant of the run, microseconds.
    pub instant: i64,
    /// The certificates.
    pub completeness: &'a Completeness,
    /// The rows in quarantine.
    pub set_aside: &'a SetAside,
    /// The region's own values of indicators' parameters: indicator → name → value.
    pub parameters: &'a IndexMap<String, IndexMap<String, String>>,
    /// Only these (by id) are judged and built; the rows of others stay.
    pub only: Option<&'a BTreeSet<String>>,
}

impl Indicators<'_> {
    /// Columns that say by which run a row came, not what it says.
    pub(crate) const BLIND: [&'static str; 2] = ["run_id", "first_run_id"];
    /// Dimensions that name subjects.
    pub const DIMENSIONS: [&'static str; 4] = ["dim_institution", "dim_enterprise", "dim_product", "dim_admdvs"];
    /// The tables the engine writes.
    pub const TABLES: [&'static str; 3] = ["indicator_value", "alert", "alert_evidence"];

    /// The months to publish, each with its T.
    #[must_use]
    pub fn months(&self) -> Vec<AskedMonth> {
        let last = Month::of_micros(self.instant - 1);
        let count = last.since(self.first_month);
        (0..=count).map(|n| AskedMonth::at(self.first_month.plus(n), self.instant)).collect()
    }

    /// Which months of which indicators are stale.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn plan(&self, marks: &CellMarks) -> Result<Vec<StaleMonth>> {
        let prints = self.prints().await?;
        let stale = self.stale(&prints, marks, &self.renamed(marks).await?);
        let refused = Refused::read(self.root).await?;
        let print = print_of(&prints, &stale);
        let was_refused = Sheet::ALL.iter().any(|sheet| refused.is(&format!("gold.{}", sheet.name()), &print));
        let mut months: Vec<StaleMonth> = stale.into_values().flat_map(BTreeMap::into_values).collect();
        if was_refused {
            months.iter_mut().for_each(|month| month.reason = "check_failed".to_string());
        }
        Ok(months)
    }

    fn stale(
        &self,
        prints: &Prints,
        marks: &CellMarks,
        renamed: &BTreeSet<(String, String)>,
    ) -> BTreeMap<String, BTreeMap<Month, StaleMonth>> {
        let mut stale: BTreeMap<String, BTreeMap<Month, StaleMonth>> = BTreeMap::new();
        for indicator in self.indicators.iter().filter(|of| self.only.is_none_or(|only| only.contains(of.id()))) {
            let persist = indicator.rules.iter().filter_map(|r| r.persist).max().unwrap_or(1);
            let Some(months) = prints.get(indicator.id()) else { continue };
            let of = stale.entry(indicator.id().to_string()).or_default();
            for (month, print) in months {
                let mark = marks.get(&mark_name(indicator), &Cell::new("*", month.to_string())).map(|m| m.fingerprint.as_str());
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

    /// The tables that name subjects, as they are now.
    async fn naming(&self) -> Result<String> {
        let mut text = String::new();
        for name in Self::DIMENSIONS {
            let digests = Table::digests(self.root, &format!("gold.{name}")).await?;
            text.extend(digests.iter().map(|(cell, digest)| format!("{name} {cell} {digest}\n")));
        }
        Ok(part(&text))
    }

    /// Published indicator-months in which a subject has another name by now: a name is no input of a value, so no fingerprint says it.
    /// The stored rows are looked at only when a dimension changed since names were looked at last.
    async fn renamed(&self, marks: &CellMarks) -> Result<BTreeSet<(String, String)>> {
        let mut renamed = BTreeSet::new();
        let naming = self.naming().await?;
        if marks.get(NAMES, &Cell::new("*", "*")).is_some_and(|mark| mark.fingerprint == naming) {
            return Ok(renamed);
        }
        let stored = self.read(Sheet::Value, None).await?;
        if stored.is_empty() {
            return Ok(renamed);
        }
        let session = Session::new(Some(1), None)?;
        for name in Self::DIMENSIONS {
            session.see(self.root, self.registry, &format!("gold.{name}")).await?;
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

    /// Fingerprints by indicator and month.
    async fn prints(&self) -> Result<Prints> {
        let mut digests: BTreeMap<String, BTreeMap<Cell, String>> = BTreeMap::new();
        let exemptions = Table::digests(self.root, "silver.exemption").await?;
        let contracts: String =
            Sheet::ALL.iter().filter_map(|sheet| self.registry.gold_table(sheet.name())).map(|contract| contract.digest()).collect();
        let contracts = part(&contracts);
        let mut prints = BTreeMap::new();
        for indicator in self.indicators {
            let tables = reads(indicator)?;
            for table in &tables {
                if !digests.contains_key(table) {
                    digests.insert(table.clone(), Table::digests(self.root, table).await?);
                }
            }
            let code = format!(
                "{ENGINE}\n{}\n{}\n{:?}\n{:?}\n{:?}",
                self.region,
                self.first_month,
                indicator.card,
                indicator.query,
                self.parameters.get(indicator.id())
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
                    let whole = self.is_reference(table);
                    for (cell, digest) in digests.get(table).into_iter().flatten() {
                        // Events of later months lie at or after T: they cannot matter.
                        let later = !whole && Month::parse(&cell.month).is_ok_and(|m| m > asked.month);
                        if !later {
                            text.push_str(&format!("{table} {cell} {digest}\n"));
                        }
                    }
                }
                text.push_str(&self.set_aside.text(indicator, asked.month));
                let sources = part(&self.completeness.text(indicator, asked.month));
                months.insert(asked.month, Fingerprint { input: part(&text), sources, ..base.clone() });
            }
            prints.insert(indicator.id().to_string(), months);
        }
        Ok(prints)
    }

    /// Whether a table's partition month is when a row was updated, not when something happened.
    fn is_reference(&self, table: &str) -> bool {
        let name = table.strip_prefix("gold.").unwrap_or(table);
        self.registry
            .gold_table(name)
            .is_none_or(|c| name.starts_with("dim_") || c.month_of.is_empty() || c.month_of.iter().any(|m| m == "updt_time"))
    }

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
        let prints = self.prints().await?;
        let stale = self.stale(&prints, marks, &self.renamed(marks).await?);
        let mut outcome = IndicatorOutcome::default();
        if stale.is_empty() {
            return Ok(outcome);
        }
        let touched: BTreeSet<String> = stale.values().flat_map(|m| m.keys().map(ToString::to_string)).collect();
        let stored = self.read(Sheet::Value, None).await?;
        for name in Self::DIMENSIONS {
            session.see(self.root, self.registry, &format!("gold.{name}")).await?;
        }
        let names = Names::load(session.context()).await?;
        let exemptions = Exemptions::read(&self.silver("exemption").await?)?;
        let mut fresh: BTreeMap<Sheet, Vec<RecordBatch>> = BTreeMap::new();
        let mut done: BTreeSet<(String, String)> = BTreeSet::new();
        for indicator in self.indicators {
            let Some(months) = stale.get(indicator.id()) else { continue };
            tell(indicator.id());
            let clock = std::time::Instant::now();
            for table in reads(indicator)? {
                session.see(self.root, self.registry, &table).await?;
            }
            let ask = self.ask(indicator, months.keys().map(|m| AskedMonth::at(*m, self.instant)).collect())?;
            let engine = Engine::new(session.context().clone(), ask)?.with_exemptions(exemptions.clone()).with_names(names.clone());
            let only_rules = months.values().all(|m| m.judges_only);
            let out = if only_rules { engine.rejudge(indicator, &stored).await } else { engine.compute(indicator, &stored).await };
            let out = match out {
                Ok(out) => out,
                // One indicator that cannot be computed keeps its old rows and does not keep the others from being published.
                Err(error) => {
                    outcome.failed.push(error);
                    continue;
                }
            };
            if only_rules {
                outcome.judged += months.len() as u64;
            } else {
                outcome.computed += months.len() as u64;
            }
            fresh.entry(Sheet::Value).or_default().push(self.finish_values(indicator, &out.values, run)?);
            fresh.entry(Sheet::Alert).or_default().push(self.certified(indicator, &out.alerts)?);
            fresh.entry(Sheet::Evidence).or_default().push(out.evidence);
            tracing::debug!(indicator = indicator.id(), seconds = ?clock.elapsed(), "indicator");
            done.extend(months.keys().map(|m| (indicator.id().to_string(), m.to_string())));
        }
        // The dimension first: values refer to it.
        let listed = crate::gold::catalogue::list(self, run).await?;
        outcome.cells.insert("gold.dim_indicator".to_string(), listed);
        let print = print_of(&prints, &stale);
        for sheet in Sheet::ALL {
            let new = fresh.remove(&sheet).unwrap_or_default();
            let changed = self.replace(session, sheet, new, &touched, &done, run, &print).await?;
            outcome.cells.insert(format!("gold.{}", sheet.name()), changed);
        }
        let judged: Vec<&Indicator> = self.indicators.iter().filter(|i| done.iter().any(|(id, _)| id == i.id())).collect();
        UsedRules::read(self.root).await?.remember(self.root, run.seq, &judged, Month::of_micros(self.instant - 1)).await?;
        // Names of the others' subjects were not looked at where only some are built.
        if outcome.failed.is_empty() && self.only.is_none() {
            let mark = CellMark { fingerprint: self.naming().await?, ..CellMark::default() };
            marks.set(NAMES, Cell::new("*", "*"), mark);
        }
        for (indicator, months) in &prints {
            for (month, print) in months {
                if done.contains(&(indicator.clone(), month.to_string())) {
                    let mark = CellMark { fingerprint: print.text(), ..CellMark::default() };
                    marks.set(&format!("indicator/{indicator}"), Cell::new("*", month.to_string()), mark);
                }
            }
        }
        Ok(outcome)
    }

    /// The question for an indicator, with the region's parameters.
    fn ask(&self, indicator: &Indicator, months: Vec<AskedMonth>) -> Result<Ask> {
        let mut ask = Ask::new(self.region, self.first_month, months)?;
        for (name, value) in self.parameters.get(indicator.id()).into_iter().flatten() {
            ask = ask.with_parameter(indicator.id(), name, value);
        }
        Ok(ask)
    }

    /// Tables that an indicator's SQL reads.
    ///
    /// # Errors
    /// [`WarehouseError::Contract`] when the SQL does not parse.
    pub fn tables(indicator: &Indicator) -> Result<BTreeSet<String>> {
        reads(indicator)
    }

    /// An indicator's rows of a stored batch.
    pub(crate) fn of(batch: &RecordBatch, indicator: &str) -> Result<RecordBatch> {
        let ids = texts(batch, "indicator_id")?;
        let own: BooleanArray = ids.iter().map(|id| Some(id == Some(indicator))).collect();
        filter_record_batch(batch, &own).map_err(|source| WarehouseError::Arrow { table: "gold.indicator_value".to_string(), source })
    }

    /// Everything an indicator gives for all months, by table and cell, as it would be published; the session holds its tables.
    pub(crate) async fn computed(
        &self,
        session: &Session,
        indicator: &Indicator,
        register: &[RecordBatch],
    ) -> Result<BTreeMap<(String, Cell), CellRows>> {
        let names = Names::load(session.context()).await?;
        let engine = Engine::new(session.context().clone(), self.ask(indicator, self.months())?)?
            .with_exemptions(Exemptions::read(register)?)
            .with_names(names);
        let out = engine.compute(indicator, &[]).await?;
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

    fn contract(&self, sheet: Sheet) -> Result<&TableContract> {
        self.registry
            .gold_table(sheet.name())
            .ok_or_else(|| WarehouseError::Contract { table: format!("gold.{}", sheet.name()), why: "there is no contract".to_string() })
    }

    async fn silver(&self, name: &str) -> Result<Vec<RecordBatch>> {
        let Some(table) = Table::open(self.root, "silver", name).await? else { return Ok(Vec::new()) };
        let mut batches = Vec::new();
        for file in table.files()? {
            batches.extend(read_file(&table.store(), table.label(), &file.path, None).await?);
        }
        Ok(batches)
    }

    /// Stored rows of a table, partition columns put back; only of the given months when some are given.
    async fn read(&self, sheet: Sheet, months: Option<&BTreeSet<String>>) -> Result<Vec<RecordBatch>> {
        let Some(table) = Table::open(self.root, "gold", sheet.name()).await? else { return Ok(Vec::new()) };
        let mut batches = Vec::new();
        for file in table.files()? {
            let cell = file.cell();
            if months.is_some_and(|m| !m.contains(&cell.month)) {
                continue;
            }
            for batch in read_file(&table.store(), table.label(), &file.path, None).await? {
                batches.push(place(table.label(), &batch, &cell)?);
            }
        }
        Ok(batches)
    }

    /// Adds `completeness`, `quarantined_rows` and `run_id`.
    fn finish_values(&self, indicator: &Indicator, values: &RecordBatch, run: &RunStamp) -> Result<RecordBatch> {
        let runs = StringArray::from(vec![run.id.as_str(); values.num_rows()]);
        append(&self.certified(indicator, values)?, vec![("run_id", Arc::new(runs) as ArrayRef)])
    }

    /// Adds `completeness` and `quarantined_rows`, which are of the row's county and month.
    fn certified(&self, indicator: &Indicator, rows: &RecordBatch) -> Result<RecordBatch> {
        let (counties, months) = (texts(rows, "county")?, texts(rows, "month")?);
        let mut known: BTreeMap<(&str, &str), (&str, i64)> = BTreeMap::new();
        for row in 0..rows.num_rows() {
            let (county, month) = (counties.value(row), months.value(row));
            known
                .entry((county, month))
                .or_insert_with(|| (self.completeness.of(indicator, county, month), self.set_aside.of(indicator, county, month)));
        }
        let of = |row: usize| known.get(&(counties.value(row), months.value(row)));
        let certified: StringArray = (0..rows.num_rows()).map(|row| of(row).map(|of| of.0)).collect();
        let aside: Int64Array = (0..rows.num_rows()).map(|row| of(row).map(|of| of.1)).collect();
        append(rows, vec![("completeness", Arc::new(certified) as ArrayRef), ("quarantined_rows", Arc::new(aside) as ArrayRef)])
    }

    /// Replaces the cells of the touched months that differ.
    #[expect(clippy::too_many_arguments, reason = "one step of the build, split off for reading")]
    async fn replace(
        &self,
        session: &Session,
        sheet: Sheet,
        new: Vec<RecordBatch>,
        touched: &BTreeSet<String>,
        done: &BTreeSet<(String, String)>,
        run: &RunStamp,
        print: &str,
    ) -> Result<u64> {
        let kept: Vec<RecordBatch> = self.read(sheet, Some(touched)).await?.iter().map(|b| keep_others(b, done)).collect::<Result<_>>()?;
        let new = match sheet {
            Sheet::Alert => self.first_seen(new, run).await?,
            _ => new,
        };
        let contract = self.contract(sheet)?;
        let schema: SchemaRef = Arc::new(contract.arrow_schema());
        let label = format!("gold.{}", sheet.name());
        let rows = new.iter().chain(&kept).map(|b| shape(&label, &schema, b)).collect::<Result<Vec<_>>>()?;
        let mut table = Table::open_or_create(self.root, "gold", sheet.name(), &schema, &["county", "month"], &contract.title).await?;
        let active: BTreeMap<Cell, Vec<FileEntry>> =
            table.files()?.into_iter().filter(|f| touched.contains(&f.part("month"))).fold(BTreeMap::new(), |mut m, f| {
                m.entry(f.cell()).or_default().push(f);
                m
            });
        let cells = sorted_cells(contract, &rows)?;
        let emptied: BTreeSet<Cell> = active.keys().filter(|c| !cells.contains_key(*c)).cloned().collect();
        let candidate = Candidate { contract, rows: &cells, emptied: &emptied, whole: false, print };
        candidate.check(session, self.root, self.registry, run).await?;
        let mut change = Change { info: vec![("yaojia.run".to_string(), run.id.clone())], ..Change::default() };
        for (cell, sorted) in cells {
            let held = active.get(&cell).map(Vec::as_slice).unwrap_or_default();
            if held.len() == 1 && digest_in(&held[0].path) == Some(sorted.digest.as_str()) {
                continue;
            }
            let partition = vec![("county".to_string(), cell.county.clone()), ("month".to_string(), cell.month.clone())];
            change.remove.extend(held.iter().map(|f| f.path.clone()));
            change.add.push(write_cell(&table.store(), &label, partition, sorted, run.seq).await?);
        }
        for (_, files) in active.iter().filter(|(c, _)| emptied.contains(*c)) {
            change.remove.extend(files.iter().map(|f| f.path.clone()));
        }
        let changed = change.add.len().max(change.remove.len()) as u64;
        if changed > 0 {
            change.positions.push(("yaojia".to_string(), run.seq));
            table.commit(change).await?;
        }
        Ok(changed)
    }

    /// Gives each alert the run that saw it first.
    async fn first_seen(&self, alerts: Vec<RecordBatch>, run: &RunStamp) -> Result<Vec<RecordBatch>> {
        let mut first: BTreeMap<String, String> = BTreeMap::new();
        for batch in self.read(Sheet::Alert, None).await? {
            let (ids, runs) = (texts(&batch, "alert_id")?, texts(&batch, "first_run_id")?);
            for row in 0..batch.num_rows() {
                first.insert(ids.value(row).to_string(), runs.value(row).to_string());
            }
        }
        alerts
            .iter()
            .map(|batch| {
                let ids = texts(batch, "alert_id")?;
                let runs: StringArray =
                    (0..batch.num_rows()).map(|row| Some(first.get(ids.value(row)).cloned().unwrap_or_else(|| run.id.clone()))).collect();
                append(batch, vec![("first_run_id", Arc::new(runs) as ArrayRef)])
            })
            .collect()
    }
}

fn mark_name(indicator: &Indicator) -> String {
    format!("indicator/{}", indicator.id())
}

/// Fingerprints by indicator and month.
type Prints = BTreeMap<String, BTreeMap<Month, Fingerprint>>;

/// One print of all that would be published now.
fn print_of(prints: &Prints, stale: &BTreeMap<String, BTreeMap<Month, StaleMonth>>) -> String {
    let mut text = String::new();
    for (indicator, months) in stale {
        for month in months.keys() {
            if let Some(print) = prints.get(indicator).and_then(|of| of.get(month)) {
                text.push_str(&format!("{indicator} {month} {}\n", print.text()));
            }
        }
    }
    part(&text)
}

/// Rows of one of the engine's tables by cell, in the order of its grain; by which run a row came is not part of its digest.
fn sorted_cells(contract: &TableContract, rows: &[RecordBatch]) -> Result<BTreeMap<Cell, CellRows>> {
    let label = format!("gold.{}", contract.name);
    let inner = file_schema(&contract.arrow_schema());
    let grain: Vec<String> = contract.grain.iter().filter(|g| *g != "county" && *g != "month").cloned().collect();
    let cells = split_cells(&label, rows)?;
    cells.into_iter().map(|(cell, batches)| Ok((cell, canonical(&label, &inner, &grain, &Indicators::BLIND, &batches)?))).collect()
}

/// Gold (and silver) tables that an indicator's SQL reads, sorted.
fn reads(indicator: &Indicator) -> Result<BTreeSet<String>> {
    let texts: Vec<&str> = match &indicator.query {
        Query::Rows(rows) => vec![rows],
        Query::Value { value, evidence } => std::iter::once(value.as_str()).chain(evidence.as_deref()).collect(),
    };
    let mut tables = BTreeSet::new();
    for sql in texts {
        let found = table_refs(indicator.id(), sql)
            .map_err(|e| WarehouseError::Contract { table: indicator.id().to_string(), why: e.to_string() })?;
        tables.extend(found.into_iter().filter(|t| t.schema.as_deref() != Some("ask") && t.schema.is_some()).map(|t| t.to_string()));
    }
    Ok(tables)
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch
        .column_by_name(name)
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or_else(|| WarehouseError::Contract { table: "gold.indicator_value".to_string(), why: format!("no text column `{name}`") })
}

fn append(batch: &RecordBatch, more: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
    let mut columns = batch.columns().to_vec();
    for (name, array) in more {
        fields.push(Field::new(name, array.data_type().clone(), true));
        columns.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|source| WarehouseError::Arrow { table: "gold.indicator_value".to_string(), source })
}

/// Puts the partition columns back.
fn place(label: &str, batch: &RecordBatch, cell: &Cell) -> Result<RecordBatch> {
    let n = batch.num_rows();
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
    fields.push(Field::new("county", DataType::Utf8, true));
    fields.push(Field::new("month", DataType::Utf8, true));
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(StringArray::from(vec![cell.county.as_str(); n])));
    columns.push(Arc::new(StringArray::from(vec![cell.month.as_str(); n])));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|source| WarehouseError::Arrow { table: label.to_string(), source })
}

/// Rows of indicator-months that were not computed now.
fn keep_others(batch: &RecordBatch, done: &BTreeSet<(String, String)>) -> Result<RecordBatch> {
    let (ids, months) = (texts(batch, "indicator_id")?, texts(batch, "month")?);
    let keep: BooleanArray =
        (0..batch.num_rows()).map(|row| Some(!done.contains(&(ids.value(row).to_string(), months.value(row).to_string())))).collect();
    filter_record_batch(batch, &keep).map_err(|source| WarehouseError::Arrow { table: "gold.indicator_value".to_string(), source })
}

/// The contract's columns in its order.
fn shape(label: &str, schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = batch.column_by_name(field.name()).cloned().ok_or_else(|| WarehouseError::Contract {
                table: label.to_string(),
                why: format!("the engine gives no column `{}`", field.name()),
            })?;
            if column.data_type() == field.data_type() {
                Ok(column)
            } else {
                arrow::compute::cast(&column, field.data_type())
                    .map_err(|source| WarehouseError::Arrow { table: label.to_string(), source })
            }
        })
        .collect::<Result<Vec<_>>>()?;
    debug_assert!(columns.iter().all(|c| c.len() == batch.num_rows()));
    RecordBatch::try_new(schema.clone(), columns).map_err(|source| WarehouseError::Arrow { table: label.to_string(), source })
}
