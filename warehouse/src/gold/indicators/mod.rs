//! Values, alerts and evidence of all indicators: what is stale is computed or judged again, and cells that differ are replaced.
//!
//! One file a purpose: [`prints`] what a month of an indicator follows from, [`stale`] which months do not follow from it any more,
//! [`work`] decides whether they are judged, computed for some counties ([`kept`] holds the values of the others) or computed whole,
//! [`compute`] does so, [`publish`] replaces the cells that differ ([`done`] says which rows are new), [`rows`] cuts and places columns.

mod compute;
mod done;
mod kept;
mod prints;
mod publish;
mod rows;
mod stale;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use yaojia_models::card::Indicator;
use yaojia_models::contract::TableContract;
use yaojia_models::value::Month;

use self::rows::{place, texts};
use crate::delta::{Cell, Table, read_file};
use crate::error::{Result, WarehouseError};
use crate::gold::{Completeness, SetAside};
use crate::indicator::{Ask, AskedMonth, EngineError};
use crate::warehouse::Warehouse;

/// Name under which the ledger keeps what the dimensions were when subjects were named last.
const NAMES: &str = "indicator/names";

/// The three published tables of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sheet {
    Value,
    Alert,
    Evidence,
}

impl Sheet {
    const ALL: [Self; 3] = [Self::Value, Self::Alert, Self::Evidence];

    fn name(self) -> &'static str {
        match self {
            Self::Value => "indicator_value",
            Self::Alert => "alert",
            Self::Evidence => "alert_evidence",
        }
    }
}

/// A month of an indicator that is not fresh.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct StaleMonth {
    /// Indicator.
    pub indicator: String,
    /// Month.
    pub month: String,
    /// `never_built`, `contract_changed`, `code_changed`, `input_changed`, `rule_changed`, `source_incomplete`, `check_failed`.
    pub reason: String,
    /// Whether its values stand and are only judged again.
    pub judges_only: bool,
}

/// How many months of an indicator were concerned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct MonthCounts {
    /// Months there are.
    pub all: u64,
    /// Months that were not fresh.
    pub stale: u64,
    /// Of these, computed from facts.
    pub computed: u64,
    /// Of these, only judged again.
    pub judged: u64,
    /// Counties' months computed, the region's own rows counted as one county's; of indicators that tell counties apart.
    pub counties: u64,
    /// Counties' months whose values were kept from before.
    pub counties_kept: u64,
}

/// What a build of the indicators did.
#[derive(Debug, Default)]
pub struct IndicatorOutcome {
    /// Indicator-months computed.
    pub computed: u64,
    /// Indicator-months only judged again.
    pub judged: u64,
    /// Months by indicator, of all indicators.
    pub months: BTreeMap<String, MonthCounts>,
    /// Cells replaced, by table.
    pub cells: BTreeMap<String, u64>,
    /// Indicators that could not be computed; their old rows stay.
    pub failed: Vec<EngineError>,
}

/// The indicators of one warehouse.
pub struct Indicators<'a> {
    pub(super) warehouse: &'a Warehouse,
    /// Data instant of the run, microseconds.
    instant: i64,
    /// The certificates.
    completeness: &'a Completeness,
    /// The rows in quarantine.
    set_aside: &'a SetAside,
    only: Option<&'a BTreeSet<String>>,
}

impl Warehouse {
    /// Its indicators, all of them, as of an instant (microseconds): what the certificates and the quarantine say of their sources is
    /// published with the values.
    #[must_use]
    pub fn indicators_at<'a>(&'a self, instant: i64, completeness: &'a Completeness, set_aside: &'a SetAside) -> Indicators<'a> {
        Indicators { warehouse: self, instant, completeness, set_aside, only: None }
    }
}

impl<'a> Indicators<'a> {
    /// Judges and builds these (by id) alone; the rows of others stay.
    #[must_use]
    pub fn only(mut self, only: Option<&'a BTreeSet<String>>) -> Self {
        self.only = only;
        self
    }

    /// Columns that say by which run a row came, not what it says.
    pub(crate) const BLIND: [&'static str; 2] = ["run_id", "first_run_id"];
    /// Dimensions that name subjects.
    pub const DIMENSIONS: [&'static str; 4] = ["dim_institution", "dim_enterprise", "dim_product", "dim_admdvs"];
    /// The tables the engine writes.
    pub const TABLES: [&'static str; 3] = ["indicator_value", "alert", "alert_evidence"];

    /// The months to publish, each with its T.
    #[must_use]
    pub fn months(&self) -> Vec<AskedMonth> {
        let last = Month::of_micros(self.instant - 1);
        let count = last.since(self.warehouse.region.first_month);
        (0..=count).map(|n| AskedMonth::at(self.warehouse.region.first_month.plus(n), self.instant)).collect()
    }

    /// The question for an indicator, with the region's parameters.
    fn ask(&self, indicator: &Indicator, months: Vec<AskedMonth>) -> Result<Ask> {
        let mut ask = Ask::new(&self.warehouse.region.code, self.warehouse.region.first_month, months)?;
        for (name, value) in self.warehouse.parameters.get(indicator.id()).into_iter().flatten() {
            ask = ask.with_parameter(indicator.id(), name, value);
        }
        Ok(ask)
    }

    /// Tables that an indicator's SQL reads, sorted.
    ///
    /// # Errors
    /// [`WarehouseError::Contract`] when the SQL does not parse.
    pub fn tables(indicator: &Indicator) -> Result<BTreeSet<String>> {
        indicator.tables().map_err(|e| WarehouseError::Contract { table: indicator.id().to_string(), why: e.to_string() })
    }

    /// An indicator's rows of a stored batch.
    pub(crate) fn of(batch: &RecordBatch, indicator: &str) -> Result<RecordBatch> {
        let ids = texts(batch, "indicator_id")?;
        let own: BooleanArray = ids.iter().map(|id| Some(id == Some(indicator))).collect();
        filter_record_batch(batch, &own).map_err(|source| WarehouseError::Arrow { table: "gold.indicator_value".to_string(), source })
    }

    fn contract(&self, sheet: Sheet) -> Result<&TableContract> {
        self.warehouse
            .contracts
            .gold_table(sheet.name())
            .ok_or_else(|| WarehouseError::Contract { table: format!("gold.{}", sheet.name()), why: "there is no contract".to_string() })
    }

    async fn silver(&self, name: &str) -> Result<Vec<RecordBatch>> {
        let Some(table) = Table::open(&self.warehouse.root, "silver", name).await? else { return Ok(Vec::new()) };
        let mut batches = Vec::new();
        for file in table.files()? {
            batches.extend(read_file(&table.store(), table.label(), &file.path, None).await?);
        }
        Ok(batches)
    }

    /// Stored rows of the wanted cells of a table, partition columns put back.
    async fn read(&self, sheet: Sheet, wanted: &(dyn Fn(&Cell) -> bool + Sync)) -> Result<Vec<RecordBatch>> {
        let Some(table) = Table::open(&self.warehouse.root, "gold", sheet.name()).await? else { return Ok(Vec::new()) };
        let mut batches = Vec::new();
        for file in table.files()? {
            let cell = file.cell();
            if !wanted(&cell) {
                continue;
            }
            for batch in read_file(&table.store(), table.label(), &file.path, None).await? {
                batches.push(place(table.label(), &batch, &cell)?);
            }
        }
        Ok(batches)
    }
}

/// Name of an indicator's months among the marks.
fn mark_name(indicator: &str) -> String {
    format!("indicator/{indicator}")
}
