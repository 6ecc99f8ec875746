//! Why something cannot be read.

use std::borrow::Cow;

use thiserror::Error;
use yaojia_models::fault::{Fault, FaultKind, NOT_FOUND, WRONG_USAGE};
use yaojia_models::graph::GraphError;

use crate::error::WarehouseError;

/// An error of a reader.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Storage, engine, contracts.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// No release has been made yet.
    #[error("nothing was published yet: run `yaojia nightly`")]
    NothingPublished,
    /// A table that is not there.
    #[error("there is no table `{0}`")]
    NoTable(String),
    /// A table named without its schema.
    #[error("table `{0}` needs its schema: gold, silver, bronze or ops")]
    NoSchema(String),
    /// Anything but one SELECT.
    #[error("{0}")]
    Refused(String),
    /// SQL of which the tables cannot be told.
    #[error(transparent)]
    Tables(#[from] GraphError),
}

/// What a reader gives.
pub type Result<T> = std::result::Result<T, ReadError>;

impl Fault for ReadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Warehouse(error) => error.code(),
            Self::Tables(error) => error.code(),
            Self::NothingPublished | Self::NoTable(_) | Self::NoSchema(_) => NOT_FOUND,
            Self::Refused(_) => WRONG_USAGE,
        }
    }

    fn kind(&self) -> FaultKind {
        match self {
            Self::Warehouse(error) => error.kind(),
            Self::Tables(error) => error.kind(),
            Self::NothingPublished | Self::NoTable(_) | Self::NoSchema(_) => FaultKind::Negative,
            Self::Refused(_) => FaultKind::Usage,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Warehouse(error) => error.hint(),
            Self::Tables(_) => Some("name tables by schema and table: gold.alert".into()),
            Self::NothingPublished | Self::NoTable(_) | Self::NoSchema(_) => Some("see `yaojia status`".into()),
            Self::Refused(_) => Some("give one SELECT, for example \"SELECT v.month, v.value FROM gold.indicator_value AS v\"".into()),
        }
    }
}
