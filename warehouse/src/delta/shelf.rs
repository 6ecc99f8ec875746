//! Tables opened before: going through a table's log costs more than reading a small cell, and a build asks for the same tables again
//! and again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStoreExt as _};

use super::Table;
use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// The tables of one root as they were opened last, each with what the store says of its newest log entry.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<BTreeMap<String, (Table, ObjectMeta)>>>);

impl Shelf {
    /// A table as it is now, if it was opened before and has not changed since: its newest log entry is the same object, and there is
    /// none after it.
    pub(super) async fn take(&self, root: &Root, layer: &str, name: &str) -> Result<Option<Table>> {
        let held = self.0.lock().ok().and_then(|all| all.get(&format!("{layer}.{name}")).cloned());
        let Some((table, meta)) = held else { return Ok(None) };
        let version = table.version();
        let same = entry(root, layer, name, version).await?.is_some_and(|now| is_same(&now, &meta));
        Ok((same && entry(root, layer, name, version + 1).await?.is_none()).then_some(table))
    }

    /// Puts a table that was opened just now.
    pub(super) async fn put(&self, root: &Root, layer: &str, name: &str, table: &Table) -> Result<()> {
        let Some(meta) = entry(root, layer, name, table.version()).await? else { return Ok(()) };
        if let Ok(mut all) = self.0.lock() {
            all.insert(format!("{layer}.{name}"), (table.clone(), meta));
        }
        Ok(())
    }
}

/// What the store says of a log entry.
async fn entry(root: &Root, layer: &str, name: &str, version: i64) -> Result<Option<ObjectMeta>> {
    let path = format!("{layer}/{name}/_delta_log/{version:020}.json");
    match root.store().head(&ObjectPath::from(path.as_str())).await {
        Ok(meta) => Ok(Some(meta)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(source) => Err(WarehouseError::Store { path, source }),
    }
}

fn is_same(one: &ObjectMeta, other: &ObjectMeta) -> bool {
    (one.last_modified, one.size, &one.e_tag, &one.version) == (other.last_modified, other.size, &other.e_tag, &other.version)
}
