//! Indicators, and the tables that the engine writes of them.
//!
//! An indicator `D13` is the table `indicator.D13`. A measure `main` of it is the column `main` (the value) with its parts
//! `main.numerator`, `main.denominator`, `main.amount_at_risk` …, and the evidence of its alerts is `evidence.row_key` ….

use std::collections::BTreeMap;

use yaojia_models::card::{Indicator, Measure, MeasureKind, Query};
use yaojia_warehouse::gold::Session;
use yaojia_warehouse::indicator::{Ask, AskedMonth, Engine};
use yaojia_warehouse::lineage::{ColumnRef, Influence, Origin, QueryLineage, Transform};

use super::models::branches;
use super::{Inputs, Layer, LineageError, TableLineage};

/// The key of a value row, as its parts are called.
const KEY: [&str; 6] = ["county", "month", "subject_code", "product_code", "batch_code", "group_code"];
/// Columns of the evidence.
const EVIDENCE: [&str; 6] = ["source_table", "row_key", "num", "den", "amount", "note"];
/// The engine's own tables, joined by indicator SQL.
const ASK: [&str; 3] = ["month", "span", "calendar"];

/// All indicators, the tables of the question, and the four published tables.
pub(super) async fn tables(inputs: &Inputs<'_>, session: &Session, problems: &mut Vec<String>) -> Result<Vec<TableLineage>, LineageError> {
    let months = vec![AskedMonth::at(inputs.definitions.region.first_month, i64::MAX)];
    let engine =
        Engine::new(session.context().clone(), Ask::new(&inputs.definitions.region.code, inputs.definitions.region.first_month, months)?)?;
    let mut all = Vec::new();
    for name in ASK {
        all.push(asked(&engine, name).await?);
    }
    let mut indicators = Vec::new();
    for indicator in inputs.definitions.indicators() {
        indicators.push(of_indicator(&engine, indicator, problems).await);
    }
    all.extend(published(inputs, &indicators));
    all.extend(indicators);
    Ok(all)
}

async fn asked(engine: &Engine, name: &str) -> Result<TableLineage, LineageError> {
    let full = format!("ask.{name}");
    let frame = engine
        .session()
        .table(full.as_str())
        .await
        .map_err(|error| LineageError::Ask { table: full.clone(), why: error.strip_backtrace() })?;
    let mut table = TableLineage::new(Layer::Ask, full, "所问月份", "the engine");
    for field in frame.schema().fields() {
        table.put(field.name(), "", field.data_type().to_string(), Origin::noted("the months asked of the engine, with their T"));
    }
    Ok(table)
}

/// A column of an indicator.
fn own(indicator: &Indicator, column: &str) -> ColumnRef {
    ColumnRef::new(format!("indicator.{}", indicator.id()), column)
}

async fn of_indicator(engine: &Engine, indicator: &Indicator, problems: &mut Vec<String>) -> TableLineage {
    let card = &indicator.card;
    let folder = card.sql.as_ref().unwrap_or(&indicator.folder);
    // The views are inlined: what follows from a relation follows from the tables that it reads.
    if let Err(error) = engine.see_relations(indicator).await {
        problems.push(error.to_string().split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let file = |name: &str| format!("indicators/{folder}/{name}");
    let (values_file, values_sql, evidence) = match &indicator.query {
        Query::Rows(rows) => ("rows.sql", rows, None),
        Query::Value { value, evidence } => ("value.sql", value, evidence.as_ref()),
    };
    let rows = matches!(indicator.query, Query::Rows(_));
    let values = branches(engine.session(), &file(values_file), values_sql, problems).await;
    let evidence = match evidence {
        Some(text) => branches(engine.session(), &file("evidence.sql"), text, problems).await,
        None if rows => values.clone(),
        None => Vec::new(),
    };
    let made_by = format!("sql/{}", file(values_file));
    let mut table = TableLineage::new(Layer::Indicator, format!("indicator.{}", indicator.id()), &card.name_zh, made_by);
    for measure in &card.measures {
        let of: Vec<QueryLineage> = values.iter().filter(|branch| is_of(branch, measure)).cloned().collect();
        let query = QueryLineage::merged(&of);
        add_measure(&mut table, indicator, measure, &query, rows);
        table.rows_of.extend(query.tables);
    }
    let evidence = QueryLineage::merged(&evidence);
    for column in EVIDENCE {
        if let Some(origin) = evidence.columns.get(column) {
            table.put(format!("evidence.{column}"), "证据", "", with_influence(origin.clone(), &evidence.influence));
        }
    }
    table.rows_of.extend(evidence.tables);
    table
}

/// Whether a branch of the SQL may give rows of a measure: it names it, or names none for certain.
fn is_of(branch: &QueryLineage, measure: &Measure) -> bool {
    match branch.constants.get("measure") {
        Some(name) => name == measure.in_sql(),
        // No column at all means `main`.
        None => branch.columns.contains_key("measure") || measure.name == "main",
    }
}

/// What decides which rows there are has a part in what is made of them.
fn with_influence(mut origin: Origin, influence: &Influence) -> Origin {
    for (column, how) in influence {
        origin.from.entry(column.clone()).or_default().extend(how);
    }
    origin
}

/// A measure's value and its parts.
fn add_measure(table: &mut TableLineage, indicator: &Indicator, measure: &Measure, query: &QueryLineage, rows: bool) {
    let name = |part: &str| format!("{}.{part}", measure.name);
    let given = |column: &str| query.columns.get(column).cloned();
    // What the engine does with a column of rows.sql: adds it up over the rows that count.
    let added = |column: &str| -> Option<Origin> {
        let mut origin = Origin::default();
        let of = given(column)?;
        for (from, how) in &of.from {
            for inner in how {
                origin = origin.and(from.clone(), Transform::Aggregation.after(*inner));
            }
        }
        if !of.has_direct() {
            // A constant one a row: the number of rows.
            for from in &query.tables {
                origin = origin.and(ColumnRef::new(from, "*"), Transform::Aggregation);
            }
        }
        for from in given("excluded_reason").unwrap_or_default().from.keys() {
            origin = origin.and(from.clone(), Transform::Filter);
        }
        origin.parameters = of.parameters;
        Some(with_influence(origin, &query.influence))
    };
    let parts: [(&str, &str, &str, &str); 4] = [
        ("numerator", "分子", "num", "numerator"),
        ("denominator", "分母", "den", "denominator"),
        ("amount_at_risk", "涉及金额", "amount", "amount_at_risk"),
        ("mark", "标记", "mark", "mark"),
    ];
    for (part, title, in_rows, in_values) in parts {
        let origin = if rows { added(in_rows) } else { given(in_values).map(|origin| with_influence(origin, &query.influence)) };
        let plain = measure.kind.is_plain() && part == "denominator";
        if let Some(origin) = origin.filter(|origin| origin.is_known() && !plain) {
            table.put(name(part), title, "", origin);
        }
    }
    let sample = if rows { added("num").map(|_| rows_counted(query)) } else { given("sample_n") };
    if let Some(origin) = sample {
        table.put(name("sample_n"), "样本数", "", with_influence(origin, &query.influence));
    }
    for part in KEY {
        let origin = match given(part) {
            Some(origin) => origin,
            None => Origin { constants: std::iter::once("''".to_owned()).collect(), ..Origin::default() },
        };
        table.put(name(part), "", "", origin);
    }
    let mut inputs = Origin::noted("the inputs of the rules, as JSON");
    for (column, origin) in &query.columns {
        if ["max_", "sum_", "in_"].iter().any(|prefix| column.starts_with(prefix)) {
            inputs.merge(origin);
        }
    }
    table.put(name("inputs"), "判定输入", "", inputs);
    let mut value = Origin::default();
    if measure.kind == MeasureKind::Value {
        value = with_influence(given("value").unwrap_or_default(), &query.influence);
    } else {
        for part in ["numerator", "denominator"].iter().filter(|part| table.columns.contains_key(&name(part))) {
            value = value.and(own(indicator, &name(part)), Transform::Transformation);
        }
    }
    table.put(&measure.name, &measure.title_zh, "", value);
    let mut state = Origin::of(own(indicator, &measure.name), Transform::Conditional)
        .and(own(indicator, &name("inputs")), Transform::Conditional)
        .with_note(format!("judged by sql/indicators/{}/rules.toml and the exemption register", indicator.folder));
    for column in ["exempt_id", "indicator_id", "measure", "subject_code", "prod_code", "begn_month", "end_month"] {
        state = state.and(ColumnRef::new("silver.exemption", column), Transform::Conditional);
    }
    for column in ["na", "insufficient"] {
        if let Some(origin) = given(column) {
            for from in origin.from.keys() {
                state = state.and(from.clone(), Transform::Conditional);
            }
        }
    }
    table.put(name("state"), "状态", "", state);
}

fn rows_counted(query: &QueryLineage) -> Origin {
    query.tables.iter().fold(Origin::default(), |origin, table| origin.and(ColumnRef::new(table, "*"), Transform::Aggregation))
}

/// Where a column of a published table comes from, by its name.
type OriginOf<'a> = &'a dyn Fn(&str) -> Origin;

/// `gold.indicator_value`, `gold.alert`, `gold.alert_evidence`, `gold.dim_indicator`.
fn published(inputs: &Inputs<'_>, indicators: &[TableLineage]) -> Vec<TableLineage> {
    let catalogue = inputs.definitions.indicators();
    let mut measures: Vec<(&Indicator, &Measure)> = Vec::new();
    for indicator in catalogue {
        measures.extend(indicator.card.measures.iter().map(|measure| (indicator, measure)));
    }
    let held: BTreeMap<&str, &TableLineage> = indicators.iter().map(|table| (table.name.as_str(), table)).collect();
    // The part of every measure that has it.
    let parts = |part: &str, transform: Transform| {
        measures.iter().fold(Origin::default(), |origin, (indicator, measure)| {
            let column = if part.is_empty() { measure.name.clone() } else { format!("{}.{part}", measure.name) };
            let full = own(indicator, &column);
            let known = held.get(full.table.as_str()).is_some_and(|table| table.columns.contains_key(&column));
            if known { origin.and(full, transform) } else { origin }
        })
    };
    let evidence = |part: &str| {
        catalogue.iter().fold(Origin::default(), |origin, indicator| {
            let full = own(indicator, &format!("evidence.{part}"));
            let known = held.get(full.table.as_str()).is_some_and(|table| table.columns.contains_key(&full.column));
            if known { origin.and(full, Transform::Identity) } else { origin }
        })
    };
    let value = |column: &str| Origin::of(ColumnRef::new("gold.indicator_value", column), Transform::Identity);
    let card = || Origin::noted("the indicator's card");
    let of_value = |column: &str| -> Origin {
        match column {
            "value" => parts("", Transform::Identity),
            "numerator" | "denominator" | "amount_at_risk" | "sample_n" | "mark" | "inputs" | "state" => parts(column, Transform::Identity),
            "threshold" | "rule_version" => parts("state", Transform::Conditional).with_note("the deciding rule of rules.toml"),
            "subject_name" => subject_names().and(ColumnRef::new("gold.indicator_value", "subject_code"), Transform::Join),
            "as_of" => Origin::of(ColumnRef::new("ask.month", "as_of"), Transform::Identity),
            "completeness" => Origin::noted("the load ledger: have all sources that the card needs delivered"),
            "run_id" => Origin::noted("the run that computed it"),
            key if KEY.contains(&key) => parts(key, Transform::Identity).with_note("areas: the county, or the region"),
            _ => card(),
        }
    };
    let of_alert = |column: &str| -> Origin {
        match column {
            "alert_id" => {
                ["indicator_id", "measure", "level", "county", "month", "subject_code", "product_code", "batch_code", "group_code"]
                    .iter()
                    .fold(Origin::noted("a hash of the value's key"), |origin, key| {
                        origin.and(ColumnRef::new("gold.indicator_value", *key), Transform::Transformation)
                    })
            }
            "message" => Origin::noted("the deciding rule of rules.toml")
                .and(ColumnRef::new("gold.indicator_value", "rule_version"), Transform::Conditional),
            "recipients" => card(),
            "exempt_id" => Origin::of(ColumnRef::new("silver.exemption", "exempt_id"), Transform::Identity),
            "evidence_n" => Origin::of(ColumnRef::new("gold.alert_evidence", "*"), Transform::Aggregation),
            "first_run_id" => Origin::noted("the run in which it appeared first"),
            same => value(same),
        }
    };
    let of_evidence = |column: &str| -> Origin {
        match column {
            "alert_id" | "indicator_id" | "county" | "month" => Origin::of(ColumnRef::new("gold.alert", column), Transform::Identity),
            "source_layer" => Origin::noted("the layer of the source table, by the engine"),
            part => evidence(part),
        }
    };
    let of_card = |_: &str| card();
    let made: [(&str, &str, OriginOf<'_>); 4] = [
        ("indicator_value", "the indicator engine", &of_value),
        ("alert", "the indicator engine", &of_alert),
        ("alert_evidence", "the indicator engine", &of_evidence),
        ("dim_indicator", "sql/indicators/*/indicator.toml", &of_card),
    ];
    made.into_iter()
        .filter_map(|(name, by, origin)| {
            let contract = inputs.definitions.contracts.gold_table(name)?;
            let mut table = TableLineage::new(Layer::Gold, format!("gold.{name}"), &contract.title, by);
            for field in contract.arrow_schema().fields() {
                let title = field.metadata().get("comment").cloned().unwrap_or_default();
                table.put(field.name(), title, field.data_type().to_string(), origin(field.name()));
            }
            if name == "alert" {
                table.influence.entry(ColumnRef::new("gold.indicator_value", "state")).or_default().insert(Transform::Filter);
            }
            Some(table)
        })
        .collect()
}

/// The names of subjects, from the dimensions.
fn subject_names() -> Origin {
    [("dim_institution", "org_name"), ("dim_enterprise", "org_name"), ("dim_product", "prod_name"), ("dim_admdvs", "admdvs_name")]
        .into_iter()
        .fold(Origin::default(), |origin, (table, column)| origin.and(ColumnRef::new(format!("gold.{table}"), column), Transform::Identity))
}
