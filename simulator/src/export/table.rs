//! Parquet files: decimals as decimals, everything else as text.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::delimited::plain;
use super::file::ExportFile;
use crate::error::SimError;
use crate::row::{Cell, Row};
use crate::schema::{Kind, schema};

/// The bytes of a Parquet file.
pub(crate) fn encode(file: &ExportFile, rows: &[Row], path: &Path) -> Result<Vec<u8>, SimError> {
    let arrow_error = |source| SimError::Arrow { path: path.to_path_buf(), source };
    let parquet_error = |source| SimError::Parquet { path: path.to_path_buf(), source };
    let (mut fields, mut arrays) = (Vec::new(), Vec::<ArrayRef>::new());
    for (i, column) in schema(file.dataset).columns.iter().enumerate() {
        let cells = || rows.iter().map(|r| r.cells.get(i).unwrap_or(&Cell::Null));
        let decimals = match column.kind {
            Kind::Number(scale) => scaled(cells(), scale).map(|v| (v, scale)),
            _ => None,
        };
        let array: ArrayRef = match decimals {
            Some((values, scale)) => {
                Arc::new(Decimal128Array::from(values).with_precision_and_scale(18, i8::try_from(scale).unwrap_or(6)).map_err(arrow_error)?)
            }
            None => Arc::new(cells().map(|c| (*c != Cell::Null).then(|| plain(c, file.dates))).collect::<StringArray>()),
        };
        let kind: DataType = array.data_type().clone();
        fields.push(Field::new(column.upper.as_str(), kind, true));
        arrays.push(array);
    }
    let schema = Arc::new(ArrowSchema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(arrow_error)?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties)).map_err(parquet_error)?;
    writer.write(&batch).map_err(parquet_error)?;
    writer.into_inner().map_err(parquet_error)
}

/// All values scaled, or none if one of them is no number.
fn scaled<'a>(cells: impl Iterator<Item = &'a Cell>, scale: u32) -> Option<Vec<Option<i128>>> {
    cells
        .map(|cell| match cell {
            Cell::Null => Some(None),
            Cell::Number(n) | Cell::Shown(n, _) => {
                let frac = n.split_once('.').map_or(0, |(_, f)| f.len());
                let missing = usize::try_from(scale).ok()?.checked_sub(frac)?;
                let digits = n.replace('.', "").parse::<i128>().ok()?;
                Some(Some(digits * 10_i128.pow(u32::try_from(missing).ok()?)))
            }
            _ => None,
        })
        .collect()
}
