//! Appending received rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::Dataset;

use crate::bronze::name::FileName;
use crate::bronze::places::Places;
use crate::bronze::retired::Retired;
use crate::delta::{Cell, Change, NewFile, Table, file_schema, write_file};
use crate::error::{Result, WarehouseError};
use crate::ledger::RunStamp;
use crate::store::Root;

/// Bytes of rows held in memory before they are written to files (which nobody sees until the commit).
const HELD_BYTES: usize = 96 << 20;

/// Bronze over one warehouse.
#[derive(Debug)]
pub struct Bronze<'a> {
    /// Warehouse root.
    pub root: &'a Root,
    /// Region code.
    pub region: &'a str,
}

impl Bronze<'_> {
    /// Starts appending to a dataset; nothing is visible before [`Appender::commit`].
    ///
    /// # Errors
    /// As the storage says.
    pub async fn appender(&self, dataset: &Dataset, run: &RunStamp) -> Result<Appender> {
        let table =
            Table::open_or_create(self.root, "bronze", &dataset.name, &dataset.bronze_schema(), &["county", "month"], &dataset.title)
                .await?;
        let places = Places::load(self.root, dataset, self.region).await?;
        Ok(Appender {
            table,
            places,
            schema: file_schema(&dataset.bronze_schema()),
            run: run.clone(),
            held: BTreeMap::new(),
            held_bytes: 0,
            rows: 0,
            files: Vec::new(),
        })
    }

    /// The position an application recorded in a dataset's bronze.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn position(&self, dataset: &str, application: &str) -> Result<Option<i64>> {
        match Table::open(self.root, "bronze", dataset).await? {
            Some(table) => table.position(application).await,
            None => Ok(None),
        }
    }

    /// Contents (as silver compares them) of the rows of these months that runs from `since_run` on received. The same content is of the
    /// same month, whenever it came, so the months of the rows at hand are all there is to read.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn contents(
        &self,
        dataset: &Dataset,
        since_run: i64,
        months: &std::collections::BTreeSet<String>,
    ) -> Result<std::collections::HashSet<u128>> {
        let mut known = std::collections::HashSet::new();
        let Some(table) = Table::open(self.root, "bronze", &dataset.name).await? else { return Ok(known) };
        let files = table.files()?;
        let retired = Retired::read(&table, &files).await?;
        for file in files {
            if !months.contains(&file.part("month")) || FileName::of(&file.path).is_some_and(|name| name.run < since_run) {
                continue;
            }
            for batch in crate::delta::read_file(&table.store(), table.label(), &file.path, None).await? {
                let contents = crate::silver::contents(dataset, &batch)?;
                let artifacts = batch.column_by_name("_artifact").and_then(|c| c.as_string_opt::<i32>());
                let runs = batch.column_by_name("_run_seq").and_then(|c| c.as_primitive_opt::<Int64Type>());
                // A merged file may hold rows of runs before, too.
                let gone = |row: usize| matches!((artifacts, runs), (Some(a), Some(r)) if r.value(row) < since_run || retired.holds(a.value(row), r.value(row)));
                known.extend(contents.into_iter().enumerate().filter(|(row, _)| !gone(*row)).map(|(_, content)| content));
            }
        }
        Ok(known)
    }

    /// SHA-256 of every artifact with rows in a dataset's bronze.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn artifacts(&self, dataset: &str) -> Result<std::collections::BTreeSet<String>> {
        let mut found = std::collections::BTreeSet::new();
        let Some(table) = Table::open(self.root, "bronze", dataset).await? else { return Ok(found) };
        let wanted = ["_artifact".to_string()];
        for file in table.files()? {
            for batch in crate::delta::read_file(&table.store(), table.label(), &file.path, Some(&wanted)).await? {
                if let Some(values) = batch.column_by_name("_artifact").and_then(|c| c.as_string_opt::<i32>()) {
                    for value in values.iter().flatten() {
                        if !found.contains(value) {
                            found.insert(value.to_string());
                        }
                    }
                }
            }
        }
        Ok(found)
    }
}

/// Where a text batch came from.
#[derive(Debug, Clone, Copy)]
pub struct Receipt<'a> {
    /// Page or file, as people name it.
    pub source: &'a str,
    /// SHA-256 of the archived bytes.
    pub artifact: &'a str,
    /// Orders the artifacts of the run that first received them (pages in window order, files in path order).
    pub part: i64,
    /// Fingerprint of the rules it was parsed by.
    pub parser: &'a str,
    /// Number and instant of the run that first received the artifact, where that is an earlier one: its bytes were parsed again now.
    /// Rows of the artifact that older runs parsed are retired with it.
    pub again: Option<(i64, i64)>,
}

/// Rows on their way into one bronze table.
pub struct Appender {
    table: Table,
    places: Places,
    schema: SchemaRef,
    run: RunStamp,
    held: BTreeMap<(Cell, FileName), Vec<RecordBatch>>,
    held_bytes: usize,
    rows: u64,
    files: Vec<NewFile>,
}

impl Appender {
    /// Takes a text batch.
    ///
    /// # Errors
    /// [`WarehouseError::Arrow`] when the batch is not the dataset's text batch, else as the storage says.
    pub async fn push(&mut self, batch: &RecordBatch, receipt: &Receipt<'_>) -> Result<()> {
        let n = batch.num_rows();
        if n == 0 {
            return Ok(());
        }
        let cells = self.places.cells(batch);
        let (first_seq, first_at) = receipt.again.unwrap_or((self.run.seq, self.run.at));
        let name = FileName::new(self.run.seq, receipt.parser, receipt.again.is_some());
        let arrow = |source| WarehouseError::Arrow { table: self.table.label().to_string(), source };
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for field in self.schema.fields() {
            let array: ArrayRef = match field.name().as_str() {
                "_run_id" => Arc::new(StringArray::from(vec![self.run.id.as_str(); n])),
                "_run_seq" => Arc::new(Int64Array::from(vec![self.run.seq; n])),
                "_first_seq" => Arc::new(Int64Array::from(vec![first_seq; n])),
                "_ingested_at" => Arc::new(TimestampMicrosecondArray::from(vec![first_at; n])),
                "_source" => Arc::new(StringArray::from(vec![receipt.source; n])),
                "_artifact" => Arc::new(StringArray::from(vec![receipt.artifact; n])),
                "_part" => Arc::new(Int64Array::from(vec![receipt.part; n])),
                name => batch.column_by_name(name).cloned().ok_or_else(|| WarehouseError::Contract {
                    table: self.table.label().to_string(),
                    why: format!("a text batch lacks the column `{name}`"),
                })?,
            };
            columns.push(array);
        }
        let full = RecordBatch::try_new(self.schema.clone(), columns).map_err(arrow)?;
        let mut by_cell: BTreeMap<&Cell, Vec<u32>> = BTreeMap::new();
        for (row, cell) in cells.iter().enumerate() {
            by_cell.entry(cell).or_default().push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        for (cell, list) in by_cell {
            let rows = if list.len() == n { full.clone() } else { take_record_batch(&full, &UInt32Array::from(list)).map_err(arrow)? };
            self.held_bytes += rows.get_array_memory_size();
            self.held.entry((cell.clone(), name.clone())).or_default().push(rows);
        }
        self.rows += n as u64;
        if self.held_bytes >= HELD_BYTES {
            self.spill().await?;
        }
        Ok(())
    }

    /// Rows taken so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    async fn spill(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        for ((cell, name), batches) in held {
            let label = self.table.label().to_string();
            let partition = vec![("county".to_string(), cell.county), ("month".to_string(), cell.month)];
            let path =
                format!("county={}/month={}/{}", partition[0].1, partition[1].1, name.render(self.table.version() + 1, self.files.len()));
            let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
            let (path, size) = write_file(&self.table.store(), &label, &path, &self.schema, batches).await?;
            self.files.push(NewFile { path, partition, rows, size });
        }
        Ok(())
    }

    /// Makes the rows visible and moves the positions, in one commit; nothing to say, no commit. Returns the rows.
    ///
    /// # Errors
    /// As the storage says; nothing is visible then.
    pub async fn commit(mut self, positions: Vec<(String, i64)>) -> Result<u64> {
        self.spill().await?;
        if self.files.is_empty() && positions.is_empty() {
            return Ok(0);
        }
        let change = Change { add: self.files, remove: Vec::new(), positions, info: vec![("yaojia.run".to_string(), self.run.id.clone())] };
        self.table.commit(change).await?;
        Ok(self.rows)
    }
}
