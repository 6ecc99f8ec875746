//! Why something cannot be shown.

use std::borrow::Cow;

use thiserror::Error;
use yaojia_models::fault::{Fault, FaultKind, NOT_FOUND};
use yaojia_warehouse::WarehouseError;
use yaojia_warehouse::read::ReadError;

/// An error of what is served.
#[derive(Debug, Error)]
pub enum ServingError {
    /// The release cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was asked for is not in the release.
    #[error("{0}")]
    NotFound(String),
    /// Rows or a page cannot be laid out: a defect.
    #[error("the output cannot be laid out: {0}")]
    Layout(String),
}

impl From<WarehouseError> for ServingError {
    fn from(error: WarehouseError) -> Self {
        Self::Read(error.into())
    }
}

impl From<arrow::error::ArrowError> for ServingError {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Layout(error.to_string())
    }
}

impl From<minijinja::Error> for ServingError {
    fn from(error: minijinja::Error) -> Self {
        Self::Layout(error.to_string())
    }
}

/// What serving gives.
pub type Result<T> = std::result::Result<T, ServingError>;

impl Fault for ServingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Read(error) => error.code(),
            Self::NotFound(_) => NOT_FOUND,
            Self::Layout(_) => "E-SRV-001",
        }
    }

    fn kind(&self) -> FaultKind {
        match self {
            Self::Read(error) => error.kind(),
            Self::NotFound(_) => FaultKind::Negative,
            Self::Layout(_) => FaultKind::Bug,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Read(error) => error.hint(),
            Self::NotFound(_) => Some("see `yaojia status`".into()),
            Self::Layout(_) => Some("report it: this is a defect".into()),
        }
    }
}
