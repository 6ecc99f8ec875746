//! The engine: one indicator at a time, all asked months at once.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;
use yaojia_models::card::{Indicator, Query};

use super::alert::{alerted, alerts};
use super::evidence::Evidence;
use super::gather::Rows;
use super::value::{Judged, Value};
use super::{Ask, EngineError, Exemptions, History, Names, Packed, given, judge, publish, relations, rollup};

/// How many rows of rows.sql stay in memory between adding up and evidence, unless told otherwise.
const ROWS_IN_MEMORY: usize = 500_000;

/// Computes indicators over the `gold.*` tables of a session.
pub struct Engine {
    ctx: SessionContext,
    ask: Ask,
    exemptions: Exemptions,
    names: Names,
    rows_in_memory: usize,
}

/// What is not computed again: the session holds only some counties' rows.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// The counties whose rows the session holds; only theirs and the region's rows come out.
    pub counties: BTreeSet<String>,
    /// Values of the other counties before roll-ups, as an [`Outcome`] gave them: what the region adds up.
    pub values: Vec<Value>,
}

/// What an indicator gives for the asked months.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Rows of `gold.indicator_value`, without `completeness` and `run_id`.
    pub values: RecordBatch,
    /// Rows of `gold.alert`, without `first_run_id`.
    pub alerts: RecordBatch,
    /// Rows of `gold.alert_evidence`.
    pub evidence: RecordBatch,
    /// The same values with all that led to them.
    pub judged: Vec<Judged>,
    /// The values computed, before roll-ups and judging; none when they were given.
    pub computed: Packed,
}

impl Engine {
    /// An engine over a session with the `gold.*` tables; registers our functions and the tables of the question.
    ///
    /// # Errors
    /// When the tables cannot be registered.
    pub fn new(ctx: SessionContext, ask: Ask) -> Result<Self, EngineError> {
        crate::functions::register_all(&ctx);
        ask.register(&ctx)?;
        Ok(Self { ctx, ask, exemptions: Exemptions::default(), names: Names::default(), rows_in_memory: ROWS_IN_MEMORY })
    }

    /// With the exemption register.
    #[must_use]
    pub fn with_exemptions(mut self, exemptions: Exemptions) -> Self {
        self.exemptions = exemptions;
        self
    }

    /// With the names of subjects.
    #[must_use]
    pub fn with_names(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// Keeps up to so many rows of rows.sql in memory; above that the query runs a second time for the evidence.
    #[must_use]
    pub fn with_rows_in_memory(mut self, rows: usize) -> Self {
        self.rows_in_memory = rows;
        self
    }

    /// Makes the relations that an indicator's SQL reads visible (`ask.product_state`, `ask.basis`), for who plans that SQL without computing it.
    ///
    /// # Errors
    /// [`EngineError::Sql`] naming the file that does not plan.
    pub async fn see_relations(&self, indicator: &Indicator) -> Result<(), EngineError> {
        relations::register(&self.ctx, &self.ask, indicator).await
    }

    /// The session, with the tables of the question.
    #[must_use]
    pub fn session(&self) -> &SessionContext {
        &self.ctx
    }

    /// The question.
    #[must_use]
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Computes an indicator. `earlier` are stored rows of `gold.indicator_value` (of any months; those asked are left out), for persistence.
    ///
    /// # Errors
    /// When a query fails, gives what it must not, or a number does not fit.
    pub async fn compute(&self, indicator: &Indicator, earlier: &[RecordBatch]) -> Result<Outcome, EngineError> {
        let rows = self.open_rows(indicator).await?;
        let values = self.values(indicator, rows.as_ref()).await?;
        let computed = Packed::of(&values);
        let judged = self.judge(indicator, values, earlier)?;
        Ok(Outcome { computed, ..self.outcome(indicator, rows, judged, None).await? })
    }

    /// Computes the rows of some counties and of the region. The session holds these counties' rows only; the values of the others are kept.
    ///
    /// # Errors
    /// As [`Engine::compute`].
    pub async fn compute_some(&self, indicator: &Indicator, earlier: &[RecordBatch], kept: Kept) -> Result<Outcome, EngineError> {
        let Kept { counties, values: others } = kept;
        // Where no county changed there is nothing to ask.
        let rows = if counties.is_empty() { None } else { self.open_rows(indicator).await? };
        let mut values = if counties.is_empty() { Vec::new() } else { self.values(indicator, rows.as_ref()).await? };
        // Rows of the region itself are in every session.
        values.retain(|value| counties.contains(&value.key.county));
        let computed = Packed::of(&values);
        values.extend(others);
        let judged = self.judge(indicator, values, earlier)?;
        Ok(Outcome { computed, ..self.outcome(indicator, rows, judged, Some(&counties)).await? })
    }

    /// What the SQL gives, before roll-ups.
    async fn values(&self, indicator: &Indicator, rows: Option<&Rows<'_>>) -> Result<Vec<Value>, EngineError> {
        match (rows, &indicator.query) {
            (Some(rows), _) => rows.values(&self.ask).await,
            (None, Query::Value { value, .. }) => given::values(&self.ctx, &self.ask, indicator, value).await,
            (None, Query::Rows(_)) => Ok(Vec::new()),
        }
    }

    /// Adds the roll-ups and judges.
    fn judge(&self, indicator: &Indicator, mut values: Vec<Value>, earlier: &[RecordBatch]) -> Result<Vec<Judged>, EngineError> {
        values.extend(rollup::sums(&indicator.card, self.ask.region(), &values)?);
        let history = History::read(earlier, indicator, &self.ask)?;
        judge::judge(indicator, &self.ask, values, history, &self.exemptions)
    }

    /// Judges values again, for when only rules or exemptions changed: `values` are those of the asked months before roll-ups, as an
    /// [`Outcome`] gave them (stored rows are rounded and do not do). Only the evidence is read from the facts.
    ///
    /// # Errors
    /// As [`Engine::compute`].
    pub async fn rejudge(&self, indicator: &Indicator, earlier: &[RecordBatch], values: Vec<Value>) -> Result<Outcome, EngineError> {
        let judged = self.judge(indicator, values, earlier)?;
        let rows = if alerted(indicator, &judged.iter().collect::<Vec<_>>()).is_empty() { None } else { self.open_rows(indicator).await? };
        self.outcome(indicator, rows, judged, None).await
    }

    /// Runs rows.sql, where the indicator has one.
    async fn open_rows<'a>(&'a self, indicator: &'a Indicator) -> Result<Option<Rows<'a>>, EngineError> {
        match &indicator.query {
            Query::Rows(sql) => Rows::open(&self.ctx, &self.ask, indicator, sql, self.rows_in_memory).await.map(Some),
            Query::Value { .. } => Ok(None),
        }
    }

    /// Evidence, alerts and values of judged rows; of these counties and the region only, where some are given.
    async fn outcome(
        &self,
        indicator: &Indicator,
        rows: Option<Rows<'_>>,
        judged: Vec<Judged>,
        counties: Option<&BTreeSet<String>>,
    ) -> Result<Outcome, EngineError> {
        let is_shown = |row: &Judged| {
            let county = &row.value.key.county;
            counties.is_none_or(|counties| county == self.ask.region() || counties.contains(county))
        };
        let shown: Vec<&Judged> = judged.iter().filter(|row| is_shown(row)).collect();
        let alerted = alerted(indicator, &shown);
        let evidence = Evidence::find(&self.ctx, &self.ask, indicator, rows.as_ref(), &judged, &alerted).await?;
        if let Some(rows) = rows {
            rows.close()?;
        }
        let alerts = alerts(indicator, &self.ask, &self.names, &alerted, &evidence.counts())?;
        let batch = evidence.batch(indicator, &alerted)?;
        let values = publish::values(indicator, &self.ask, &self.names, &shown)?;
        Ok(Outcome { values, alerts, evidence: batch, judged, computed: Packed::default() })
    }
}
