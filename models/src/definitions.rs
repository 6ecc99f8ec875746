//! What a warehouse is made by: contracts, SQL, and the region they are for. Configuration gives the region; nothing here knows a folder
//! of tables, so lineage, checks and pages need no warehouse.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::bundle::{SqlBundle, SqlError};
use crate::card::Indicator;
use crate::contract::{ContractError, Registry};
use crate::fault::{Fault, FaultKind};
use crate::value::Month;

/// A region's own values of indicators' parameters: indicator → name → value.
pub type Parameters = IndexMap<String, IndexMap<String, String>>;

/// The region a warehouse is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Six-digit code.
    pub code: String,
    /// Name.
    pub name: String,
    /// The first month of which it has all sources.
    pub first_month: Month,
}

impl Region {
    /// The region that stands for any where no project names one: SQL is planned and pages are written with it. No row of a warehouse
    /// is ever made with it.
    #[must_use]
    pub fn example() -> Self {
        Self { code: "652800".to_owned(), name: "巴音郭楞蒙古自治州".to_owned(), first_month: Month::of(2024, 1) }
    }
}

/// Definitions that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The contracts.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The SQL.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

impl Fault for DefinitionError {
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

impl DefinitionError {
    fn inner(&self) -> &dyn Fault {
        match self {
            Self::Contract(error) => error,
            Self::Sql(error) => error,
        }
    }
}

/// Contracts, SQL, region and parameters.
#[derive(Debug, Clone)]
pub struct Definitions {
    /// All contracts.
    pub contracts: Registry,
    /// Models, cards, rules and indicator SQL.
    pub sql: SqlBundle,
    /// The region.
    pub region: Region,
    /// The region's own values of indicators' parameters.
    pub parameters: Parameters,
}

impl Definitions {
    /// What is built in, for the example region: where there is no project.
    ///
    /// # Errors
    /// [`DefinitionError`]: a defect of the build.
    pub fn embedded() -> Result<Self, DefinitionError> {
        Ok(Self {
            contracts: Registry::embedded()?,
            sql: SqlBundle::embedded()?,
            region: Region::example(),
            parameters: Parameters::default(),
        })
    }

    /// Cards, rules and SQL of all indicators, in the order of their ids.
    #[must_use]
    pub fn indicators(&self) -> &[Indicator] {
        self.sql.catalogue().indicators()
    }
}
