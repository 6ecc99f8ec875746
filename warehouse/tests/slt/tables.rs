//! The session of a case: empty tables with their contracts' columns, INSERTs into them, queries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::kernels::substring::substring;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::MemorySchemaProvider;
use datafusion::scalar::ScalarValue;
use yaojia_models::contract::Registry;
use yaojia_warehouse::gold::Session;

use super::{Why, print};

/// A table of a case.
struct Held {
    schema: SchemaRef,
    /// The columns that name the month of a row, the first one first.
    month_of: Vec<String>,
    /// The columns that no two rows share.
    key: Vec<String>,
    batches: Vec<RecordBatch>,
}

/// A fresh session and the tables in it.
pub struct Tables {
    session: Session,
    held: BTreeMap<String, Held>,
}

impl Tables {
    /// A session in which the named tables (`gold.fact_receipt`) exist, empty.
    pub fn open(registry: &Registry, names: &BTreeSet<String>) -> Result<Self, Why> {
        let session = Session::new(Some(2), None).map_err(|e| e.to_string())?;
        let catalog = session.context().catalog("datafusion").ok_or("the session has no catalog")?;
        catalog.register_schema("result", Arc::new(MemorySchemaProvider::new())).map_err(|e| e.to_string())?;
        let mut tables = Self { session, held: BTreeMap::new() };
        for full in names {
            let held = empty(registry, full).ok_or_else(|| format!("`{full}` has no contract"))?;
            tables.held.insert(full.clone(), held);
            tables.show(full)?;
        }
        Ok(tables)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The rows of a table.
    pub fn rows(&self, full: &str) -> &[RecordBatch] {
        self.held.get(full).map(|held| held.batches.as_slice()).unwrap_or_default()
    }

    /// `INSERT INTO schema.table (columns) VALUES …` or `… SELECT …`: columns not named are null, but for `month`, which the contract derives.
    /// A column written `name = 'text'` has this value in every row and none in the query.
    pub async fn insert(&mut self, sql: &str) -> Result<(), Why> {
        let body = sql.trim().strip_prefix("INSERT INTO ").ok_or("a statement is an `INSERT INTO schema.table (columns) VALUES …`")?;
        let (full, rest) = body.split_once('(').ok_or("the INSERT names no columns")?;
        let (columns, query) = rest.split_once(')').ok_or("the INSERT does not end its columns")?;
        let (full, query) = (full.trim(), query.trim().trim_end_matches(';'));
        let (fixed, given): (Vec<&str>, Vec<&str>) = columns.split(',').map(str::trim).partition(|column| column.contains('='));
        let fixed: Vec<(&str, &str)> =
            fixed.iter().filter_map(|column| column.split_once('=')).map(|(name, value)| (name.trim(), value.trim())).collect();
        let values: Vec<String> = fixed.iter().map(|(name, value)| format!("{value} AS \"{name}\", ")).collect();
        let columns: Vec<&str> = fixed.iter().map(|(name, _)| *name).chain(given).collect();
        let query = format!("SELECT {}given.* FROM ({query}) AS given", values.concat());
        let batches = self.session.rows(full, &query, &BTreeMap::new()).await.map_err(told)?;
        let held = self.held.get_mut(full).ok_or_else(|| format!("the SQL does not read `{full}`"))?;
        for batch in &batches {
            held.batches.push(fitted(held, &columns, batch).map_err(|why| format!("`{full}`: {why}"))?);
        }
        held.check_key().map_err(|why| format!("`{full}`: {why}"))?;
        self.show(full)
    }

    /// Runs a query and prints its rows.
    pub async fn query(&self, sql: &str, types: &str) -> Result<Vec<String>, Why> {
        print::rows(&self.session.rows("query", sql, &BTreeMap::new()).await.map_err(told)?, types)
    }

    fn show(&self, full: &str) -> Result<(), Why> {
        let held = self.held.get(full).ok_or_else(|| format!("there is no `{full}`"))?;
        let (schema, name) = full.split_once('.').ok_or_else(|| format!("`{full}` has no schema"))?;
        self.session.put_rows(schema, name, held.schema.clone(), held.batches.clone()).map_err(told)
    }
}

/// An error with all that is behind it.
pub fn told(error: impl std::error::Error) -> Why {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

fn empty(registry: &Registry, full: &str) -> Option<Held> {
    let (schema, month_of, key) = match full.split_once('.')? {
        ("silver", name) => {
            let dataset = registry.dataset(name)?;
            let month_of = if dataset.month_of.is_empty() { &dataset.event } else { &dataset.month_of };
            let silver = |names: &[String]| names.iter().map(|name| dataset.silver_name(name).to_owned()).collect();
            (dataset.silver_schema(), silver(month_of), silver(&dataset.key))
        }
        ("gold", name) => {
            let table = registry.gold_table(name)?;
            let key = if name == "indicator_value" {
                [table.grain.clone(), vec!["county".to_owned(), "month".to_owned()]].concat()
            } else {
                table.grain.clone()
            };
            (table.arrow_schema(), table.month_of.clone(), key)
        }
        _ => return None,
    };
    Some(Held { schema: Arc::new(schema), month_of, key, batches: Vec::new() })
}

/// Rows as the contract wants them.
fn fitted(held: &Held, columns: &[&str], batch: &RecordBatch) -> Result<RecordBatch, Why> {
    if columns.len() != batch.num_columns() {
        return Err(format!("{} columns are named, the rows have {}", columns.len(), batch.num_columns()));
    }
    if let Some(unknown) = columns.iter().find(|name| held.schema.column_with_name(name).is_none()) {
        return Err(format!("there is no column `{unknown}`"));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let mut arrays: BTreeMap<&str, ArrayRef> = BTreeMap::new();
    for (name, column) in columns.iter().zip(batch.columns()) {
        let field = held.schema.field_with_name(name).map_err(|e| e.to_string())?;
        let array = cast_with_options(column, field.data_type(), &strict).map_err(|e| format!("column `{name}`: {e}"))?;
        if arrays.insert(name, array).is_some() {
            return Err(format!("column `{name}` is named twice"));
        }
    }
    if !arrays.contains_key("month")
        && let Some(event) = held.month_of.iter().find_map(|name| arrays.get(name.as_str()))
    {
        let text = cast(event, &DataType::Utf8).map_err(|e| e.to_string())?;
        arrays.insert("month", substring(text.as_ref(), 0, Some(7)).map_err(|e| e.to_string())?);
    }
    let all = held.schema.fields().iter();
    let all =
        all.map(|field| arrays.get(field.name().as_str()).cloned().unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows())));
    RecordBatch::try_new(held.schema.clone(), all.collect()).map_err(|e| e.to_string())
}

impl Held {
    /// No two rows have the same key: a slip of the pen would count twice.
    fn check_key(&self) -> Result<(), Why> {
        let mut seen = BTreeSet::new();
        for batch in &self.batches {
            let columns: Vec<&ArrayRef> = self.key.iter().filter_map(|name| batch.column_by_name(name)).collect();
            for row in 0..batch.num_rows() {
                let key = columns.iter().map(|column| ScalarValue::try_from_array(column.as_ref(), row).map(|value| value.to_string()));
                let key = key.collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?.join("|");
                if !seen.insert(key.clone()) {
                    return Err(format!("two rows have the key {key}"));
                }
            }
        }
        Ok(())
    }
}
