//! Why something cannot be read.

use thiserror::Error;
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
