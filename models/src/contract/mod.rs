//! Table contracts: one TOML file a table, checked against each other when loaded.
//!
//! ```text
//! fields.toml ──┐
//! bronze/*.toml ┼─> Registry ─> Dataset        (bronze: text, silver: typed)
//! gold/*.toml ──┘            └> TableContract  (gold)
//! ```

mod check;
mod checks;
mod dataset;
mod error;
mod order;
mod raw;
mod reads;
mod reason;
mod registry;
mod schema;
mod source;
mod table;
#[cfg(test)]
mod tests;

pub use checks::{Reconcile, ReconcileBy};
pub use dataset::{AmountCheck, Column, CountyRule, Dataset, Reference, SourceKind, Target, When, camel_case};
pub use error::ContractError;
pub use reads::{Months, ReadWindow};
pub use reason::Reason;
pub use registry::Registry;
pub use table::{TableColumn, TableContract};
