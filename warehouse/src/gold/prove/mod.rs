//! Proof of determinism: a model, run again over the released tables under other thread counts, batch sizes and orders of its input,
//! must give the same canonical digests every time, and those that are published. Nothing is written.
//!
//! Run on no more than the cells it says it reads ([`cut`]), it must give them too: what a declaration leaves out cannot have mattered.

mod cut;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::datasource::MemTable;
use serde::Serialize;
use yaojia_models::bundle::Model;
use yaojia_models::card::Indicator;
use yaojia_models::digest::sha256_hex;

use crate::delta::{Cell, CellRows, Table, canonical, digest_in, file_schema, read_file};
use crate::error::{Result, WarehouseError};
use crate::gold::session::{empty_schema, place, plain};
use crate::gold::{Gold, Indicators, Session};
use crate::ledger::Release;
use crate::warehouse::Warehouse;

/// How the rows of the input tables are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Files by name, rows as stored.
    Stored,
    /// Files the other way round, rows as stored.
    Reversed,
    /// All rows of a table in an order that follows from the number alone.
    Shuffled(u32),
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stored => f.write_str("as stored"),
            Self::Reversed => f.write_str("files reversed"),
            Self::Shuffled(seed) => write!(f, "rows shuffled ({seed})"),
        }
    }
}

/// One way to run a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Variant {
    /// Threads the plan is laid out for, and parts the input comes in.
    pub threads: usize,
    /// Rows of a batch, of the engine and of the input.
    pub batch_rows: usize,
    /// Order of the input.
    pub order: Order,
}

/// The ways a model is run; the first and the third alone make a quick proof.
pub const VARIANTS: [Variant; 5] = [
    Variant { threads: 1, batch_rows: 8192, order: Order::Stored },
    Variant { threads: 2, batch_rows: 1024, order: Order::Reversed },
    Variant { threads: 3, batch_rows: 100, order: Order::Shuffled(1) },
    Variant { threads: 4, batch_rows: 8192, order: Order::Shuffled(2) },
    Variant { threads: 8, batch_rows: 333, order: Order::Shuffled(3) },
];

impl std::fmt::Display for Variant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} threads, {} rows a batch, {}", self.threads, self.batch_rows, self.order)
    }
}

/// What a variant gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// The variant.
    #[serde(flatten)]
    pub variant: Variant,
    /// Digest over all cells.
    pub digest: String,
}

/// What came out for a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// `gold.fact_receipt`, or an indicator's id.
    pub model: String,
    /// Cells it gives.
    pub cells: u64,
    /// Rows it gives.
    pub rows: u64,
    /// Cells not compared with the published ones, being stale: a build would replace them.
    pub stale: u64,
    /// Cells (of an indicator: months) that were made again from no more than what is declared to be read.
    pub cut: u64,
    /// The variants.
    pub variants: Vec<Ran>,
    /// Where it is not what it should be, in words; null when all is equal.
    pub difference: Option<String>,
}

/// What is stale now and therefore not to be compared with what is published.
#[derive(Debug, Clone, Default)]
pub struct Stale {
    /// Table (`gold.fact_receipt`) or indicator → counties (or `*`) and months.
    pub cells: BTreeMap<String, BTreeSet<Cell>>,
}

impl Stale {
    fn has(&self, model: &str, cell: &Cell) -> bool {
        let whole = [cell.clone(), Cell::new("*", cell.month.as_str()), Cell::new("*", "*")];
        self.cells.get(model).is_some_and(|cells| whole.iter().any(|cell| cells.contains(cell)))
    }
}

/// Rows by table and cell.
pub(crate) type Rows = BTreeMap<(String, Cell), CellRows>;

/// The ways to run a model: all of [`VARIANTS`], or two that differ in everything.
fn variants(quick: bool) -> Vec<Variant> {
    if quick { vec![VARIANTS[0], VARIANTS[2]] } else { VARIANTS.to_vec() }
}

/// A table's columns, and its rows by the cell their file belongs to.
type Shelved = (SchemaRef, Vec<(Cell, RecordBatch)>);

/// Input tables of a release, read once.
pub struct Prover<'a> {
    warehouse: &'a Warehouse,
    release: &'a Release,
    quick: bool,
    shelf: BTreeMap<String, Shelved>,
}

impl<'a> Prover<'a> {
    /// A prover over a release; a quick one runs two variants only.
    #[must_use]
    pub fn new(warehouse: &'a Warehouse, release: &'a Release, quick: bool) -> Self {
        Self { warehouse, release, quick, shelf: BTreeMap::new() }
    }

    /// Proves a dimension or fact.
    ///
    /// # Errors
    /// As the storage or the engine says; a difference is no error.
    pub async fn model(&mut self, gold: &Gold<'_>, model: &Model, stale: &Stale) -> Result<Proof> {
        let label = format!("gold.{}", model.table);
        let contract = self
            .warehouse
            .contracts
            .gold_table(&model.table)
            .ok_or_else(|| WarehouseError::Contract { table: label.clone(), why: "there is SQL but no contract".to_string() })?;
        let inputs: BTreeSet<String> = yaojia_models::graph::table_refs(&label, &model.text)
            .map_err(|e| WarehouseError::Contract { table: label.clone(), why: e.to_string() })?
            .iter()
            .map(ToString::to_string)
            .collect();
        let mut runs = Runs::new(label.clone());
        for variant in variants(self.quick) {
            let session = self.session(&inputs, variant).await?;
            let rows = gold.rows(&session, model, contract, None).await?;
            runs.add(variant, rows.into_iter().map(|(cell, rows)| ((label.clone(), cell), rows)).collect());
        }
        let cut = self.cut_model(gold, model, contract, &inputs, &runs.first).await?;
        let published = self.published(&model.table, None).await?;
        runs.cut(cut);
        Ok(runs.proof(&published, stale, &self.grains()))
    }

    /// Proves an indicator: its values, alerts and evidence.
    ///
    /// # Errors
    /// As [`Prover::model`].
    pub async fn indicator(&mut self, indicators: &Indicators<'_>, indicator: &Indicator, stale: &Stale) -> Result<Proof> {
        let mut inputs = Indicators::tables(indicator)?;
        inputs.extend(Indicators::DIMENSIONS.map(|name| format!("gold.{name}")));
        let mut runs = Runs::new(indicator.id().to_string());
        for variant in variants(self.quick) {
            let session = self.session(&inputs, variant).await?;
            let register = self.register().await?;
            runs.add(variant, indicators.computed(&session, indicator, &register, indicators.months(), &[]).await?);
        }
        let cut = self.cut_indicator(indicators, indicator, &inputs, &runs.first).await?;
        runs.cut(cut);
        let mut published = BTreeMap::new();
        for table in Indicators::TABLES {
            published.append(&mut self.published(table, Some(indicator.id())).await?);
        }
        Ok(runs.proof(&published, stale, &self.grains()))
    }

    /// The exemption register.
    async fn register(&mut self) -> Result<Vec<RecordBatch>> {
        self.fill("silver.exemption").await?;
        Ok(self.shelf.get("silver.exemption").map(|(_, files)| files.iter().map(|(_, rows)| rows.clone()).collect()).unwrap_or_default())
    }

    fn grains(&self) -> BTreeMap<String, Vec<String>> {
        self.warehouse.contracts.gold().iter().map(|t| (format!("gold.{}", t.name), t.grain.clone())).collect()
    }

    /// A session of the variant with the input tables laid out as it says.
    async fn session(&mut self, inputs: &BTreeSet<String>, variant: Variant) -> Result<Session> {
        self.session_of(inputs, variant, &|_, _| true).await
    }

    /// The same with no more than the cells that `wanted` takes of a table.
    async fn session_of(
        &mut self,
        inputs: &BTreeSet<String>,
        variant: Variant,
        wanted: &(dyn Fn(&str, &Cell) -> bool + Sync),
    ) -> Result<Session> {
        let session = Session::new(Some(variant.threads), Some(variant.batch_rows))?;
        for input in inputs.iter().filter(|name| !name.starts_with("ask.")) {
            self.fill(input).await?;
            let Some((schema, files)) = self.shelf.get(input) else { continue };
            let (layer, name) = input.split_once('.').unwrap_or(("gold", input));
            let files: Vec<RecordBatch> = files.iter().filter(|(cell, _)| wanted(input, cell)).map(|(_, rows)| rows.clone()).collect();
            let parts = laid_out(input, schema, &files, variant)?;
            let held = MemTable::try_new(schema.clone(), parts)
                .map_err(|source| WarehouseError::Sql { model: input.clone(), source: Box::new(source) })?;
            session.put(layer, name, Arc::new(held))?;
        }
        Ok(session)
    }

    /// Reads a table of the release.
    async fn fill(&mut self, full: &str) -> Result<()> {
        if self.shelf.contains_key(full) {
            return Ok(());
        }
        let (layer, name) = full.split_once('.').unwrap_or(("gold", full));
        let version = self.release.tables.get(full).copied();
        let table = match version {
            Some(version) => Table::open_at(&self.warehouse.root, layer, name, Some(version)).await?,
            None => None,
        };
        let Some(table) = table else {
            self.shelf.insert(full.to_string(), (Arc::new(plain(&empty_schema(&self.warehouse.contracts, full))), Vec::new()));
            return Ok(());
        };
        let columns: SchemaRef = Arc::new(plain(table.schema()?.as_ref()));
        let mut files = Vec::new();
        for file in table.files()? {
            for batch in read_file(&table.store(), table.label(), &file.path, None).await? {
                files.push((file.cell(), place(table.label(), &columns, &batch, &file)?));
            }
        }
        self.shelf.insert(full.to_string(), (columns, files));
        Ok(())
    }

    /// What the release holds of a gold table, or of an indicator in it.
    async fn published(&self, name: &str, indicator: Option<&str>) -> Result<BTreeMap<(String, Cell), Published>> {
        let label = format!("gold.{name}");
        let mut cells = BTreeMap::new();
        let Some(version) = self.release.tables.get(&label).copied() else { return Ok(cells) };
        let Some(table) = Table::open_at(&self.warehouse.root, "gold", name, Some(version)).await? else { return Ok(cells) };
        let Some(contract) = self.warehouse.contracts.gold_table(name) else { return Ok(cells) };
        let inner = file_schema(&contract.arrow_schema());
        let grain: Vec<String> = contract.grain.iter().filter(|g| *g != "county" && *g != "month").cloned().collect();
        for (cell, files) in table.files_by_cell()? {
            let mut batches = Vec::new();
            for file in &files {
                for batch in read_file(&table.store(), &label, &file.path, None).await? {
                    batches.push(match indicator {
                        Some(id) => Indicators::of(&batch, id)?,
                        None => batch,
                    });
                }
            }
            let rows = canonical(&label, &inner, &grain, &Indicators::BLIND, &batches)?;
            if rows.batch.num_rows() == 0 {
                continue;
            }
            // Of a table of models the file's own name must say it too.
            let named = match (indicator, files.as_slice()) {
                (None, [file]) => digest_in(&file.path).map(ToString::to_string),
                _ => Some(rows.digest.clone()),
            };
            cells.insert((label.clone(), cell), Published { rows, named });
        }
        Ok(cells)
    }
}

/// A published cell.
struct Published {
    rows: CellRows,
    named: Option<String>,
}

/// The runs of one model; the rows of the first are kept.
struct Runs {
    model: String,
    variants: Vec<Ran>,
    first: Rows,
    /// The first variant that gave something else, where, and the rows it gave there.
    difference: Option<(Variant, (String, Cell), Option<CellRows>)>,
    /// What was made again from what is declared to be read.
    cut: Cut,
}

/// What came out where a model was run on no more than what it says it reads.
#[derive(Default)]
struct Cut {
    /// Cells or months made.
    made: u64,
    /// The first cell that was another, and the rows it had.
    differs: Option<((String, Cell), Option<CellRows>)>,
}

impl Runs {
    fn new(model: String) -> Self {
        Self { model, variants: Vec::new(), first: Rows::new(), difference: None, cut: Cut::default() }
    }

    fn add(&mut self, variant: Variant, mut rows: Rows) {
        let mut text = String::new();
        for ((table, cell), rows) in &rows {
            text.push_str(&format!("{table} {cell} {}\n", rows.digest));
        }
        self.variants.push(Ran { variant, digest: sha256_hex(text.as_bytes()) });
        if self.variants.len() == 1 {
            self.first = rows;
        } else if self.difference.is_none() {
            let at =
                self.first.keys().chain(rows.keys()).find(|at| self.first.get(*at).map(|r| &r.digest) != rows.get(*at).map(|r| &r.digest));
            if let Some(at) = at.cloned() {
                let given = rows.remove(&at);
                self.difference = Some((variant, at, given));
            }
        }
    }

    fn cut(&mut self, cut: Cut) {
        self.cut = cut;
    }

    fn proof(self, published: &BTreeMap<(String, Cell), Published>, stale: &Stale, grains: &BTreeMap<String, Vec<String>>) -> Proof {
        let none: Vec<String> = Vec::new();
        let grain = |table: &str| grains.get(table).unwrap_or(&none);
        let is_stale = |at: &(String, Cell)| stale.has(&self.model, &at.1);
        let mut difference = None;
        if let Some((variant, at, given)) = &self.difference {
            let first = self.variants.first().map_or_else(String::new, |ran| ran.variant.to_string());
            let row = first_row(grain(&at.0), self.first.get(at).map(|r| &r.batch), given.as_ref().map(|r| &r.batch));
            difference = Some(format!("{} {} is not the same with {variant} as with {first}: {row}", at.0, at.1));
        } else if let Some((at, given)) = &self.cut.differs {
            let row = first_row(grain(&at.0), self.first.get(at).map(|r| &r.batch), given.as_ref().map(|r| &r.batch));
            difference = Some(format!("{} {} reads more than its `[reads]` say: {row}", at.0, at.1));
        } else {
            let keys: BTreeSet<&(String, Cell)> = self.first.keys().chain(published.keys()).collect();
            for at in keys.into_iter().filter(|at| !is_stale(at)) {
                let (ours, theirs) = (self.first.get(at), published.get(at));
                if ours.map(|r| r.digest.as_str()) == theirs.map(|p| p.rows.digest.as_str()) {
                    if let Some(named) = theirs.filter(|p| p.named.as_deref() != Some(p.rows.digest.as_str())) {
                        let named = named.named.as_deref().unwrap_or("no digest");
                        difference = Some(format!("the published file of {} {} is named by {named}, which is not its rows'", at.0, at.1));
                        break;
                    }
                    continue;
                }
                let row = first_row(grain(&at.0), ours.map(|r| &r.batch), theirs.map(|p| &p.rows.batch));
                difference = Some(format!("{} {} is not what is published: {row}", at.0, at.1));
                break;
            }
        }
        Proof {
            cells: self.first.len() as u64,
            rows: self.first.values().map(|r| r.batch.num_rows() as u64).sum(),
            stale: self.first.keys().filter(|at| is_stale(at)).count() as u64,
            cut: self.cut.made,
            model: self.model,
            variants: self.variants,
            difference,
        }
    }
}

/// The first row in which two cells differ, in words.
fn first_row(grain: &[String], one: Option<&RecordBatch>, other: Option<&RecordBatch>) -> String {
    let (Some(one), Some(other)) = (one, other) else {
        return format!("{} rows and {} rows", one.map_or(0, RecordBatch::num_rows), other.map_or(0, RecordBatch::num_rows));
    };
    let shown = |batch: &RecordBatch, column: usize, row: usize| {
        if batch.column(column).is_null(row) {
            return "null".to_string();
        }
        arrow::util::display::array_value_to_string(batch.column(column), row).unwrap_or_default()
    };
    let schema = one.schema();
    for row in 0..one.num_rows().min(other.num_rows()) {
        for (column, field) in schema.fields().iter().enumerate() {
            if Indicators::BLIND.contains(&field.name().as_str()) {
                continue;
            }
            let (ours, theirs) = (shown(one, column, row), shown(other, column, row));
            if ours != theirs {
                let key: Vec<String> = grain.iter().filter_map(|name| schema.index_of(name).ok()).map(|at| shown(one, at, row)).collect();
                return format!("row `{}`: `{}` is `{ours}` and `{theirs}`", key.join("|"), field.name());
            }
        }
    }
    format!("{} rows and {} rows", one.num_rows(), other.num_rows())
}

/// A table's rows as a variant wants them: ordered, cut into batches, dealt to as many parts as there are threads.
fn laid_out(table: &str, schema: &SchemaRef, files: &[RecordBatch], variant: Variant) -> Result<Vec<Vec<RecordBatch>>> {
    let arrow = |source| WarehouseError::Arrow { table: table.to_string(), source };
    let whole = match variant.order {
        Order::Stored | Order::Shuffled(_) => concat_batches(schema, files),
        Order::Reversed => concat_batches(schema, files.iter().rev()),
    }
    .map_err(arrow)?;
    let whole = match variant.order {
        Order::Shuffled(seed) => take_record_batch(&whole, &permutation(whole.num_rows(), seed)).map_err(arrow)?,
        Order::Stored | Order::Reversed => whole,
    };
    let mut parts: Vec<Vec<RecordBatch>> = vec![Vec::new(); variant.threads.max(1)];
    let rows = variant.batch_rows.max(1);
    for (number, at) in (0..whole.num_rows()).step_by(rows).enumerate() {
        let part = number % parts.len();
        parts[part].push(whole.slice(at, rows.min(whole.num_rows() - at)));
    }
    Ok(parts)
}

/// An order of `count` rows that follows from the seed alone (Fisher–Yates over a 64-bit congruential sequence).
fn permutation(count: usize, seed: u32) -> UInt32Array {
    let mut state = u64::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(count as u64);
    let mut order: Vec<u32> = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
    for at in (1..order.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from((state >> 33) % (at as u64 + 1)).unwrap_or_default();
        order.swap(at, other);
    }
    UInt32Array::from(order)
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn batch(numbers: &[i64]) -> RecordBatch {
        RecordBatch::try_from_iter([("k", Arc::new(Int64Array::from(numbers.to_vec())) as ArrayRef)]).unwrap()
    }

    #[test]
    fn variants_lay_the_same_rows_out_in_other_orders() {
        let files = [batch(&(0..500).collect::<Vec<_>>()), batch(&(500..900).collect::<Vec<_>>())];
        let mut orders = BTreeSet::new();
        for variant in VARIANTS {
            let parts = laid_out("t", &files[0].schema(), &files, variant).unwrap();
            assert_eq!(parts.len(), variant.threads);
            let mut numbers: Vec<i64> = Vec::new();
            for batch in parts.iter().flatten() {
                assert!(batch.num_rows() <= variant.batch_rows);
                numbers.extend(batch.column(0).as_primitive::<Int64Type>().values());
            }
            orders.insert(numbers.clone());
            numbers.sort_unstable();
            assert_eq!(numbers, (0..900).collect::<Vec<_>>(), "{variant}");
        }
        assert_eq!(orders.len(), VARIANTS.len(), "two variants lay the rows out alike");
    }

    #[test]
    fn a_difference_names_row_and_column() {
        let row = |k: &str, v: i64| {
            let columns: [(&str, ArrayRef); 2] =
                [("k", Arc::new(arrow::array::StringArray::from(vec![k]))), ("v", Arc::new(Int64Array::from(vec![v])))];
            RecordBatch::try_from_iter(columns).unwrap()
        };
        let grain = ["k".to_string()];
        assert_eq!(first_row(&grain, Some(&row("a", 1)), Some(&row("a", 2))), "row `a`: `v` is `1` and `2`");
        assert_eq!(first_row(&grain, Some(&row("a", 1)), None), "1 rows and 0 rows");
    }
}
