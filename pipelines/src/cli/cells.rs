//! A query's answer laid out.

use yaojia_warehouse::read::{Rows, plain};

use super::table::Table;

/// Rows as a table.
#[must_use]
pub fn table(rows: &Rows) -> Table {
    let mut table = Table::new(rows.columns.clone());
    for row in &rows.rows {
        table.push(row.iter().map(plain));
    }
    table
}
