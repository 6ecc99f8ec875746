//! What can be wrong with a project's configuration.

use std::borrow::Cow;
use std::path::PathBuf;

use yaojia_models::fault::{Fault, FaultKind};

/// A configuration that cannot be used; every message names the file and the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no project in the folder.
    #[error("there is no `{}`", .path.display())]
    Missing {
        /// The file looked for.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("file `{}`: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is no valid configuration.
    #[error("`{}` is no valid configuration: {message}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser says, with the line.
        message: String,
    },
    /// A key has a value that does not fit.
    #[error("`{key}`: {why}")]
    Invalid {
        /// The key, `region.code`, or a variable or flag.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// A secret cannot be read.
    #[error("`{key}`: {source}")]
    Secret {
        /// The key that refers to it.
        key: String,
        /// What the reader says; never the value.
        source: Box<yaojia_connectors::SourceError>,
    },
    /// A file that would be written is there already.
    #[error("`{}` is there already", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl ConfigError {
    /// A key with a value that does not fit.
    pub(crate) fn invalid(key: impl Into<String>, why: impl ToString) -> Self {
        Self::Invalid { key: key.into(), why: why.to_string() }
    }

    /// A file that cannot be read or written.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl Fault for ConfigError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "E-CFG-001",
            Self::Io { .. } => "E-CFG-002",
            Self::Syntax { .. } => "E-CFG-003",
            Self::Invalid { .. } => "E-CFG-004",
            Self::Secret { .. } => "E-CFG-005",
            Self::Exists { .. } => "E-CFG-006",
        }
    }

    fn kind(&self) -> FaultKind {
        match self {
            Self::Exists { .. } => FaultKind::Negative,
            _ => FaultKind::Usage,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let words = match self {
            Self::Missing { .. } => "run `yaojia init` there, or point `--project` at the folder of a yaojia.toml",
            Self::Io { .. } => "check that it exists and that you may use it",
            Self::Syntax { .. } | Self::Invalid { .. } => "compare it with the documented file that `yaojia init` writes",
            Self::Secret { .. } => "write secrets as `env:NAME` or `file:PATH` and see that the value is there and not empty",
            Self::Exists { .. } => "nothing is overwritten: move it away first, or choose another folder",
        };
        Some(words.into())
    }
}
