//! The SQL session: schemas `silver`, `gold`, `ops` and `ask`, our exact functions, Delta tables at chosen versions.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, StringArray, new_null_array};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::{MemorySchemaProvider, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use deltalake::delta_datafusion::DeltaSessionContext;
use futures::StreamExt as _;
use yaojia_models::contract::{Registry, TableContract};

use crate::delta::{FileEntry, Table, read_file};
use crate::error::{Result, WarehouseError};
use crate::silver::{QUARANTINE, quarantine_schema};
use crate::store::Root;

/// Tables up to this many bytes on disk are read once and kept in memory for the session: a table of many small cells costs more to
/// open than to hold, and forty indicators open the same dozen tables.
const HELD_BYTES: i64 = 48 << 20;
/// Rows of a batch of a held table.
const HELD_ROWS: usize = 8192;
/// Files read at a time.
const PARALLEL: usize = 4;

/// A DataFusion session over one warehouse.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
    /// `schema.name` → version that is visible now.
    seen: Arc<Mutex<BTreeMap<String, i64>>>,
}

fn sql_error(model: &str, source: datafusion::error::DataFusionError) -> WarehouseError {
    WarehouseError::Sql { model: model.to_string(), source: Box::new(source) }
}

impl Session {
    /// A session with our functions and empty schemas. `threads` and `batch_rows` change speed, never results (`prove` shows it).
    ///
    /// # Errors
    /// [`WarehouseError::Sql`] when the engine does not take its settings.
    pub fn new(threads: Option<usize>, batch_rows: Option<usize>) -> Result<Self> {
        let mut settings: HashMap<String, String> = HashMap::new();
        // Our tables carry column comments as field metadata; the check compares it between plans and fails on it, not on types.
        settings.insert("datafusion.execution.skip_physical_aggregate_schema_check".to_string(), "true".to_string());
        settings.insert("datafusion.execution.parquet.schema_force_view_types".to_string(), "false".to_string());
        // 1.005 in SQL is a decimal, never a binary double.
        settings.insert("datafusion.sql_parser.parse_float_as_decimal".to_string(), "true".to_string());
        settings.insert("datafusion.sql_parser.map_string_types_to_utf8view".to_string(), "false".to_string());
        if let Some(threads) = threads {
            settings.insert("datafusion.execution.target_partitions".to_string(), threads.to_string());
        }
        if let Some(rows) = batch_rows {
            settings.insert("datafusion.execution.batch_size".to_string(), rows.to_string());
        }
        let context = DeltaSessionContext::new_with_session_overrides(&settings)
            .map_err(|e| WarehouseError::Delta { table: "session".to_string(), source: Box::new(e) })?
            .into_inner();
        let catalog = context.catalog("datafusion").ok_or_else(|| WarehouseError::Contract {
            table: "session".to_string(),
            why: "the engine has no default catalog".to_string(),
        })?;
        for name in ["bronze", "silver", "gold", "ops", "ask", "candidate"] {
            catalog.register_schema(name, Arc::new(MemorySchemaProvider::new())).map_err(|e| sql_error(name, e))?;
        }
        crate::functions::register_all(&context);
        Ok(Self { context, seen: Arc::default() })
    }

    /// The DataFusion context.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Makes a table visible as `schema.name`, replacing what stood there.
    ///
    /// # Errors
    /// [`WarehouseError::Sql`] when the engine refuses.
    pub fn put(&self, schema: &str, name: &str, provider: Arc<dyn TableProvider>) -> Result<()> {
        let full = format!("{schema}.{name}");
        let _ = self.context.deregister_table(full.as_str()).map_err(|e| sql_error(&full, e))?;
        self.context.register_table(full.as_str(), provider).map_err(|e| sql_error(&full, e))?;
        Ok(())
    }

    /// Makes rows in memory visible.
    ///
    /// # Errors
    /// [`WarehouseError::Sql`] when the rows do not fit the schema.
    pub fn put_rows(&self, schema: &str, name: &str, columns: SchemaRef, batches: Vec<RecordBatch>) -> Result<()> {
        let table = MemTable::try_new(columns, vec![batches]).map_err(|e| sql_error(name, e))?;
        self.put(schema, name, Arc::new(table))
    }

    /// Makes the table `layer.name` visible as it is now.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn see(&self, root: &Root, registry: &Registry, full: &str) -> Result<()> {
        let (layer, name) = full.split_once('.').unwrap_or(("gold", full));
        self.put_delta(root, layer, name, None, &empty_schema(registry, full)).await
    }

    /// Makes a Delta table visible, at `version` or its latest; where there is none yet, an empty one with the contract's columns.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn put_delta(&self, root: &Root, layer: &str, name: &str, version: Option<i64>, empty: &Schema) -> Result<()> {
        let schema = if layer == "_ops" { "ops" } else { layer };
        let Some(table) = Table::open_at(root, layer, name, version).await? else {
            return self.put_rows(schema, name, Arc::new(plain(empty)), Vec::new());
        };
        let full = format!("{schema}.{name}");
        if self.seen(&full) == Some(table.version()) {
            return Ok(());
        }
        let files = table.files()?;
        if files.iter().map(|f| f.size).sum::<i64>() <= HELD_BYTES {
            self.hold(schema, name, &table, &files).await?;
        } else {
            let failed = |source| WarehouseError::Sql { model: table.label().to_string(), source: Box::new(source) };
            let state = self.context.state();
            table
                .inner()
                .update_datafusion_session(&state)
                .map_err(|e| WarehouseError::Delta { table: table.label().to_string(), source: Box::new(e) })?;
            let provider = table.inner().table_provider().await.map_err(failed)?;
            self.put(schema, name, provider)?;
        }
        if let Ok(mut seen) = self.seen.lock() {
            seen.insert(full, table.version());
        }
        Ok(())
    }

    fn seen(&self, full: &str) -> Option<i64> {
        self.seen.lock().ok().and_then(|seen| seen.get(full).copied())
    }

    /// Reads a small table whole, in the order of its files.
    async fn hold(&self, schema: &str, name: &str, table: &Table, files: &[FileEntry]) -> Result<()> {
        let label = table.label();
        let arrow = |source| WarehouseError::Arrow { table: label.to_string(), source };
        let columns: SchemaRef = Arc::new(plain(table.schema()?.as_ref()));
        let store = table.store();
        let reads = files.iter().map(|file| async {
            let batches = read_file(&store, label, &file.path, None).await?;
            batches.iter().map(|batch| place(label, &columns, batch, file)).collect::<Result<Vec<_>>>()
        });
        let mut parts: Vec<RecordBatch> = Vec::with_capacity(files.len());
        let mut stream = futures::stream::iter(reads).buffered(PARALLEL);
        while let Some(batches) = stream.next().await {
            parts.extend(batches?);
        }
        let whole = concat_batches(&columns, &parts).map_err(arrow)?;
        drop(parts);
        let batches: Vec<RecordBatch> =
            (0..whole.num_rows()).step_by(HELD_ROWS).map(|at| whole.slice(at, HELD_ROWS.min(whole.num_rows() - at))).collect();
        let half = batches.len().div_ceil(2).max(1);
        let partitions: Vec<Vec<RecordBatch>> =
            if batches.is_empty() { vec![Vec::new()] } else { batches.chunks(half).map(<[_]>::to_vec).collect() };
        let held = MemTable::try_new(columns.clone(), partitions).map_err(|e| sql_error(label, e))?;
        self.put(schema, name, Arc::new(held))
    }

    /// Runs a query with named parameters and collects its rows.
    ///
    /// # Errors
    /// [`WarehouseError::Sql`] naming `model`.
    pub async fn rows(&self, model: &str, sql: &str, parameters: &BTreeMap<String, ScalarValue>) -> Result<Vec<RecordBatch>> {
        let failed = |source| sql_error(model, source);
        let frame = self.context.sql(sql).await.map_err(failed)?;
        let frame = if parameters.is_empty() {
            frame
        } else {
            let values: Vec<(String, ScalarValue)> = parameters.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            frame.with_param_values(values).map_err(failed)?
        };
        frame.collect().await.map_err(failed)
    }
}

/// The columns of a table that is not there yet.
pub(super) fn empty_schema(registry: &Registry, full: &str) -> Schema {
    let (layer, name) = full.split_once('.').unwrap_or(("gold", full));
    match layer {
        "silver" if name == QUARANTINE => quarantine_schema(),
        "silver" => registry.dataset(name).map_or_else(Schema::empty, |d| d.silver_schema()),
        _ => registry.gold_table(name).map_or_else(Schema::empty, TableContract::arrow_schema),
    }
}

/// A schema without field metadata: column comments are for readers of the tables, plans compare schemas by them.
pub(super) fn plain(schema: &Schema) -> Schema {
    Schema::new(schema.fields().iter().map(|f| f.as_ref().clone().with_metadata(HashMap::new())).collect::<Vec<_>>())
}

/// A file's rows as the table shows them: partition values put back, columns in the table's order.
pub(super) fn place(label: &str, columns: &SchemaRef, batch: &RecordBatch, file: &FileEntry) -> Result<RecordBatch> {
    let arrays = columns
        .fields()
        .iter()
        .map(|field| -> Result<ArrayRef> {
            if file.partition.contains_key(field.name()) {
                return Ok(Arc::new(StringArray::from(vec![file.part(field.name()); batch.num_rows()])));
            }
            match batch.column_by_name(field.name()) {
                Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
                Some(column) => {
                    cast(column, field.data_type()).map_err(|source| WarehouseError::Arrow { table: label.to_string(), source })
                }
                None => Ok(new_null_array(field.data_type(), batch.num_rows())),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(columns.clone(), arrays).map_err(|source| WarehouseError::Arrow { table: label.to_string(), source })
}
