//! The source rows behind a value that has no evidence of its own on record: computed again from the same SQL and the same T.

use datafusion::prelude::{col, lit};
use serde_json::{Map, Value};
use yaojia_models::card::{Indicator, Query};
use yaojia_models::value::Month;
use yaojia_warehouse::indicator::{Ask, AskedMonth, Engine, parameters};
use yaojia_warehouse::read::{Reader, texts};
use yaojia_warehouse::{Warehouse, WarehouseError};

use crate::error::{Result, ServingError};

/// Rows fetched; enough to open, the sum is the value's own.
const ROWS: usize = 5;
const KEY: [&str; 7] = ["measure", "month", "county", "subject_code", "product_code", "batch_code", "group_code"];

/// The first source rows of a subject's value: `source_table`, `row_key`, `num`, `den`, `amount`.
pub(super) async fn rows_behind(
    warehouse: &Warehouse,
    read: &Reader,
    indicator: &Indicator,
    value: &Map<String, Value>,
) -> Result<Vec<Map<String, Value>>> {
    let sql = match &indicator.query {
        Query::Rows(sql) | Query::Value { evidence: Some(sql), .. } => sql,
        Query::Value { evidence: None, .. } => return Ok(Vec::new()),
    };
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let as_of = yaojia_models::text::parse_timestamp(text("as_of")).ok().flatten();
    let (Ok(month), Some(as_of)) = (Month::parse(text("month")), as_of) else { return Ok(Vec::new()) };
    let wrong = |e: yaojia_warehouse::indicator::EngineError| ServingError::from(WarehouseError::from(e));
    let mut ask = Ask::new(&warehouse.region.code, warehouse.region.first_month, vec![AskedMonth { month, as_of }]).map_err(wrong)?;
    for (name, given) in warehouse.parameters.get(indicator.id()).into_iter().flatten() {
        ask = ask.with_parameter(indicator.id(), name, given);
    }
    let engine = Engine::new(read.context().clone(), ask).map_err(wrong)?;
    engine.see_relations(indicator).await.map_err(wrong)?;
    let given = parameters(engine.ask(), indicator).map_err(wrong)?;
    let failed = |source| ServingError::from(WarehouseError::Sql { model: indicator.id().to_string(), source: Box::new(source) });
    let mut frame = read.context().sql(sql).await.map_err(failed)?.with_param_values(given).map_err(failed)?;
    let names: Vec<String> = frame.schema().fields().iter().map(|f| f.name().clone()).collect();
    let has = |name: &str| names.iter().any(|n| n == name);
    for name in KEY.into_iter().filter(|n| has(n)) {
        let measure = indicator.card.measure(text("measure")).filter(|_| name == "measure");
        let wanted = measure.map_or(text(name), |measure| measure.in_sql());
        frame = frame.filter(col(name).eq(lit(wanted))).map_err(failed)?;
    }
    if has("excluded_reason") {
        frame = frame.filter(col("excluded_reason").is_null()).map_err(failed)?;
    }
    let wanted: Vec<&str> = ["source_table", "row_key", "num", "den", "amount", "note"].into_iter().filter(|n| has(n)).collect();
    let batches = frame
        .select_columns(&wanted)
        .and_then(|f| f.sort(vec![col("source_table").sort(true, false), col("row_key").sort(true, false)]))
        .and_then(|f| f.limit(0, Some(ROWS)))
        .map_err(failed)?
        .collect()
        .await
        .map_err(failed)?;
    Ok(texts(&batches)?)
}
