//! Checks of a table against those it is made from.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Over which rows the numbers are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReconcileBy {
    /// Each county and month for itself: both tables lie in the same cells.
    #[default]
    Cell,
    /// The whole table; compared when the whole table is built.
    Table,
}

/// Numbers of a table that must be those of a table it is made from: nothing was lost or doubled on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// The other table, `silver.ord_detl`; columns may be qualified with `theirs`.
    pub with: String,
    /// Which of this table's rows, a SQL condition; all when left out. Columns may be qualified with `mine`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mine: Option<String>,
    /// Which of the other table's rows, a SQL condition; all when left out.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub theirs: Option<String>,
    /// Over which rows.
    #[serde(default)]
    pub by: ReconcileBy,
    /// Aggregate of this table → aggregate of the other (`"SUM(used_amt)" = "SUM(det_item_fee_sumamt)"`).
    pub equal: IndexMap<String, String>,
}
