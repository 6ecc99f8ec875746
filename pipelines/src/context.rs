//! What a run works with, taken from the project once.

use std::sync::OnceLock;

use chrono::{DateTime, NaiveDateTime};
use indexmap::IndexMap;
use yaojia_connectors::export::ExportConfig;
use yaojia_connectors::platform::PlatformConfig;
use yaojia_connectors::profile::Profile;
use yaojia_models::card::Indicator;
use yaojia_models::contract::{Dataset, Registry};
use yaojia_models::value::Month;
use yaojia_warehouse::ledger::{RunStamp, open_run};
use yaojia_warehouse::store::Archive;
use yaojia_warehouse::{Root, Warehouse};

use crate::error::RunError;
use crate::project::Project;
use crate::run::guard;
use crate::stop::Stop;
use yaojia_models::bundle::SqlBundle;

/// Everything a run needs; borrowed from the project.
pub struct Context<'a> {
    /// The warehouse.
    pub warehouse: &'a Warehouse,
    /// Its root.
    pub root: &'a Root,
    /// Archive of original bytes.
    pub archive: &'a Archive,
    /// All contracts.
    pub registry: &'a Registry,
    /// The datasets in the same order, with the region's aliases: connectors take these.
    pub datasets: &'a [Dataset],
    /// Region code.
    pub region: &'a str,
    /// First month of which the region has all sources.
    pub first_month: Month,
    /// All texts below `sql/`.
    pub sql: &'a SqlBundle,
    /// Cards, rules, SQL.
    pub indicators: &'a [Indicator],
    /// The region's own values of indicators' parameters.
    pub parameters: &'a IndexMap<String, IndexMap<String, String>>,
    /// The platform, where one is configured.
    pub platform: Option<PlatformConfig>,
    /// The landing folder, where one is configured.
    pub export: Option<ExportConfig>,
    /// Mapping profiles: files, or paths with `*`.
    profile_paths: &'a [String],
    /// The profiles, once they were read.
    profiles: OnceLock<Vec<Profile>>,
    /// The run's clock, microseconds, naive Asia/Shanghai, whole seconds.
    pub now: i64,
    /// Whether `now` was given (`--as-of`) rather than read from the wall.
    pub fixed: bool,
    /// Whether `now` may lie before the instant of the release.
    pub allow_earlier: bool,
    /// Set when a signal asked the run to stop.
    pub stop: &'a Stop,
}

impl<'a> Context<'a> {
    /// Takes what a run needs from a project.
    #[must_use]
    pub fn of(project: &'a Project) -> Self {
        Self {
            warehouse: &project.warehouse,
            root: &project.warehouse.root,
            archive: &project.warehouse.archive,
            registry: &project.warehouse.contracts,
            datasets: &project.datasets,
            region: &project.warehouse.region.code,
            first_month: project.warehouse.region.first_month,
            sql: &project.warehouse.sql,
            indicators: project.warehouse.indicators(),
            parameters: &project.warehouse.parameters,
            platform: project.config.platform(),
            export: project.config.export(),
            profile_paths: &project.config.profiles.paths,
            profiles: OnceLock::new(),
            now: project.clock.micros(),
            fixed: project.clock.is_fixed(),
            allow_earlier: project.allow_earlier,
            stop: &project.stop,
        }
    }

    /// The mapping profiles, in path order; read once a run, when they are first asked for.
    ///
    /// # Errors
    /// [`RunError::Profile`] of the first one that cannot be used.
    pub fn profiles(&self) -> Result<&[Profile], RunError> {
        if let Some(read) = self.profiles.get() {
            return Ok(read);
        }
        let read = crate::profiles::load(self.profile_paths, self.datasets)?;
        Ok(self.profiles.get_or_init(|| read))
    }

    /// Ends the run between two commits when it was asked to stop.
    ///
    /// # Errors
    /// [`RunError::Stopped`].
    pub fn go_on(&self) -> Result<(), RunError> {
        if self.stop.is_asked() { Err(RunError::Stopped) } else { Ok(()) }
    }
}

/// The run's row in the ledger, opened before the first write and not sooner: a run that finds nothing writes nothing.
pub struct LazyRun {
    verb: &'static str,
    at: i64,
    stamp: Option<RunStamp>,
}

impl LazyRun {
    /// A run that has not written yet.
    #[must_use]
    pub fn new(verb: &'static str, at: i64) -> Self {
        Self { verb, at, stamp: None }
    }

    /// The run, opened now if it was not.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn open(&mut self, context: &Context<'_>) -> Result<RunStamp, RunError> {
        if let Some(stamp) = &self.stamp {
            return Ok(stamp.clone());
        }
        let stamp = open_run(context.root, self.verb, self.at, &instant_text(self.at)).await?;
        guard::keep_region(context.root, context.region).await?;
        self.stamp = Some(stamp.clone());
        Ok(stamp)
    }

    /// The run, if it has written.
    #[must_use]
    pub fn opened(&self) -> Option<&RunStamp> {
        self.stamp.as_ref()
    }
}

/// Microseconds as a naive time.
#[must_use]
pub fn naive(micros: i64) -> NaiveDateTime {
    DateTime::from_timestamp_micros(micros).map_or(NaiveDateTime::MIN, |t| t.naive_utc())
}

/// `yyyy-MM-ddTHH:mm:ss`.
#[must_use]
pub fn instant_text(micros: i64) -> String {
    naive(micros).format("%Y-%m-%dT%H:%M:%S").to_string()
}
