//! What is asked: region, months and their T. Registers the `ask.*` tables that indicator SQL joins.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::common::TableReference;
use datafusion::common::exec_datafusion_err;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use yaojia_models::value::{DAY_MICROS, Month};

use super::EngineError;

/// The schema of the engine's tables.
pub(super) const SCHEMA: &str = "ask";

/// A month and the point in time T at which it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedMonth {
    /// The month.
    pub month: Month,
    /// T in microseconds: events at or after it do not exist.
    pub as_of: i64,
}

impl AskedMonth {
    /// The month at T = min(first instant of the next month, data instant).
    #[must_use]
    pub fn at(month: Month, data_instant: i64) -> Self {
        Self { month, as_of: data_instant.min(month.next().first_micros()) }
    }

    /// The day of the last instant before T.
    #[must_use]
    pub fn as_of_date(self) -> i32 {
        i32::try_from((self.as_of - 1).div_euclid(DAY_MICROS)).unwrap_or(i32::MAX)
    }
}

/// One question to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    region: String,
    first_month: Month,
    months: Vec<AskedMonth>,
    by_name: BTreeMap<String, AskedMonth>,
    known_on: Option<String>,
    overrides: BTreeMap<String, BTreeMap<String, String>>,
}

impl Ask {
    /// Asks for months of a region whose data begin with `first_month`.
    ///
    /// # Errors
    /// When a month is asked twice, lies before the first month, or has its T outside of itself.
    pub fn new(region: &str, first_month: Month, mut months: Vec<AskedMonth>) -> Result<Self, EngineError> {
        months.sort_by_key(|asked| asked.month);
        for (at, asked) in months.iter().enumerate() {
            let month = asked.month;
            if month < first_month {
                return Err(EngineError::Ask(format!("`{month}` lies before the first month `{first_month}`")));
            }
            if asked.as_of <= month.first_micros() || asked.as_of > month.next().first_micros() {
                return Err(EngineError::Ask(format!("T of `{month}` does not lie within the month")));
            }
            if months.get(at + 1).is_some_and(|next| next.month == month) {
                return Err(EngineError::Ask(format!("`{month}` is asked twice")));
            }
        }
        if region.is_empty() {
            return Err(EngineError::Ask("the region has no code".to_owned()));
        }
        let by_name = months.iter().map(|asked| (asked.month.to_string(), *asked)).collect();
        Ok(Self { region: region.to_owned(), first_month, months, by_name, known_on: None, overrides: BTreeMap::new() })
    }

    /// Judges with the rules known on a day (yyyy-MM-dd) only, for a replay.
    #[must_use]
    pub fn known_on(mut self, day: &str) -> Self {
        self.known_on = Some(day.to_owned());
        self
    }

    /// Gives a parameter of an indicator the region's own value.
    #[must_use]
    pub fn with_parameter(mut self, indicator: &str, name: &str, value: &str) -> Self {
        self.overrides.entry(indicator.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
        self
    }

    /// The region's code.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The first month of which the region has all sources.
    #[must_use]
    pub fn first_month(&self) -> Month {
        self.first_month
    }

    /// The asked months in order.
    #[must_use]
    pub fn months(&self) -> &[AskedMonth] {
        &self.months
    }

    /// The asked month of a name.
    #[must_use]
    pub fn asked(&self, month: &str) -> Option<AskedMonth> {
        self.by_name.get(month).copied()
    }

    /// The day whose rules are used; all rules when none.
    #[must_use]
    pub fn known_day(&self) -> Option<&str> {
        self.known_on.as_deref()
    }

    /// The region's own values of an indicator's parameters.
    pub(super) fn overrides(&self, indicator: &str) -> Option<&BTreeMap<String, String>> {
        self.overrides.get(indicator)
    }

    /// Registers `ask.month`, `ask.span` and `ask.calendar`, in place of those of an earlier question.
    pub(super) fn register(&self, ctx: &SessionContext) -> Result<(), EngineError> {
        let tables = [("month", self.month_table()), ("span", self.span_table()), ("calendar", self.calendar_table())];
        open_schema(ctx).map_err(|e| EngineError::Register(Box::new(e)))?;
        for (name, batch) in tables {
            batch
                .map_err(DataFusionError::from)
                .and_then(|batch| put(ctx, name, batch.schema(), vec![batch]))
                .map_err(|e| EngineError::Register(Box::new(e)))?;
        }
        Ok(())
    }

    /// `ask.month`: one row per asked month.
    fn month_table(&self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let mut columns = self.month_columns(&self.months);
        let days: Date32Array = self.months.iter().map(|asked| Some(asked.as_of_date())).collect();
        columns.insert(4, ("as_of_date", Arc::new(days)));
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
    }

    /// `ask.calendar`: one row per month from the first to the last asked one, for chains; `as_of` of a month not asked is its end.
    fn calendar_table(&self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let last = self.months.last().map_or(self.first_month, |asked| asked.month);
        let whole = |month: Month| AskedMonth { month, as_of: month.next().first_micros() };
        let all: Vec<AskedMonth> = (0..=last.since(self.first_month))
            .map(|at| self.first_month.plus(at))
            .map(|month| self.months.iter().copied().find(|asked| asked.month == month).unwrap_or_else(|| whole(month)))
            .collect();
        RecordBatch::try_from_iter_with_nullable(self.month_columns(&all).into_iter().map(|(name, column)| (name, column, true)))
    }

    /// month, `month_start`, `month_end`, `as_of`, `prev_month`, `year_ago_month`, `months_before`.
    fn month_columns(&self, months: &[AskedMonth]) -> Vec<(&'static str, ArrayRef)> {
        let texts = |of: &dyn Fn(Month) -> Option<Month>| -> ArrayRef {
            Arc::new(months.iter().map(|asked| of(asked.month).map(|month| month.to_string())).collect::<StringArray>())
        };
        let times = |of: &dyn Fn(&AskedMonth) -> i64| -> ArrayRef {
            Arc::new(months.iter().map(|asked| Some(of(asked))).collect::<TimestampMicrosecondArray>())
        };
        let earlier = |month: Month, back: i32| Some(month.plus(-back)).filter(|month| *month >= self.first_month);
        let before: Int64Array = months.iter().map(|asked| Some(i64::from(asked.month.since(self.first_month)))).collect();
        vec![
            ("month", texts(&Some)),
            ("month_start", times(&|asked| asked.month.first_micros())),
            ("month_end", times(&|asked| asked.month.next().first_micros())),
            ("as_of", times(&|asked| asked.as_of)),
            ("prev_month", texts(&|month| earlier(month, 1))),
            ("year_ago_month", texts(&|month| earlier(month, 12))),
            ("months_before", Arc::new(before)),
        ]
    }

    /// `ask.span`: each asked month with the months 0..11 before it, none before the first month.
    fn span_table(&self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let spans: Vec<(Month, Month, i32)> = self
            .months
            .iter()
            .flat_map(|asked| (0..12).map(|back| (asked.month, asked.month.plus(-back), back)))
            .filter(|(_, window, _)| *window >= self.first_month)
            .collect();
        let text = |of: &dyn Fn(&(Month, Month, i32)) -> Month| -> ArrayRef {
            Arc::new(spans.iter().map(|span| Some(of(span).to_string())).collect::<StringArray>())
        };
        let back: Int64Array = spans.iter().map(|span| Some(i64::from(span.2))).collect();
        let columns = [("month", text(&|span| span.0)), ("window_month", text(&|span| span.1)), ("back", Arc::new(back) as ArrayRef)];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
    }
}

/// Makes sure that the schema `ask` exists in the session's default catalog.
fn open_schema(ctx: &SessionContext) -> Result<(), DataFusionError> {
    let name = ctx.copied_config().options().catalog.default_catalog.clone();
    let catalog: Arc<dyn CatalogProvider> =
        ctx.catalog(&name).ok_or_else(|| exec_datafusion_err!("the session has no catalog `{name}`"))?;
    if catalog.schema(SCHEMA).is_none() {
        let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
        catalog.register_schema(SCHEMA, schema)?;
    }
    Ok(())
}

/// Puts batches of one schema into `ask.<name>`, in place of what is there.
pub(super) fn put(ctx: &SessionContext, name: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<(), DataFusionError> {
    let table = MemTable::try_new(schema, vec![batches])?;
    drop_table(ctx, name)?;
    ctx.register_table(TableReference::partial(SCHEMA, name), Arc::new(table))?;
    Ok(())
}

/// Takes `ask.<name>` away, if it is there.
pub(super) fn drop_table(ctx: &SessionContext, name: &str) -> Result<(), DataFusionError> {
    ctx.deregister_table(TableReference::partial(SCHEMA, name)).map(drop)
}
