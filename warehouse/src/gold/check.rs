//! Checks on a candidate before it is published.

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::TableContract;

use crate::delta::Cell;
use crate::error::{Result, WarehouseError};

/// Checks the rows of one cell, sorted by grain: no null where the contract allows none, listed values only, no grain twice.
pub(crate) fn check_cell(contract: &TableContract, cell: &Cell, rows: &RecordBatch) -> Result<()> {
    let table = format!("gold.{}", contract.name);
    let failed = |check: &'static str, why: String| WarehouseError::Check { check, table: table.clone(), cell: cell.to_string(), why };
    for column in &contract.columns {
        let Some(array) = rows.column_by_name(&column.name) else { continue };
        if column.null.is_none() && array.null_count() > 0 {
            return Err(failed("not_null", format!("{} rows have no `{}`", array.null_count(), column.name)));
        }
        if let (Some(values), Some(texts)) = (&column.values, array.as_string_opt::<i32>())
            && let Some(odd) = texts.iter().flatten().find(|t| !values.contains_key(*t))
        {
            return Err(failed("accepted_values", format!("`{}` holds `{odd}`", column.name)));
        }
    }
    let keys = contract
        .grain
        .iter()
        .filter_map(|name| rows.column_by_name(name))
        .map(|c| arrow::array::make_comparator(c, c, arrow::compute::SortOptions::default()))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|source| WarehouseError::Arrow { table: table.clone(), source })?;
    if let Some(row) = (1..rows.num_rows()).find(|row| keys.iter().all(|same| same(row - 1, *row).is_eq())) {
        let key: Vec<String> = contract
            .grain
            .iter()
            .filter_map(|name| rows.column_by_name(name))
            .map(|c| arrow::util::display::array_value_to_string(c, row).unwrap_or_default())
            .collect();
        return Err(failed("grain_unique", format!("the grain `{}` occurs twice", key.join("|"))));
    }
    Ok(())
}
