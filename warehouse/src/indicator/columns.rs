//! Reading result columns by name, whatever text or number type they have.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use super::Exact;
use crate::functions::Numbers;

/// A text column.
pub(super) struct Texts(StringArray);

impl Texts {
    /// The column of a name; an error when it is missing or no text.
    pub(super) fn of(batch: &RecordBatch, name: &str) -> Result<Self, String> {
        Self::read(required(batch, name)?).map_err(|why| format!("column `{name}`: {why}"))
    }

    /// The column of a name, if there is one.
    pub(super) fn maybe(batch: &RecordBatch, name: &str) -> Result<Option<Self>, String> {
        batch.column_by_name(name).map(|column| Self::read(column).map_err(|why| format!("column `{name}`: {why}"))).transpose()
    }

    /// Any column as text.
    pub(super) fn read(column: &ArrayRef) -> Result<Self, String> {
        let column = cast(column, &DataType::Utf8).map_err(|e| e.to_string())?;
        Ok(Self(column.as_string::<i32>().clone()))
    }

    /// The text of a row.
    pub(super) fn get(&self, row: usize) -> Option<&str> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }

    /// The text of a row, blank for null.
    pub(super) fn or_blank(&self, row: usize) -> String {
        self.get(row).unwrap_or_default().to_owned()
    }
}

/// A column of exact numbers, or none at all.
pub(super) struct Exacts {
    name: String,
    numbers: Option<Numbers>,
}

impl Exacts {
    /// The column of a name; a missing one is all null.
    pub(super) fn maybe(batch: &RecordBatch, name: &str) -> Result<Self, String> {
        let numbers = batch.column_by_name(name).map(Numbers::read).transpose().map_err(|why| format!("column `{name}`: {why}"))?;
        Ok(Self { name: name.to_owned(), numbers })
    }

    /// The number of a row.
    pub(super) fn get(&self, row: usize) -> Result<Option<Exact>, String> {
        let Some(numbers) = &self.numbers else {
            return Ok(None);
        };
        match numbers.get(row) {
            None => Ok(None),
            Some(unscaled) => Exact::new(unscaled, numbers.scale())
                .map(Some)
                .ok_or_else(|| format!("column `{}`: a number has more than 12 places", self.name)),
        }
    }
}

/// A column of whole numbers; a missing one is all null.
pub(super) fn wholes(batch: &RecordBatch, name: &str) -> Result<Option<Int64Array>, String> {
    let Some(column) = batch.column_by_name(name) else {
        return Ok(None);
    };
    let column = cast(column, &DataType::Int64).map_err(|e| format!("column `{name}`: {e}"))?;
    Ok(Some(column.as_primitive::<Int64Type>().clone()))
}

/// A column of flags; a missing one is none.
pub(super) fn flags(batch: &RecordBatch, name: &str) -> Result<Option<BooleanArray>, String> {
    let Some(column) = batch.column_by_name(name) else {
        return Ok(None);
    };
    let column = cast(column, &DataType::Boolean).map_err(|e| format!("column `{name}`: {e}"))?;
    Ok(Some(column.as_boolean().clone()))
}

/// Whether a flag is set; null and missing are not.
pub(super) fn is_set(flags: Option<&BooleanArray>, row: usize) -> bool {
    flags.is_some_and(|flags| flags.is_valid(row) && flags.value(row))
}

/// The column of a name.
fn required<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, String> {
    batch.column_by_name(name).ok_or_else(|| format!("column `{name}` is missing"))
}
