//! Rows of a cell: sorted by grain, digested, written.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use arrow::record_batch::RecordBatch;
use object_store::ObjectStore;
use yaojia_models::digest::CellHasher;

use crate::delta::{Cell, NewFile, write_file};
use crate::error::{Result, WarehouseError};

/// Rows of one cell in canonical order with their digest.
#[derive(Debug)]
pub struct CellRows {
    /// Sorted by grain.
    pub batch: RecordBatch,
    /// Canonical digest, hex.
    pub digest: String,
}

/// Puts a cell's rows in the order of `grain` and digests them. Columns whose name begins with `_`, and those in `blind`, are
/// not digested: they say how a row came here (run, artifact), not what it says.
///
/// # Errors
/// [`WarehouseError::Arrow`] when columns are missing or of a type no table has.
pub fn canonical(table: &str, schema: &SchemaRef, grain: &[String], blind: &[&str], batches: &[RecordBatch]) -> Result<CellRows> {
    let arrow = |source| WarehouseError::Arrow { table: table.to_string(), source };
    let all = concat_batches(schema, batches).map_err(arrow)?;
    let keys = grain
        .iter()
        .map(|name| {
            all.column_by_name(name)
                .map(|c| SortColumn { values: c.clone(), options: None })
                .ok_or_else(|| WarehouseError::Contract { table: table.to_string(), why: format!("no grain column `{name}`") })
        })
        .collect::<Result<Vec<_>>>()?;
    let batch = if all.num_rows() > 1 && !keys.is_empty() {
        let order: UInt32Array = lexsort_to_indices(&keys, None).map_err(arrow)?;
        take_record_batch(&all, &order).map_err(arrow)?
    } else {
        all
    };
    let digest = digest(table, &batch, blind)?;
    Ok(CellRows { batch, digest })
}

/// The canonical digest of rows in the order they are in.
fn digest(table: &str, batch: &RecordBatch, blind: &[&str]) -> Result<String> {
    let mut rows = RowDigest::new(blind);
    rows.update(table, batch)?;
    Ok(rows.finish().0)
}

/// Digests rows batch by batch, in the order they come in: a stored cell is in its canonical order, so no more than a batch of it need be
/// in memory.
pub struct RowDigest<'a> {
    hasher: CellHasher,
    blind: &'a [&'a str],
}

impl<'a> RowDigest<'a> {
    /// Of no rows so far. Columns whose name begins with `_`, and those in `blind`, are not digested.
    #[must_use]
    pub fn new(blind: &'a [&'a str]) -> Self {
        Self { hasher: CellHasher::new(), blind }
    }

    /// Takes the next rows.
    ///
    /// # Errors
    /// [`WarehouseError::Contract`] when a column is of a type no table has.
    pub fn update(&mut self, table: &str, batch: &RecordBatch) -> Result<()> {
        enum Cells<'a> {
            Text(&'a arrow::array::StringArray),
            Decimal(&'a arrow::array::Decimal128Array),
            Time(&'a arrow::array::TimestampMicrosecondArray),
            Day(&'a arrow::array::Date32Array),
            Int(&'a arrow::array::Int64Array),
            Double(&'a arrow::array::Float64Array),
            Flag(&'a arrow::array::BooleanArray),
        }
        let mut columns: Vec<(ArrayRef, DataType)> = Vec::new();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            if !field.name().starts_with('_') && !self.blind.contains(&field.name().as_str()) {
                columns.push((column.clone(), field.data_type().clone()));
            }
        }
        let cells = columns
            .iter()
            .map(|(column, ty)| {
                Ok(match ty {
                    DataType::Utf8 => Cells::Text(column.as_string::<i32>()),
                    DataType::Decimal128(_, _) => Cells::Decimal(column.as_primitive::<Decimal128Type>()),
                    DataType::Timestamp(TimeUnit::Microsecond, None) => Cells::Time(column.as_primitive::<TimestampMicrosecondType>()),
                    DataType::Date32 => Cells::Day(column.as_primitive::<Date32Type>()),
                    DataType::Int64 => Cells::Int(column.as_primitive::<Int64Type>()),
                    DataType::Float64 => Cells::Double(column.as_primitive::<Float64Type>()),
                    DataType::Boolean => Cells::Flag(column.as_boolean()),
                    other => {
                        return Err(WarehouseError::Contract {
                            table: table.to_string(),
                            why: format!("a column has the type {other}, which no table may have"),
                        });
                    }
                })
            })
            .collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            for (cell, (column, _)) in cells.iter().zip(&columns) {
                if column.is_null(row) {
                    self.hasher.null();
                    continue;
                }
                match cell {
                    Cells::Text(a) => self.hasher.text(a.value(row)),
                    Cells::Decimal(a) => self.hasher.decimal(a.value(row)),
                    Cells::Time(a) => self.hasher.timestamp(a.value(row)),
                    Cells::Day(a) => self.hasher.date(a.value(row)),
                    Cells::Int(a) => self.hasher.int(a.value(row)),
                    Cells::Double(a) => self.hasher.double(a.value(row)),
                    Cells::Flag(a) => self.hasher.boolean(a.value(row)),
                }
            }
            self.hasher.end_row();
        }
        Ok(())
    }

    /// The digest of the rows so far, hex, and their number.
    #[must_use]
    pub fn finish(self) -> (String, u64) {
        let done = self.hasher.finish();
        (done.digest.hex(), done.rows)
    }
}

/// The name of a cell's file: its canonical digest, so that a table says what it holds without being read.
#[must_use]
pub fn cell_path(partition: &[(String, String)], digest: &str, run_seq: i64) -> String {
    let folder: Vec<String> = partition.iter().map(|(k, v)| format!("{k}={v}")).collect();
    format!("{}/{digest}-{run_seq}.parquet", folder.join("/"))
}

/// The digest in a file's name; `None` when the file was not named by [`cell_path`].
#[must_use]
pub fn digest_in(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let (digest, _) = name.strip_suffix(".parquet")?.split_once('-')?;
    (digest.len() == 64).then_some(digest)
}

/// Writes a cell's rows as one file.
///
/// # Errors
/// [`WarehouseError::Parquet`] or [`WarehouseError::Store`].
pub async fn write_cell(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    partition: Vec<(String, String)>,
    rows: CellRows,
    run_seq: i64,
) -> Result<NewFile> {
    let path = cell_path(&partition, &rows.digest, run_seq);
    let count = rows.batch.num_rows() as u64;
    let schema = rows.batch.schema();
    let (path, size) = write_file(store, table, &path, &schema, vec![rows.batch]).await?;
    Ok(NewFile { path, partition, rows: count, size })
}

/// A table's schema as its files hold it: without the partition columns `county` and `month`.
#[must_use]
pub fn file_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().filter(|f| f.name() != "county" && f.name() != "month").map(|f| f.as_ref().clone());
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Splits rows by their `county` and `month` columns; the parts no longer hold these two.
///
/// # Errors
/// [`WarehouseError::Contract`] when a column is missing or a partition value is null or no plain code.
pub fn split_cells(table: &str, batches: &[RecordBatch]) -> Result<BTreeMap<Cell, Vec<RecordBatch>>> {
    let bad = |why: String| WarehouseError::Contract { table: table.to_string(), why };
    let arrow = |source| WarehouseError::Arrow { table: table.to_string(), source };
    let mut cells: BTreeMap<Cell, Vec<RecordBatch>> = BTreeMap::new();
    for batch in batches {
        let text = |name: &str| {
            batch
                .column_by_name(name)
                .and_then(|c| c.as_string_opt::<i32>())
                .cloned()
                .ok_or_else(|| bad(format!("no text column `{name}`")))
        };
        let (counties, months) = (text("county")?, text("month")?);
        let mut rows: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            if counties.is_null(row) || months.is_null(row) {
                return Err(bad("a row has no county or no month".to_string()));
            }
            rows.entry((counties.value(row), months.value(row))).or_default().push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        let keep: Vec<usize> = batch
            .schema()
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, f)| f.name() != "county" && f.name() != "month")
            .map(|(i, _)| i)
            .collect();
        let inner = batch.project(&keep).map_err(arrow)?;
        for ((county, month), list) in rows {
            let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !plain(county) || !plain(month) {
                return Err(bad(format!("`{county}` / `{month}` is no partition value: codes in ASCII only")));
            }
            let part = take_record_batch(&inner, &UInt32Array::from(list)).map_err(arrow)?;
            cells.entry(Cell::new(county, month)).or_default().push(part);
        }
    }
    Ok(cells)
}
