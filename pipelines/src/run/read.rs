//! Reading: a SQL session over the current release.

use std::collections::BTreeMap;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use datafusion::prelude::SessionContext;
use yaojia_models::contract::Registry;
use yaojia_models::graph::table_refs;
use yaojia_warehouse::Root;
use yaojia_warehouse::delta::Table;
use yaojia_warehouse::gold::Session;
use yaojia_warehouse::ledger::{Release, current_release};
use yaojia_warehouse::silver::{QUARANTINE, quarantine_schema};

use super::RunError;
use crate::project::Project;

/// A session whose tables are those of the current release; `ops.*` and `bronze.*` as they are.
pub struct ReadSession {
    session: Session,
    root: Root,
    registry: Registry,
    release: Release,
}

/// Opens a session over the current release.
///
/// # Errors
/// [`RunError::NotFound`] when nothing was published yet.
pub async fn session(project: &Project) -> Result<ReadSession, RunError> {
    let release = current_release(&project.warehouse.root)
        .await?
        .ok_or_else(|| RunError::NotFound("nothing was published yet: run `yaojia nightly`".to_string()))?;
    Ok(ReadSession {
        session: Session::new(None, None)?,
        root: project.warehouse.root.clone(),
        registry: project.warehouse.contracts.clone(),
        release,
    })
}

impl ReadSession {
    /// The release it reads.
    #[must_use]
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// Runs a query over the tables it names.
    ///
    /// # Errors
    /// [`RunError`] when it does not parse, names a table that is not there, or fails.
    pub async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, RunError> {
        self.see(sql).await?;
        Ok(self.session.rows("query", sql, &BTreeMap::new()).await?)
    }

    /// The session's context, with the tables that were seen so far.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        self.session.context()
    }

    /// Makes the tables that a query names visible.
    ///
    /// # Errors
    /// [`RunError`] when it does not parse or names a table that is not there.
    pub async fn see(&self, sql: &str) -> Result<(), RunError> {
        let refs = table_refs("query", sql).map_err(|e| RunError::Config(e.to_string()))?;
        for table in refs {
            let Some(schema) = table.schema.as_deref() else {
                return Err(RunError::NotFound(format!("table `{}` needs its schema: gold, silver, bronze or ops", table.name)));
            };
            if schema == "ask" {
                continue; // the engine's own tables
            }
            let unknown = || RunError::NotFound(format!("there is no table `{table}`"));
            let dataset = || self.registry.dataset(&table.name).ok_or_else(unknown);
            let (layer, version, empty) = match schema {
                "ops" if Table::open(&self.root, "_ops", &table.name).await?.is_some() => ("_ops", None, Schema::empty()),
                "bronze" => ("bronze", None, dataset()?.bronze_schema()),
                "silver" if table.name == QUARANTINE => ("silver", self.version(&table.to_string()), quarantine_schema()),
                "silver" => ("silver", self.version(&table.to_string()), dataset()?.silver_schema()),
                "gold" => {
                    ("gold", self.version(&table.to_string()), self.registry.gold_table(&table.name).ok_or_else(unknown)?.arrow_schema())
                }
                _ => return Err(unknown()),
            };
            self.session.put_delta(&self.root, layer, &table.name, version, &empty).await?;
        }
        Ok(())
    }

    fn version(&self, table: &str) -> Option<i64> {
        self.release.tables.get(table).copied()
    }
}
