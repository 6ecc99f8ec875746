//! The columns that only the run knows: completeness, run, first run.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

use super::EngineError;
use super::columns::Texts;

/// Adds `completeness` and `run_id` to rows of `gold.indicator_value`; `completeness` is asked by county (or region) and month.
///
/// # Errors
/// When the batch has no county and month.
pub fn stamp_values(
    values: &RecordBatch,
    run_id: &str,
    completeness: impl Fn(&str, &str) -> &'static str,
) -> Result<RecordBatch, EngineError> {
    let text = |name: &str| Texts::of(values, name).map_err(|why| EngineError::table("gold.indicator_value", why));
    let (counties, months) = (text("county")?, text("month")?);
    let rows = 0..values.num_rows();
    let complete: StringArray = rows.clone().map(|row| Some(completeness(&counties.or_blank(row), &months.or_blank(row)))).collect();
    let run: StringArray = rows.map(|_| Some(run_id)).collect();
    with(values, [("completeness", Arc::new(complete)), ("run_id", Arc::new(run))])
        .map_err(|e| EngineError::table("gold.indicator_value", e))
}

/// Adds `first_run_id` to rows of `gold.alert`: that of the stored alert of the same id, or this run.
///
/// # Errors
/// When the batch has no alert id.
pub fn stamp_alerts(alerts: &RecordBatch, first_run: impl Fn(&str) -> String) -> Result<RecordBatch, EngineError> {
    let ids = Texts::of(alerts, "alert_id").map_err(|why| EngineError::table("gold.alert", why))?;
    let runs: StringArray = (0..alerts.num_rows()).map(|row| Some(first_run(&ids.or_blank(row)))).collect();
    with(alerts, [("first_run_id", Arc::new(runs))]).map_err(|e| EngineError::table("gold.alert", e))
}

/// A batch with text columns at its end.
fn with<const N: usize>(batch: &RecordBatch, columns: [(&str, ArrayRef); N]) -> Result<RecordBatch, ArrowError> {
    let mut fields: Vec<Arc<Field>> = batch.schema().fields().iter().cloned().collect();
    let mut arrays = batch.columns().to_vec();
    for (name, column) in columns {
        fields.push(Arc::new(Field::new(name, DataType::Utf8, true)));
        arrays.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}
