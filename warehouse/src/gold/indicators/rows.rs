//! Columns and rows of the engine's tables: cut, placed, in the contract's shape.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};
use sha2::{Digest, Sha256};
use yaojia_models::contract::TableContract;

use super::Indicators;
use super::done::Done;
use crate::delta::{Cell, CellRows, canonical, file_schema, split_cells};
use crate::error::{Result, WarehouseError};

/// Rows of one of the engine's tables by cell, in the order of its grain; by which run a row came is not part of its digest.
pub(super) fn sorted_cells(contract: &TableContract, rows: &[RecordBatch]) -> Result<BTreeMap<Cell, CellRows>> {
    let label = format!("gold.{}", contract.name);
    let inner = file_schema(&contract.arrow_schema());
    let grain: Vec<String> = contract.grain.iter().filter(|g| *g != "county" && *g != "month").cloned().collect();
    let cells = split_cells(&label, rows)?;
    cells.into_iter().map(|(cell, batches)| Ok((cell, canonical(&label, &inner, &grain, &Indicators::BLIND, &batches)?))).collect()
}

/// A text column.
pub(super) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch
        .column_by_name(name)
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or_else(|| WarehouseError::Contract { table: "gold.indicator_value".to_string(), why: format!("no text column `{name}`") })
}

/// Adds columns at the end.
pub(super) fn append(batch: &RecordBatch, more: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
    let mut columns = batch.columns().to_vec();
    for (name, array) in more {
        fields.push(Field::new(name, array.data_type().clone(), true));
        columns.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|source| WarehouseError::Arrow { table: "gold.indicator_value".to_string(), source })
}

/// Puts the partition columns back.
pub(super) fn place(label: &str, batch: &RecordBatch, cell: &Cell) -> Result<RecordBatch> {
    let n = batch.num_rows();
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
    fields.push(Field::new("county", DataType::Utf8, true));
    fields.push(Field::new("month", DataType::Utf8, true));
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(StringArray::from(vec![cell.county.as_str(); n])));
    columns.push(Arc::new(StringArray::from(vec![cell.month.as_str(); n])));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|source| WarehouseError::Arrow { table: label.to_string(), source })
}

/// Rows that are given anew, or those that are not.
pub(super) fn divided(batch: &RecordBatch, done: &Done, given: bool) -> Result<RecordBatch> {
    let (ids, counties, months) = (texts(batch, "indicator_id")?, texts(batch, "county")?, texts(batch, "month")?);
    let wanted: BooleanArray =
        (0..batch.num_rows()).map(|row| Some(given == done.gives(ids.value(row), counties.value(row), months.value(row)))).collect();
    filter_record_batch(batch, &wanted).map_err(|source| WarehouseError::Arrow { table: "gold.indicator_value".to_string(), source })
}

/// Digests of the rows of all sheets of an indicator, by month and county; by which run a row came is not part of them.
pub(super) fn digests_by_county<'a>(sheets: impl Iterator<Item = &'a RecordBatch>) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let failed = |source| WarehouseError::Arrow { table: "gold.indicator_value".to_string(), source };
    let mut hashes: BTreeMap<(String, String), Sha256> = BTreeMap::new();
    for (number, batch) in sheets.enumerate() {
        let (counties, months) = (texts(batch, "county")?, texts(batch, "month")?);
        let schema = batch.schema();
        let seen = |field: &Field| !Indicators::BLIND.contains(&field.name().as_str());
        let (fields, columns): (Vec<_>, Vec<_>) = schema.fields().iter().zip(batch.columns()).filter(|(field, _)| seen(field)).unzip();
        let sorts = fields.iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let columns: Vec<ArrayRef> = columns.into_iter().cloned().collect();
        let rows = RowConverter::new(sorts).and_then(|converter| converter.convert_columns(&columns)).map_err(failed)?;
        for row in 0..batch.num_rows() {
            let bytes = rows.row(row).data();
            let hash = hashes.entry((months.value(row).to_string(), counties.value(row).to_string())).or_default();
            hash.update([u8::try_from(number).unwrap_or(u8::MAX)]);
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
    }
    let mut digests: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for ((month, county), hash) in hashes {
        let digest = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        digests.entry(month).or_default().insert(county, digest);
    }
    Ok(digests)
}

/// The contract's columns in its order.
pub(super) fn shape(label: &str, schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = batch.column_by_name(field.name()).cloned().ok_or_else(|| WarehouseError::Contract {
                table: label.to_string(),
                why: format!("the engine gives no column `{}`", field.name()),
            })?;
            if column.data_type() == field.data_type() {
                Ok(column)
            } else {
                arrow::compute::cast(&column, field.data_type())
                    .map_err(|source| WarehouseError::Arrow { table: label.to_string(), source })
            }
        })
        .collect::<Result<Vec<_>>>()?;
    debug_assert!(columns.iter().all(|c| c.len() == batch.num_rows()));
    RecordBatch::try_new(schema.clone(), columns).map_err(|source| WarehouseError::Arrow { table: label.to_string(), source })
}
