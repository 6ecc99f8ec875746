//! `value.sql`: values that the SQL finishes itself.

use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch};
use datafusion::prelude::SessionContext;
use yaojia_models::card::Indicator;

use super::columns::{Exacts, Texts, flags, is_set, wholes};
use super::read::{Inputs, Keys};
use super::shape::{KEY, Shape};
use super::value::Value;
use super::{Ask, EngineError, RowKey, query};

/// The file, in messages.
const FILE: &str = "value.sql";

/// Runs `value.sql` and reads its rows.
pub(super) async fn values(ctx: &SessionContext, ask: &Ask, indicator: &Indicator, sql: &str) -> Result<Vec<Value>, EngineError> {
    let failed = || EngineError::sql(indicator.id(), FILE);
    let frame = query::plan(ctx, ask, indicator, FILE, sql).await?;
    let schema = frame.schema().as_arrow().clone();
    let shape = Shape::of_values(indicator, &schema)?;
    // the key columns get their defaults in SQL, as those of rows.sql do
    let mut columns: Vec<String> = KEY.iter().map(|column| format!("{} AS \"{column}\"", shape.key(column))).collect();
    columns
        .extend(schema.fields().iter().filter(|field| !KEY.contains(&field.name().as_str())).map(|field| format!("\"{}\"", field.name())));
    let table = format!("value_{}", indicator.id().to_ascii_lowercase());
    super::ask::drop_table(ctx, &table).map_err(failed())?;
    ctx.register_table(datafusion::common::TableReference::partial(super::ask::SCHEMA, table.as_str()), frame.into_view())
        .map_err(failed())?;
    let batches =
        query::collect(ctx, indicator, FILE, &format!("SELECT {} FROM {}.\"{table}\"", columns.join(", "), super::ask::SCHEMA)).await;
    super::ask::drop_table(ctx, &table).map_err(failed())?;
    let mut values = BTreeMap::new();
    for batch in batches? {
        read(ask, indicator, &shape, &batch, &mut values).map_err(|why| EngineError::shape(indicator.id(), FILE, why))?;
    }
    Ok(values.into_values().collect())
}

/// Reads one batch.
fn read(
    ask: &Ask,
    indicator: &Indicator,
    shape: &Shape<'_>,
    batch: &RecordBatch,
    values: &mut BTreeMap<RowKey, Value>,
) -> Result<(), String> {
    let keys = Keys::of(batch)?;
    let inputs = Inputs::of(batch, &shape.inputs)?;
    let exacts = |name: &str| Exacts::maybe(batch, name);
    let (numerators, denominators, given, amounts) =
        (exacts("numerator")?, exacts("denominator")?, exacts("value")?, exacts("amount_at_risk")?);
    let (marks, samples) = (Texts::maybe(batch, "mark")?, wholes(batch, "sample_n")?);
    let (na, insufficient) = (flags(batch, "na")?, flags(batch, "insufficient")?);
    for row in 0..batch.num_rows() {
        let key = keys.get(indicator, ask, row)?;
        let mut value = Value::new(key.clone());
        value.numerator = numerators.get(row)?;
        value.denominator = denominators.get(row)?;
        value.given = given.get(row)?;
        value.amount = amounts.get(row)?;
        value.mark = marks.as_ref().map(|marks| marks.or_blank(row)).unwrap_or_default();
        value.sample_n = samples.as_ref().and_then(|samples| samples.is_valid(row).then(|| samples.value(row)));
        value.na = is_set(na.as_ref(), row);
        value.insufficient = is_set(insufficient.as_ref(), row);
        value.inputs = inputs.get(row)?;
        if values.insert(key.clone(), value).is_some() {
            return Err(format!("two rows have the key `{key}`"));
        }
    }
    Ok(())
}
