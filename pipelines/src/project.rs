//! A project: configuration, contracts, SQL, warehouse, archive and clock, opened together.

use std::path::{Path, PathBuf};

use yaojia_models::contract::{ContractError, Dataset, Registry};
use yaojia_models::value::Month;
use yaojia_warehouse::store::Archive;
use yaojia_warehouse::{Root, WarehouseError};

use crate::clock::Clock;
use crate::config::{Config, ConfigError, CountyConfig, Overrides, check_parameters};
use crate::sql::{SqlBundle, SqlError};
use crate::stop::Stop;

/// Why a project cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The contracts.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The SQL.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The warehouse.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}

/// The region, checked.
#[derive(Debug, Clone)]
pub struct Region {
    /// Six-digit code.
    pub code: String,
    /// Name.
    pub name: String,
    /// The first month of which it has all sources.
    pub first_month: Month,
    /// Configured counties; empty: learned from `admdvs`.
    pub counties: Vec<CountyConfig>,
}

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder of `yaojia.toml`.
    pub dir: PathBuf,
    /// Its configuration, with environment and flags.
    pub config: Config,
    /// The contracts.
    pub registry: Registry,
    /// The same datasets in the same order with the project's aliases: connectors take these.
    pub datasets: Vec<Dataset>,
    /// Model and indicator SQL.
    pub sql: SqlBundle,
    /// The warehouse root.
    pub root: Root,
    /// The archive.
    pub archive: Archive,
    /// The region.
    pub region: Region,
    /// The run's clock.
    pub clock: Clock,
    /// Asked to stop?
    pub stop: Stop,
    /// May the instant lie before that of the release?
    pub allow_earlier: bool,
}

impl Project {
    /// Opens the project in `dir`.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub fn open(dir: &Path, overrides: &Overrides, clock: Clock) -> Result<Self, ProjectError> {
        let config = Config::load(dir, overrides)?;
        let registry = Registry::embedded()?;
        Self::assemble(dir, config, registry, clock)
    }

    /// Opens what a checked configuration describes.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub fn assemble(dir: &Path, config: Config, registry: Registry, clock: Clock) -> Result<Self, ProjectError> {
        let datasets = config.aliases.merged(registry.datasets())?;
        if let Some(platform) = &config.platform {
            platform.check_against(&datasets).map_err(|error| ConfigError::invalid("platform.messages", error))?;
        }
        let sql = SqlBundle::load(&overlays(dir, &config))?;
        check_parameters(&config.parameters, sql.catalogue())?;
        let root = Root::open(&config.warehouse.location, config.storage_options()?)?;
        let archive = Archive::new(root.clone(), config.audit_keys()?);
        let region = Region {
            code: config.region.code.clone(),
            name: config.region.name.clone(),
            first_month: config.first_month()?,
            counties: config.region.counties.clone(),
        };
        Ok(Self { dir: dir.to_owned(), config, registry, datasets, sql, root, archive, region, clock, stop: Stop::default(), allow_earlier: false })
    }

    /// A dataset with the project's aliases, for connectors.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name == name)
    }
}

/// The folders laid over the built-in SQL: the project's own, then the configured ones.
pub(crate) fn overlays(dir: &Path, config: &Config) -> Vec<PathBuf> {
    let own = dir.join("sql");
    let own = own.is_dir().then_some(own);
    own.into_iter().chain(config.sql.paths.iter().map(PathBuf::from)).collect()
}
