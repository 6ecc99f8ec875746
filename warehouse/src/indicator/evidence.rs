//! `gold.alert_evidence`: the rows behind each alert.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, RecordBatch, StringArray};
use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use yaojia_models::card::{How, Indicator, Level, Query};

use super::ask::{SCHEMA, drop_table, put};
use super::columns::{Exacts, Texts};
use super::gather::Rows;
use super::rollup::area_key;
use super::shape::{KEY, Shape};
use super::value::Judged;
use super::{Ask, EngineError, Exact, query};

/// The file, in messages.
const FILE: &str = "evidence.sql";

/// What an evidence row is about: alert, layer, table, key.
type Source = (String, &'static str, String, String);

/// The content of an evidence row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    num: Option<Exact>,
    den: Option<Exact>,
    amount: Option<Exact>,
    note: Option<String>,
}

/// All evidence rows of an indicator's alerts, each source row once an alert, in order.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    parts: BTreeMap<Source, Part>,
}

impl Evidence {
    /// Finds the evidence of the alerted rows.
    pub(super) async fn find(
        ctx: &SessionContext,
        ask: &Ask,
        indicator: &Indicator,
        rows: Option<&Rows<'_>>,
        judged: &[Judged],
        alerted: &[&Judged],
    ) -> Result<Self, EngineError> {
        let mut evidence = Self::default();
        let (of_rollups, of_rows): (Vec<&Judged>, Vec<&Judged>) = alerted.iter().copied().partition(|row| is_sum(indicator, row));
        evidence.add_subjects(ask, indicator, judged, &of_rollups);
        if !of_rows.is_empty() {
            evidence.add_rows(ctx, ask, indicator, rows, &of_rows).await?;
        }
        Ok(evidence)
    }

    /// The subjects' value rows that a roll-up adds up.
    fn add_subjects(&mut self, ask: &Ask, indicator: &Indicator, judged: &[Judged], alerted: &[&Judged]) {
        let wanted: BTreeMap<_, _> = alerted.iter().map(|row| (&row.value.key, row.value.key.alert_id(indicator.id()))).collect();
        if wanted.is_empty() {
            return;
        }
        for subject in judged.iter().filter(|row| row.value.key.level == Level::Subject) {
            let Some(measure) = indicator.card.measure(&subject.value.key.measure) else {
                continue;
            };
            for level in &measure.rollup.levels {
                if let Some(alert) = wanted.get(&area_key(&subject.value.key, *level, ask.region(), measure)) {
                    let source = (alert.clone(), "gold", "indicator_value".to_owned(), subject.value.key.joined(indicator.id()));
                    let part =
                        Part { num: subject.value.numerator, den: subject.value.denominator, amount: subject.value.amount, note: None };
                    self.parts.insert(source, part);
                }
            }
        }
    }

    /// The rows of rows.sql or evidence.sql with an alerted key.
    async fn add_rows(
        &mut self,
        ctx: &SessionContext,
        ask: &Ask,
        indicator: &Indicator,
        rows: Option<&Rows<'_>>,
        alerted: &[&Judged],
    ) -> Result<(), EngineError> {
        let failed = || EngineError::sql(indicator.id(), FILE);
        let id = indicator.id().to_ascii_lowercase();
        let (alerts, view) = (format!("alert_{id}"), format!("evidence_{id}"));
        let keys = alert_keys(indicator, alerted).map_err(|source| EngineError::Build { indicator: indicator.id().to_owned(), source })?;
        put(ctx, &alerts, keys.schema(), vec![keys]).map_err(failed())?;
        let source = match (&indicator.query, rows) {
            (Query::Rows(_), Some(rows)) => rows.counted()?,
            (Query::Value { evidence: Some(sql), .. }, _) => evidence_view(ctx, ask, indicator, sql, &view).await?,
            _ => return drop_table(ctx, &alerts).map_err(failed()),
        };
        let on: Vec<String> = KEY.iter().map(|column| format!("source.\"{column}\" = alert.\"{column}\"")).collect();
        let sql = format!(
            "SELECT alert.alert_id AS alert_id, source.source_table AS source_table, source.row_key AS row_key, SUM(source.num) AS num, SUM(source.den) AS den, \
             SUM(source.amount) AS amount, MAX(source.note) AS note FROM ({source}) AS source INNER JOIN {SCHEMA}.\"{alerts}\" AS alert ON {} \
             GROUP BY alert.alert_id, source.source_table, source.row_key",
            on.join(" AND ")
        );
        let batches = query::collect(ctx, indicator, FILE, &sql).await;
        drop_table(ctx, &alerts).map_err(failed())?;
        drop_table(ctx, &view).map_err(failed())?;
        for batch in batches? {
            self.read(&batch).map_err(|why| EngineError::shape(indicator.id(), FILE, why))?;
        }
        Ok(())
    }

    /// Reads a batch of evidence.
    fn read(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let (alerts, tables, keys, notes) =
            (Texts::of(batch, "alert_id")?, Texts::of(batch, "source_table")?, Texts::of(batch, "row_key")?, Texts::of(batch, "note")?);
        let (num, den, amount) = (Exacts::maybe(batch, "num")?, Exacts::maybe(batch, "den")?, Exacts::maybe(batch, "amount")?);
        for row in 0..batch.num_rows() {
            let (Some(table), Some(key)) = (tables.get(row), keys.get(row)) else {
                return Err("a row has no `source_table` or no `row_key`".to_owned());
            };
            let part = Part { num: num.get(row)?, den: den.get(row)?, amount: amount.get(row)?, note: notes.get(row).map(str::to_owned) };
            self.parts.insert((alerts.or_blank(row), "gold", table.to_owned(), key.to_owned()), part);
        }
        Ok(())
    }

    /// How many evidence rows each alert has.
    pub(super) fn counts(&self) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for (alert, ..) in self.parts.keys() {
            *counts.entry(alert.clone()).or_insert(0) += 1;
        }
        counts
    }

    /// The rows of `gold.alert_evidence`; county and month are those of the alert.
    pub(super) fn batch(&self, indicator: &Indicator, alerted: &[&Judged]) -> Result<RecordBatch, EngineError> {
        let alerts: BTreeMap<String, &Judged> = alerted.iter().map(|row| (row.value.key.alert_id(indicator.id()), *row)).collect();
        let alert = |source: &Source| alerts.get(&source.0).map(|row| &row.value.key);
        let text = |of: &dyn Fn(&Source, &Part) -> Option<String>| -> ArrayRef {
            Arc::new(self.parts.iter().map(|(source, part)| of(source, part)).collect::<StringArray>())
        };
        let number =
            |precision: u8, places: i8, what: &'static str, of: &dyn Fn(&Part) -> Option<Exact>| -> Result<ArrayRef, EngineError> {
                let fit = |(source, part): (&Source, &Part)| match of(part) {
                    None => Ok(None),
                    Some(exact) => exact.decimal128(precision, places).map(Some).ok_or_else(|| EngineError::TooLarge {
                        indicator: indicator.id().to_owned(),
                        what,
                        row: format!("{}|{}", source.2, source.3),
                    }),
                };
                let numbers = self.parts.iter().map(fit).collect::<Result<Vec<Option<i128>>, _>>()?;
                let column = Decimal128Array::from(numbers).with_precision_and_scale(precision, places);
                Ok(Arc::new(column.map_err(|source| EngineError::Build { indicator: indicator.id().to_owned(), source })?))
            };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("alert_id", text(&|source, _| Some(source.0.clone()))),
            ("indicator_id", text(&|_, _| Some(indicator.id().to_owned()))),
            ("county", text(&|source, _| alert(source).map(|key| key.county.clone()))),
            ("month", text(&|source, _| alert(source).map(|key| key.month.clone()))),
            ("source_layer", text(&|source, _| Some(source.1.to_owned()))),
            ("source_table", text(&|source, _| Some(source.2.clone()))),
            ("row_key", text(&|source, _| Some(source.3.clone()))),
            ("num", number(38, 6, "num", &|part| part.num)?),
            ("den", number(38, 6, "den", &|part| part.den)?),
            ("amount", number(38, 2, "amount", &|part| part.amount)?),
            ("note", text(&|_, part| part.note.clone())),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
            .map_err(|source| EngineError::Build { indicator: indicator.id().to_owned(), source })
    }
}

/// Whether a row is a roll-up that adds up subject rows.
fn is_sum(indicator: &Indicator, row: &Judged) -> bool {
    row.value.key.level != Level::Subject
        && indicator.card.measure(&row.value.key.measure).is_some_and(|measure| measure.rollup.how != How::Own)
}

/// `ask.alert_<id>`: id and key of each alert whose source rows are wanted.
fn alert_keys(indicator: &Indicator, alerted: &[&Judged]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let text = |of: &dyn Fn(&super::RowKey) -> String| -> ArrayRef {
        Arc::new(alerted.iter().map(|row| Some(of(&row.value.key))).collect::<StringArray>())
    };
    RecordBatch::try_from_iter([
        ("alert_id", text(&|key| key.alert_id(indicator.id()))),
        // Source rows are found by what the SQL calls it.
        ("measure", text(&|key| indicator.card.measure(&key.measure).map_or(&key.measure as &str, |measure| measure.in_sql()).to_owned())),
        ("month", text(&|key| key.month.clone())),
        ("county", text(&|key| key.county.clone())),
        ("level", text(&|key| key.level.as_str().to_owned())),
        ("subject_code", text(&|key| key.subject_code.clone())),
        ("product_code", text(&|key| key.product_code.clone())),
        ("batch_code", text(&|key| key.batch_code.clone())),
        ("group_code", text(&|key| key.group_code.clone())),
    ])
}

/// Registers `evidence.sql` as a view and gives the query of its normalised rows.
async fn evidence_view(ctx: &SessionContext, ask: &Ask, indicator: &Indicator, sql: &str, view: &str) -> Result<String, EngineError> {
    let failed = || EngineError::sql(indicator.id(), FILE);
    let frame = query::plan(ctx, ask, indicator, FILE, sql).await?;
    let schema = frame.schema().as_arrow().clone();
    let shape = Shape::of_evidence(indicator, &schema)?;
    drop_table(ctx, view).map_err(failed())?;
    ctx.register_table(TableReference::partial(SCHEMA, view), frame.into_view()).map_err(failed())?;
    let mut columns: Vec<String> = KEY.iter().map(|column| format!("{} AS \"{column}\"", shape.key(column))).collect();
    for column in ["num", "den", "amount"] {
        columns.push(format!("{} AS \"{column}\"", shape.number(column)?));
    }
    for column in ["source_table", "row_key", "note"] {
        columns.push(format!("{} AS \"{column}\"", shape.text(column)));
    }
    Ok(format!("SELECT {} FROM {SCHEMA}.\"{view}\"", columns.join(", ")))
}
