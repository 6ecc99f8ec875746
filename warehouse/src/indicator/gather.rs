//! `rows.sql`: runs it, keeps its rows for the evidence, and adds them up to values.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use yaojia_models::card::Indicator;

use super::ask::{SCHEMA, drop_table, put};
use super::columns::{Exacts, Texts, wholes};
use super::read::{Inputs, Keys};
use super::shape::Shape;
use super::value::{Fold, Value};
use super::{Ask, EngineError, Exact, query};

/// The file, in messages.
const FILE: &str = "rows.sql";

/// The rows of an indicator, standing as `ask.rows_<id>`: in memory while they are few, else as the query itself.
pub(super) struct Rows<'a> {
    ctx: &'a SessionContext,
    indicator: &'a Indicator,
    schema: arrow::datatypes::SchemaRef,
    table: String,
}

impl<'a> Rows<'a> {
    /// Runs `rows.sql` and registers its result; above `limit` rows the query is run again by whoever reads them.
    pub(super) async fn open(
        ctx: &'a SessionContext,
        ask: &Ask,
        indicator: &'a Indicator,
        sql: &str,
        limit: usize,
    ) -> Result<Self, EngineError> {
        let failed = || EngineError::sql(indicator.id(), FILE);
        let table = format!("rows_{}", indicator.id().to_ascii_lowercase());
        let frame = query::plan(ctx, ask, indicator, FILE, sql).await?;
        let mut stream = frame.clone().execute_stream().await.map_err(failed())?;
        let schema = stream.schema();
        Shape::of_rows(indicator, &schema)?;
        let (mut batches, mut rows) = (Vec::<RecordBatch>::new(), 0_usize);
        while let Some(batch) = stream.try_next().await.map_err(failed())? {
            rows += batch.num_rows();
            if rows > limit {
                break;
            }
            batches.push(batch);
        }
        drop(stream);
        if rows > limit {
            drop(batches);
            drop_table(ctx, &table).map_err(failed())?;
            ctx.register_table(TableReference::partial(SCHEMA, table.as_str()), frame.into_view()).map_err(failed())?;
        } else {
            put(ctx, &table, schema.clone(), batches).map_err(failed())?;
        }
        Ok(Self { ctx, indicator, schema, table })
    }

    /// The rows that count, as SQL: key columns, source and numbers under their own names.
    pub(super) fn counted(&self) -> Result<String, EngineError> {
        let shape = Shape::of_rows(self.indicator, &self.schema)?;
        let mut columns: Vec<String> = super::shape::KEY.iter().map(|column| format!("{} AS \"{column}\"", shape.key(column))).collect();
        for column in ["num", "den", "amount"] {
            columns.push(format!("{} AS \"{column}\"", shape.number(column)?));
        }
        for column in ["mark", "source_table", "row_key", "note"] {
            columns.push(format!("{} AS \"{column}\"", shape.text(column)));
        }
        for input in &shape.inputs {
            let number = if input.fold == Fold::Sum { shape.number(&input.column)? } else { format!("\"{}\"", input.column) };
            columns.push(format!("{number} AS \"{}\"", input.column));
        }
        Ok(format!("SELECT {} FROM {SCHEMA}.\"{}\" WHERE {}", columns.join(", "), self.table, shape.counts()))
    }

    /// Adds the rows up: one value per key.
    pub(super) async fn values(&self, ask: &Ask) -> Result<Vec<Value>, EngineError> {
        let shape = Shape::of_rows(self.indicator, &self.schema)?;
        let keys = super::shape::KEY.map(|column| format!("\"{column}\"")).join(", ");
        let mut sums: Vec<String> = ["num", "den", "amount"].iter().map(|column| format!("SUM(\"{column}\") AS \"{column}\"")).collect();
        sums.push("MAX(\"mark\") AS \"mark\"".to_owned());
        sums.push("COUNT(*) AS \"sample_n\"".to_owned());
        for input in &shape.inputs {
            let fold = if input.fold == Fold::Sum { "SUM" } else { "MAX" };
            sums.push(format!("{fold}(\"{0}\") AS \"{0}\"", input.column));
        }
        let sql = format!("SELECT {keys}, {} FROM ({}) AS counted GROUP BY {keys}", sums.join(", "), self.counted()?);
        let mut values = BTreeMap::new();
        for batch in query::collect(self.ctx, self.indicator, FILE, &sql).await? {
            self.read(ask, &shape, &batch, &mut values).map_err(|why| EngineError::shape(self.indicator.id(), FILE, why))?;
        }
        Ok(values.into_values().collect())
    }

    /// Reads a batch of sums.
    fn read(&self, ask: &Ask, shape: &Shape<'_>, batch: &RecordBatch, values: &mut BTreeMap<super::RowKey, Value>) -> Result<(), String> {
        let keys = Keys::of(batch)?;
        let inputs = Inputs::of(batch, &shape.inputs)?;
        let (num, den, amount) = (Exacts::maybe(batch, "num")?, Exacts::maybe(batch, "den")?, Exacts::maybe(batch, "amount")?);
        let marks = Texts::of(batch, "mark")?;
        let counts = wholes(batch, "sample_n")?;
        for row in 0..batch.num_rows() {
            let key = keys.get(self.indicator, ask, row)?;
            let mut value = Value::new(key.clone());
            value.numerator = num.get(row)?;
            value.denominator = den.get(row)?;
            value.amount = amount.get(row)?;
            zero_for_nothing(self.indicator, &mut value);
            value.mark = marks.or_blank(row);
            value.sample_n = counts.as_ref().map(|counts| counts.value(row));
            value.inputs = inputs.get(row)?;
            values.insert(key, value);
        }
        Ok(())
    }

    /// Takes the rows away.
    pub(super) fn close(self) -> Result<(), EngineError> {
        drop_table(self.ctx, &self.table).map_err(EngineError::sql(self.indicator.id(), FILE))
    }
}

/// No row that counts in the numerator is a numerator of 0, as long as there is a denominator.
fn zero_for_nothing(indicator: &Indicator, value: &mut Value) {
    let quotient = indicator.card.measure(&value.key.measure).is_some_and(|measure| measure.kind.is_quotient());
    if quotient && value.numerator.is_none() && value.denominator.is_some_and(Exact::is_positive) {
        value.numerator = Some(Exact::ZERO);
    }
}
