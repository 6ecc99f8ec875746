//! Builds the silver tables of all datasets, in dependency order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use yaojia_models::contract::Dataset;

use crate::bronze::Retired;
use crate::delta::{Cell, FileEntry, Table, digest_in, read_file};
use crate::error::{Result, WarehouseError};
use crate::gold::{Fingerprint, part};
use crate::ledger::{CellMark, CellMarks, RunStamp};
use crate::silver::accept;
use crate::silver::compete::{CellCounts, Counts, Outcome, compete};
use crate::silver::index::Indexes;
use crate::silver::judge::{Judge, Judged, month_text};
use crate::silver::lookup;
use crate::silver::manifest::{Manifest, NeedFile, Needs, outputs};
use crate::silver::narrow::{self, Concerned, Scope};
use crate::silver::plan::{CountyPlan, Plan};
use crate::silver::quarantine::{self, QUARANTINE};
use crate::silver::rows::{Part, Rows};
use crate::silver::tables::Tables;
use crate::warehouse::Warehouse;

/// Bumped when judging or typing changes what comes out for the same bronze.
pub(super) const ENGINE: &str = "silver-2";
/// Bronze files judged at a time.
pub(super) const PARALLEL: usize = 2;
/// Name under which a dataset's own fingerprint stands in the cell ledger.
const WHOLE: &str = "*";

/// How much of a dataset is judged when something changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// What is concerned; everything where that is cheaper, or where what changed cannot be told.
    #[default]
    Cheapest,
    /// Everything.
    Whole,
    /// What is concerned, however much it is; everything where what changed cannot be told.
    Concerned,
}

/// How many rows were judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsJudged {
    /// Rows in bronze.
    pub held: u64,
    /// Of them, those judged.
    pub judged: u64,
    /// Why all were judged; null where only what is concerned was.
    pub whole: Option<String>,
}

/// What a silver build did.
#[derive(Debug, Default)]
pub struct SilverOutcome {
    /// Counts of the datasets that were built.
    pub counts: BTreeMap<String, Counts>,
    /// The same by county and month.
    pub by_cell: BTreeMap<String, BTreeMap<Cell, CellCounts>>,
    /// Cells replaced, by table.
    pub cells: BTreeMap<String, u64>,
    /// Rows judged of the datasets that were built.
    pub judged: BTreeMap<String, RowsJudged>,
}

/// Silver over one warehouse, as it is when it is first asked: tables are opened once.
#[derive(Debug)]
pub struct Silver<'a> {
    warehouse: &'a Warehouse,
    extent: Extent,
    only: Option<&'a BTreeSet<String>>,
    tables: Tables,
}

/// A dataset's build in hand.
pub(super) struct Job<'a> {
    pub dataset: &'a Dataset,
    pub plan: Arc<Plan>,
    pub bronze: Table,
    pub files: Vec<FileEntry>,
    pub retired: Arc<Retired>,
    pub run: &'a RunStamp,
    /// Silver tables the dataset refers to.
    tables: BTreeMap<String, Table>,
    needs: Needs,
}

/// Rows after they were judged and competed.
pub(super) struct Decided {
    pub indexes: Arc<Indexes>,
    pub judged: Vec<Judged>,
    pub outcome: Outcome,
}

/// What came of a dataset.
struct Built {
    counts: Counts,
    by_cell: BTreeMap<Cell, CellCounts>,
    cells: u64,
    judged: u64,
}

impl Warehouse {
    /// Its silver, all of it.
    #[must_use]
    pub fn silver(&self) -> Silver<'_> {
        Silver { warehouse: self, extent: Extent::default(), only: None, tables: Tables::default() }
    }
}

impl<'a> Silver<'a> {
    /// Judges this much where something changed.
    #[must_use]
    pub fn extent(mut self, extent: Extent) -> Self {
        self.extent = extent;
        self
    }

    /// Judges and builds these datasets alone; what they refer to is taken as stored.
    #[must_use]
    pub fn only(mut self, only: Option<&'a BTreeSet<String>>) -> Self {
        self.only = only;
        self
    }

    fn wants(&self, dataset: &Dataset) -> bool {
        self.only.is_none_or(|only| only.contains(&dataset.name))
    }

    /// Datasets whose inputs differ from what their silver was built from, in dependency order.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn stale(&self, marks: &CellMarks) -> Result<Vec<String>> {
        Ok(self.reasons(marks).await?.into_iter().map(|(name, _)| name).collect())
    }

    /// The same with the reason: `never_built`, `contract_changed`, `code_changed` (the engine's mark, the region), `input_changed`
    /// (bronze, or silver that it refers to).
    ///
    /// # Errors
    /// As the storage says.
    pub async fn reasons(&self, marks: &CellMarks) -> Result<Vec<(String, &'static str)>> {
        let mut stale: BTreeSet<String> = BTreeSet::new();
        let mut names = Vec::new();
        for dataset in self.warehouse.contracts.datasets().iter().filter(|dataset| self.wants(dataset)) {
            let Some(print) = self.fingerprint(dataset).await? else { continue };
            let upstream = || dataset.needs().iter().any(|n| stale.contains(*n)).then_some("input_changed");
            if let Some(reason) = self.reason(dataset, &print, marks).await?.or_else(upstream) {
                stale.insert(dataset.name.clone());
                names.push((dataset.name.clone(), reason));
            }
        }
        Ok(names)
    }

    /// Builds every stale dataset; `tell` hears each dataset's name before its build.
    ///
    /// # Errors
    /// [`WarehouseError::Balance`] when rows do not add up, else as the storage says.
    pub async fn build(&self, run: &RunStamp, marks: &mut CellMarks, tell: &(dyn Fn(&str) + Sync)) -> Result<SilverOutcome> {
        let mut outcome = SilverOutcome::default();
        for dataset in self.warehouse.contracts.datasets().iter().filter(|dataset| self.wants(dataset)) {
            // Asked again for each: an upstream build in this run may have changed what this one reads.
            let Some(print) = self.fingerprint(dataset).await? else { continue };
            if self.reason(dataset, &print, marks).await?.is_none() {
                continue;
            }
            let (table, whole, print) = (format!("silver.{}", dataset.name), Cell::new(WHOLE, WHOLE), print.text());
            tell(&dataset.name);
            let Some((built, judged)) = self.dataset(dataset, &print, run, marks).await? else { continue };
            outcome.counts.insert(dataset.name.clone(), built.counts);
            outcome.by_cell.insert(dataset.name.clone(), built.by_cell);
            outcome.cells.insert(table.clone(), built.cells);
            outcome.judged.insert(dataset.name.clone(), judged);
            marks.set(&table, whole, CellMark { fingerprint: print, ..CellMark::default() });
        }
        Ok(outcome)
    }

    /// Why a dataset is stale; `None`: it is fresh, and its tables are those the last build left. A build that is killed between tables and
    /// mark leaves others, which must not be trusted even where the inputs become again what they were.
    async fn reason(&self, dataset: &Dataset, print: &Fingerprint, marks: &CellMarks) -> Result<Option<&'static str>> {
        let mark = marks.get(&format!("silver.{}", dataset.name), &Cell::new(WHOLE, WHOLE));
        if let Some(reason) = print.reason(mark.map(|m| m.fingerprint.as_str())) {
            return Ok(Some(reason));
        }
        let held = Manifest::read(&self.warehouse.root, dataset, &print.text()).await?;
        let others = match held {
            Some(held) => held.outputs != self.outputs(dataset).await?,
            None => false,
        };
        Ok(others.then_some("never_built"))
    }

    /// Everything a dataset's silver depends on; `None` when it has no bronze yet.
    async fn fingerprint(&self, dataset: &Dataset) -> Result<Option<Fingerprint>> {
        let Some(bronze) = self.tables.get(&self.warehouse.root, "bronze", &dataset.name).await? else { return Ok(None) };
        let mut input = String::new();
        for file in bronze.files()? {
            input.push_str(&file.path);
            input.push('\n');
        }
        for need in dataset.needs() {
            if let Some(table) = self.tables.get(&self.warehouse.root, "silver", need).await? {
                for file in table.files()? {
                    input.push_str(need);
                    input.push_str(&format!(" {} {}\n", file.cell(), digest_in(&file.path).unwrap_or(&file.path)));
                }
            }
        }
        let code = format!("{ENGINE}\n{}", self.warehouse.region.code);
        Ok(Some(Fingerprint { contract: part(&dataset.digest()), code: part(&code), input: part(&input), ..Fingerprint::default() }))
    }

    async fn dataset(&self, dataset: &Dataset, print: &str, run: &RunStamp, marks: &mut CellMarks) -> Result<Option<(Built, RowsJudged)>> {
        let Some(bronze) = self.tables.get(&self.warehouse.root, "bronze", &dataset.name).await? else { return Ok(None) };
        let files = bronze.files()?;
        let (mut tables, mut needs) = (BTreeMap::new(), Needs::new());
        for need in dataset.needs() {
            if let Some(table) = self.tables.get(&self.warehouse.root, "silver", need).await? {
                needs.insert(need.to_string(), table.files()?.iter().map(NeedFile::of).collect());
                tables.insert(need.to_string(), table);
            }
        }
        let retired = Arc::new(Retired::read(&bronze, &files).await?);
        let job = Job { dataset, plan: Arc::new(Plan::new(dataset)?), bronze, files, retired, run, tables, needs };
        let mark = marks.get(&format!("silver.{}", dataset.name), &Cell::new(WHOLE, WHOLE)).map(|m| m.fingerprint.clone());
        let narrow = match self.concerned(&job, print, mark.as_deref(), marks).await {
            // A file that the last build stood on was vacuumed.
            Err(WarehouseError::Store { source: object_store::Error::NotFound { .. }, .. }) => Err("older files are gone"),
            other => other?,
        };
        let held = job.files.iter().map(|file| file.rows.unwrap_or_default()).sum();
        let (built, whole) = match narrow {
            Ok(built) => (built, None),
            Err(why) => (self.whole(&job, marks).await?, Some(why.to_string())),
        };
        if built.counts.received != built.counts.accounted() {
            return Err(WarehouseError::Balance {
                dataset: dataset.name.clone(),
                received: built.counts.received,
                accounted: built.counts.accounted(),
            });
        }
        let manifest = Manifest {
            print: print.to_string(),
            bronze: job.files.iter().map(|file| file.path.clone()).collect(),
            needs: job.needs.clone(),
            outputs: self.outputs(dataset).await?,
            counts: built.counts.clone(),
            cells: built.by_cell.iter().map(|(cell, counts)| (cell.county.clone(), cell.month.clone(), *counts)).collect(),
        };
        manifest.write(&self.warehouse.root, dataset, mark.as_deref()).await?;
        let judged = RowsJudged { held, judged: built.judged, whole };
        Ok(Some((built, judged)))
    }

    /// Marks datasets as built from the bronze files they have now. Only for those that were fresh and whose files were merged since: the rows
    /// are the same, so what is known of the last build holds on.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn remark(&self, datasets: &BTreeSet<String>, marks: &mut CellMarks) -> Result<()> {
        for dataset in self.warehouse.contracts.datasets().iter().filter(|dataset| datasets.contains(&dataset.name)) {
            let Some(print) = self.fingerprint(dataset).await?.map(|print| print.text()) else { continue };
            let Some(bronze) = self.tables.get(&self.warehouse.root, "bronze", &dataset.name).await? else { continue };
            let (table, whole) = (format!("silver.{}", dataset.name), Cell::new(WHOLE, WHOLE));
            let before = marks.get(&table, &whole).map(|mark| mark.fingerprint.clone()).unwrap_or_default();
            if let Some(mut held) = Manifest::read(&self.warehouse.root, dataset, &before).await? {
                held.print.clone_from(&print);
                held.bronze = bronze.files()?.into_iter().map(|file| file.path).collect();
                held.write(&self.warehouse.root, dataset, Some(&before)).await?;
            }
            marks.set(&table, whole, CellMark { fingerprint: print, ..CellMark::default() });
        }
        Ok(())
    }

    /// Hash of what is there of a dataset in silver.
    async fn outputs(&self, dataset: &Dataset) -> Result<String> {
        let silver = self.tables.get(&self.warehouse.root, "silver", &dataset.name).await?;
        let quarantine = self.tables.get(&self.warehouse.root, "silver", QUARANTINE).await?;
        outputs(dataset, silver.as_ref(), quarantine.as_ref())
    }

    /// Judges everything.
    async fn whole(&self, job: &Job<'_>, marks: &mut CellMarks) -> Result<Built> {
        let mut codes = BTreeSet::new();
        if let CountyPlan::Column(at) = job.plan.county {
            // Which counties rows name is learnt before they are judged.
            let name = job.plan.columns.get(at).map(|c| c.name.clone()).unwrap_or_default();
            for file in &job.files {
                for batch in read_file(&job.bronze.store(), job.bronze.label(), &file.path, Some(std::slice::from_ref(&name))).await? {
                    lookup::own_counties(&job.plan, &batch, &mut codes);
                }
            }
        }
        let indexes = lookup::load(&job.tables, &job.plan, &self.warehouse.region.code, &[&job.needs], &codes, None).await?;
        let rows = Rows { parts: job.files.iter().map(|file| Part::File(file.path.clone())).collect() };
        let now = self.decide(job, &rows, indexes.into_iter().next().unwrap_or_default()).await?;
        let mut table = self.silver(job.dataset).await?;
        let (wanted, gone) = accept::all_cells(job, &table, &now, marks)?;
        let mut cells = accept::replace(job, &mut table, &rows, &now, wanted, gone, marks).await?;
        self.tables.put(&table);
        cells += self.set_aside(job, &rows, &now, None, marks).await?;
        let by_cell = by_cell(&now);
        Ok(Built { counts: now.outcome.counts, by_cell, cells, judged: now.judged.len() as u64 })
    }

    /// Judges what is concerned by what changed since the last build; the inner error says why that cannot be told, or is not worth it.
    async fn concerned(
        &self,
        job: &Job<'_>,
        print: &str,
        mark: Option<&str>,
        marks: &mut CellMarks,
    ) -> Result<std::result::Result<Built, &'static str>> {
        if self.extent == Extent::Whole {
            return Ok(Err("asked for"));
        }
        let Some(mark) = mark else { return Ok(Err("never built")) };
        match (Fingerprint::parse(mark), Fingerprint::parse(print)) {
            (Some(old), Some(new)) if (&old.contract, &old.code) == (&new.contract, &new.code) => {}
            _ => return Ok(Err("contract or code changed")),
        }
        let Some(held) = Manifest::read(&self.warehouse.root, job.dataset, mark).await? else {
            return Ok(Err("nothing is known of the last build"));
        };
        if held.outputs != self.outputs(job.dataset).await? {
            return Ok(Err("the tables are not those of the last build"));
        }
        let always = self.extent == Extent::Concerned;
        let of = match narrow::scope(&job.bronze, &job.files, &job.plan, &job.tables, &held, &job.needs, always).await? {
            Scope::Groups(of) => of,
            Scope::Whole(why) => return Ok(Err(why)),
        };
        if of.groups.is_empty() {
            let by_cell = held.by_cell();
            return Ok(Ok(Built { counts: held.counts, by_cell, cells: 0, judged: 0 }));
        }
        let (before, now) = self.twice(job, &of, &held.needs).await?;
        let Some(counts) = held.counts.exchanged(&before.outcome.counts, &now.outcome.counts) else { return Ok(Err("counts do not fit")) };
        let mut by = held.by_cell();
        for (cell, out) in by_cell(&before) {
            match by.get(&cell).copied().unwrap_or_default().minus(out) {
                Some(left) => by.insert(cell, left),
                None => return Ok(Err("counts do not fit")),
            };
        }
        for (cell, into) in by_cell(&now) {
            let of = by.entry(cell).or_default();
            *of = of.plus(into);
        }
        by.retain(|_, counts| *counts != CellCounts::default());
        let mut table = self.silver(job.dataset).await?;
        let Some((wanted, gone)) = accept::cells_concerned(job, &table, &of.groups, &before, &now, marks).await? else {
            return Ok(Err("silver is not what the last build left"));
        };
        let quarantine = self.tables.get(&self.warehouse.root, "silver", QUARANTINE).await?;
        let Some(stays) = quarantine::stays(job, quarantine.as_ref(), &of.rows, &before, &now).await? else {
            return Ok(Err("the quarantine is not what the last build left"));
        };
        let mut cells = accept::replace(job, &mut table, &of.rows, &now, wanted, gone, marks).await?;
        self.tables.put(&table);
        cells += self.set_aside(job, &of.rows, &now, Some(stays), marks).await?;
        Ok(Ok(Built { counts, by_cell: by, cells, judged: now.judged.len() as u64 }))
    }

    /// What came of the rows concerned at the last build, and what comes of them now.
    async fn twice(&self, job: &Job<'_>, of: &Concerned, old: &Needs) -> Result<(Decided, Decided)> {
        let mut codes = BTreeSet::new();
        of.rows.held().for_each(|batch| lookup::own_counties(&job.plan, batch, &mut codes));
        let wanted = narrow::wanted(&job.plan, &of.rows)?;
        let indexes = lookup::load(&job.tables, &job.plan, &self.warehouse.region.code, &[old, &job.needs], &codes, Some(&wanted)).await?;
        let mut sides = indexes.into_iter();
        let (then, today) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
        let known = |row: &Judged| of.known.get(row.file as usize).copied().unwrap_or_default();
        let now = self.decide(job, &of.rows, today).await?;
        let mut judged = if of.references { self.judge(job, &of.rows, &Arc::new(then)).await? } else { now.judged.clone() };
        judged.retain(known);
        let outcome = compete(&judged);
        Ok((Decided { indexes: now.indexes.clone(), judged, outcome }, now))
    }

    async fn decide(&self, job: &Job<'_>, rows: &Rows, indexes: Indexes) -> Result<Decided> {
        let indexes = Arc::new(indexes);
        let judged = self.judge(job, rows, &indexes).await?;
        let outcome = compete(&judged);
        Ok(Decided { indexes, judged, outcome })
    }

    async fn judge(&self, job: &Job<'_>, rows: &Rows, indexes: &Arc<Indexes>) -> Result<Vec<Judged>> {
        let region = indexes.counties.find(&self.warehouse.region.code).unwrap_or(0);
        let (store, label) = (job.bronze.store(), job.bronze.label().to_string());
        let jobs = rows.parts.iter().cloned().enumerate().map(|(number, part)| {
            let (store, label, plan, indexes, retired) =
                (store.clone(), label.clone(), job.plan.clone(), indexes.clone(), job.retired.clone());
            async move {
                let batches = match part {
                    Part::File(path) => read_file(&store, &label, &path, None).await?,
                    Part::Held(batches) => batches,
                };
                tokio::task::spawn_blocking(move || {
                    let judge = Judge { plan: &plan, indexes: &indexes, retired: &retired, region };
                    let mut out = Vec::new();
                    let mut first = 0_u32;
                    for batch in &batches {
                        judge.batch(batch, u32::try_from(number).unwrap_or(u32::MAX), first, &mut out)?;
                        first += u32::try_from(batch.num_rows()).unwrap_or_default();
                    }
                    Ok::<_, WarehouseError>(out)
                })
                .await
                .map_err(|e| WarehouseError::Task(e.to_string()))?
            }
        });
        let mut judged = Vec::new();
        let mut stream = futures::stream::iter(jobs).buffered(PARALLEL);
        while let Some(part) = stream.next().await {
            judged.append(&mut part?);
        }
        Ok(judged)
    }

    /// The dataset's silver table, created where there is none.
    async fn silver(&self, dataset: &Dataset) -> Result<Table> {
        // The contract's columns are compared with the table's by this.
        let schema = dataset.silver_schema();
        Table::open_or_create(&self.warehouse.root, "silver", &dataset.name, &schema, &["county", "month"], &dataset.title).await
    }

    /// Replaces the dataset's part of the quarantine.
    async fn set_aside(
        &self,
        job: &Job<'_>,
        rows: &Rows,
        now: &Decided,
        stays: Option<quarantine::Stays>,
        marks: &mut CellMarks,
    ) -> Result<u64> {
        let held = self.tables.get(&self.warehouse.root, "silver", QUARANTINE).await?;
        let (table, changed) = quarantine::replace(&self.warehouse.root, held, job, rows, now, stays, marks).await?;
        if let Some(table) = table {
            self.tables.put(&table);
        }
        Ok(changed)
    }
}

fn by_cell(decided: &Decided) -> BTreeMap<Cell, CellCounts> {
    let mut by_cell: BTreeMap<Cell, CellCounts> = BTreeMap::new();
    for ((county, month), counts) in &decided.outcome.cells {
        let of = by_cell.entry(Cell::new(decided.indexes.counties.code(*county), month_text(*month))).or_default();
        *of = of.plus(*counts);
    }
    by_cell
}
