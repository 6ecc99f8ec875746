//! What ends a run early, and the exit code a scheduler may trust.

use thiserror::Error;
use yaojia_connectors::profile::ProfileError;
use yaojia_connectors::{ErrorKind as SourceKind, SourceError};
use yaojia_warehouse::{ErrorKind, WarehouseError};

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

impl RunError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Warehouse(e) => e.code(),
            Self::Source(e) => e.code(),
            Self::Profile(e) => e.code(),
            Self::Config(_) => "E-RUN-004",
            Self::Usage { .. } => "E-RUN-005",
            Self::NotFound(_) => "E-RUN-001",
            Self::Report(_) => "E-RUN-002",
            Self::UsedRule(_) => "E-IND-012",
            Self::Stopped => "E-RUN-003",
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Warehouse(e) => e.hint().map(ToString::to_string),
            Self::Source(e) => Some(e.hint().to_string()),
            Self::Profile(e) => Some(e.hint().to_string()),
            Self::Config(_) => Some("`yaojia doctor` checks the configuration".to_string()),
            Self::NotFound(_) => Some("see `yaojia status`".to_string()),
            Self::Usage { hint, .. } => Some(hint.clone()),
            Self::Report(_) => None,
            Self::UsedRule(_) => Some(
                "put the rule back as it was and add a new `[[rule]]` with `valid_from`, `known_from` and `replaces = [\"…\"]`; or close the old one with `valid_to`"
                    .to_string(),
            ),
            Self::Stopped => Some("run the same command again".to_string()),
        }
    }

    /// The exit code of architecture §9.
    #[must_use]
    pub fn exit(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Usage { .. } | Self::Profile(_) | Self::UsedRule(_) => 2,
            Self::NotFound(_) | Self::Report(_) | Self::Stopped => 1,
            Self::Source(e) => match e.kind() {
                SourceKind::Config => 2,
                SourceKind::Unreachable | SourceKind::Incomplete => 3,
                SourceKind::Internal => 1,
            },
            Self::Warehouse(e) => match e.kind() {
                ErrorKind::Config => 2,
                ErrorKind::Storage => 3,
                ErrorKind::Check => 4,
                ErrorKind::Lease => 5,
                ErrorKind::Gone => 1,
                ErrorKind::Bug => 70,
            },
        }
    }
}
