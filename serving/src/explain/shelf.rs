//! Rows behind rows, looked up for many at once: the keys go in as a table, and each table of the warehouse is read by one query, however
//! many rows are followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::{Map, Value};
use yaojia_models::field::FieldType;
use yaojia_warehouse::Warehouse;
use yaojia_warehouse::read::{Reader, texts};

use crate::error::Result;

/// A row of a table, every value as text, nulls left out.
pub(super) type Row = Map<String, Value>;

/// Key of a value row as evidence of a roll-up names it.
pub(super) const VALUE_KEY: [&str; 9] =
    ["indicator_id", "measure", "month", "county", "level", "subject_code", "product_code", "batch_code", "group_code"];
/// The table that holds the keys while a query joins them.
const KEYS: &str = "wanted";
/// Silver rows followed of a fact row and a table.
const SILVER_ROWS: usize = 10;
/// Columns that a query of ours adds to say which key a row belongs to, and as which of its rows.
const ADDED: [&str; 2] = ["wanted_no", "wanted_at"];

/// Keys that are looked up together: by number, their parts in columns `k0`, `k1` …
struct Keys {
    numbers: Vec<i64>,
    parts: Vec<Vec<String>>,
}

impl Keys {
    fn new(width: usize) -> Self {
        Self { numbers: Vec::new(), parts: vec![Vec::new(); width] }
    }

    fn push<'a>(&mut self, number: usize, parts: impl IntoIterator<Item = &'a str>) {
        self.numbers.push(i64::try_from(number).unwrap_or(i64::MAX));
        for (column, part) in self.parts.iter_mut().zip(parts) {
            column.push(part.to_string());
        }
    }

    /// The rows of a query over `ask.wanted AS k`, by the number of their key, in the query's order.
    async fn rows(self, read: &Reader, sql: &str) -> Result<BTreeMap<usize, Vec<Row>>> {
        let mut columns: Vec<(String, ArrayRef)> = vec![("no".to_string(), Arc::new(Int64Array::from(self.numbers)))];
        for (at, parts) in self.parts.into_iter().enumerate() {
            columns.push((format!("k{at}"), Arc::new(StringArray::from(parts))));
        }
        let keys = RecordBatch::try_from_iter(columns)?;
        read.ask(KEYS, keys.schema(), vec![keys])?;
        let mut found: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
        for mut row in texts(&read.rows(sql).await?)? {
            let number = row.get(ADDED[0]).and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
            for added in ADDED {
                row.shift_remove(added);
            }
            found.entry(number).or_default().push(row);
        }
        Ok(found)
    }
}

/// The gold rows of keys (table without layer, key with its parts joined by `|`), in their order.
pub(super) async fn gold_rows(warehouse: &Warehouse, read: &Reader, wanted: &[(String, String)]) -> Result<Vec<Option<Row>>> {
    let mut found = vec![None; wanted.len()];
    let mut by_table: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (table, _)) in wanted.iter().enumerate() {
        by_table.entry(table).or_default().push(at);
    }
    for (name, numbers) in by_table {
        let Some(contract) = warehouse.contracts.gold_table(name) else { continue };
        let grain: Vec<&str> =
            if name == "indicator_value" { VALUE_KEY.to_vec() } else { contract.grain.iter().map(String::as_str).collect() };
        let mut keys = Keys::new(grain.len());
        for at in numbers {
            let parts: Vec<&str> = wanted.get(at).map(|(_, key)| key.splitn(grain.len(), '|').collect()).unwrap_or_default();
            if parts.len() == grain.len() {
                keys.push(at, parts);
            }
        }
        let same: Vec<String> = grain
            .iter()
            .enumerate()
            .map(|(at, column)| match contract.column(column).map(|c| c.ty) {
                Some(FieldType::Timestamp) => format!("f.{column} = TRY_CAST(k.k{at} AS TIMESTAMP)"),
                Some(FieldType::Date) => format!("f.{column} = TRY_CAST(k.k{at} AS DATE)"),
                _ => format!("CAST(f.{column} AS VARCHAR) = k.k{at}"),
            })
            .collect();
        let sql = format!("SELECT k.no AS wanted_no, f.* FROM ask.{KEYS} AS k JOIN gold.{name} AS f ON {}", same.join(" AND "));
        for (at, rows) in keys.rows(read, &sql).await? {
            if let Some(place) = found.get_mut(at) {
                *place = rows.into_iter().next();
            }
        }
    }
    Ok(found)
}

/// How the rows of a silver table are found from a fact row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    /// Of the contract's reads, the how-manieth; then the dataset.
    order: usize,
    dataset: String,
    /// Columns that are equal in both.
    columns: Vec<String>,
    /// Partition columns that are equal in both.
    places: Vec<&'static str>,
}

/// Silver rows behind fact rows, in their order: by the dataset's own key where the fact carries it, else by the columns they share.
pub(super) async fn silver_rows(warehouse: &Warehouse, read: &Reader, facts: &[(String, Option<Row>)]) -> Result<Vec<Vec<(String, Row)>>> {
    let mut ways: BTreeMap<Way, Vec<usize>> = BTreeMap::new();
    for (at, (name, fact)) in facts.iter().enumerate() {
        for way in fact.as_ref().map(|fact| ways_from(warehouse, name, fact)).unwrap_or_default() {
            ways.entry(way).or_default().push(at);
        }
    }
    let mut found: Vec<Vec<(String, Row)>> = vec![Vec::new(); facts.len()];
    // Ordered by table first: rows of a fact stand in the order in which its contract names the tables.
    for (way, numbers) in ways {
        let Some(dataset) = warehouse.contracts.dataset(&way.dataset) else { continue };
        let mut keys = Keys::new(way.columns.len() + way.places.len());
        for at in numbers {
            let Some((_, Some(fact))) = facts.get(at) else { continue };
            let text = |name: &str| fact.get(name).and_then(Value::as_str).unwrap_or_default();
            keys.push(at, way.columns.iter().map(|column| text(column)).chain(way.places.iter().map(|place| text(place))));
        }
        let columns = way.columns.iter().enumerate().map(|(at, column)| format!("COALESCE(CAST(s.{column} AS VARCHAR), '') = k.k{at}"));
        let places = way.places.iter().enumerate().map(|(at, place)| format!("s.{place} = k.k{}", at + way.columns.len()));
        let same: Vec<String> = columns.chain(places).collect();
        let order: Vec<String> = dataset.key.iter().map(|key| format!("s.{}", dataset.silver_name(key))).collect();
        let sql = format!(
            "SELECT r.* FROM (SELECT k.no AS wanted_no, ROW_NUMBER() OVER (PARTITION BY k.no ORDER BY {}) AS wanted_at, s.* \
             FROM ask.{KEYS} AS k JOIN silver.{} AS s ON {}) AS r WHERE r.wanted_at <= {SILVER_ROWS} ORDER BY r.wanted_no, r.wanted_at",
            order.join(", "),
            way.dataset,
            same.join(" AND ")
        );
        for (at, rows) in keys.rows(read, &sql).await? {
            if let Some(place) = found.get_mut(at) {
                place.extend(rows.into_iter().map(|row| (format!("silver.{}", way.dataset), row)));
            }
        }
    }
    Ok(found)
}

/// The ways from a fact row to the silver tables that its contract says it reads.
fn ways_from(warehouse: &Warehouse, name: &str, fact: &Row) -> Vec<Way> {
    let Some(contract) = warehouse.contracts.gold_table(name) else { return Vec::new() };
    let mut ways = Vec::new();
    for (order, table) in contract.reads.keys().filter_map(|table| table.strip_prefix("silver.")).enumerate() {
        let Some(dataset) = warehouse.contracts.dataset(table) else { continue };
        let key: Vec<String> = dataset.key.iter().map(|key| dataset.silver_name(key).to_string()).collect();
        let way = if key.iter().all(|column| fact.contains_key(column)) {
            Way { order, dataset: table.to_string(), columns: key, places: Vec::new() }
        } else {
            // An aggregate: the rows that share its institution, code and day.
            let shared: Vec<String> = contract
                .grain
                .iter()
                .filter(|column| dataset.columns.iter().any(|c| dataset.silver_name(&c.name) == column.as_str()))
                .cloned()
                .collect();
            if shared.len() < 2 {
                continue;
            }
            let places = ["county", "month"].into_iter().filter(|place| fact.contains_key(*place)).collect();
            Way { order, dataset: table.to_string(), columns: shared, places }
        };
        ways.push(way);
    }
    ways
}

/// The newest bronze row of each dataset, artifact and row number, in their order.
pub(super) async fn bronze_rows(warehouse: &Warehouse, read: &Reader, wanted: &[(String, String, i64)]) -> Result<Vec<Option<Row>>> {
    let mut found = vec![None; wanted.len()];
    let mut by_dataset: BTreeMap<&str, Keys> = BTreeMap::new();
    for (at, (dataset, artifact, row)) in wanted.iter().enumerate() {
        if warehouse.contracts.dataset(dataset).is_some() {
            by_dataset.entry(dataset).or_insert_with(|| Keys::new(2)).push(at, [artifact.as_str(), row.to_string().as_str()]);
        }
    }
    for (dataset, keys) in by_dataset {
        let sql = format!(
            "SELECT r.* FROM (SELECT k.no AS wanted_no, ROW_NUMBER() OVER (PARTITION BY k.no ORDER BY b._run_seq DESC) AS wanted_at, b.* \
             FROM ask.{KEYS} AS k JOIN bronze.{dataset} AS b ON b._artifact = k.k0 AND b._row = CAST(k.k1 AS BIGINT)) AS r \
             WHERE r.wanted_at = 1 ORDER BY r.wanted_no"
        );
        for (at, rows) in keys.rows(read, &sql).await? {
            if let Some(place) = found.get_mut(at) {
                *place = rows.into_iter().next();
            }
        }
    }
    Ok(found)
}
