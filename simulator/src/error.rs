//! The one error type of this crate.

use std::borrow::Cow;
use std::path::PathBuf;

use yaojia_models::fault::{Fault, FaultKind};

/// Why the simulator could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The configuration makes no world.
    #[error("the world configuration is not usable: {0}")]
    Config(String),
    /// A file or folder could not be read or written.
    #[error("`{path}` could not be read or written")]
    Io {
        /// The file or folder concerned.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A CSV-like file could not be encoded.
    #[error("`{path}` could not be encoded as a spreadsheet")]
    Xlsx {
        /// The file concerned.
        path: PathBuf,
        /// What the spreadsheet writer said.
        source: Box<rust_xlsxwriter::XlsxError>,
    },
    /// A Parquet file could not be encoded.
    #[error("`{path}` could not be encoded as Parquet")]
    Parquet {
        /// The file concerned.
        path: PathBuf,
        /// What the Parquet writer said.
        source: parquet::errors::ParquetError,
    },
    /// Columns did not fit together.
    #[error("the columns of `{path}` do not fit together")]
    Arrow {
        /// The file concerned.
        path: PathBuf,
        /// What Arrow said.
        source: arrow::error::ArrowError,
    },
    /// JSON that should be well-formed is not.
    #[error("`{path}` is not the JSON that was expected")]
    Json {
        /// The file concerned.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The server's socket could not be bound.
    #[error("the simulated platform could not listen on `{addr}`")]
    Bind {
        /// The address asked for.
        addr: std::net::SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The server was asked to listen where others could reach it.
    #[error("the simulated platform listens on loopback only, not on `{0}`")]
    NotLoopback(std::net::SocketAddr),
}

impl SimError {
    /// Wraps an I/O error with the path it concerns.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl Fault for SimError {
    fn code(&self) -> &'static str {
        "E-SIM-001"
    }

    fn kind(&self) -> FaultKind {
        match self {
            Self::Config(_) | Self::NotLoopback(_) | Self::Bind { .. } => FaultKind::Usage,
            _ => FaultKind::Negative,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some("see `yaojia simulate --help`".into())
    }
}
