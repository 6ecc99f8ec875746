//! The SQL session: schemas `silver`, `gold`, `ops` and `ask`, our exact functions, Delta tables at chosen versions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::{MemorySchemaProvider, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use deltalake::delta_datafusion::DeltaSessionContext;

use crate::delta::Table;
use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// A DataFusion session over one warehouse.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
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
        let catalog = context
            .catalog("datafusion")
            .ok_or_else(|| WarehouseError::Contract { table: "session".to_string(), why: "the engine has no default catalog".to_string() })?;
        for name in ["silver", "gold", "ops", "ask"] {
            catalog.register_schema(name, Arc::new(MemorySchemaProvider::new())).map_err(|e| sql_error(name, e))?;
        }
        crate::functions::register_all(&context);
        Ok(Self { context })
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

    /// Makes a Delta table visible, at `version` or its latest; where there is none yet, an empty one with the contract's columns.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn put_delta(&self, root: &Root, layer: &str, name: &str, version: Option<i64>, empty: &Schema) -> Result<()> {
        let schema = if layer == "_ops" { "ops" } else { layer };
        match Table::open_at(root, layer, name, version).await? {
            Some(table) if !table.files()?.is_empty() => {
                let failed = |source| WarehouseError::Sql { model: table.label().to_string(), source: Box::new(source) };
                let state = self.context.state();
                table
                    .inner()
                    .update_datafusion_session(&state)
                    .map_err(|e| WarehouseError::Delta { table: table.label().to_string(), source: Box::new(e) })?;
                let provider = table.inner().table_provider().await.map_err(failed)?;
                self.put(schema, name, provider)
            }
            _ => self.put_rows(schema, name, Arc::new(empty.clone()), Vec::new()),
        }
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
