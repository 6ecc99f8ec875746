//! A warehouse: where its tables lie, and what they are made by. The one value that every layer is asked through: `warehouse.silver()`,
//! `.gold()`, `.indicators(…)` (each beside its layer), `warehouse.reader()`.

use std::ops::Deref;

use yaojia_models::definitions::Definitions;

use crate::store::{Archive, Root};

/// The warehouse of one region. It is its [`Definitions`] (contracts, SQL, region, parameters) at a place.
#[derive(Debug, Clone)]
pub struct Warehouse {
    /// Where the tables lie.
    pub root: Root,
    /// The original bytes.
    pub archive: Archive,
    /// What the tables are made by.
    pub definitions: Definitions,
}

impl Deref for Warehouse {
    type Target = Definitions;

    fn deref(&self) -> &Definitions {
        &self.definitions
    }
}

#[cfg(test)]
impl Warehouse {
    /// A warehouse with contracts and no SQL.
    pub(crate) fn bare(root: Root, contracts: yaojia_models::contract::Registry, region: &str) -> Self {
        let sql = yaojia_models::bundle::SqlBundle::from_files(std::collections::BTreeMap::new()).unwrap();
        let region = yaojia_models::definitions::Region { code: region.to_owned(), ..yaojia_models::definitions::Region::example() };
        let definitions = Definitions { contracts, sql, region, parameters: yaojia_models::definitions::Parameters::default() };
        Self { archive: Archive::new(root.clone(), crate::store::AuditKeys::default()), root, definitions }
    }
}
