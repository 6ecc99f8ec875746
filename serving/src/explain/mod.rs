//! From an alert down to original bytes.

mod behind;
mod original;
mod shelf;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::{Map, Value};
use yaojia_models::card::{Card, Query, Rule};
use yaojia_warehouse::Warehouse;
use yaojia_warehouse::read::{Reader, parameters, texts};

use self::behind::rows_behind;
pub use self::original::{FileRows, Original};
use self::original::{Wanted, originals};
use self::shelf::{Row, VALUE_KEY, gold_rows, silver_rows};
use crate::error::{Result, ServingError};

/// Version of the document.
const SCHEMA_VERSION: u32 = 1;

/// How much of the evidence is shown, and how much of it is followed to the bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Evidence rows shown with their fact row; the alert says how many there are.
    pub shown: usize,
    /// Of these, the first so many are followed to their silver rows.
    pub traced: usize,
    /// Of these, the first so many are followed to bronze and the original bytes.
    pub opened: usize,
}

impl Default for Depth {
    fn default() -> Self {
        Self { shown: 20, traced: 5, opened: 1 }
    }
}

/// An evidence row with its part in the value, the fact row and the silver rows behind it.
#[derive(Debug, Clone, Serialize)]
pub struct EvidenceRow {
    /// `gold.fact_receipt`.
    pub table: String,
    /// Key, its columns joined by `|`.
    pub row_key: String,
    /// Part in the numerator, denominator and amount, as decimal text.
    pub num: Option<String>,
    /// Part in the denominator.
    pub den: Option<String>,
    /// Part in the amount at risk.
    pub amount: Option<String>,
    /// A remark.
    pub note: Option<String>,
    /// The row itself.
    pub row: Option<Map<String, Value>>,
    /// Silver rows behind it: table and row.
    pub silver: Vec<(String, Map<String, Value>)>,
    /// What each of these silver rows was received as, in their order; empty where the row was not followed so far.
    pub originals: Vec<Original>,
}

/// All evidence rows together, beside the value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EvidenceSum {
    /// Σ numerators, as decimal text; null: the rows have none.
    pub num: Option<String>,
    /// Σ denominators.
    pub den: Option<String>,
    /// Whether value and evidence are one sum by definition: a subject's value that is added up from rows.
    pub adds_up: bool,
}

/// The release that shows the alert.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ShownBy {
    /// Its number.
    pub number: i64,
    /// The run that made it.
    pub run_id: String,
    /// Its data instant.
    pub as_of: String,
}

/// Everything about one alert.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Version of this document.
    pub schema_version: u32,
    /// The release it is read from.
    pub release: ShownBy,
    /// The alert's row.
    pub alert: Map<String, Value>,
    /// The value's row.
    pub value: Map<String, Value>,
    /// The deciding rule as written in `rules.toml`, and what it cites.
    pub rule: Map<String, Value>,
    /// Names and sources from the card.
    pub card: Map<String, Value>,
    /// How many evidence rows there are.
    pub evidence_n: usize,
    /// All of them together.
    pub sum: EvidenceSum,
    /// The first of them.
    pub evidence: Vec<EvidenceRow>,
    /// Original bytes of the first source row.
    pub original: Option<Original>,
}

/// Everything about one alert of the reader's release, found by its id or the beginning of it.
///
/// Each table is read by one query, however many rows of evidence there are.
///
/// # Errors
/// [`ServingError::NotFound`] where there is no such alert or the beginning is that of several; or as the release can be read.
pub async fn explain(warehouse: &Warehouse, read: &Reader, files: &dyn FileRows, alert_id: &str, depth: Depth) -> Result<Explanation> {
    let wanted = alert_id.trim();
    if wanted.is_empty() || !wanted.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(ServingError::NotFound(format!("`{alert_id}` is no alert id")));
    }
    let sql = "SELECT * FROM gold.alert AS a WHERE starts_with(a.alert_id, $begins) ORDER BY a.alert_id";
    let alerts = texts(&read.rows_with(sql, &parameters([("begins", wanted)])).await?)?;
    let alert = match alerts.as_slice() {
        [one] => one.clone(),
        [] => return Err(ServingError::NotFound(format!("there is no alert `{alert_id}` in release {}", read.release().number))),
        more => return Err(ServingError::NotFound(format!("{} alerts begin with `{alert_id}`: give more of it", more.len()))),
    };
    let text = |name: &str| alert.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
    let id = text("alert_id");
    let same: Vec<String> = VALUE_KEY.iter().map(|key| format!("v.{key} = ${key}")).collect();
    let key: Vec<String> = VALUE_KEY.iter().map(|key| text(key)).collect();
    let given = VALUE_KEY.iter().zip(&key).map(|(name, text)| ((*name).to_string(), text.as_str().into())).collect();
    let values = texts(&read.rows_with(&format!("SELECT * FROM gold.indicator_value AS v WHERE {}", same.join(" AND ")), &given).await?)?;
    let indicator = warehouse.sql.catalogue().get(&text("indicator_id"));
    let mut rule = Map::new();
    let mut card = Map::new();
    if let Some(indicator) = indicator {
        let version = text("rule_version");
        if let Some(found) = indicator.rules.iter().find(|r| version.starts_with(r.id.as_str())) {
            rule = rule_text(found);
        }
        card = card_text(&indicator.card);
    }
    let of_alert = parameters([("id", id.as_str())]);
    let sql = "SELECT * FROM gold.alert_evidence AS e WHERE e.alert_id = $id ORDER BY e.source_table, e.row_key, e.note";
    let mut all = texts(&read.rows_with(sql, &of_alert).await?)?;
    let evidence_n = all.len();
    let sql = "SELECT SUM(e.num) AS num, SUM(e.den) AS den FROM gold.alert_evidence AS e WHERE e.alert_id = $id";
    let sums = texts(&read.rows_with(sql, &of_alert).await?)?;
    let sum = |name: &str| sums.first().and_then(|row| row.get(name)).and_then(Value::as_str).map(ToString::to_string);
    let sum = EvidenceSum {
        num: sum("num"),
        den: sum("den"),
        adds_up: indicator.is_some_and(|i| matches!(i.query, Query::Rows(_))) && text("level") == "subject",
    };
    all.truncate(depth.shown);
    // A roll-up's evidence are its subjects' values: the rows behind the first of them stand below, so that the walk goes on.
    let first = all.iter().find(|row| field(row, "source_table").is_some_and(|table| table == "indicator_value"));
    if let (Some(indicator), Some(first)) = (indicator, first) {
        let key = field(first, "row_key").unwrap_or_default();
        let value = gold_rows(warehouse, read, &[("indicator_value".to_string(), key.clone())]).await?.into_iter().next().flatten();
        if let Some(value) = value {
            for mut row in rows_behind(warehouse, read, indicator, &value).await? {
                row.insert("source_layer".to_string(), "gold".into());
                row.insert("note".to_string(), format!("behind {key}").into());
                all.push(row);
            }
        }
    }
    let evidence = followed(warehouse, read, files, &all, depth).await?;
    let original = evidence.iter().find_map(|row| row.originals.first()).cloned();
    let release = read.release();
    Ok(Explanation {
        schema_version: SCHEMA_VERSION,
        release: ShownBy { number: release.number, run_id: release.run_id.clone(), as_of: release.as_of.clone() },
        alert: alert.clone(),
        value: values.into_iter().next().unwrap_or_default(),
        rule,
        card,
        evidence_n,
        sum,
        evidence,
        original,
    })
}

/// A field of a row.
fn field(row: &Row, name: &str) -> Option<String> {
    row.get(name).and_then(Value::as_str).map(ToString::to_string)
}

/// Evidence rows with their fact rows; as many as asked with their silver rows, and of these as many down to the original bytes.
async fn followed(warehouse: &Warehouse, read: &Reader, files: &dyn FileRows, all: &[Row], depth: Depth) -> Result<Vec<EvidenceRow>> {
    let keys: Vec<(String, String)> =
        all.iter().map(|row| (field(row, "source_table").unwrap_or_default(), field(row, "row_key").unwrap_or_default())).collect();
    let facts = gold_rows(warehouse, read, &keys).await?;
    // Values are no source rows: what stands behind them was asked for above.
    let traced: Vec<usize> =
        (0..keys.len()).filter(|at| keys.get(*at).is_some_and(|(t, _)| t != "indicator_value")).take(depth.traced).collect();
    let of_traced: Vec<(String, Option<Row>)> =
        traced.iter().filter_map(|at| Some((keys.get(*at)?.0.clone(), facts.get(*at)?.clone()))).collect();
    let mut silver: Vec<Vec<(String, Row)>> = vec![Vec::new(); all.len()];
    for (at, rows) in traced.iter().zip(silver_rows(warehouse, read, &of_traced).await?) {
        if let Some(place) = silver.get_mut(*at) {
            *place = rows;
        }
    }
    let opened: Vec<usize> =
        (0..silver.len()).filter(|at| silver.get(*at).is_some_and(|rows| !rows.is_empty())).take(depth.opened).collect();
    let wanted: Vec<(usize, Wanted)> =
        opened.iter().flat_map(|at| silver.get(*at).into_iter().flatten().map(|(table, row)| (*at, Wanted::of(table, row)))).collect();
    let (rows, wanted): (Vec<usize>, Vec<Wanted>) = wanted.into_iter().unzip();
    let mut found: Vec<Vec<Original>> = vec![Vec::new(); all.len()];
    for (at, original) in rows.into_iter().zip(originals(warehouse, read, files, wanted).await?) {
        if let Some(place) = found.get_mut(at) {
            place.push(original);
        }
    }
    let rows = all.iter().zip(keys).zip(facts).zip(silver).zip(found);
    Ok(rows
        .map(|((((row, (name, row_key)), fact), silver), originals)| EvidenceRow {
            table: format!("{}.{name}", field(row, "source_layer").unwrap_or_default()),
            row_key,
            num: field(row, "num"),
            den: field(row, "den"),
            amount: field(row, "amount"),
            note: field(row, "note"),
            row: fact,
            silver,
            originals,
        })
        .collect())
}

/// The rule as a person reads it.
fn rule_text(rule: &Rule) -> Map<String, Value> {
    let conditions: Vec<String> = rule.conditions().map(|c| c.to_string()).collect();
    let pairs = [
        ("id", rule.id.clone()),
        ("condition", conditions.join(" AND ")),
        ("message", rule.text_zh.clone()),
        ("valid_from", rule.valid_from.clone()),
        ("known_from", rule.known_from.clone()),
        ("persist", rule.persist.map(|n| n.to_string()).unwrap_or_default()),
        ("cites", rule.cites.join("；")),
        ("tag", format!("{:?}", rule.tag)),
    ];
    pairs.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_string(), Value::String(v))).collect()
}

/// What of the card belongs beside a value.
fn card_text(card: &Card) -> Map<String, Value> {
    let sources: Vec<String> =
        card.sources.iter().map(|s| format!("{}{}", s.title, s.doc_no.as_ref().map(|n| format!("（{n}）")).unwrap_or_default())).collect();
    let pairs = [
        ("id", card.id.clone()),
        ("name_zh", card.name_zh.clone()),
        ("name_en", card.name_en.clone()),
        ("question", card.question.clone()),
        ("window", card.window.clone()),
        ("unit", card.unit.clone()),
        ("exclusions", card.exclusions.join("；")),
        ("sources", sources.join("；")),
    ];
    pairs.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_string(), Value::String(v))).collect()
}
