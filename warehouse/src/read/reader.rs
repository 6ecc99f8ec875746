//! A reader of one release.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::scalar::ScalarValue;
use yaojia_models::graph::table_refs;

use super::catalog::{Layer, SCHEMAS, Tables};
use super::error::{ReadError, Result};
use super::statement;
use crate::error::WarehouseError;
use crate::gold::Session;
use crate::ledger::{Release, current_release};
use crate::warehouse::Warehouse;

/// Values of a query's `$name`s.
pub type Parameters = BTreeMap<String, ScalarValue>;

/// Texts as parameters.
#[must_use]
pub fn parameters<const N: usize>(texts: [(&str, &str); N]) -> Parameters {
    texts.into_iter().map(|(name, text)| (name.to_string(), ScalarValue::from(text))).collect()
}

/// Reads one release.
pub struct Reader {
    session: Session,
    tables: Arc<Tables>,
    queries: AtomicUsize,
}

impl Warehouse {
    /// A reader of what was published last.
    ///
    /// # Errors
    /// [`ReadError::NothingPublished`], or as the storage says.
    pub async fn reader(&self) -> Result<Reader> {
        let release = current_release(&self.root).await?.ok_or(ReadError::NothingPublished)?;
        self.reader_of(release)
    }

    /// A reader of a release.
    ///
    /// # Errors
    /// [`WarehouseError::Sql`] where the engine does not take its settings.
    pub fn reader_of(&self, release: Release) -> Result<Reader> {
        let session = Session::new(None, None)?;
        let runtime = session.context().runtime_env();
        let tables = Arc::new(Tables::new(self.root.clone(), self.contracts.clone(), release, runtime));
        for schema in SCHEMAS {
            session.put_schema(schema, Arc::new(Layer { schema, tables: tables.clone() }))?;
        }
        Ok(Reader { session, tables, queries: AtomicUsize::new(0) })
    }
}

impl Reader {
    /// The release it reads.
    #[must_use]
    pub fn release(&self) -> &Release {
        self.tables.release()
    }

    /// The engine's context over this release; whoever plans with it finds the tables by name.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        self.session.context()
    }

    /// How many tables were opened, and how many queries run.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.tables.opened(), self.queries.load(Ordering::Relaxed))
    }

    /// Runs one SELECT.
    ///
    /// # Errors
    /// [`ReadError::Refused`] for anything else, [`ReadError::NoTable`], [`ReadError::NoSchema`], or as the engine says.
    pub async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        self.rows_with(sql, &Parameters::new()).await
    }

    /// Runs one SELECT with values for its `$name`s: no text is ever put into SQL.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub async fn rows_with(&self, sql: &str, parameters: &Parameters) -> Result<Vec<RecordBatch>> {
        let failed = |source| WarehouseError::Sql { model: "query".to_string(), source: Box::new(source) };
        let state = self.session.context().state();
        let statement = statement::one_select(sql)?;
        self.find(sql).await?;
        let plan: LogicalPlan = statement::plan(&state, statement).await?;
        let frame = DataFrame::new(state, plan);
        let frame = if parameters.is_empty() {
            frame
        } else {
            let values: Vec<(String, ScalarValue)> = parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            frame.with_param_values(values).map_err(failed)?
        };
        let _ = self.queries.fetch_add(1, Ordering::Relaxed);
        Ok(frame.collect().await.map_err(failed)?)
    }

    /// Rows to be joined by a query, as `ask.<name>`, in place of what stood there.
    ///
    /// # Errors
    /// [`WarehouseError::Sql`] where the rows do not fit the columns.
    pub fn ask(&self, name: &str, columns: SchemaRef, rows: Vec<RecordBatch>) -> Result<()> {
        Ok(self.session.put_rows("ask", name, columns, rows)?)
    }

    /// Finds the tables that SQL names, before it is planned: what is not there is said in our words.
    ///
    /// # Errors
    /// [`ReadError::NoTable`], [`ReadError::NoSchema`], or as the storage says.
    pub async fn find(&self, sql: &str) -> Result<()> {
        for table in table_refs("query", sql)? {
            let Some(schema) = table.schema.as_deref() else { return Err(ReadError::NoSchema(table.name)) };
            // The engine's own are told by whoever asks.
            if schema != "ask" && self.tables.table(schema, &table.name).await?.is_none() {
                return Err(ReadError::NoTable(table.to_string()));
            }
        }
        Ok(())
    }
}
