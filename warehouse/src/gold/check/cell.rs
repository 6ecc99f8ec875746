//! Checks of the rows of one cell for themselves.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Decimal128Type, Int64Type};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::{TableColumn, TableContract};

use super::Failure;
use crate::delta::Cell;
use crate::error::{Result, WarehouseError};

/// Checks the rows of one cell, sorted by grain: no null where the contract allows none, listed values only, numbers in their range, no
/// grain twice.
pub(super) fn check_cell(contract: &TableContract, cell: &Cell, rows: &RecordBatch) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    let mut failed = |check: &'static str, why: String| failures.push(Failure { check, cell: cell.clone(), why });
    for column in &contract.columns {
        let Some(array) = rows.column_by_name(&column.name) else { continue };
        if column.null.is_none() && array.null_count() > 0 {
            failed("not_null", format!("{} rows have no `{}`", array.null_count(), column.name));
        }
        if let (Some(values), Some(texts)) = (&column.values, array.as_string_opt::<i32>())
            && let Some(odd) = texts.iter().flatten().find(|t| !values.contains_key(*t))
        {
            failed("accepted_values", format!("`{}` holds `{odd}`", column.name));
        }
        if let Some(row) = out_of_range(column, array) {
            let bounds = match (&column.min, &column.max) {
                (Some(min), Some(max)) => format!("{min} to {max}"),
                (Some(min), None) => format!("at least {min}"),
                (_, max) => format!("at most {}", max.as_deref().unwrap_or_default()),
            };
            failed("accepted_range", format!("`{}` holds {}, accepted is {bounds}", column.name, shown(array, row)));
        }
    }
    let keys = contract
        .grain
        .iter()
        .filter_map(|name| rows.column_by_name(name))
        .map(|c| arrow::array::make_comparator(c, c, arrow::compute::SortOptions::default()))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|source| WarehouseError::Arrow { table: format!("gold.{}", contract.name), source })?;
    if let Some(row) = (1..rows.num_rows()).find(|row| keys.iter().all(|same| same(row - 1, *row).is_eq())) {
        let key: Vec<String> = contract.grain.iter().filter_map(|name| rows.column_by_name(name)).map(|c| shown(c, row)).collect();
        failed("grain_unique", format!("the grain `{}` occurs twice", key.join("|")));
    }
    Ok(failures)
}

fn shown(array: &ArrayRef, row: usize) -> String {
    arrow::util::display::array_value_to_string(array, row).unwrap_or_default()
}

/// The first row whose number lies outside the column's range.
fn out_of_range(column: &TableColumn, array: &ArrayRef) -> Option<usize> {
    let (min, max) = (column.bound(column.min.as_ref()), column.bound(column.max.as_ref()));
    if min.is_none() && max.is_none() {
        return None;
    }
    let fits = |n: i128| min.is_none_or(|min| n >= min) && max.is_none_or(|max| n <= max);
    if let Some(numbers) = array.as_primitive_opt::<Decimal128Type>() {
        return numbers.iter().position(|n| n.is_some_and(|n| !fits(n)));
    }
    array.as_primitive_opt::<Int64Type>()?.iter().position(|n| n.is_some_and(|n| !fits(i128::from(n))))
}
