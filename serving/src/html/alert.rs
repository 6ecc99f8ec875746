//! An explanation as a page to be filed: one HTML file in Chinese, with nothing it must fetch.

use minijinja::context;
use serde::Serialize;
use serde_json::{Map, Value};
use yaojia_models::card::{Indicator, Source};
use yaojia_models::contract::Registry;

use yaojia_models::definitions::Definitions;
use yaojia_warehouse::read::plain;

use crate::error::Result;
use crate::explain::{EvidenceRow, Explanation, Original};

/// Its template.
pub(super) const NAME: &str = "alert.html";

/// A column of a row: its name, its title and what it says.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Field {
    name: String,
    title: String,
    text: String,
}

/// A row of a table with its titles.
#[derive(Debug, Serialize)]
struct Row {
    table: String,
    title: String,
    fields: Vec<Field>,
    original: Option<Origin>,
}

/// A row as received.
#[derive(Debug, Serialize)]
struct Received {
    table: String,
    fields: Vec<Field>,
}

/// Where a row came from, down to its bytes.
#[derive(Debug, Serialize)]
struct Origin {
    source: String,
    artifact: String,
    row: i64,
    bronze: Option<Received>,
    bytes: Option<String>,
    why_not: Option<String>,
}

/// An evidence row, and what was followed below it.
#[derive(Debug, Serialize)]
struct Evidence {
    number: usize,
    table: String,
    title: String,
    row_key: String,
    num: String,
    den: String,
    amount: String,
    note: String,
    fact: Option<Row>,
    silver: Vec<Row>,
}

/// A field as text; empty where there is none.
fn get(map: &Map<String, Value>, name: &str) -> String {
    map.get(name).map(plain).unwrap_or_default()
}

/// The page of an explanation.
///
/// # Errors
/// [`crate::ServingError::Layout`] where the template does not fit what it is given: a bug.
pub fn page(of: &Explanation, definitions: &Definitions, indicator: Option<&Indicator>) -> Result<String> {
    let registry = &definitions.contracts;
    let evidence: Vec<Evidence> = of.evidence.iter().enumerate().map(|(at, row)| shown(registry, at + 1, row)).collect();
    let sources: &[Source] = indicator.map_or(&[], |indicator| &indicator.card.sources);
    let cites = get(&of.rule, "cites");
    let context = context! {
        alert_id => get(&of.alert, "alert_id"),
        name => format!("{} {}", get(&of.alert, "indicator_id"), get(&of.card, "name_zh")),
        message => get(&of.alert, "message"),
        state => state(&get(&of.alert, "state")),
        month => get(&of.alert, "month"),
        county => get(&of.alert, "county"),
        subject => format!("{} {}", get(&of.alert, "subject_code"), get(&of.alert, "subject_name")).trim().to_owned(),
        region => definitions.region.name,
        release => of.release,
        version => env!("CARGO_PKG_VERSION"),
        question => get(&of.card, "question"),
        method => indicator.and_then(|indicator| indicator.card.method.clone()).unwrap_or_default(),
        exclusions => get(&of.card, "exclusions"),
        value => fields(registry, "gold.indicator_value", &of.value),
        alert => fields(registry, "gold.alert", &of.alert),
        rule => rule(&of.rule),
        sources => sources.iter().map(|source| context! {
            title => source.title, doc_no => source.doc_no, quote => source.quote, url => source.url, cited => cites.contains(&source.title),
        }).collect::<Vec<_>>(),
        evidence => evidence,
        evidence_n => of.evidence_n,
        sum => of.sum,
        numerator => get(&of.value, "numerator"),
        denominator => get(&of.value, "denominator"),
    };
    super::render(NAME, context)
}

fn shown(registry: &Registry, number: usize, row: &EvidenceRow) -> Evidence {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut originals = row.originals.iter();
    Evidence {
        number,
        table: row.table.clone(),
        title: table_title(registry, &row.table),
        row_key: row.row_key.clone(),
        num: text(&row.num),
        den: text(&row.den),
        amount: text(&row.amount),
        note: text(&row.note),
        fact: row.row.as_ref().map(|fact| titled(registry, &row.table, fact, None)),
        silver: row.silver.iter().map(|(table, silver)| titled(registry, table, silver, originals.next())).collect(),
    }
}

fn titled(registry: &Registry, table: &str, row: &Map<String, Value>, original: Option<&Original>) -> Row {
    let original = original.map(|of| Origin {
        source: of.source.clone(),
        artifact: of.artifact.clone(),
        row: of.row,
        bronze: of.bronze.as_ref().map(|bronze| {
            let table = format!("bronze.{}", of.dataset);
            Received { fields: fields(registry, &table, bronze), table }
        }),
        bytes: of.bytes.clone(),
        why_not: of.why_not.clone(),
    });
    Row { table: table.to_owned(), title: table_title(registry, table), fields: fields(registry, table, row), original }
}

fn table_title(registry: &Registry, table: &str) -> String {
    let title = match table.split_once('.') {
        Some(("gold", name)) => registry.gold_table(name).map(|contract| contract.title.as_str()),
        Some((_, name)) => registry.dataset(name).map(|dataset| dataset.title.as_str()),
        None => None,
    };
    // A title's part in brackets is for those who build on the table.
    title.map(|title| title.split('（').next().unwrap_or(title).to_owned()).unwrap_or_default()
}

/// The columns that say something, with their Chinese titles.
fn fields(registry: &Registry, table: &str, row: &Map<String, Value>) -> Vec<Field> {
    let schema = match table.split_once('.') {
        Some(("gold", name)) => registry.gold_table(name).map(|contract| contract.arrow_schema()),
        Some(("silver", name)) => registry.dataset(name).map(|dataset| dataset.silver_schema()),
        Some(("bronze", name)) => registry.dataset(name).map(|dataset| dataset.bronze_schema()),
        _ => None,
    };
    let title = |name: &str| {
        let field = schema.as_ref().and_then(|schema| schema.field_with_name(name).ok());
        field.and_then(|field| field.metadata().get("comment").cloned()).unwrap_or_default()
    };
    let said = row.iter().map(|(name, value)| Field { name: name.clone(), title: title(name), text: plain(value) });
    said.filter(|field| !field.text.is_empty()).collect()
}

fn rule(rule: &Map<String, Value>) -> Vec<Field> {
    let title = |name: &str| match name {
        "id" => "规则编号",
        "condition" => "条件",
        "message" => "提示语",
        "valid_from" => "适用起始月",
        "known_from" => "知悉日",
        "persist" => "连续月数",
        "cites" => "依据",
        "tag" => "性质（S 政策明文，I 推定）",
        _ => "",
    };
    let said = rule.iter().map(|(name, value)| Field { name: name.clone(), title: title(name).to_owned(), text: plain(value) });
    said.filter(|field| !field.text.is_empty()).collect()
}

fn state(state: &str) -> &str {
    match state {
        "watch" => "关注",
        "warn" => "预警",
        "verify" => "核实",
        "exempt" => "豁免",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_their_titles_and_nulls_are_left_out() {
        let registry = Registry::embedded().unwrap();
        let row = serde_json::json!({"shp_id": "S1", "ord_detl_id": null, "_row": "3"});
        let fields = fields(&registry, "silver.shp", row.as_object().unwrap());
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["shp_id", "_row"]);
        assert!(!fields[0].title.is_empty() && !fields[0].title.is_ascii(), "{fields:?}");
        assert_eq!(table_title(&registry, "gold.fact_order_line"), "订单明细履约");
    }

    #[test]
    fn what_came_from_outside_is_escaped() {
        let nothing: [&str; 0] = [];
        let given = context! {
            message => "<script>alert('甲')</script>", release => context! { number => 1 }, sum => context! { adds_up => false },
            value => nothing, rule => nothing, alert => nothing, evidence => nothing, evidence_n => 0,
        };
        let page = super::super::render(NAME, given).unwrap();
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
    }
}
