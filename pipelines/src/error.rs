//! What ends a run early, and the exit code a scheduler may trust.

use std::borrow::Cow;

use thiserror::Error;
use yaojia_connectors::SourceError;
use yaojia_connectors::profile::ProfileError;
use yaojia_models::fault::{Fault, FaultKind, NOT_FOUND};
use yaojia_warehouse::WarehouseError;

/// An error of a run.
#[derive(Debug, Error)]
pub enum RunError {
    /// The warehouse.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// A source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A mapping profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Configuration.
    #[error("{0}")]
    Config(String),
    /// Something asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// A report could not be rendered.
    #[error("the report cannot be written: {0}")]
    Report(String),
    /// What was asked for cannot be done so.
    #[error("{what}")]
    Usage {
        /// What is wrong with it.
        what: String,
        /// What to do instead.
        hint: String,
    },
    /// A rule that a release has used was edited.
    #[error("{0}")]
    UsedRule(String),
    /// The run was asked to stop; what is committed stays.
    #[error("stopped by a signal between two commits; run again to finish")]
    Stopped,
}

impl Fault for RunError {
    fn code(&self) -> &'static str {
        match self {
            Self::Warehouse(e) => e.code(),
            Self::Source(e) => e.code(),
            Self::Profile(e) => e.code(),
            Self::Config(_) => "E-RUN-004",
            Self::Usage { .. } => "E-RUN-005",
            Self::NotFound(_) => NOT_FOUND,
            Self::Report(_) => "E-RUN-002",
            Self::UsedRule(_) => "E-IND-012",
            Self::Stopped => "E-RUN-003",
        }
    }

    fn kind(&self) -> FaultKind {
        match self {
            Self::Warehouse(e) => e.kind(),
            Self::Source(e) => e.kind(),
            Self::Profile(e) => e.kind(),
            Self::Config(_) | Self::Usage { .. } | Self::UsedRule(_) => FaultKind::Usage,
            Self::NotFound(_) | Self::Report(_) | Self::Stopped => FaultKind::Negative,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Warehouse(e) => e.hint(),
            Self::Source(e) => e.hint(),
            Self::Profile(e) => e.hint(),
            Self::Config(_) => Some("`yaojia doctor` checks the configuration".into()),
            Self::NotFound(_) => Some("see `yaojia status`".into()),
            Self::Usage { hint, .. } => Some(hint.clone().into()),
            Self::Report(_) => None,
            Self::UsedRule(_) => Some(
                "put the rule back as it was and add a new `[[rule]]` with `valid_from`, `known_from` and `replaces = [\"…\"]`; or close the old one with `valid_to`"
                    .into(),
            ),
            Self::Stopped => Some("run the same command again".into()),
        }
    }
}
