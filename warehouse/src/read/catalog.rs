//! The tables of one release as a catalog: a schema a layer, each table opened when it is first named, and once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionStateBuilder;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::sync::OnceCell;
use yaojia_models::contract::Registry;

use crate::delta::{Table, read_file};
use crate::error::{Result, WarehouseError};
use crate::gold::{place, plain};
use crate::ledger::Release;
use crate::silver::{QUARANTINE, quarantine_schema};
use crate::store::Root;

/// Tables up to this many bytes on disk are read once and kept: many small cells cost more to open for each query than to hold.
const HELD_BYTES: i64 = 48 << 20;
/// Files read at a time.
const PARALLEL: usize = 4;

/// The schemas, and the layer each shows.
pub(super) const SCHEMAS: [&str; 4] = ["gold", "silver", "bronze", "ops"];

/// A table as SQL sees it; none where there is no such table.
type Opened = Option<Arc<dyn TableProvider>>;

/// The tables of a release.
#[derive(Debug)]
pub(super) struct Tables {
    root: Root,
    contracts: Registry,
    release: Release,
    runtime: Arc<RuntimeEnv>,
    held: Mutex<BTreeMap<String, Arc<OnceCell<Opened>>>>,
    opened: AtomicUsize,
}

impl Tables {
    pub(super) fn new(root: Root, contracts: Registry, release: Release, runtime: Arc<RuntimeEnv>) -> Self {
        Self { root, contracts, release, runtime, held: Mutex::default(), opened: AtomicUsize::new(0) }
    }

    pub(super) fn release(&self) -> &Release {
        &self.release
    }

    /// How often a table's log was read.
    pub(super) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// A table by schema and name, opened now if it was not.
    pub(super) async fn table(&self, schema: &str, name: &str) -> Result<Opened> {
        let cell = {
            let mut held = self.held.lock().map_err(|_| WarehouseError::Task("a thread that opened a table".to_string()))?;
            held.entry(format!("{schema}.{name}")).or_default().clone()
        };
        cell.get_or_try_init(|| self.open(schema, name)).await.cloned()
    }

    /// Names of a schema's tables that the contracts tell; those of the ledger are found by name.
    fn names(&self, schema: &str) -> Vec<String> {
        let datasets = self.contracts.datasets().iter().map(|dataset| dataset.name.clone());
        match schema {
            "gold" => self.contracts.gold().iter().map(|table| table.name.clone()).collect(),
            "silver" => datasets.chain([QUARANTINE.to_string()]).collect(),
            "bronze" => datasets.collect(),
            _ => Vec::new(),
        }
    }

    /// The columns of a table there should be; `None`: there is none of that name.
    fn columns(&self, schema: &str, name: &str) -> Option<Schema> {
        match schema {
            "gold" => self.contracts.gold_table(name).map(|table| table.arrow_schema()),
            "silver" if name == QUARANTINE => Some(quarantine_schema()),
            "silver" => self.contracts.dataset(name).map(|dataset| dataset.silver_schema()),
            "bronze" => self.contracts.dataset(name).map(|dataset| dataset.bronze_schema()),
            _ => None,
        }
    }

    async fn open(&self, schema: &str, name: &str) -> Result<Opened> {
        let ledger = schema == "ops";
        let columns = self.columns(schema, name);
        // A name becomes a path: only such as the ledger's own.
        if columns.is_none() && !(ledger && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')) {
            return Ok(None);
        }
        let version = self.release.tables.get(&format!("{schema}.{name}")).copied();
        let _ = self.opened.fetch_add(1, Ordering::Relaxed);
        let Some(table) = Table::open_at(&self.root, if ledger { "_ops" } else { schema }, name, version).await? else {
            // A table that no run has made yet is an empty one.
            return columns.map(|columns| memory(name, Arc::new(plain(&columns)), Vec::new())).transpose();
        };
        let size: i64 = table.files()?.iter().map(|file| file.size).sum();
        if size <= HELD_BYTES { Self::hold(&table).await.map(Some) } else { self.scan(&table).await.map(Some) }
    }

    /// A table's rows in memory, in the order of its files.
    async fn hold(table: &Table) -> Result<Arc<dyn TableProvider>> {
        let label = table.label();
        let columns: SchemaRef = Arc::new(plain(table.schema()?.as_ref()));
        let (store, files) = (table.store(), table.files()?);
        let reads = files.into_iter().map(|file| {
            let (store, label, columns) = (store.clone(), label.to_string(), columns.clone());
            async move {
                let batches = read_file(&store, &label, &file.path, None).await?;
                batches.iter().map(|batch| place(&label, &columns, batch, &file)).collect::<Result<Vec<_>>>()
            }
        });
        let batches: Vec<Vec<RecordBatch>> = futures::stream::iter(reads).buffered(PARALLEL).try_collect().await?;
        memory(label, columns, batches.into_iter().flatten().collect())
    }

    /// A table too large to hold: read by each query, as far as its filters reach.
    async fn scan(&self, table: &Table) -> Result<Arc<dyn TableProvider>> {
        let delta = |e| WarehouseError::Delta { table: table.label().to_string(), source: Box::new(e) };
        let state = SessionStateBuilder::new().with_runtime_env(self.runtime.clone()).build();
        table.inner().update_datafusion_session(&state).map_err(delta)?;
        let failed = |source| WarehouseError::Sql { model: table.label().to_string(), source: Box::new(source) };
        table.inner().table_provider().await.map_err(failed)
    }
}

/// Rows in memory as a table, in two parts for two threads.
fn memory(label: &str, columns: SchemaRef, batches: Vec<RecordBatch>) -> Result<Arc<dyn TableProvider>> {
    let half = batches.len().div_ceil(2).max(1);
    let parts: Vec<Vec<RecordBatch>> =
        if batches.is_empty() { vec![Vec::new()] } else { batches.chunks(half).map(<[_]>::to_vec).collect() };
    let table =
        MemTable::try_new(columns, parts).map_err(|source| WarehouseError::Sql { model: label.to_string(), source: Box::new(source) })?;
    Ok(Arc::new(table))
}

/// One schema of the catalog. It takes no table and gives none away.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) schema: &'static str,
    pub(super) tables: Arc<Tables>,
}

#[async_trait]
impl SchemaProvider for Layer {
    fn table_names(&self) -> Vec<String> {
        self.tables.names(self.schema)
    }

    async fn table(&self, name: &str) -> datafusion::error::Result<Opened> {
        self.tables.table(self.schema, name).await.map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.schema == "ops" || self.tables.columns(self.schema, name).is_some()
    }
}
