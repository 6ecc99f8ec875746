//! A Delta table: open or create, list files, commit files added and removed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableError};
use object_store::ObjectStore;
use serde_json::Value;

use crate::delta::{Cell, digest_in};
use crate::error::{Result, WarehouseError};
use crate::store::{ReadOnly, Root, refused};

/// One active data file of a table.
#[derive(Debug, Clone)]
pub struct FileEntry {
    /// Path below the table's folder.
    pub path: String,
    /// Partition values by column.
    pub partition: HashMap<String, Option<String>>,
    /// Rows, when the log says.
    pub rows: Option<u64>,
    /// Bytes.
    pub size: i64,
}

impl FileEntry {
    /// The cell the file belongs to.
    #[must_use]
    pub fn cell(&self) -> Cell {
        Cell::new(self.part("county"), self.part("month"))
    }

    /// A partition value, empty when null or absent.
    #[must_use]
    pub fn part(&self, column: &str) -> String {
        self.partition.get(column).cloned().flatten().unwrap_or_default()
    }
}

/// A file to be added by a commit; it has been written already.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Path below the table's folder.
    pub path: String,
    /// Partition values by column.
    pub partition: Vec<(String, String)>,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of it.
    pub size: u64,
}

/// What one commit does.
#[derive(Debug, Default)]
pub struct Change {
    /// Files that join the table.
    pub add: Vec<NewFile>,
    /// Files that leave it.
    pub remove: Vec<String>,
    /// Positions (application id, version) recorded in the same commit.
    pub positions: Vec<(String, i64)>,
    /// Further commit information: the run id and the like.
    pub info: Vec<(String, String)>,
}

/// A Delta table below the warehouse root.
#[derive(Debug, Clone)]
pub struct Table {
    label: String,
    inner: DeltaTable,
    partition: Vec<String>,
    writable: bool,
}

fn failed(label: &str, source: DeltaTableError) -> WarehouseError {
    WarehouseError::Delta { table: label.to_string(), source: Box::new(source) }
}

fn not_writable(label: &str) -> WarehouseError {
    WarehouseError::Store { path: label.to_string(), source: refused(label) }
}

impl Table {
    /// Opens a table; `None` when it does not exist.
    ///
    /// # Errors
    /// [`WarehouseError::Delta`] when its log cannot be read.
    pub async fn open(root: &Root, layer: &str, name: &str) -> Result<Option<Self>> {
        Self::open_at(root, layer, name, None).await
    }

    /// Opens a table at a version (the latest for `None`).
    ///
    /// # Errors
    /// [`WarehouseError::Delta`] when its log cannot be read or the version is gone.
    pub async fn open_at(root: &Root, layer: &str, name: &str, version: Option<i64>) -> Result<Option<Self>> {
        let label = format!("{layer}.{name}");
        let url = root.table_url(layer, name)?;
        // A local folder that is not there yet is no table; asking the builder would be an error.
        if url.to_file_path().is_ok_and(|p| !p.join("_delta_log").exists()) {
            return Ok(None);
        }
        if version.is_none()
            && let Some(table) = root.shelf().take(root, layer, name).await?
        {
            return Ok(Some(table));
        }
        let mut builder = root.builder(layer, name)?;
        if let Some(version) = version {
            builder = builder.with_version(u64::try_from(version).unwrap_or_default());
        }
        match builder.load().await {
            Ok(inner) => {
                let partition = inner.snapshot().map_err(|e| failed(&label, e))?.metadata().partition_columns().to_vec();
                let table = Self { label, inner, partition, writable: root.is_writable() };
                if version.is_none() {
                    root.shelf().put(root, layer, name, &table).await?;
                }
                Ok(Some(table))
            }
            Err(DeltaTableError::NotATable(_)) => Ok(None),
            Err(e) => Err(failed(&label, e)),
        }
    }

    /// Opens a table, creating it with the schema (partition columns included) when it does not exist.
    ///
    /// # Errors
    /// [`WarehouseError::Contract`] when the table there has other columns than the contract, [`WarehouseError::Delta`], or
    /// [`WarehouseError::Arrow`] when the schema has no Delta counterpart.
    pub async fn open_or_create(root: &Root, layer: &str, name: &str, schema: &Schema, partition: &[&str], title: &str) -> Result<Self> {
        let label = format!("{layer}.{name}");
        if let Some(table) = Self::open(root, layer, name).await? {
            let held = table.schema()?;
            let shape = |s: &Schema| -> Vec<(String, arrow::datatypes::DataType)> {
                let mut columns: Vec<_> = s.fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect();
                columns.sort_by(|a, b| a.0.cmp(&b.0));
                columns
            };
            if shape(&held) != shape(schema) {
                return Err(WarehouseError::Contract {
                    table: label,
                    why: "the table was made by another version of the contract, with other columns: load into a new warehouse".to_string(),
                });
            }
            return Ok(table);
        }
        if !root.is_writable() {
            return Err(not_writable(&label));
        }
        let url = root.table_url(layer, name)?;
        if let Ok(folder) = url.to_file_path() {
            std::fs::create_dir_all(&folder).map_err(|e| WarehouseError::Store {
                path: format!("{layer}/{name}"),
                source: object_store::Error::Generic { store: "local", source: Box::new(e) },
            })?;
        }
        let log_store = root.builder(layer, name)?.build_storage().map_err(|e| failed(&label, e))?;
        let inner = CreateBuilder::new()
            .with_log_store(log_store)
            .with_table_name(name)
            .with_comment(title)
            .with_columns(delta_fields(&label, schema)?)
            .with_partition_columns(partition.iter().copied())
            .with_save_mode(SaveMode::Ignore)
            .with_raise_if_key_not_exists(false)
            .with_configuration([
                ("delta.checkpointInterval", Some("50")),
                ("delta.dataSkippingNumIndexedCols", Some("0")),
                // Nothing is deleted behind our back: `maintain` decides.
                ("delta.enableExpiredLogCleanup", Some("false")),
            ])
            .await
            .map_err(|e| failed(&label, e))?;
        Ok(Self { label, inner, partition: partition.iter().map(ToString::to_string).collect(), writable: true })
    }

    /// `layer.name`.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The library's table, for scans.
    #[must_use]
    pub fn inner(&self) -> &DeltaTable {
        &self.inner
    }

    /// The current version.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.inner.version().map_or(-1, |v| i64::try_from(v).unwrap_or(i64::MAX))
    }

    /// Object store below the table's folder.
    #[must_use]
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        let store = self.inner.object_store();
        if self.writable { store } else { Arc::new(ReadOnly(store)) }
    }

    /// The table's Arrow schema, partition columns included.
    ///
    /// # Errors
    /// [`WarehouseError::Delta`] when no state is loaded.
    pub fn schema(&self) -> Result<SchemaRef> {
        Ok(self.inner.snapshot().map_err(|e| failed(&self.label, e))?.snapshot().arrow_schema())
    }

    /// Active files, sorted by path.
    ///
    /// # Errors
    /// [`WarehouseError::Delta`] when no state is loaded.
    pub fn files(&self) -> Result<Vec<FileEntry>> {
        let state = self.inner.snapshot().map_err(|e| failed(&self.label, e))?;
        let mut files: Vec<FileEntry> = state
            .log_data()
            .iter()
            .map(|view| FileEntry {
                path: view.path().to_string(),
                partition: view.partition_values_map(),
                rows: view.num_records().map(|n| n as u64),
                size: view.size(),
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Active files by the cell they belong to.
    ///
    /// # Errors
    /// [`WarehouseError::Delta`] when no state is loaded.
    pub fn files_by_cell(&self) -> Result<BTreeMap<Cell, Vec<FileEntry>>> {
        let mut cells: BTreeMap<Cell, Vec<FileEntry>> = BTreeMap::new();
        for file in self.files()? {
            cells.entry(file.cell()).or_default().push(file);
        }
        Ok(cells)
    }

    /// The cells of the table `layer.name` with the digests their files are named by; none when it does not exist.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub async fn digests(root: &Root, full: &str) -> Result<BTreeMap<Cell, String>> {
        let (layer, name) = full.split_once('.').unwrap_or(("gold", full));
        let Some(table) = Self::open(root, layer, name).await? else { return Ok(BTreeMap::new()) };
        Ok(table.files()?.iter().map(|f| (f.cell(), digest_in(&f.path).unwrap_or(&f.path).to_string())).collect())
    }

    /// The position an application recorded last.
    ///
    /// # Errors
    /// [`WarehouseError::Delta`] when the log cannot be read.
    pub async fn position(&self, application: &str) -> Result<Option<i64>> {
        let state = self.inner.snapshot().map_err(|e| failed(&self.label, e))?;
        state.transaction_version(self.inner.log_store().as_ref(), application.to_string()).await.map_err(|e| failed(&self.label, e))
    }

    /// Writes a checkpoint of the current version, so that readers need not go through the log before it.
    ///
    /// # Errors
    /// [`WarehouseError::Delta`] when it cannot be written.
    pub async fn checkpoint(&self) -> Result<()> {
        deltalake::checkpoints::create_checkpoint(&self.inner, None).await.map_err(|e| failed(&self.label, e))
    }

    /// Commits a change atomically; returns the new version.
    ///
    /// # Errors
    /// [`WarehouseError::Delta`] when the log does not take it; nothing is visible then.
    pub async fn commit(&mut self, change: Change) -> Result<i64> {
        self.write(change, true).await
    }

    /// Commits a change after which the table holds the same rows in other files; the log says so to whoever follows changes.
    ///
    /// # Errors
    /// As [`Table::commit`].
    pub async fn rearrange(&mut self, change: Change) -> Result<i64> {
        self.write(change, false).await
    }

    async fn write(&mut self, change: Change, data_change: bool) -> Result<i64> {
        if !self.writable {
            return Err(not_writable(&self.label));
        }
        let state = self.inner.snapshot().map_err(|e| failed(&self.label, e))?;
        let mut actions = Vec::with_capacity(change.add.len() + change.remove.len());
        if !change.remove.is_empty() {
            let leaving: std::collections::BTreeSet<&str> = change.remove.iter().map(String::as_str).collect();
            let log = state.log_data();
            let gone = log.iter().filter(|v| leaving.contains(v.path().as_ref()));
            actions.extend(gone.map(|v| Action::Remove(v.remove_action(data_change))));
        }
        let replaces = !actions.is_empty();
        actions.extend(change.add.into_iter().map(|f| Action::Add(add_action(f, data_change))));
        let operation = DeltaOperation::Write {
            mode: if replaces { SaveMode::Overwrite } else { SaveMode::Append },
            partition_by: (!self.partition.is_empty()).then(|| self.partition.clone()),
            predicate: None,
        };
        let properties = CommitProperties::default()
            .with_metadata(change.info.into_iter().map(|(k, v)| (k, Value::String(v))))
            .with_application_transactions(change.positions.into_iter().map(|(app, version)| Transaction::new(app, version)).collect());
        let done = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(state.snapshot()), self.inner.log_store(), operation)
            .await
            .map_err(|e| failed(&self.label, e))?;
        self.inner.state = Some(done.snapshot());
        Ok(self.version())
    }
}

fn delta_fields(label: &str, schema: &Schema) -> Result<Vec<deltalake::kernel::StructField>> {
    use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
    let kernel: deltalake::kernel::StructType =
        schema.try_into_kernel().map_err(|source| WarehouseError::Arrow { table: label.to_string(), source })?;
    Ok(kernel.fields().cloned().collect())
}

fn add_action(file: NewFile, data_change: bool) -> Add {
    Add {
        path: file.path,
        partition_values: file.partition.into_iter().map(|(k, v)| (k, Some(v))).collect(),
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        // A clock in the log would differ between equal runs and nothing of ours reads it; vacuum goes by the log's own rules.
        modification_time: 0,
        data_change,
        stats: Some(format!("{{\"numRecords\":{}}}", file.rows)),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    }
}
