//! What can be wrong with a profile.

use std::borrow::Cow;
use std::path::PathBuf;

use thiserror::Error;
use yaojia_models::fault::{Fault, FaultKind};

use crate::error::SourceError;

/// Why a profile cannot be used.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// The profile, or a table beside it, cannot be read.
    #[error("`{path}` cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// It is no profile: not TOML, an unknown key, a key of another type.
    #[error("`{path}` is no profile: {message}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parser's words, with the line.
        message: String,
    },
    /// It does not fit the contracts, or itself.
    #[error("profile `{path}`: {}", problems.join("; "))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every problem found, in the order of the file.
        problems: Vec<String>,
    },
    /// Two profiles have one name, or match one file.
    #[error("{0}")]
    Ambiguous(String),
}

impl Fault for ProfileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "E-PRF-001",
            Self::Syntax { .. } => "E-PRF-002",
            Self::Invalid { .. } => "E-PRF-003",
            Self::Ambiguous(_) => "E-PRF-004",
        }
    }

    fn kind(&self) -> FaultKind {
        FaultKind::Usage
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let words = match self {
            Self::Read { .. } => "see `[profiles] paths` in yaojia.toml, and that the file can be read",
            Self::Syntax { .. } => "compare it with docs/profiles.md, key by key",
            Self::Invalid { .. } => "correct the profile, then `yaojia profile check FILE`",
            Self::Ambiguous(_) => "give every profile its own name, and every file one profile (`files.paths`)",
        };
        Some(words.into())
    }
}

impl From<ProfileError> for SourceError {
    fn from(error: ProfileError) -> Self {
        let mut what = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            what = format!("{what}: {source}");
        }
        Self::config("profiles", what)
    }
}
