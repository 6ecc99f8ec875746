//! The SQL session: schemas `silver`, `gold`, `ops` and `ask`, our exact functions, Delta tables at chosen versions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionContext, col, lit};
use datafusion::scalar::ScalarValue;
use deltalake::delta_datafusion::DeltaSessionContext;
use futures::StreamExt as _;
use yaojia_models::contract::{Registry, TableContract};

use crate::delta::{Cell, FileEntry, Table, read_file};
use crate::error::{Result, WarehouseError};
use crate::silver::{QUARANTINE, quarantine_schema};
use crate::store::Root;

/// Cells up to this many bytes on disk are read once and kept in memory for the session: many small cells cost more to open than to hold,
/// and forty indicators open the same dozen tables.
const HELD_BYTES: i64 = 48 << 20;
/// Files read at a time.
const PARALLEL: usize = 4;

/// A DataFusion session over one warehouse.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
    /// `schema.name` → version and cells that are visible now.
    seen: Arc<Mutex<BTreeMap<String, String>>>,
    /// `schema.name` → path → rows of the files read so far: windows of several indicators onto one table share them.
    held: Arc<Mutex<BTreeMap<String, Held>>>,
}

/// Rows of a table's files by path, with the files' sizes.
type Held = BTreeMap<String, (i64, Vec<RecordBatch>)>;

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
        crate::functions::register_all(&context);
        let session = Self { context, seen: Arc::default(), held: Arc::default() };
        for name in ["silver", "gold", "ask", "candidate"] {
            session.put_schema(name, Arc::new(MemorySchemaProvider::new()))?;
        }
        Ok(session)
    }

    /// The DataFusion context.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Lets a catalog stand for a schema.
    pub(crate) fn put_schema(&self, name: &str, schema: Arc<dyn SchemaProvider>) -> Result<()> {
        let catalog = self.context.catalog("datafusion").ok_or_else(|| WarehouseError::Contract {
            table: "session".to_string(),
            why: "the engine has no default catalog".to_string(),
        })?;
        let _ = catalog.register_schema(name, schema).map_err(|e| sql_error(name, e))?;
        Ok(())
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
        self.see_cells(root, registry, full, &|_| true).await
    }

    /// Makes only the `wanted` cells of the table `layer.name` visible, as they are now: what reads less than a table pays for less.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn see_cells(&self, root: &Root, registry: &Registry, full: &str, wanted: &(dyn Fn(&Cell) -> bool + Sync)) -> Result<()> {
        let (layer, name) = full.split_once('.').unwrap_or(("gold", full));
        self.put_cells(root, layer, name, &empty_schema(registry, full), wanted).await
    }

    async fn put_cells(&self, root: &Root, layer: &str, name: &str, empty: &Schema, wanted: &(dyn Fn(&Cell) -> bool + Sync)) -> Result<()> {
        let full = format!("{layer}.{name}");
        let Some(table) = Table::open(root, layer, name).await? else {
            return self.put_rows(layer, name, Arc::new(plain(empty)), Vec::new());
        };
        let all = table.files()?;
        let count = all.len();
        let files: Vec<FileEntry> = all.into_iter().filter(|file| wanted(&file.cell())).collect();
        let whole = files.len() == count;
        // All cells are another set than none of them.
        let cells = if whole { "*".to_string() } else { files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>().join("\n") };
        let now = format!("{} {cells}", table.version());
        if self.seen(&full).as_ref() == Some(&now) {
            return Ok(());
        }
        if files.iter().map(|f| f.size).sum::<i64>() <= HELD_BYTES {
            self.hold(layer, name, &table, &files).await?;
        } else {
            let failed = |source| WarehouseError::Sql { model: table.label().to_string(), source: Box::new(source) };
            let state = self.context.state();
            table
                .inner()
                .update_datafusion_session(&state)
                .map_err(|e| WarehouseError::Delta { table: table.label().to_string(), source: Box::new(e) })?;
            let provider = table.inner().table_provider().await.map_err(failed)?;
            let provider = if whole { provider } else { self.filtered(provider, &files).map_err(failed)? };
            self.put(layer, name, provider)?;
        }
        if let Ok(mut seen) = self.seen.lock() {
            seen.insert(full, now);
        }
        Ok(())
    }

    /// A table too large to hold, behind a filter by county and month that its files are pruned by. It may let through more than the
    /// wanted cells, never less.
    fn filtered(&self, provider: Arc<dyn TableProvider>, files: &[FileEntry]) -> datafusion::error::Result<Arc<dyn TableProvider>> {
        let list = |column: &str| {
            let values: BTreeSet<String> = files.iter().map(|f| f.part(column)).collect();
            col(column).in_list(values.into_iter().map(lit).collect(), false)
        };
        Ok(self.context.read_table(provider)?.filter(list("county").and(list("month")))?.into_view())
    }

    fn seen(&self, full: &str) -> Option<String> {
        self.seen.lock().ok().and_then(|seen| seen.get(full).cloned())
    }

    /// Reads files of a table, those that were read before from memory, and makes their rows visible in the order of the files.
    async fn hold(&self, schema: &str, name: &str, table: &Table, files: &[FileEntry]) -> Result<()> {
        let label = table.label();
        let full = format!("{schema}.{name}");
        let columns: SchemaRef = Arc::new(plain(table.schema()?.as_ref()));
        let store = table.store();
        let mut held: Held = self.held.lock().ok().and_then(|mut all| all.remove(&full)).unwrap_or_default();
        let missing: Vec<&FileEntry> = files.iter().filter(|file| !held.contains_key(&file.path)).collect();
        let reads = missing.iter().map(|file| async {
            let batches = read_file(&store, label, &file.path, None).await?;
            let batches = batches.iter().map(|batch| place(label, &columns, batch, file)).collect::<Result<Vec<_>>>()?;
            Ok::<_, WarehouseError>((file.path.clone(), (file.size, batches)))
        });
        let mut stream = futures::stream::iter(reads).buffered(PARALLEL);
        while let Some(read) = stream.next().await {
            let (path, rows) = read?;
            held.insert(path, rows);
        }
        drop(stream);
        let batches: Vec<RecordBatch> =
            files.iter().filter_map(|file| held.get(&file.path)).flat_map(|(_, batches)| batches.iter().cloned()).collect();
        let half = batches.len().div_ceil(2).max(1);
        let partitions: Vec<Vec<RecordBatch>> =
            if batches.is_empty() { vec![Vec::new()] } else { batches.chunks(half).map(<[_]>::to_vec).collect() };
        let rows = MemTable::try_new(columns.clone(), partitions).map_err(|e| sql_error(label, e))?;
        self.put(schema, name, Arc::new(rows))?;
        // What several windows read together may be more than a session should keep; files that left the table go too.
        if held.values().map(|(size, _)| size).sum::<i64>() > HELD_BYTES {
            let wanted: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
            held.retain(|path, _| wanted.contains(path.as_str()));
        }
        if let Ok(mut all) = self.held.lock() {
            all.insert(full, held);
        }
        Ok(())
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
pub(crate) fn plain(schema: &Schema) -> Schema {
    Schema::new(schema.fields().iter().map(|f| f.as_ref().clone().with_metadata(HashMap::new())).collect::<Vec<_>>())
}

/// A file's rows as the table shows them: partition values put back, columns in the table's order.
pub(crate) fn place(label: &str, columns: &SchemaRef, batch: &RecordBatch, file: &FileEntry) -> Result<RecordBatch> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::{Change, canonical, file_schema, write_cell};

    #[tokio::test]
    async fn no_cells_at_all_are_not_all_cells() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), HashMap::new()).unwrap();
        let registry = Registry::embedded().unwrap();
        let contract = registry.gold_table("dim_admdvs").unwrap();
        let schema = contract.arrow_schema();
        let inner = file_schema(&schema);
        let columns: Vec<ArrayRef> = inner.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
        let rows = canonical("t", &inner, &[], &[], &[RecordBatch::try_new(inner.clone(), columns).unwrap()]).unwrap();
        let mut table = Table::open_or_create(&root, "gold", "dim_admdvs", &schema, &["county", "month"], "t").await.unwrap();
        let partition = vec![("county".to_string(), "652801".to_string()), ("month".to_string(), "2024-01".to_string())];
        let add = vec![write_cell(&table.store(), "t", partition, rows, 1).await.unwrap()];
        table.commit(Change { add, ..Change::default() }).await.unwrap();

        let session = Session::new(Some(1), None).unwrap();
        for (wanted, expected) in [(false, 0), (true, 1), (false, 0)] {
            session.see_cells(&root, &registry, "gold.dim_admdvs", &|_| wanted).await.unwrap();
            let found = session.rows("t", "SELECT d.county AS county FROM gold.dim_admdvs AS d", &BTreeMap::new()).await.unwrap();
            assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), expected);
        }
    }
}
