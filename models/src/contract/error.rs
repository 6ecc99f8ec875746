//! What can be wrong with a contract.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::fault::{Fault, FaultKind};

/// A contract file that cannot be used; every message names the file and the key.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not UTF-8.
    #[error("`{file}` is not UTF-8 text")]
    NotText {
        /// The file.
        file: String,
    },
    /// A file is not valid TOML, or has an unknown, missing or doubled key.
    #[error("`{file}` is not a valid contract: {message}")]
    Toml {
        /// The file.
        file: String,
        /// What the parser says, with the line.
        message: String,
        /// The parser's error.
        source: Box<toml::de::Error>,
    },
    /// A key has a value that does not fit.
    #[error("`{file}`: `{key}`: {problem}")]
    Invalid {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Contracts need each other in a circle.
    #[error("`{file}`: `references`: datasets need each other in a circle: `{}`", .names.join("` -> `"))]
    Cycle {
        /// The file of the first of them.
        file: String,
        /// The datasets of the circle.
        names: Vec<String>,
    },
    /// A contract cannot be rendered for its digest.
    #[error("`{file}` cannot be rendered for its digest")]
    Render {
        /// The file.
        file: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl ContractError {
    pub(crate) fn invalid(file: &str, key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { file: file.to_owned(), key: key.into(), problem: problem.into() }
    }
}

impl Fault for ContractError {
    fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "E-CON-001",
            Self::NotText { .. } => "E-CON-002",
            Self::Toml { .. } => "E-CON-003",
            Self::Invalid { .. } => "E-CON-004",
            Self::Cycle { .. } => "E-CON-005",
            Self::Render { .. } => "E-CON-006",
        }
    }

    fn kind(&self) -> FaultKind {
        FaultKind::Usage
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some("correct the contract file it names".into())
    }
}
