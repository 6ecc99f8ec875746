//! Lineage of the whole project: source message or file ─► bronze ─► silver ─► gold ─► indicator ─► published value, alert, evidence.
//!
//! Sources, bronze and silver come from the contracts; gold models and indicators from their SQL, planned over empty tables; the tables
//! that the engine writes from what it does with the columns of an indicator's SQL. Nothing is read from the warehouse.

mod engine;
mod models;
pub mod openlineage;
mod sources;
#[cfg(test)]
mod tests;
mod walk;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use yaojia_connectors::SourceError;
use yaojia_connectors::platform::{PlatformConfig, SOURCE_TOML};
use yaojia_models::contract::Dataset;
use yaojia_models::definitions::Definitions;
use yaojia_models::fault::{Fault, FaultKind};
use yaojia_warehouse::WarehouseError;
use yaojia_warehouse::indicator::EngineError;
use yaojia_warehouse::lineage::{ColumnRef, Influence, Origin};

pub use walk::{Direction, Edge, Found, NotFound, Step, Target};

/// Why the lineage cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum LineageError {
    /// A table of the engine's that is not there.
    #[error("the engine's table `{table}` cannot be read: {why}")]
    Ask {
        /// The table.
        table: String,
        /// What the engine says.
        why: String,
    },
    /// The warehouse's engine.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The indicator engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The message table of the platform.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl LineageError {
    /// The error of the layer it comes from, where it is not our own.
    fn inner(&self) -> Option<&dyn Fault> {
        match self {
            Self::Ask { .. } => None,
            Self::Warehouse(error) => Some(error),
            Self::Engine(error) => Some(error),
            Self::Source(error) => Some(error),
        }
    }
}

impl Fault for LineageError {
    fn code(&self) -> &'static str {
        self.inner().map_or("E-LIN-001", Fault::code)
    }

    fn kind(&self) -> FaultKind {
        self.inner().map_or(FaultKind::Bug, Fault::kind)
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        self.inner().map_or(Some("report it: this is a defect".into()), Fault::hint)
    }
}

/// What the lineage is told from.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// Contracts, SQL and region.
    pub definitions: &'a Definitions,
    /// The datasets with the project's aliases.
    pub datasets: &'a [Dataset],
    /// Dataset → message number of the platform.
    pub messages: IndexMap<String, String>,
}

/// The message numbers of a platform by dataset, `A+B` where several feed one; those of the default profile where none is configured.
///
/// # Errors
/// When the built-in profile cannot be read.
pub fn messages(platform: Option<&PlatformConfig>) -> Result<IndexMap<String, String>, SourceError> {
    let messages = match platform {
        Some(platform) => platform.messages()?,
        None => PlatformConfig::from_toml(SOURCE_TOML)?.messages()?,
    };
    Ok(messages.into_iter().map(|(dataset, messages)| (dataset, messages.infnos())).collect())
}

/// Where a table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A message of the platform or a kind of export file.
    Source,
    /// As received.
    Bronze,
    /// Typed and current.
    Silver,
    /// What the engine tells an indicator's SQL: the asked months.
    Ask,
    /// Facts, dimensions, published values.
    Gold,
    /// An indicator, before it is published.
    Indicator,
}

impl Layer {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Bronze => "bronze",
            Self::Silver => "silver",
            Self::Ask => "ask",
            Self::Gold => "gold",
            Self::Indicator => "indicator",
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnLineage {
    /// Its Chinese title; empty where it has none.
    pub title: String,
    /// Its type, as Arrow names it; empty where it is no column of a stored table.
    pub kind: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLineage {
    /// `gold.fact_order`.
    pub name: String,
    /// Where it stands.
    pub layer: Layer,
    /// Its Chinese title.
    pub title: String,
    /// What makes it: a file below `sql/` or `models/`, or the engine.
    pub made_by: String,
    /// Its columns, in order.
    pub columns: IndexMap<String, ColumnLineage>,
    /// What decides which rows it has.
    pub influence: Influence,
    /// The tables its rows are made of.
    pub rows_of: BTreeSet<String>,
}

impl TableLineage {
    fn new(layer: Layer, name: impl Into<String>, title: impl Into<String>, made_by: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            layer,
            title: title.into(),
            made_by: made_by.into(),
            columns: IndexMap::new(),
            influence: Influence::new(),
            rows_of: BTreeSet::new(),
        }
    }

    fn put(&mut self, column: impl Into<String>, title: impl Into<String>, kind: impl Into<String>, origin: Origin) {
        self.columns.insert(column.into(), ColumnLineage { title: title.into(), kind: kind.into(), origin });
    }

    /// All columns that have a part in it, with the tables alone as `*`.
    pub fn references(&self) -> impl Iterator<Item = &ColumnRef> {
        self.columns.values().flat_map(|column| column.origin.from.keys()).chain(self.influence.keys())
    }

    /// The tables it is made from.
    #[must_use]
    pub fn reads(&self) -> BTreeSet<&str> {
        self.references()
            .map(|column| column.table.as_str())
            .chain(self.rows_of.iter().map(String::as_str))
            .filter(|t| *t != self.name)
            .collect()
    }
}

/// The lineage of a project.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    tables: BTreeMap<String, TableLineage>,
    problems: Vec<String>,
}

impl Lineage {
    /// Reads it off contracts and SQL.
    ///
    /// # Errors
    /// [`LineageError`], never for SQL that does not plan: its table has no columns then, and [`Lineage::problems`] says why.
    pub async fn of(inputs: &Inputs<'_>) -> Result<Self, LineageError> {
        let mut all = Self::default();
        for table in sources::tables(inputs) {
            all.add(table);
        }
        let session = crate::shapes::empty_session(&inputs.definitions.contracts)?;
        for table in models::tables(inputs, &session, &mut all.problems).await {
            all.add(table);
        }
        for table in engine::tables(inputs, &session, &mut all.problems).await? {
            all.add(table);
        }
        Ok(all)
    }

    fn add(&mut self, table: TableLineage) {
        self.tables.insert(table.name.clone(), table);
    }

    /// SQL that does not plan, and why.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// All tables, by name.
    #[must_use]
    pub fn tables(&self) -> &BTreeMap<String, TableLineage> {
        &self.tables
    }

    /// A column, where it is known.
    #[must_use]
    pub fn column(&self, of: &ColumnRef) -> Option<&ColumnLineage> {
        self.tables.get(&of.table)?.columns.get(&of.column)
    }

    /// References that lead to no table or column: `where: what`. There must be none.
    #[must_use]
    pub fn dangling(&self) -> Vec<String> {
        let known = |column: &ColumnRef| {
            self.tables.get(&column.table).is_some_and(|table| column.column == "*" || table.columns.contains_key(&column.column))
        };
        let tables = self.tables.values();
        tables
            .flat_map(|table| table.references().filter(|column| !known(column)).map(|column| format!("{}: {column}", table.name)))
            .collect()
    }
}
