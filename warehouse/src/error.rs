//! What can go wrong in the warehouse: each variant says what happened, where, and (by its hint) what to do.

use std::borrow::Cow;

use thiserror::Error;
use yaojia_models::fault::{Fault, FaultKind};

/// Shorthand used all over the crate.
pub type Result<T> = std::result::Result<T, WarehouseError>;

/// An error of the warehouse.
#[derive(Debug, Error)]
pub enum WarehouseError {
    /// The warehouse location cannot be understood.
    #[error("the warehouse location `{location}` is no folder and no known URL: {why}")]
    Location {
        /// As configured.
        location: String,
        /// What the parser said.
        why: String,
    },
    /// Reading or writing an object failed.
    #[error("storage failed at `{path}`: {source}")]
    Store {
        /// Object path below the warehouse root.
        path: String,
        /// The object store's own error.
        source: object_store::Error,
    },
    /// A Delta table could not be opened, read or committed.
    #[error("table `{table}`: {source}")]
    Delta {
        /// `layer.name`.
        table: String,
        /// The Delta library's own error.
        source: Box<deltalake::DeltaTableError>,
    },
    /// A Parquet file could not be read or written.
    #[error("file `{path}` of table `{table}`: {source}")]
    Parquet {
        /// `layer.name`.
        table: String,
        /// File path below the table's folder.
        path: String,
        /// The Parquet library's own error.
        source: parquet::errors::ParquetError,
    },
    /// An Arrow kernel failed.
    #[error("table `{table}`: {source}")]
    Arrow {
        /// `layer.name`.
        table: String,
        /// The Arrow library's own error.
        source: arrow::error::ArrowError,
    },
    /// A model's SQL failed.
    #[error("model `{model}`: {source}")]
    Sql {
        /// Table or indicator.
        model: String,
        /// DataFusion's own error.
        source: Box<datafusion::error::DataFusionError>,
    },
    /// A contract is missing or does not fit.
    #[error("contract of `{table}`: {why}")]
    Contract {
        /// `layer.name`.
        table: String,
        /// What is wrong.
        why: String,
    },
    /// The rows of a dataset do not add up.
    #[error("dataset `{dataset}`: received {received} distinct rows but accounted for {accounted}")]
    Balance {
        /// Dataset name.
        dataset: String,
        /// Distinct rows received.
        received: u64,
        /// accepted + quarantined + superseded + void.
        accounted: u64,
    },
    /// A check on a candidate failed, so nothing was published.
    #[error("check `{check}` failed for `{table}` {cell}: {why}")]
    Check {
        /// Which check.
        check: &'static str,
        /// `layer.name`.
        table: String,
        /// County and month.
        cell: String,
        /// What was found.
        why: String,
    },
    /// Another run works on this warehouse.
    #[error("another run holds the lease: {owner}")]
    Leased {
        /// Who holds it, since when.
        owner: String,
    },
    /// An indicator could not be computed.
    #[error(transparent)]
    Indicator(#[from] crate::indicator::EngineError),
    /// Encryption or decryption of an archived artifact failed.
    #[error("archive of `{name}`: {why}")]
    Archive {
        /// Artifact name.
        name: String,
        /// What happened.
        why: String,
    },
    /// Something that a release or a seal stands on is gone or was changed.
    #[error("audit of `{what}`: {why}")]
    Audit {
        /// Object, table or seal.
        what: String,
        /// What was found.
        why: String,
    },
    /// A release whose rows maintenance has removed.
    #[error("release {release} cannot be read any more: the run {run} removed rows of it (`yaojia maintain`)")]
    Vacuumed {
        /// The release.
        release: i64,
        /// The run that removed them.
        run: String,
    },
    /// A backup that cannot be made there.
    #[error("no backup at `{to}`: {why}")]
    Backup {
        /// Where to.
        to: String,
        /// Why not.
        why: String,
    },
    /// A key that cannot be used.
    #[error("{what}: {why}")]
    Key {
        /// Which, and what is wrong with it.
        what: String,
        /// What the library says.
        why: String,
    },
    /// A background task died.
    #[error("a background task died: {0}")]
    Task(String),
    /// A ledger row cannot be read back.
    #[error("ledger `{table}`: {why}")]
    Ledger {
        /// Ledger table.
        table: String,
        /// What is wrong.
        why: String,
    },
}

impl Fault for WarehouseError {
    fn code(&self) -> &'static str {
        match self {
            Self::Location { .. } => "E-WH-001",
            Self::Store { .. } => "E-WH-003",
            Self::Delta { .. } => "E-WH-004",
            Self::Parquet { .. } => "E-WH-005",
            Self::Arrow { .. } => "E-WH-006",
            Self::Sql { .. } => "E-SQL-001",
            Self::Contract { .. } => "E-WH-013",
            Self::Balance { .. } => "E-SIL-001",
            Self::Check { .. } => "E-CHK-001",
            Self::Leased { .. } => "E-WH-007",
            Self::Indicator(error) => error.code(),
            Self::Archive { .. } => "E-WH-008",
            Self::Task(_) => "E-WH-009",
            Self::Ledger { .. } => "E-WH-010",
            Self::Audit { .. } => "E-AUD-001",
            Self::Key { .. } => "E-AUD-002",
            Self::Vacuumed { .. } => "E-WH-011",
            Self::Backup { .. } => "E-WH-012",
        }
    }

    fn kind(&self) -> FaultKind {
        match self {
            Self::Location { .. } | Self::Contract { .. } | Self::Archive { .. } | Self::Key { .. } | Self::Backup { .. } => {
                FaultKind::Usage
            }
            Self::Store { .. } | Self::Delta { .. } | Self::Parquet { .. } => FaultKind::Unavailable,
            Self::Check { .. } | Self::Balance { .. } | Self::Audit { .. } => FaultKind::Check,
            Self::Leased { .. } => FaultKind::Leased,
            Self::Vacuumed { .. } => FaultKind::Negative,
            Self::Sql { .. } | Self::Indicator(_) => FaultKind::Usage,
            Self::Arrow { .. } | Self::Task(_) | Self::Ledger { .. } => FaultKind::Bug,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let words = match self {
            Self::Location { .. } => "give a folder, or a URL such as s3://bucket/path",
            Self::Store { .. } | Self::Parquet { .. } | Self::Delta { .. } => {
                "check disk space, permissions and the network, then run the same command again: it finishes the work"
            }
            Self::Leased { .. } => "wait until that run has ended; a lease of a dead process is taken over by itself",
            Self::Check { .. } | Self::Balance { .. } => "the last good data still serve; see `yaojia status` and the candidate's rows",
            Self::Audit { .. } => "restore it from a backup; `yaojia verify` names everything that does not fit",
            Self::Vacuumed { .. } => {
                "`yaojia replay --release N --out DIR` makes it again from the received rows; `[maintain]` says how many are kept"
            }
            Self::Backup { .. } => "give a folder of its own to each warehouse's copy",
            Self::Sql { .. } | Self::Indicator(_) => "run `yaojia check` to plan every SQL without data",
            _ => return None,
        };
        Some(words.into())
    }
}
