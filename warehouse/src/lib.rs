//! Keeps the tables: archive, bronze, silver, gold, ledger and releases of one region.
//!
//! ```text
//! text batches ─► archive + bronze ─► silver (+ quarantine) ─► gold facts, dimensions ─► indicators, alerts, evidence ─► release
//! ```
//! Everything is a Delta table below one root; connectors are not known here.

pub mod audit;
pub mod bronze;
pub mod delta;
pub mod error;
pub mod functions;
pub mod gold;
pub mod indicator;
pub mod keep;
pub mod ledger;
pub mod lineage;
pub mod read;
pub mod silver;
pub mod store;
mod warehouse;

pub use error::{Result, WarehouseError};
pub use store::Root;
pub use warehouse::Warehouse;
