//! What a table is: contracts, fields, text rules, exact values, lineage, lint and digests.
//!
//! A leaf crate: it knows neither the engine nor the network, so its tests run in seconds.

pub mod bundle;
pub mod card;
pub mod contract;
pub mod definitions;
pub mod digest;
pub mod fault;
pub mod field;
#[cfg(test)]
mod fuzz;
pub mod graph;
pub mod lint;
mod sql;
pub mod text;
pub mod value;
