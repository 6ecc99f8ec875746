//! The engine: one indicator at a time, all asked months at once.

use arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;
use yaojia_models::card::{Indicator, Query};

use super::alert::{alerted, alerts};
use super::evidence::Evidence;
use super::gather::Rows;
use super::value::Judged;
use super::{Ask, EngineError, Exemptions, History, Names, given, judge, publish, rollup, stored};

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
        let mut values = match (&rows, &indicator.query) {
            (Some(rows), _) => rows.values(&self.ask).await?,
            (None, Query::Value { value, .. }) => given::values(&self.ctx, &self.ask, indicator, value).await?,
            (None, Query::Rows(_)) => Vec::new(),
        };
        values.extend(rollup::sums(&indicator.card, self.ask.region(), &values)?);
        let history = History::read(earlier, indicator, &self.ask)?;
        let judged = judge::judge(indicator, &self.ask, values, history, &self.exemptions)?;
        self.outcome(indicator, rows, judged).await
    }

    /// Judges stored values again, for when only rules or exemptions changed: `stored` holds the asked months and those before them.
    /// Only the evidence is read from the facts.
    ///
    /// # Errors
    /// As [`Engine::compute`].
    pub async fn rejudge(&self, indicator: &Indicator, stored: &[RecordBatch]) -> Result<Outcome, EngineError> {
        let values = stored::values(stored, indicator, &self.ask)?;
        let history = History::read(stored, indicator, &self.ask)?;
        let judged = judge::judge(indicator, &self.ask, values, history, &self.exemptions)?;
        let rows = if alerted(indicator, &judged).is_empty() { None } else { self.open_rows(indicator).await? };
        self.outcome(indicator, rows, judged).await
    }

    /// Runs rows.sql, where the indicator has one.
    async fn open_rows<'a>(&'a self, indicator: &'a Indicator) -> Result<Option<Rows<'a>>, EngineError> {
        match &indicator.query {
            Query::Rows(sql) => Rows::open(&self.ctx, &self.ask, indicator, sql, self.rows_in_memory).await.map(Some),
            Query::Value { .. } => Ok(None),
        }
    }

    /// Evidence, alerts and values of judged rows.
    async fn outcome(&self, indicator: &Indicator, rows: Option<Rows<'_>>, judged: Vec<Judged>) -> Result<Outcome, EngineError> {
        let alerted = alerted(indicator, &judged);
        let evidence = Evidence::find(&self.ctx, &self.ask, indicator, rows.as_ref(), &judged, &alerted).await?;
        if let Some(rows) = rows {
            rows.close()?;
        }
        let alerts = alerts(indicator, &self.ask, &self.names, &alerted, &evidence.counts())?;
        let batch = evidence.batch(indicator, &alerted)?;
        let values = publish::values(indicator, &self.ask, &self.names, &judged)?;
        Ok(Outcome { values, alerts, evidence: batch, judged })
    }
}
