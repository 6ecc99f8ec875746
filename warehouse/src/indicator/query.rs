//! Runs the SQL of an indicator with its parameters.

use arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use yaojia_models::card::{Indicator, ParameterValue};

use super::{Ask, EngineError, relations};

/// The values of `$region`, `$first_month` and the card's parameters.
///
/// # Errors
/// When the region gives a value that does not fit, or one that the card does not know.
pub fn parameters(ask: &Ask, indicator: &Indicator) -> Result<Vec<(String, ScalarValue)>, EngineError> {
    let bad = |name: &str, why: String| EngineError::Parameter { indicator: indicator.id().to_owned(), name: name.to_owned(), why };
    let own = ask.overrides(indicator.id());
    if let Some(name) = own.and_then(|own| own.keys().find(|name| !indicator.card.parameters.contains_key(*name))) {
        return Err(bad(name, "the card has no such parameter".to_owned()));
    }
    let mut values = vec![
        ("region".to_owned(), ScalarValue::Utf8(Some(ask.region().to_owned()))),
        ("first_month".to_owned(), ScalarValue::Utf8(Some(ask.first_month().to_string()))),
    ];
    for (name, parameter) in &indicator.card.parameters {
        let text = own.and_then(|own| own.get(name)).unwrap_or(&parameter.value);
        let value = match parameter.parse(text).map_err(|why| bad(name, why))? {
            ParameterValue::Decimal { unscaled, scale } => ScalarValue::Decimal128(Some(unscaled), 18, scale),
            ParameterValue::Int(number) => ScalarValue::Int64(Some(number)),
            ParameterValue::Text(text) => ScalarValue::Utf8(Some(text)),
            ParameterValue::Date(days) => ScalarValue::Date32(Some(days)),
        };
        values.push((name.clone(), value));
    }
    Ok(values)
}

/// Plans a query of the indicator, over its relations; only a SELECT is possible.
pub(super) async fn plan(ctx: &SessionContext, ask: &Ask, indicator: &Indicator, file: &str, sql: &str) -> Result<DataFrame, EngineError> {
    relations::register(ctx, ask, indicator).await?;
    frame(ctx, ask, indicator, file, sql).await
}

/// Plans one text of the indicator over what is registered.
pub(super) async fn frame(ctx: &SessionContext, ask: &Ask, indicator: &Indicator, file: &str, sql: &str) -> Result<DataFrame, EngineError> {
    let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let failed = || EngineError::sql(indicator.id(), file);
    let frame = ctx.sql_with_options(sql, read_only).await.map_err(failed())?;
    frame.with_param_values(parameters(ask, indicator)?).map_err(failed())
}

/// Runs one of the engine's own queries over the indicator's rows.
pub(super) async fn collect(ctx: &SessionContext, indicator: &Indicator, file: &str, sql: &str) -> Result<Vec<RecordBatch>, EngineError> {
    let frame = ctx.sql(sql).await.map_err(EngineError::sql(indicator.id(), file))?;
    frame.collect().await.map_err(EngineError::sql(indicator.id(), file))
}
