//! Reading and writing one Parquet file of a table.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use yaojia_models::digest::sha256_hex;

use crate::error::{Result, WarehouseError};

const BATCH_ROWS: usize = 8192;

fn properties() -> std::result::Result<WriterProperties, ParquetError> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(262_144))
        .build())
}

/// Hex digits of the SHA-256 in a file's name.
const NAMED: usize = 16;

/// A path whose name ends with the beginning of the SHA-256 of the bytes, so that any of our files says by itself whether it was changed.
fn named(path: &str, bytes: &[u8]) -> String {
    let sum = sha256_hex(bytes);
    format!("{}-{}.parquet", path.strip_suffix(".parquet").unwrap_or(path), sum.get(..NAMED).unwrap_or(&sum))
}

/// The beginning of the SHA-256 of a file's bytes, as its name says; `None` where it does not.
#[must_use]
pub fn hash_in(path: &str) -> Option<&str> {
    let (_, said) = path.strip_suffix(".parquet")?.rsplit_once('-')?;
    (said.len() == NAMED && said.bytes().all(|b| b.is_ascii_hexdigit())).then_some(said)
}

/// Whether bytes are those that a file of this name was written with; `None` where the name does not say.
#[must_use]
pub fn is_as_written(path: &str, bytes: &[u8]) -> Option<bool> {
    hash_in(path).map(|said| sha256_hex(bytes).starts_with(said))
}

/// Writes `batches` (without partition columns) as one Parquet file; returns its path, which is the given one with the beginning of the
/// bytes' SHA-256 in its name, and its size in bytes.
///
/// # Errors
/// [`WarehouseError::Parquet`] or [`WarehouseError::Store`].
pub async fn write_file(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    path: &str,
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
) -> Result<(String, u64)> {
    let (schema, name, file) = (schema.clone(), table.to_string(), path.to_string());
    let bytes = tokio::task::spawn_blocking(move || -> Result<Vec<u8>> {
        let bad = |source| WarehouseError::Parquet { table: name.clone(), path: file.clone(), source };
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties().map_err(bad)?)).map_err(bad)?;
        for batch in batches {
            writer.write(&batch).map_err(bad)?;
        }
        writer.close().map_err(bad)?;
        Ok(bytes)
    })
    .await
    .map_err(|e| WarehouseError::Task(e.to_string()))??;
    let (path, size) = (named(path, &bytes), bytes.len() as u64);
    store
        .put(&ObjectPath::from(path.as_str()), PutPayload::from(bytes))
        .await
        .map_err(|source| WarehouseError::Store { path: format!("{table}: {path}"), source })?;
    Ok((path, size))
}

/// Reads a Parquet file, only the named columns when some are given.
///
/// # Errors
/// [`WarehouseError::Parquet`] or [`WarehouseError::Store`].
pub async fn read_file(store: &Arc<dyn ObjectStore>, table: &str, path: &str, columns: Option<&[String]>) -> Result<Vec<RecordBatch>> {
    read(store, table, path, columns.map(<[String]>::to_vec), None).await
}

/// Reads some rows of a Parquet file, told by their positions in ascending order; the others are not decoded.
///
/// # Errors
/// [`WarehouseError::Parquet`] or [`WarehouseError::Store`].
pub async fn read_rows(store: &Arc<dyn ObjectStore>, table: &str, path: &str, rows: Vec<u32>) -> Result<Vec<RecordBatch>> {
    read(store, table, path, None, Some(rows)).await
}

async fn read(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    path: &str,
    columns: Option<Vec<String>>,
    rows: Option<Vec<u32>>,
) -> Result<Vec<RecordBatch>> {
    let failed = |source| WarehouseError::Store { path: format!("{table}: {path}"), source };
    let bytes = store.get(&ObjectPath::from(path)).await.map_err(failed)?.bytes().await.map_err(failed)?;
    let (name, file) = (table.to_string(), path.to_string());
    tokio::task::spawn_blocking(move || decode(&name, &file, bytes, columns.as_deref(), rows.as_deref()))
        .await
        .map_err(|e| WarehouseError::Task(e.to_string()))?
}

/// The rows of a Parquet file that was read already.
///
/// # Errors
/// [`WarehouseError::Parquet`] or [`WarehouseError::Arrow`].
pub fn read_bytes(table: &str, path: &str, bytes: Bytes) -> Result<Vec<RecordBatch>> {
    decode(table, path, bytes, None, None)
}

/// The rows of a Parquet file that was read already, batch by batch: no more than one of them is decoded at a time.
///
/// # Errors
/// [`WarehouseError::Parquet`] or [`WarehouseError::Arrow`]; what `take` says.
pub fn scan_bytes(table: &str, path: &str, bytes: Bytes, take: &mut dyn FnMut(&RecordBatch) -> Result<()>) -> Result<()> {
    let bad = |source| WarehouseError::Parquet { table: table.to_string(), path: path.to_string(), source };
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(bad)?.with_batch_size(BATCH_ROWS).build().map_err(bad)?;
    for batch in reader {
        take(&batch.map_err(|source| WarehouseError::Arrow { table: table.to_string(), source })?)?;
    }
    Ok(())
}

fn decode(table: &str, path: &str, bytes: Bytes, wanted: Option<&[String]>, rows: Option<&[u32]>) -> Result<Vec<RecordBatch>> {
    let bad = |source| WarehouseError::Parquet { table: table.to_string(), path: path.to_string(), source };
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(bad)?.with_batch_size(BATCH_ROWS);
    if let Some(wanted) = wanted {
        let mask = ProjectionMask::columns(builder.parquet_schema(), wanted.iter().map(String::as_str));
        builder = builder.with_projection(mask);
    }
    if let Some(rows) = rows {
        let total = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
        let ranges = rows.iter().map(|row| *row as usize..*row as usize + 1);
        builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges, total));
    }
    builder.build().map_err(bad)?.map(|b| b.map_err(|source| WarehouseError::Arrow { table: table.to_string(), source })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whether_the_bytes_were_changed() {
        let path = named("county=1/month=2024-01/abc-7.parquet", b"bytes");
        assert!(path.starts_with("county=1/month=2024-01/abc-7-") && path.ends_with(".parquet"), "{path}");
        assert_eq!((is_as_written(&path, b"bytes"), is_as_written(&path, b"bytez")), (Some(true), Some(false)));
        assert_eq!(is_as_written("part-0.parquet", b"bytes"), None);
    }
}
