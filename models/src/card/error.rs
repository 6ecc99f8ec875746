//! What can be wrong with the files of an indicator.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::fault::{Fault, FaultKind};

/// A card, rule or SQL file that cannot be used; names the file and, where there is one, the key.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The file is no valid TOML of its kind (the message names line and key).
    #[error("`{file}`: {source}")]
    Toml {
        /// The file as given to the loader.
        file: String,
        /// What the TOML reader says.
        source: Box<toml::de::Error>,
    },
    /// A key holds something that does not fit.
    #[error("`{file}`: key `{key}`: {why}")]
    Invalid {
        /// The file as given to the loader.
        file: String,
        /// The key, with the name of its measure, parameter or rule.
        key: String,
        /// What does not fit.
        why: String,
    },
    /// A file that the folder must have is not there.
    #[error("`{folder}`: {why}")]
    Missing {
        /// The indicator's folder.
        folder: String,
        /// Which file is missing.
        why: String,
    },
    /// Two indicators or two rules have the same id.
    #[error("`{file}`: id `{id}` is already used in `{other}`")]
    Duplicate {
        /// The file read second.
        file: String,
        /// The id.
        id: String,
        /// The file read first.
        other: String,
    },
    /// A file on disk could not be read.
    #[error("`{}`: {source}", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl CardError {
    /// A key of a file that does not fit.
    pub(super) fn invalid(file: &str, key: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { file: file.to_owned(), key: key.into(), why: why.into() }
    }
}

impl Fault for CardError {
    fn code(&self) -> &'static str {
        "E-IND-010"
    }

    fn kind(&self) -> FaultKind {
        FaultKind::Usage
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some("correct the file it names, then `yaojia indicator check`".into())
    }
}
