//! Columns and rows of the engine's tables: cut, placed, in the contract's shape.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::TableContract;

use super::Indicators;
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

/// Rows of indicator-months that were not computed now.
pub(super) fn keep_others(batch: &RecordBatch, done: &BTreeSet<(String, String)>) -> Result<RecordBatch> {
    let (ids, months) = (texts(batch, "indicator_id")?, texts(batch, "month")?);
    let keep: BooleanArray =
        (0..batch.num_rows()).map(|row| Some(!done.contains(&(ids.value(row).to_string(), months.value(row).to_string())))).collect();
    filter_record_batch(batch, &keep).map_err(|source| WarehouseError::Arrow { table: "gold.indicator_value".to_string(), source })
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
