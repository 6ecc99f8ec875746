//! From accepted bronze rows to typed silver columns.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Builder, Decimal128Builder, StringArray, StringBuilder, TimestampMicrosecondBuilder, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::Dataset;
use yaojia_models::text;

use crate::error::{Result, WarehouseError};
use crate::silver::judge::{WARNINGS, value};
use crate::silver::plan::{ColumnPlan, Kind, Plan};

/// An accepted row's place in a bronze batch and what judging found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pick {
    pub row: u32,
    pub warnings: u8,
    pub convrat: i128,
}

fn warning_text(bits: u8) -> String {
    WARNINGS.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, w)| *w).collect::<Vec<_>>().join(",")
}

/// Builds the typed rows of `picks` from a bronze batch.
pub(crate) fn typed_batch(dataset: &Dataset, plan: &Plan, schema: &SchemaRef, batch: &RecordBatch, picks: &[Pick]) -> Result<RecordBatch> {
    let table = format!("silver.{}", dataset.name);
    let arrow = |source| WarehouseError::Arrow { table: table.clone(), source };
    let missing = |name: &str| WarehouseError::Contract { table: table.clone(), why: format!("no column `{name}` to build from") };
    let rows = UInt32Array::from(picks.iter().map(|p| p.row).collect::<Vec<_>>());
    let taken = |name: &str| -> Result<ArrayRef> {
        let column = batch.column_by_name(name).ok_or_else(|| missing(name))?;
        take(column, &rows, None).map_err(arrow)
    };
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let name = field.name();
        let array: ArrayRef = if let Some(source) = plan.columns.iter().find(|c| dataset.silver_name(&c.name) == name) {
            let texts = taken(&source.name)?;
            let texts = texts.as_string_opt::<i32>().ok_or_else(|| missing(name))?;
            typed(source, texts).map_err(arrow)?
        } else if name == "warnings" {
            Arc::new(StringArray::from(picks.iter().map(|p| warning_text(p.warnings)).collect::<Vec<_>>()))
        } else if name == "convrat" {
            let mut b = Decimal128Builder::with_capacity(picks.len()).with_precision_and_scale(18, 6).map_err(arrow)?;
            picks.iter().for_each(|p| b.append_value(p.convrat));
            Arc::new(b.finish())
        } else {
            taken(name)?
        };
        columns.push(array);
    }
    RecordBatch::try_new(schema.clone(), columns).map_err(arrow)
}

/// The rows were judged valid, so what does not parse here cannot occur; it would become null and fail the not-null check.
fn typed(of: &ColumnPlan, texts: &StringArray) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
    let cells = (0..texts.len()).map(|i| value(of.form, texts, i));
    Ok(match of.kind {
        Kind::Text => {
            let mut b = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
            cells.for_each(|c| b.append_option(c));
            Arc::new(b.finish())
        }
        Kind::Month => {
            let mut b = StringBuilder::new();
            cells.for_each(|c| b.append_option(c.and_then(|c| text::parse_month(&c).ok().flatten())));
            Arc::new(b.finish())
        }
        Kind::Decimal { precision, scale, .. } => {
            let mut b = Decimal128Builder::with_capacity(texts.len()).with_precision_and_scale(precision, scale)?;
            cells.for_each(|c| b.append_option(c.and_then(|c| text::parse_decimal(&c, precision, scale).ok())));
            Arc::new(b.finish())
        }
        Kind::Timestamp => {
            let mut b = TimestampMicrosecondBuilder::with_capacity(texts.len());
            cells.for_each(|c| b.append_option(c.and_then(|c| text::parse_timestamp(&c).ok().flatten())));
            Arc::new(b.finish())
        }
        Kind::Date => {
            let mut b = Date32Builder::with_capacity(texts.len());
            cells.for_each(|c| b.append_option(c.and_then(|c| text::parse_date(&c).ok().flatten())));
            Arc::new(b.finish())
        }
    })
}
