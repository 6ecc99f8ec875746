//! A SQL session of empty tables of the contracts' shapes: SQL is planned over it without data.

use std::sync::Arc;

use yaojia_models::contract::Registry;
use yaojia_warehouse::WarehouseError;
use yaojia_warehouse::gold::Session;
use yaojia_warehouse::silver::{QUARANTINE, quarantine_schema};

/// A session of empty silver and gold tables.
///
/// # Errors
/// When the engine does not take its settings.
pub fn empty_session(registry: &Registry) -> Result<Session, WarehouseError> {
    let session = Session::new(Some(1), None)?;
    for dataset in registry.datasets() {
        session.put_rows("silver", &dataset.name, Arc::new(dataset.silver_schema()), Vec::new())?;
    }
    session.put_rows("silver", QUARANTINE, Arc::new(quarantine_schema()), Vec::new())?;
    for table in registry.gold() {
        session.put_rows("gold", &table.name, Arc::new(table.arrow_schema()), Vec::new())?;
    }
    Ok(session)
}
