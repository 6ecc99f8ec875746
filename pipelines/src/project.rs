//! A project: configuration, contracts, SQL, warehouse, archive and clock, opened together.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use yaojia_models::bundle::{SqlBundle, SqlError};
use yaojia_models::contract::{ContractError, Dataset, Registry};
use yaojia_models::definitions::{Definitions, Region};
use yaojia_models::fault::{Fault, FaultKind};
use yaojia_warehouse::store::Archive;
use yaojia_warehouse::{Root, Warehouse, WarehouseError};

use crate::clock::Clock;
use crate::config::{Config, ConfigError, CountyConfig, Overrides, check_parameters};
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

impl ProjectError {
    fn inner(&self) -> &dyn Fault {
        match self {
            Self::Config(error) => error,
            Self::Contract(error) => error,
            Self::Sql(error) => error,
            Self::Warehouse(error) => error,
        }
    }
}

impl Fault for ProjectError {
    fn code(&self) -> &'static str {
        self.inner().code()
    }

    fn kind(&self) -> FaultKind {
        self.inner().kind()
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        self.inner().hint()
    }
}

/// What a verb does to the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads: nothing is created, and the storage refuses whoever would write.
    Read,
    /// It reads and writes.
    Write,
}

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder of `yaojia.toml`.
    pub dir: PathBuf,
    /// Its configuration, with environment and flags.
    pub config: Config,
    /// The warehouse: root, archive, contracts, SQL, region, parameters.
    pub warehouse: Warehouse,
    /// The datasets of its contracts in the same order, with the project's aliases: connectors take these.
    pub datasets: Vec<Dataset>,
    /// Configured counties; empty: learned from `admdvs`.
    pub counties: Vec<CountyConfig>,
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
    pub fn open(dir: &Path, overrides: &Overrides, clock: Clock, access: Access) -> Result<Self, ProjectError> {
        let config = Config::load(dir, overrides)?;
        let registry = Registry::embedded()?;
        Self::assemble(dir, config, registry, clock, access)
    }

    /// Opens what a checked configuration describes.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub fn assemble(dir: &Path, config: Config, registry: Registry, clock: Clock, access: Access) -> Result<Self, ProjectError> {
        let datasets = config.aliases.merged(registry.datasets())?;
        if let Some(platform) = &config.platform {
            platform.check_against(&datasets).map_err(|error| ConfigError::invalid("platform.messages", error))?;
        }
        let definitions = definitions(dir, &config, registry)?;
        check_parameters(&definitions.parameters, definitions.sql.catalogue())?;
        let (location, options) = (&config.warehouse.location, config.storage_options()?);
        let root = match access {
            Access::Read => Root::existing(location, options)?,
            Access::Write => Root::open(location, options)?,
        };
        let archive = Archive::new(root.clone(), config.audit_keys()?);
        let counties = config.region.counties.clone();
        let warehouse = Warehouse { root, archive, definitions };
        Ok(Self { dir: dir.to_owned(), config, warehouse, datasets, counties, clock, stop: Stop::default(), allow_earlier: false })
    }

    /// A dataset with the project's aliases, for connectors.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name == name)
    }
}

/// What a configuration says that the tables are made by.
///
/// # Errors
/// [`ProjectError`]: the first month is none, or the SQL does not fit.
pub fn definitions(dir: &Path, config: &Config, contracts: Registry) -> Result<Definitions, ProjectError> {
    let region = Region { code: config.region.code.clone(), name: config.region.name.clone(), first_month: config.first_month()? };
    Ok(Definitions { contracts, sql: SqlBundle::load(&overlays(dir, config))?, region, parameters: config.parameters.clone() })
}

/// The folders laid over the built-in SQL: the project's own, then the configured ones.
pub(crate) fn overlays(dir: &Path, config: &Config) -> Vec<PathBuf> {
    let own = dir.join("sql");
    let own = own.is_dir().then_some(own);
    own.into_iter().chain(config.sql.paths.iter().map(PathBuf::from)).collect()
}
