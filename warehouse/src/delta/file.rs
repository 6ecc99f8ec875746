//! Reading and writing one Parquet file of a table.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::error::{Result, WarehouseError};

const BATCH_ROWS: usize = 8192;

fn properties() -> std::result::Result<WriterProperties, ParquetError> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(262_144))
        .build())
}

/// Writes `batches` (without partition columns) as one Parquet file; returns its size in bytes.
///
/// # Errors
/// [`WarehouseError::Parquet`] or [`WarehouseError::Store`].
pub async fn write_file(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    path: &str,
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
) -> Result<u64> {
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
    let size = bytes.len() as u64;
    store
        .put(&ObjectPath::from(path), PutPayload::from(bytes))
        .await
        .map_err(|source| WarehouseError::Store { path: format!("{table}: {path}"), source })?;
    Ok(size)
}

/// Reads a Parquet file, only the named columns when some are given.
///
/// # Errors
/// [`WarehouseError::Parquet`] or [`WarehouseError::Store`].
pub async fn read_file(store: &Arc<dyn ObjectStore>, table: &str, path: &str, columns: Option<&[String]>) -> Result<Vec<RecordBatch>> {
    let failed = |source| WarehouseError::Store { path: format!("{table}: {path}"), source };
    let bytes = store.get(&ObjectPath::from(path)).await.map_err(failed)?.bytes().await.map_err(failed)?;
    let (name, file, wanted) = (table.to_string(), path.to_string(), columns.map(<[String]>::to_vec));
    tokio::task::spawn_blocking(move || decode(&name, &file, bytes, wanted.as_deref()))
        .await
        .map_err(|e| WarehouseError::Task(e.to_string()))?
}

/// The rows of a Parquet file that was read already.
///
/// # Errors
/// [`WarehouseError::Parquet`] or [`WarehouseError::Arrow`].
pub fn read_bytes(table: &str, path: &str, bytes: Bytes) -> Result<Vec<RecordBatch>> {
    decode(table, path, bytes, None)
}

fn decode(table: &str, path: &str, bytes: Bytes, wanted: Option<&[String]>) -> Result<Vec<RecordBatch>> {
    let bad = |source| WarehouseError::Parquet { table: table.to_string(), path: path.to_string(), source };
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(bad)?.with_batch_size(BATCH_ROWS);
    if let Some(wanted) = wanted {
        let mask = ProjectionMask::columns(builder.parquet_schema(), wanted.iter().map(String::as_str));
        builder = builder.with_projection(mask);
    }
    builder.build().map_err(bad)?.map(|b| b.map_err(|source| WarehouseError::Arrow { table: table.to_string(), source })).collect()
}
