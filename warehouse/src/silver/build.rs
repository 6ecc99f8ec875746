//! Builds the silver tables of all datasets, in dependency order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Decimal128Type;
use arrow::record_batch::RecordBatch;
use futures::StreamExt as _;
use yaojia_models::contract::{Dataset, Registry};
use yaojia_models::digest::sha256_hex;

use crate::bronze::Retired;
use crate::delta::{Cell, Change, FileEntry, NewFile, Table, canonical, digest_in, file_schema, read_file, write_cell};
use crate::error::{Result, WarehouseError};
use crate::ledger::{CellMark, CellMarks, RunStamp};
use crate::silver::compete::{CellCounts, Counts, Outcome, compete};
use crate::silver::index::{Indexes, KeyIndex, name_of};
use crate::silver::judge::{Judge, Judged, month_text};
use crate::silver::plan::Plan;
use crate::silver::quarantine;
use crate::silver::typed::{Pick, typed_batch};
use crate::store::Root;

/// Bumped when judging or typing changes what comes out for the same bronze.
const ENGINE: &str = "silver-1";
/// Bronze files judged at a time.
const PARALLEL: usize = 2;
/// Name under which a dataset's own fingerprint stands in the cell ledger.
pub(super) const WHOLE: &str = "*";

/// What a silver build did.
#[derive(Debug, Default)]
pub struct SilverOutcome {
    /// Counts of the datasets that were built.
    pub counts: BTreeMap<String, Counts>,
    /// The same by county and month.
    pub by_cell: BTreeMap<String, BTreeMap<Cell, CellCounts>>,
    /// Cells replaced, by table.
    pub cells: BTreeMap<String, u64>,
}

/// Silver over one warehouse.
pub struct Silver<'a> {
    /// Warehouse root.
    pub root: &'a Root,
    /// All contracts.
    pub registry: &'a Registry,
    /// Region code.
    pub region: &'a str,
    /// Only these datasets are judged and built; what they refer to is taken as stored.
    pub only: Option<&'a BTreeSet<String>>,
}

impl Silver<'_> {
    fn wants(&self, dataset: &Dataset) -> bool {
        self.only.is_none_or(|only| only.contains(&dataset.name))
    }

    /// Datasets whose inputs differ from what their silver was built from, in dependency order.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn stale(&self, marks: &CellMarks) -> Result<Vec<String>> {
        let mut stale: BTreeSet<String> = BTreeSet::new();
        let mut names = Vec::new();
        for dataset in self.registry.datasets().iter().filter(|dataset| self.wants(dataset)) {
            let Some(print) = self.fingerprint(dataset).await? else { continue };
            let mark = marks.get(&format!("silver.{}", dataset.name), &Cell::new(WHOLE, WHOLE));
            if mark.is_none_or(|m| m.fingerprint != print) || dataset.needs().iter().any(|n| stale.contains(*n)) {
                stale.insert(dataset.name.clone());
                names.push(dataset.name.clone());
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
        for dataset in self.registry.datasets().iter().filter(|dataset| self.wants(dataset)) {
            // Asked again for each: an upstream build in this run may have changed what this one reads.
            let Some(print) = self.fingerprint(dataset).await? else { continue };
            let table = format!("silver.{}", dataset.name);
            let whole = Cell::new(WHOLE, WHOLE);
            if marks.get(&table, &whole).is_some_and(|m| m.fingerprint == print) {
                continue;
            }
            tell(&dataset.name);
            let (counts, by_cell, cells) = self.dataset(dataset, run, marks).await?;
            outcome.counts.insert(dataset.name.clone(), counts);
            outcome.by_cell.insert(dataset.name.clone(), by_cell);
            outcome.cells.insert(table.clone(), cells);
            marks.set(&table, whole, CellMark { fingerprint: print, ..CellMark::default() });
        }
        Ok(outcome)
    }

    /// Hash of everything a dataset's silver depends on; `None` when it has no bronze yet.
    pub(super) async fn fingerprint(&self, dataset: &Dataset) -> Result<Option<String>> {
        let Some(bronze) = Table::open(self.root, "bronze", &dataset.name).await? else { return Ok(None) };
        let mut text = format!("{ENGINE}\n{}\n{}\n", self.region, dataset.digest());
        for file in bronze.files()? {
            text.push_str(&file.path);
            text.push('\n');
        }
        for need in dataset.needs() {
            if let Some(table) = Table::open(self.root, "silver", need).await? {
                for file in table.files()? {
                    text.push_str(need);
                    text.push_str(&format!(" {} {}\n", file.cell(), digest_in(&file.path).unwrap_or(&file.path)));
                }
            }
        }
        Ok(Some(sha256_hex(text.as_bytes())))
    }

    async fn dataset(&self, dataset: &Dataset, run: &RunStamp, marks: &mut CellMarks) -> Result<(Counts, BTreeMap<Cell, CellCounts>, u64)> {
        let Some(bronze) = Table::open(self.root, "bronze", &dataset.name).await? else { return Ok(Default::default()) };
        let plan = Arc::new(Plan::new(dataset)?);
        let indexes = Arc::new(self.indexes(&plan).await?);
        let region = indexes.counties.find(self.region).unwrap_or(0);
        let files = bronze.files()?;
        let retired = Arc::new(Retired::read(&bronze, &files).await?);
        let rows = self.judge(&bronze, &files, &plan, &indexes, &retired, region).await?;
        let outcome = compete(&rows);
        if outcome.counts.received != outcome.counts.accounted() {
            return Err(WarehouseError::Balance {
                dataset: dataset.name.clone(),
                received: outcome.counts.received,
                accounted: outcome.counts.accounted(),
            });
        }
        let mut changed = self.accept(dataset, &plan, &indexes, &bronze, &files, &rows, &outcome, run, marks).await?;
        changed +=
            quarantine::replace(self.root, dataset, &plan, &indexes, &bronze, &files, &rows, &outcome.quarantined, run, marks).await?;
        let mut by_cell: BTreeMap<Cell, CellCounts> = BTreeMap::new();
        for ((county, month), counts) in outcome.cells {
            let of = by_cell.entry(Cell::new(indexes.counties.code(county), month_text(month))).or_default();
            *of = of.plus(counts);
        }
        Ok((outcome.counts, by_cell, changed))
    }

    async fn judge(
        &self,
        bronze: &Table,
        files: &[FileEntry],
        plan: &Arc<Plan>,
        indexes: &Arc<Indexes>,
        retired: &Arc<Retired>,
        region: u16,
    ) -> Result<Vec<Judged>> {
        let store = bronze.store();
        let jobs = files.iter().enumerate().map(|(number, file)| {
            let (store, plan, indexes, retired, path, label) =
                (store.clone(), plan.clone(), indexes.clone(), retired.clone(), file.path.clone(), bronze.label().to_string());
            async move {
                let batches = read_file(&store, &label, &path, None).await?;
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
        let mut rows = Vec::new();
        let mut stream = futures::stream::iter(jobs).buffered(PARALLEL);
        while let Some(part) = stream.next().await {
            rows.append(&mut part?);
        }
        Ok(rows)
    }

    /// Replaces the silver cells whose accepted rows differ from what is there.
    #[expect(clippy::too_many_arguments, reason = "one step of the build, split off for reading")]
    async fn accept(
        &self,
        dataset: &Dataset,
        plan: &Plan,
        indexes: &Indexes,
        bronze: &Table,
        files: &[FileEntry],
        rows: &[Judged],
        outcome: &Outcome,
        run: &RunStamp,
        marks: &mut CellMarks,
    ) -> Result<u64> {
        let mut table =
            Table::open_or_create(self.root, "silver", &dataset.name, &dataset.silver_schema(), &["county", "month"], &dataset.title)
                .await?;
        let label = table.label().to_string();
        let mut by_cell: BTreeMap<(u16, i32), Vec<usize>> = BTreeMap::new();
        for i in &outcome.accepted {
            by_cell.entry((rows[*i].county, rows[*i].month)).or_default().push(*i);
        }
        let mut wanted: BTreeMap<Cell, (String, Vec<usize>)> = BTreeMap::new();
        for ((county, month), list) in by_cell {
            let cell = Cell::new(indexes.counties.code(county), month_text(month));
            let print = cell_fingerprint(dataset, rows, &list);
            wanted.insert(cell, (print, list));
        }
        let active: BTreeMap<Cell, Vec<FileEntry>> = table.files_by_cell()?;
        // A cell is fresh only when the mark says so and its file is really there.
        wanted.retain(|cell, (print, _)| {
            let there = active.get(cell).and_then(|f| f.first()).and_then(|f| digest_in(&f.path));
            marks.get(&label, cell).is_none_or(|m| m.fingerprint != *print || there != Some(m.digest.as_str()))
        });
        let all: BTreeSet<Cell> =
            outcome.accepted.iter().map(|i| Cell::new(indexes.counties.code(rows[*i].county), month_text(rows[*i].month))).collect();
        let gone: Vec<Cell> = active.keys().filter(|c| !all.contains(*c)).cloned().collect();
        let built = self.type_cells(dataset, plan, bronze, files, rows, &wanted, &table, run).await?;
        let mut change = Change { info: vec![("yaojia.run".to_string(), run.id.clone())], ..Change::default() };
        let mut new_marks = Vec::new();
        for (cell, file) in built {
            let digest = digest_in(&file.path).unwrap_or_default().to_string();
            let print = wanted.get(&cell).map(|w| w.0.clone()).unwrap_or_default();
            new_marks.push((cell.clone(), CellMark { fingerprint: print, digest, rows: file.rows }));
            let held = active.get(&cell).map(Vec::as_slice).unwrap_or_default();
            if held.len() == 1 && digest_in(&held[0].path) == digest_in(&file.path) {
                continue; // rows came another way, but they say the same
            }
            change.remove.extend(held.iter().map(|f| f.path.clone()));
            change.add.push(file);
        }
        for cell in gone {
            change.remove.extend(active.get(&cell).into_iter().flatten().map(|f| f.path.clone()));
            new_marks.push((cell, CellMark { fingerprint: String::new(), digest: String::new(), rows: 0 }));
        }
        let changed = change.add.len().max(change.remove.len()) as u64;
        if changed > 0 {
            change.positions.push(("yaojia".to_string(), run.seq));
            table.commit(change).await?;
        }
        for (cell, mark) in new_marks {
            marks.set(&label, cell, mark);
        }
        Ok(changed)
    }

    /// Types the rows of the wanted cells and writes one file a cell; each bronze file is read once.
    #[expect(clippy::too_many_arguments, reason = "one step of the build, split off for reading")]
    async fn type_cells(
        &self,
        dataset: &Dataset,
        plan: &Plan,
        bronze: &Table,
        files: &[FileEntry],
        rows: &[Judged],
        wanted: &BTreeMap<Cell, (String, Vec<usize>)>,
        table: &Table,
        run: &RunStamp,
    ) -> Result<Vec<(Cell, NewFile)>> {
        let schema = file_schema(&dataset.silver_schema());
        let grain: Vec<String> = dataset.key.iter().map(|k| dataset.silver_name(k).to_string()).collect();
        let label = table.label().to_string();
        // file → cell number → positions
        let names: Vec<&Cell> = wanted.keys().collect();
        let mut by_file: BTreeMap<u32, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
        let mut open_files: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); names.len()];
        for (n, (_, list)) in wanted.values().enumerate() {
            for i in list {
                by_file.entry(rows[*i].file).or_default().entry(n).or_default().push(*i);
                open_files[n].insert(rows[*i].file);
            }
        }
        let mut parts: Vec<Vec<RecordBatch>> = vec![Vec::new(); names.len()];
        let mut built = Vec::new();
        for (number, cells) in by_file {
            let path = files.get(number as usize).map(|f| f.path.as_str()).unwrap_or_default();
            let batches = read_file(&bronze.store(), bronze.label(), path, None).await?;
            for (n, list) in cells {
                let mut at: BTreeMap<usize, Vec<Pick>> = BTreeMap::new();
                let starts: Vec<u32> = batches
                    .iter()
                    .scan(0_u32, |first, b| {
                        let start = *first;
                        *first += u32::try_from(b.num_rows()).unwrap_or_default();
                        Some(start)
                    })
                    .collect();
                for i in list {
                    let row = &rows[i];
                    let batch = starts.partition_point(|s| *s <= row.position).saturating_sub(1);
                    at.entry(batch).or_default().push(Pick {
                        row: row.position - starts[batch],
                        warnings: row.warnings,
                        convrat: row.convrat,
                    });
                }
                for (batch, picks) in at {
                    parts[n].push(typed_batch(dataset, plan, &schema, &batches[batch], &picks)?);
                }
                open_files[n].remove(&number);
                if open_files[n].is_empty() {
                    let batches = std::mem::take(&mut parts[n]);
                    let sorted = canonical(&label, &schema, &grain, &[], &batches)?;
                    let partition = vec![("county".to_string(), names[n].county.clone()), ("month".to_string(), names[n].month.clone())];
                    built.push((names[n].clone(), write_cell(&table.store(), &label, partition, sorted, run.seq).await?));
                }
            }
        }
        Ok(built)
    }

    /// Loads the indexes a dataset needs from the silver tables built before it.
    async fn indexes(&self, plan: &Plan) -> Result<Indexes> {
        let mut indexes = Indexes::default();
        indexes.counties.number(self.region);
        for name in plan.needs() {
            let mut index = KeyIndex::default();
            if let Some((dataset, column)) = name.split_once('.') {
                self.fill(dataset, column, &mut index, &mut indexes.counties).await?;
            }
            indexes.keys.insert(name, index);
        }
        if plan.dataset == "institution" || plan.dataset == "admdvs" {
            self.own_counties(plan, &mut indexes).await?;
        }
        if plan.fee.is_some() {
            indexes.convrat = self.convrat().await?;
        }
        Ok(indexes)
    }

    async fn fill(&self, dataset: &str, column: &str, index: &mut KeyIndex, counties: &mut crate::silver::index::Counties) -> Result<()> {
        let Some(table) = Table::open(self.root, "silver", dataset).await? else { return Ok(()) };
        let wanted = [column.to_string()];
        for file in table.files()? {
            let county = counties.number(&file.part("county"));
            for batch in read_file(&table.store(), table.label(), &file.path, Some(&wanted)).await? {
                let Some(values) = batch.column_by_name(column).and_then(|c| c.as_string_opt::<i32>()) else { continue };
                values.iter().flatten().for_each(|v| index.insert(v, county));
            }
        }
        Ok(())
    }

    /// An institution's county is its own column: learn the codes that occur before judging.
    async fn own_counties(&self, plan: &Plan, indexes: &mut Indexes) -> Result<()> {
        let crate::silver::plan::CountyPlan::Column(at) = plan.county else { return Ok(()) };
        let Some(bronze) = Table::open(self.root, "bronze", &plan.dataset).await? else { return Ok(()) };
        let name = plan.columns.get(at).map(|c| c.name.clone()).unwrap_or_default();
        let mut codes = BTreeSet::new();
        for file in bronze.files()? {
            for batch in read_file(&bronze.store(), bronze.label(), &file.path, Some(std::slice::from_ref(&name))).await? {
                if let Some(values) = batch.column_by_name(&name).and_then(|c| c.as_string_opt::<i32>()) {
                    codes.extend(values.iter().flatten().filter_map(yaojia_models::text::clean).map(ToString::to_string));
                }
            }
        }
        codes.iter().for_each(|c| {
            indexes.counties.number(c);
        });
        Ok(())
    }

    async fn convrat(&self) -> Result<HashMap<u128, i128>> {
        let mut ratios = HashMap::new();
        let Some(table) = Table::open(self.root, "silver", "list_map").await? else { return Ok(ratios) };
        let wanted = ["fixmedins_code", "medins_list_codg", "convrat"].map(ToString::to_string);
        for file in table.files()? {
            for batch in read_file(&table.store(), table.label(), &file.path, Some(&wanted)).await? {
                let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
                let number = batch.column_by_name("convrat").and_then(|c| c.as_primitive_opt::<Decimal128Type>());
                let (Some(orgs), Some(codes), Some(values)) = (text("fixmedins_code"), text("medins_list_codg"), number) else { continue };
                for ((org, code), value) in orgs.iter().zip(codes.iter()).zip(values.iter()) {
                    if let (Some(org), Some(code), Some(value)) = (org, code, value) {
                        ratios.insert(name_of([org.as_bytes(), code.as_bytes()]), value);
                    }
                }
            }
        }
        Ok(ratios)
    }
}

/// What a cell is built from: the accepted rows' contents and what judging added, in any order.
fn cell_fingerprint(dataset: &Dataset, rows: &[Judged], list: &[usize]) -> String {
    let mut sum = 0_u128;
    for i in list {
        let row = &rows[*i];
        sum = sum.wrapping_add(name_of([
            row.content.to_be_bytes().as_slice(),
            &[row.warnings],
            row.convrat.to_be_bytes().as_slice(),
            row.receipt.0.to_be_bytes().as_slice(),
            row.receipt.1.to_be_bytes().as_slice(),
            row.receipt.2.to_be_bytes().as_slice(),
        ]));
    }
    sha256_hex(format!("{ENGINE}\n{}\n{}\n{sum:032x}", dataset.digest(), list.len()).as_bytes())
}
