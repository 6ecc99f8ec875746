//! What bronze holds of each artifact, so that a second parse can be compared with it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use sha2::{Digest as _, Sha256};
use yaojia_models::contract::Dataset;

use crate::bronze::append::Bronze;
use crate::bronze::name::FileName;
use crate::bronze::retired::Retired;
use crate::delta::{Table, read_file};
use crate::error::{Result, WarehouseError};
use crate::silver::finish;

/// Columns of a text batch besides the dataset's own.
const BESIDES: [&str; 3] = ["_extra", "_note", "_raw"];

/// The rows of one parse of an artifact, in any order: equal parses, equal folds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fold {
    sum: u128,
    /// Rows.
    pub rows: u64,
}

impl Fold {
    /// Adds the rows of a text batch, or of bronze.
    ///
    /// # Errors
    /// [`WarehouseError::Contract`] when a column is missing.
    pub fn add(&mut self, dataset: &Dataset, batch: &RecordBatch) -> Result<()> {
        for row in names(dataset, batch)? {
            self.one(row);
        }
        Ok(())
    }

    fn one(&mut self, row: u128) {
        self.sum = self.sum.wrapping_add(row);
        self.rows += 1;
    }
}

/// One artifact with rows in a dataset's bronze.
#[derive(Debug, Clone)]
pub struct HeldArtifact {
    /// Page or file.
    pub source: String,
    /// Its place among the artifacts of the run that first received it.
    pub part: i64,
    /// That run's number and instant.
    pub first: (i64, i64),
    /// Rules (the beginnings of their fingerprints) by which its rows that are not retired were parsed.
    pub parsers: BTreeSet<String>,
    /// Those rows, by run and part: the same bytes may have come more than once.
    parses: BTreeMap<(i64, i64), Fold>,
}

impl HeldArtifact {
    /// Whether every parse that is not retired said this.
    #[must_use]
    pub fn says(&self, fold: &Fold) -> bool {
        self.parses.values().all(|held| held == fold)
    }
}

impl Bronze<'_> {
    /// The names of a dataset's bronze files; told by the log, no file is read.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn names(&self, dataset: &str) -> Result<BTreeSet<FileName>> {
        let Some(table) = Table::open(self.root, "bronze", dataset).await? else { return Ok(BTreeSet::new()) };
        Ok(table.files()?.iter().filter_map(|file| FileName::of(&file.path)).collect())
    }

    /// Every artifact with rows in a dataset's bronze; reads all of it.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn held(&self, dataset: &Dataset) -> Result<BTreeMap<String, HeldArtifact>> {
        let mut held = BTreeMap::new();
        let Some(table) = Table::open(self.root, "bronze", &dataset.name).await? else { return Ok(held) };
        let files = table.files()?;
        let retired = Retired::read(&table, &files).await?;
        for file in files {
            let parser = FileName::of(&file.path).map(|name| name.parser).unwrap_or_default();
            for batch in read_file(&table.store(), table.label(), &file.path, None).await? {
                fold_in(&mut held, dataset, &batch, &retired, &parser)?;
            }
        }
        Ok(held)
    }
}

fn fold_in(
    held: &mut BTreeMap<String, HeldArtifact>,
    dataset: &Dataset,
    batch: &RecordBatch,
    retired: &Retired,
    parser: &str,
) -> Result<()> {
    let missing = |name: &str| WarehouseError::Contract { table: format!("bronze.{}", dataset.name), why: format!("no column `{name}`") };
    let whole = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int64Type>()).ok_or_else(|| missing(name));
    let (runs, firsts, parts) = (whole("_run_seq")?, whole("_first_seq")?, whole("_part")?);
    let (sources, artifacts) = (text(dataset, batch, "_source")?, text(dataset, batch, "_artifact")?);
    let times = batch
        .column_by_name("_ingested_at")
        .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
        .ok_or_else(|| missing("_ingested_at"))?;
    for (row, name) in names(dataset, batch)?.into_iter().enumerate() {
        let (artifact, run, part) = (artifacts.value(row), runs.value(row), parts.value(row));
        let first = (firsts.value(row), times.value(row));
        if !held.contains_key(artifact) {
            let new =
                HeldArtifact { source: sources.value(row).to_string(), part, first, parsers: BTreeSet::new(), parses: BTreeMap::new() };
            held.insert(artifact.to_string(), new);
        }
        let Some(of) = held.get_mut(artifact) else { continue };
        if (first.0, part) < (of.first.0, of.part) {
            of.first = first;
            of.part = part;
            of.source = sources.value(row).to_string();
        }
        if !retired.holds(artifact, run) {
            if !of.parsers.contains(parser) {
                of.parsers.insert(parser.to_string());
            }
            of.parses.entry((run, part)).or_default().one(name);
        }
    }
    Ok(())
}

fn text<'a>(dataset: &Dataset, batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch
        .column_by_name(name)
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or_else(|| WarehouseError::Contract { table: format!("bronze.{}", dataset.name), why: format!("no column `{name}`") })
}

/// A name for each row as a parser gave it: its number, every text as written, what is beside the columns.
fn names(dataset: &Dataset, batch: &RecordBatch) -> Result<Vec<u128>> {
    let own = dataset.columns.iter().map(|column| column.name.as_str());
    let columns = own.chain(BESIDES).map(|name| text(dataset, batch, name)).collect::<Result<Vec<_>>>()?;
    let numbers = batch.column_by_name("_row").and_then(|c| c.as_primitive_opt::<Int64Type>());
    Ok((0..batch.num_rows())
        .map(|row| {
            let mut hash = Sha256::new();
            hash.update(numbers.map_or(0, |n| n.value(row)).to_be_bytes());
            for column in &columns {
                if column.is_null(row) {
                    hash.update([0_u8]);
                } else {
                    let text = column.value(row);
                    hash.update([1_u8]);
                    hash.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
                    hash.update(text.as_bytes());
                }
            }
            finish(hash)
        })
        .collect())
}
