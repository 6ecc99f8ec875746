//! From an alert down to original bytes.

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use arrow::util::display::array_value_to_string;
use serde::Serialize;
use serde_json::{Map, Value};
use yaojia_models::card::{Card, Query, Rule};
use yaojia_models::field::FieldType;

use super::behind::rows_behind;
use super::original::{Original, original_of};
use super::{RunError, SCHEMA_VERSION, session};
use crate::project::Project;

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

/// Key of a value row as evidence of a roll-up names it.
const VALUE_KEY: [&str; 9] =
    ["indicator_id", "measure", "month", "county", "level", "subject_code", "product_code", "batch_code", "group_code"];

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

pub(crate) async fn explain(project: &Project, alert_id: &str, depth: Depth) -> Result<Explanation, RunError> {
    let wanted = alert_id.trim();
    if wanted.is_empty() || !wanted.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(RunError::NotFound(format!("`{alert_id}` is no alert id")));
    }
    let read = session(project).await?;
    let alerts =
        objects(&read.rows(&format!("SELECT * FROM gold.alert AS a WHERE a.alert_id LIKE '{wanted}%' ORDER BY a.alert_id")).await?)?;
    let alert = match alerts.as_slice() {
        [one] => one.clone(),
        [] => return Err(RunError::NotFound(format!("there is no alert `{alert_id}` in release {}", read.release().number))),
        more => return Err(RunError::NotFound(format!("{} alerts begin with `{alert_id}`: give more of it", more.len()))),
    };
    let text = |name: &str| alert.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
    let id = text("alert_id");
    let keys = ["indicator_id", "measure", "month", "county", "level", "subject_code", "product_code", "batch_code", "group_code"];
    let same: Vec<String> = keys.iter().map(|k| format!("v.{k} = '{}'", text(k).replace('\'', "''"))).collect();
    let values = objects(&read.rows(&format!("SELECT * FROM gold.indicator_value AS v WHERE {}", same.join(" AND "))).await?)?;
    let indicator = project.warehouse.sql.catalogue().get(&text("indicator_id"));
    let mut rule = Map::new();
    let mut card = Map::new();
    if let Some(indicator) = indicator {
        let version = text("rule_version");
        if let Some(found) = indicator.rules.iter().find(|r| version.starts_with(r.id.as_str())) {
            rule = rule_text(found);
        }
        card = card_text(&indicator.card);
    }
    let rows = read
        .rows(&format!("SELECT * FROM gold.alert_evidence AS e WHERE e.alert_id = '{id}' ORDER BY e.source_table, e.row_key, e.note"))
        .await?;
    let all = objects(&rows)?;
    let evidence_n = all.len();
    let sum = EvidenceSum {
        adds_up: indicator.is_some_and(|i| matches!(i.query, Query::Rows(_))) && text("level") == "subject",
        ..evidence_sum(&read, &id).await?
    };
    let mut all: Vec<Map<String, Value>> = all.into_iter().take(depth.shown).collect();
    // A roll-up's evidence are its subjects' values: the rows behind the first of them stand below, so that the walk goes on.
    if let (Some(indicator), Some(first)) =
        (indicator, all.iter().find(|r| r.get("source_table").and_then(Value::as_str) == Some("indicator_value")))
    {
        let key = first.get("row_key").and_then(Value::as_str).unwrap_or_default().to_string();
        if let Some(value) = fact_row(project, &read, "indicator_value", &key).await? {
            for mut row in rows_behind(project, &read, indicator, &value).await? {
                row.insert("source_layer".to_string(), "gold".into());
                row.insert("note".to_string(), format!("behind {key}").into());
                all.push(row);
            }
        }
    }
    let mut evidence = Vec::new();
    let mut original = None;
    let (mut traced, mut opened) = (0, 0);
    for row in &all {
        let field = |name: &str| row.get(name).and_then(Value::as_str).map(ToString::to_string);
        let layer = field("source_layer").unwrap_or_default();
        let name = field("source_table").unwrap_or_default();
        let row_key = field("row_key").unwrap_or_default();
        let fact = fact_row(project, &read, &name, &row_key).await?;
        let silver = if traced < depth.traced && name != "indicator_value" {
            traced += 1;
            silver_rows(project, &read, &name, fact.as_ref()).await?
        } else {
            Vec::new()
        };
        let mut originals = Vec::new();
        if !silver.is_empty() && opened < depth.opened {
            opened += 1;
            for (table, row) in &silver {
                originals.push(original_of(project, &read, table, row).await?);
            }
        }
        if original.is_none() {
            original = originals.first().cloned();
        }
        evidence.push(EvidenceRow {
            table: format!("{layer}.{name}"),
            row_key,
            num: field("num"),
            den: field("den"),
            amount: field("amount"),
            note: field("note"),
            row: fact,
            silver,
            originals,
        });
    }
    Ok(Explanation {
        schema_version: SCHEMA_VERSION,
        release: ShownBy { number: read.release().number, run_id: read.release().run_id.clone(), as_of: read.release().as_of.clone() },
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

/// Numerators and denominators of all evidence rows, added up.
async fn evidence_sum(read: &super::ReadSession, id: &str) -> Result<EvidenceSum, RunError> {
    let sql = format!("SELECT SUM(e.num) AS num, SUM(e.den) AS den FROM gold.alert_evidence AS e WHERE e.alert_id = '{id}'");
    let rows = objects(&read.rows(&sql).await?)?;
    let of = |name: &str| rows.first().and_then(|row| row.get(name)).and_then(Value::as_str).map(ToString::to_string);
    Ok(EvidenceSum { num: of("num"), den: of("den"), adds_up: false })
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

/// The gold row of a key.
async fn fact_row(project: &Project, read: &super::ReadSession, name: &str, row_key: &str) -> Result<Option<Map<String, Value>>, RunError> {
    let Some(contract) = project.warehouse.contracts.gold_table(name) else { return Ok(None) };
    let grain: Vec<&str> = if name == "indicator_value" { VALUE_KEY.to_vec() } else { contract.grain.iter().map(String::as_str).collect() };
    let parts: Vec<&str> = row_key.splitn(grain.len(), '|').collect();
    if parts.len() != grain.len() {
        return Ok(None);
    }
    let same: Vec<String> = grain
        .iter()
        .zip(parts)
        .map(|(column, part)| {
            let text = part.replace('\'', "''");
            match contract.column(column).map(|c| c.ty) {
                Some(FieldType::Timestamp) => format!("f.{column} = CAST('{text}' AS TIMESTAMP)"),
                Some(FieldType::Date) => format!("f.{column} = CAST('{text}' AS DATE)"),
                _ => format!("CAST(f.{column} AS VARCHAR) = '{text}'"),
            }
        })
        .collect();
    let rows = objects(&read.rows(&format!("SELECT * FROM gold.{name} AS f WHERE {}", same.join(" AND "))).await?)?;
    Ok(rows.into_iter().next())
}

/// Silver rows behind a fact row: by the dataset's own key where the fact carries it, else by the columns they share.
async fn silver_rows(
    project: &Project,
    read: &super::ReadSession,
    name: &str,
    fact: Option<&Map<String, Value>>,
) -> Result<Vec<(String, Map<String, Value>)>, RunError> {
    let (Some(fact), Some(contract)) = (fact, project.warehouse.contracts.gold_table(name)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for table in contract.reads.keys().filter_map(|t| t.strip_prefix("silver.")) {
        let Some(dataset) = project.warehouse.contracts.dataset(table) else { continue };
        let key: Vec<&str> = dataset.key.iter().map(|k| dataset.silver_name(k)).collect();
        let direct = key.iter().all(|k| fact.contains_key(*k));
        let columns: Vec<String> = if direct {
            key.iter().map(ToString::to_string).collect()
        } else {
            // An aggregate: the rows that share its institution, code and day.
            let shared: Vec<String> = contract
                .grain
                .iter()
                .filter(|g| dataset.columns.iter().any(|c| dataset.silver_name(&c.name) == g.as_str()))
                .cloned()
                .collect();
            if shared.len() < 2 {
                continue;
            }
            shared
        };
        let mut same: Vec<String> = columns
            .iter()
            .map(|c| {
                let text = fact.get(c).and_then(Value::as_str).unwrap_or_default().replace('\'', "''");
                format!("COALESCE(CAST(s.{c} AS VARCHAR), '') = '{text}'")
            })
            .collect();
        if !direct {
            for place in ["county", "month"] {
                if let Some(text) = fact.get(place).and_then(Value::as_str) {
                    same.push(format!("s.{place} = '{text}'"));
                }
            }
        }
        let order: Vec<String> = key.iter().map(|k| format!("s.{k}")).collect();
        let sql = format!("SELECT * FROM silver.{table} AS s WHERE {} ORDER BY {} LIMIT 10", same.join(" AND "), order.join(", "));
        for row in objects(&read.rows(&sql).await?)? {
            found.push((format!("silver.{table}"), row));
        }
    }
    Ok(found)
}

/// Rows as JSON objects; every value as text (numbers keep their digits), nulls left out.
pub(crate) fn objects(batches: &[RecordBatch]) -> Result<Vec<Map<String, Value>>, RunError> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let mut object = Map::new();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                if column.is_null(row) {
                    continue;
                }
                let text = match column.as_string_opt::<i32>() {
                    Some(texts) => texts.value(row).to_string(),
                    None => array_value_to_string(column, row).map_err(|e| RunError::Report(e.to_string()))?,
                };
                object.insert(field.name().clone(), Value::String(text));
            }
            rows.push(object);
        }
    }
    Ok(rows)
}
