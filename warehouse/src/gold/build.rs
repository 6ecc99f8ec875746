//! Builds dimensions and facts whose inputs changed, cell by cell in judgement, table by table in work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::scalar::ScalarValue;
use yaojia_models::bundle::Model;
use yaojia_models::contract::{ReadWindow, TableContract};
use yaojia_models::graph::{Graph, table_refs};

use crate::delta::{Cell, CellRows, Change, FileEntry, Table, canonical, digest_in, file_schema, split_cells, write_cell};
use crate::error::{Result, WarehouseError};
use crate::gold::check::Candidate;
use crate::gold::{Fingerprint, Session, part, window};
use crate::ledger::{CellMark, CellMarks, Refused, RunStamp};
use crate::warehouse::Warehouse;

/// Bumped when our SQL functions or the way models run change what comes out for the same input.
const ENGINE: &str = "gold-1";

/// A cell that is not fresh, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct StaleCell {
    /// `gold.fact_receipt`.
    pub table: String,
    /// County.
    pub county: String,
    /// Month.
    pub month: String,
    /// `never_built`, `contract_changed`, `code_changed`, `input_changed`, `check_failed`.
    pub reason: String,
}

/// What a gold build did.
#[derive(Debug, Default)]
pub struct GoldOutcome {
    /// Cells there are (with rows or once with rows, stale or not), by table.
    pub all: BTreeMap<String, u64>,
    /// Cells judged stale, by table.
    pub stale: BTreeMap<String, u64>,
    /// Cells replaced, by table.
    pub cells: BTreeMap<String, u64>,
}

/// Facts and dimensions of one warehouse.
pub struct Gold<'a> {
    pub(super) warehouse: &'a Warehouse,
    only: Option<&'a BTreeSet<String>>,
}

impl Warehouse {
    /// Its facts and dimensions, all of them.
    #[must_use]
    pub fn gold(&self) -> Gold<'_> {
        Gold { warehouse: self, only: None }
    }
}

/// Cells of an input with their digests.
type Digests = BTreeMap<Cell, String>;

impl<'a> Gold<'a> {
    /// Judges and builds these (`gold.fact_receipt`) alone; what they read is taken as stored.
    #[must_use]
    pub fn only(mut self, only: Option<&'a BTreeSet<String>>) -> Self {
        self.only = only;
        self
    }

    /// Models in the order they must be built: what a model reads, refers to or is reconciled with comes before it.
    ///
    /// # Errors
    /// [`WarehouseError::Contract`] when SQL does not parse, models need each other, or one has no contract.
    pub fn order(&self) -> Result<Vec<(&Model, &TableContract, BTreeSet<String>)>> {
        let bad = |e: &dyn std::fmt::Display| WarehouseError::Contract { table: "gold".to_string(), why: e.to_string() };
        let mut known: BTreeMap<String, (&Model, &TableContract, BTreeSet<String>)> = BTreeMap::new();
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for model in self.warehouse.sql.models() {
            let name = format!("gold.{}", model.table);
            let contract = self
                .warehouse
                .contracts
                .gold_table(&model.table)
                .ok_or_else(|| WarehouseError::Contract { table: name.clone(), why: "there is SQL but no contract".to_string() })?;
            let reads: BTreeSet<String> = table_refs(&name, &model.text)
                .map_err(|e| bad(&e))?
                .iter()
                .filter(|r| r.schema.is_some())
                .map(ToString::to_string)
                .collect();
            let checked = contract.columns.iter().filter(|c| c.unknown.is_none()).filter_map(|c| self.warehouse.contracts.referenced(c));
            let before = checked.map(|(table, _)| format!("gold.{table}")).chain(contract.reconcile.iter().map(|r| r.with.clone()));
            needs.insert(name.clone(), reads.iter().cloned().chain(before).collect());
            known.insert(name, (model, contract, reads));
        }
        let levels = Graph::new(needs).map_err(|e| bad(&e))?.levels();
        Ok(levels.into_iter().flatten().filter_map(|name| known.remove(&name)).collect())
    }

    /// Every cell the table has or may have, with its fingerprint.
    fn fingerprints(
        &self,
        model: &Model,
        contract: &TableContract,
        inputs: &BTreeMap<String, Digests>,
        held: &BTreeSet<Cell>,
    ) -> BTreeMap<Cell, Fingerprint> {
        let print = |input: String| Fingerprint {
            contract: part(&contract.digest()),
            code: part(&format!("{ENGINE}\n{}\n{}", self.warehouse.region.code, model.text)),
            input,
            ..Fingerprint::default()
        };
        let windows: Vec<(&String, Option<ReadWindow>, &Digests)> =
            inputs.iter().map(|(name, digests)| (name, contract.window(name), digests)).collect();
        let by_cell = |w: &Option<ReadWindow>| window::by_cell(*w).is_some();
        let mut cells: BTreeSet<Cell> = held.clone();
        for (_, window, digests) in &windows {
            if by_cell(window) {
                cells.extend(digests.keys().cloned());
            }
        }
        // Tables read whole say the same in every cell: hashed once.
        let mut whole = String::new();
        for (name, _, digests) in windows.iter().filter(|(_, w, _)| !by_cell(w)) {
            for (cell, digest) in *digests {
                whole.push_str(&format!("{name} {cell} {digest}\n"));
            }
        }
        let whole = part(&whole);
        if !windows.iter().any(|(_, w, _)| by_cell(w)) {
            cells.insert(Cell::new("*", "*"));
            return cells.into_iter().map(|c| (c, print(whole.clone()))).collect();
        }
        cells
            .into_iter()
            .map(|cell| {
                let mut text = format!("{whole}\n");
                for (name, window, digests) in windows.iter().filter(|(_, w, _)| by_cell(w)) {
                    let Some((from, to)) = window::by_cell(*window) else { continue };
                    for (other, digest) in
                        digests.iter().filter(|(c, _)| c.county == cell.county && window::in_window(&cell.month, &c.month, from, to))
                    {
                        text.push_str(&format!("{name} {other} {digest}\n"));
                    }
                }
                (cell, print(part(&text)))
            })
            .collect()
    }

    /// Stale cells of every model as things stand now (models above a stale one are judged on what is stored).
    ///
    /// # Errors
    /// As the storage says.
    pub async fn plan(&self, marks: &CellMarks) -> Result<Vec<StaleCell>> {
        let refused = Refused::read(&self.warehouse.root).await?;
        let mut stale = Vec::new();
        for (model, contract, reads) in self.order()? {
            let label = format!("gold.{}", model.table);
            if self.only.is_some_and(|only| !only.contains(&label)) {
                continue;
            }
            let cells = stale_cells(&label, self.prints(model, contract, &reads, marks).await?, marks);
            let was_refused = refused.is(&label, &print_of(&cells));
            stale.extend(cells.into_iter().map(|(cell, (_, reason))| StaleCell {
                table: label.clone(),
                county: cell.county,
                month: cell.month,
                reason: if was_refused { "check_failed" } else { reason }.to_string(),
            }));
        }
        Ok(stale)
    }

    /// Prints of all cells, and the digests of those that are there. A cell that is only on record is among them: the table may have lost it.
    async fn prints(
        &self,
        model: &Model,
        contract: &TableContract,
        reads: &BTreeSet<String>,
        marks: &CellMarks,
    ) -> Result<(BTreeMap<Cell, Fingerprint>, Digests)> {
        let mut inputs = BTreeMap::new();
        for name in reads {
            inputs.insert(name.clone(), Table::digests(&self.warehouse.root, name).await?);
        }
        let label = format!("gold.{}", model.table);
        let held = Table::digests(&self.warehouse.root, &label).await?;
        let recorded = marks.of(&label).into_iter().filter(|(_, mark)| !mark.digest.is_empty()).map(|(cell, _)| cell);
        let cells: BTreeSet<Cell> = held.keys().cloned().chain(recorded).collect();
        Ok((self.fingerprints(model, contract, &inputs, &cells), held))
    }

    /// A model's rows by cell, as they would be published; only those of the given cells when some are given.
    ///
    /// # Errors
    /// [`WarehouseError::Sql`], or [`WarehouseError::Contract`] when the SQL does not give what the contract says.
    pub(crate) async fn rows(
        &self,
        session: &Session,
        model: &Model,
        contract: &TableContract,
        only: Option<&BTreeSet<Cell>>,
    ) -> Result<BTreeMap<Cell, CellRows>> {
        let label = format!("gold.{}", model.table);
        let schema = Arc::new(contract.arrow_schema());
        let parameters: BTreeMap<String, ScalarValue> = if model.text.contains("$region") {
            [("region".to_string(), ScalarValue::from(self.warehouse.region.code.as_str()))].into()
        } else {
            BTreeMap::new()
        };
        let batches = session.rows(&label, &wrap(model, &schema, only), &parameters).await?;
        let batches = batches.iter().map(|b| conform(&label, &schema, b)).collect::<Result<Vec<_>>>()?;
        let inner = file_schema(&schema);
        let grain: Vec<String> = contract.grain.iter().filter(|g| *g != "county" && *g != "month").cloned().collect();
        let mut rows = BTreeMap::new();
        let cells = split_cells(&label, &batches)?;
        drop(batches);
        for (cell, batches) in cells {
            if only.is_none_or(|cells| cells.contains(&cell)) {
                rows.insert(cell, canonical(&label, &inner, &grain, &[], &batches)?);
            }
        }
        Ok(rows)
    }

    /// Builds what is stale, level by level; `tell` hears each model's name.
    ///
    /// # Errors
    /// [`WarehouseError::Check`] when a candidate fails a check (its table keeps its old rows), [`WarehouseError::Sql`], or as the storage says.
    pub async fn build(
        &self,
        session: &Session,
        run: &RunStamp,
        marks: &mut CellMarks,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<GoldOutcome> {
        let mut outcome = GoldOutcome::default();
        for (model, contract, reads) in self.order()? {
            let label = format!("gold.{}", model.table);
            if self.only.is_some_and(|only| !only.contains(&label)) {
                continue;
            }
            let prints = self.prints(model, contract, &reads, marks).await?;
            let count = prints.0.len();
            outcome.all.insert(label.clone(), count as u64);
            let stale = stale_cells(&label, prints, marks);
            if stale.is_empty() {
                continue;
            }
            tell(&model.table);
            outcome.stale.insert(label.clone(), stale.len() as u64);
            let clock = std::time::Instant::now();
            let all = stale.len() == count;
            let whole = all || stale.contains_key(&Cell::new("*", "*"));
            let named: BTreeSet<Cell> = stale.keys().cloned().collect();
            // Only what the stale cells may read, as the contract says: that nothing else matters is what `prove` proves.
            for name in &reads {
                let window = contract.window(name);
                session
                    .see_cells(&self.warehouse.root, &self.warehouse.contracts, name, &|cell| {
                        whole || window::reaches(window, &named, cell)
                    })
                    .await?;
            }
            let changed = self.table(session, model, contract, &reads, &stale, whole, run, marks).await?;
            tracing::debug!(model = label, seconds = ?clock.elapsed(), "model");
            outcome.cells.insert(label, changed);
        }
        Ok(outcome)
    }

    #[expect(clippy::too_many_arguments, reason = "one step of the build, split off for reading")]
    async fn table(
        &self,
        session: &Session,
        model: &Model,
        contract: &TableContract,
        reads: &BTreeSet<String>,
        stale: &BTreeMap<Cell, (Fingerprint, &'static str)>,
        whole: bool,
        run: &RunStamp,
        marks: &mut CellMarks,
    ) -> Result<u64> {
        let label = format!("gold.{}", model.table);
        let named: BTreeSet<Cell> = stale.keys().cloned().collect();
        let rows = self.rows(session, model, contract, (!whole).then_some(&named)).await?;
        let schema = Arc::new(contract.arrow_schema());
        let mut table =
            Table::open_or_create(&self.warehouse.root, "gold", &model.table, &schema, &["county", "month"], &contract.title).await?;
        let active: BTreeMap<Cell, Vec<FileEntry>> = table.files_by_cell()?;
        let concerned = |cell: &Cell| whole || stale.contains_key(cell);
        let emptied: BTreeSet<Cell> = active.keys().chain(&named).filter(|c| concerned(c) && !rows.contains_key(*c)).cloned().collect();
        let print = print_of(stale);
        let candidate = Candidate { contract, rows: &rows, emptied: &emptied, whole, print: &print };
        candidate.check(session, &self.warehouse.root, &self.warehouse.contracts, run).await?;
        let mut change = Change { info: vec![("yaojia.run".to_string(), run.id.clone())], ..Change::default() };
        let mut fresh: BTreeMap<Cell, CellMark> = BTreeMap::new();
        for (cell, rows) in rows {
            let mark = CellMark { fingerprint: String::new(), digest: rows.digest.clone(), rows: rows.batch.num_rows() as u64 };
            let held = active.get(&cell).map(Vec::as_slice).unwrap_or_default();
            if !(held.len() == 1 && digest_in(&held[0].path) == Some(rows.digest.as_str())) {
                let partition = vec![("county".to_string(), cell.county.clone()), ("month".to_string(), cell.month.clone())];
                change.remove.extend(held.iter().map(|f| f.path.clone()));
                change.add.push(write_cell(&table.store(), &label, partition, rows, run.seq).await?);
            }
            fresh.insert(cell, mark);
        }
        for (cell, files) in active.iter().filter(|(cell, _)| emptied.contains(*cell)) {
            change.remove.extend(files.iter().map(|f| f.path.clone()));
            fresh.insert(cell.clone(), CellMark::default());
        }
        let changed = change.add.len().max(change.remove.len()) as u64;
        if changed > 0 {
            change.positions.push(("yaojia".to_string(), run.seq));
            table.commit(change).await?;
        }
        // The mark of a cell that has rows now but was no candidate before needs its print: ask again with the table as it is.
        for (cell, print) in self.prints(model, contract, reads, marks).await?.0 {
            if concerned(&cell) {
                let mark = fresh.remove(&cell).unwrap_or_default();
                marks.set(&label, cell, CellMark { fingerprint: print.text(), ..mark });
            }
        }
        // A cell that was emptied and is no candidate any more: its record says so, too.
        for (cell, mark) in fresh.into_iter().filter(|(cell, _)| emptied.contains(cell)) {
            marks.set(&label, cell, mark);
        }
        Ok(changed)
    }
}

/// The cells that are not fresh, each with its print and the reason. A cell is fresh only when it is there as its mark says: a build
/// that is killed between table and marks leaves another.
fn stale_cells(
    label: &str,
    (prints, held): (BTreeMap<Cell, Fingerprint>, Digests),
    marks: &CellMarks,
) -> BTreeMap<Cell, (Fingerprint, &'static str)> {
    let stale = prints.into_iter().filter_map(|(cell, print)| {
        let mark = marks.get(label, &cell).filter(|mark| !mark.fingerprint.is_empty());
        let as_marked = mark.is_none_or(|mark| mark.digest == held.get(&cell).map_or("", String::as_str));
        let reason = print.reason(mark.map(|mark| mark.fingerprint.as_str())).or((!as_marked).then_some("never_built"))?;
        Some((cell, (print, reason)))
    });
    stale.collect()
}

/// One print of all that a table would be built from now.
fn print_of(stale: &BTreeMap<Cell, (Fingerprint, &'static str)>) -> String {
    part(&stale.iter().map(|(cell, (print, _))| format!("{cell} {}\n", print.text())).collect::<String>())
}

/// The model around which the builder asks for the contract's columns and, when only some cells are wanted, for these only.
fn wrap(model: &Model, schema: &SchemaRef, only: Option<&BTreeSet<Cell>>) -> String {
    let columns: Vec<String> = schema.fields().iter().map(|f| format!("model.{}", f.name())).collect();
    let filter = only.map_or_else(String::new, |only| {
        let list = |values: BTreeSet<&str>| values.into_iter().map(|v| format!("'{v}'")).collect::<Vec<_>>().join(", ");
        let counties = list(only.iter().map(|c| c.county.as_str()).collect());
        let months = list(only.iter().map(|c| c.month.as_str()).collect());
        format!("\nWHERE model.county IN ({counties})\n  AND model.month IN ({months})")
    });
    format!("SELECT {}\nFROM (\n{}\n) AS model{filter}", columns.join(", "), model.text.trim().trim_end_matches(';'))
}

/// Casts a result to the contract's types and order.
fn conform(label: &str, schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
    let arrow = |source| WarehouseError::Arrow { table: label.to_string(), source };
    let columns = schema
        .fields()
        .iter()
        .map(|field| -> Result<ArrayRef> {
            let column = batch.column_by_name(field.name()).ok_or_else(|| WarehouseError::Contract {
                table: label.to_string(),
                why: format!("the SQL gives no column `{}`", field.name()),
            })?;
            if column.data_type() == field.data_type() { Ok(column.clone()) } else { cast(column, field.data_type()).map_err(arrow) }
        })
        .collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(arrow)
}
