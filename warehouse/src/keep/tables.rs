//! Which tables a warehouse has, as its folders say.

use std::collections::{BTreeMap, BTreeSet};

use object_store::ObjectMeta;

/// Layers that hold Delta tables.
pub(crate) const LAYERS: [&str; 4] = ["bronze", "silver", "gold", "_ops"];

/// A table: layer and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableName {
    /// `gold`.
    pub layer: String,
    /// `fact_order`.
    pub name: String,
}

impl TableName {
    /// `gold.fact_order`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}.{}", self.layer, self.name)
    }

    /// The table an object belongs to, and its path below the table's folder.
    #[must_use]
    pub fn of(path: &str) -> Option<(Self, &str)> {
        let mut parts = path.splitn(3, '/');
        let (layer, name, rest) = (parts.next()?, parts.next()?, parts.next()?);
        LAYERS.contains(&layer).then(|| (Self { layer: layer.to_string(), name: name.to_string() }, rest))
    }
}

/// The tables among objects, each with its own: path below the table's folder → object.
#[must_use]
pub fn tables(listing: &[ObjectMeta]) -> BTreeMap<TableName, BTreeMap<String, ObjectMeta>> {
    let mut all: BTreeMap<TableName, BTreeMap<String, ObjectMeta>> = BTreeMap::new();
    let mut logged: BTreeSet<TableName> = BTreeSet::new();
    for meta in listing {
        let path = meta.location.to_string();
        let Some((table, rest)) = TableName::of(&path) else { continue };
        if rest.starts_with("_delta_log/0") {
            logged.insert(table.clone());
        }
        all.entry(table).or_default().insert(rest.to_string(), meta.clone());
    }
    // `_ops` holds texts, seals, reports too.
    all.retain(|table, _| logged.contains(table));
    all
}
