//! Arrow rows as values and texts for people.

use arrow::array::{Array, AsArray as _};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions, array_value_to_string};
use serde_json::{Map, Value};

/// The rows of a query's answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Column names.
    pub columns: Vec<String>,
    /// Values: text, whole numbers and doubles as such, decimals as text so that no digit is lost.
    pub rows: Vec<Vec<Value>>,
}

impl Rows {
    /// Reads batches of one schema.
    ///
    /// # Errors
    /// What Arrow says where a column cannot be shown.
    pub fn read(batches: &[RecordBatch]) -> Result<Self, ArrowError> {
        let mut all = Self::default();
        let options = FormatOptions::default();
        for batch in batches {
            let schema = batch.schema();
            if all.columns.is_empty() {
                all.columns = schema.fields().iter().map(|field| field.name().clone()).collect();
            }
            let formatters =
                batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                let mut values = Vec::with_capacity(formatters.len());
                for ((column, field), formatter) in batch.columns().iter().zip(schema.fields()).zip(&formatters) {
                    values.push(if column.is_null(row) {
                        Value::Null
                    } else {
                        value(field.data_type(), formatter.value(row).try_to_string()?)
                    });
                }
                all.rows.push(values);
            }
        }
        Ok(all)
    }

    /// The value of a column in a row, as text; empty for null.
    #[must_use]
    pub fn text(&self, row: usize, column: &str) -> String {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.rows.get(row)?.get(at)).map(plain).unwrap_or_default()
    }

    /// As JSON objects, one a row.
    #[must_use]
    pub fn objects(&self) -> Vec<Value> {
        self.rows.iter().map(|row| Value::Object(self.columns.iter().cloned().zip(row.iter().cloned()).collect())).collect()
    }
}

fn value(ty: &DataType, text: String) -> Value {
    match ty {
        DataType::Boolean => Value::Bool(text == "true"),
        ty if ty.is_integer() || ty.is_floating() => text.parse::<serde_json::Number>().map_or(Value::String(text), Value::Number),
        _ => Value::String(text),
    }
}

/// A JSON value as a cell.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.iter().all(|v| !v.is_object() && !v.is_array()) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Rows as JSON objects; every value as text (numbers keep their digits), nulls left out.
///
/// # Errors
/// What Arrow says where a column cannot be shown.
pub fn texts(batches: &[RecordBatch]) -> Result<Vec<Map<String, Value>>, ArrowError> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let mut object = Map::new();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                if column.is_null(row) {
                    continue;
                }
                let text = match column.as_string_opt::<i32>() {
                    Some(texts) => texts.value(row).to_string(),
                    None => array_value_to_string(column, row)?,
                };
                object.insert(field.name().clone(), Value::String(text));
            }
            rows.push(object);
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn digits_survive_and_null_is_not_zero() {
        let money = Decimal128Array::from(vec![Some(12_345_678_901_234_567_801), None]).with_precision_and_scale(38, 2).unwrap();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("name", Arc::new(StringArray::from(vec!["甲", "乙"]))),
            ("amt", Arc::new(money)),
            ("n", Arc::new(Int64Array::from(vec![Some(0), None]))),
            ("v", Arc::new(Float64Array::from(vec![Some(0.85), None]))),
            ("t", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_719_972_000_000_000), None]))),
        ];
        let rows = Rows::read(&[RecordBatch::try_from_iter(columns).unwrap()]).unwrap();
        assert_eq!(
            serde_json::to_string(&rows.objects()).unwrap(),
            r#"[{"name":"甲","amt":"123456789012345678.01","n":0,"v":0.85,"t":"2024-07-03T02:00:00"},{"name":"乙","amt":null,"n":null,"v":null,"t":null}]"#
        );
        assert_eq!(
            (rows.text(0, "amt").as_str(), rows.text(1, "n").as_str(), rows.text(9, "n").as_str()),
            ("123456789012345678.01", "", "")
        );
    }
}
