//! The one error type of this crate.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;
use yaojia_models::fault::{Fault, FaultKind};

/// Where in a source something happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct At {
    /// Message number, such as `C1004`, or `token`.
    pub infno: String,
    /// Window as `yyyyMMddHHmmss-yyyyMMddHHmmss`.
    pub window: Option<String>,
    /// Page, from 1.
    pub page: Option<u32>,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.infno)?;
        if let Some(window) = &self.window {
            write!(f, " window {window}")?;
        }
        if let Some(page) = self.page {
            write!(f, " page {page}")?;
        }
        Ok(())
    }
}

/// What can go wrong while reading a source.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The source configuration cannot be used.
    #[error("configuration of source `{name}` cannot be used: {what}")]
    Config {
        /// Name of the source.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// A secret reference cannot be resolved.
    #[error("secret `{reference}` cannot be read: {what}")]
    Secret {
        /// The reference, never the value.
        reference: String,
        /// Why.
        what: String,
    },
    /// The gateway refuses the signature (HTTP 401).
    #[error("the gateway refuses the call {at}: {words}")]
    Unauthorized {
        /// The call.
        at: At,
        /// The gateway's own words.
        words: String,
    },
    /// The platform gives no token.
    #[error("the platform gives no access token: {words}")]
    TokenRefused {
        /// The platform's own words.
        words: String,
    },
    /// No usable answer within the configured tries.
    #[error("no usable answer to {at} after {tries} tries: {words}")]
    Unreachable {
        /// The call.
        at: At,
        /// Tries made.
        tries: u32,
        /// The last failure, in the platform's own words where it had any.
        words: String,
    },
    /// The platform says no: `infcode` or `returnCode` is a failure.
    #[error("the platform fails {at} after {tries} tries: {words}")]
    Business {
        /// The call.
        at: At,
        /// Tries made.
        tries: u32,
        /// The platform's own words.
        words: String,
    },
    /// The platform kept asking to wait, beyond the configured patience.
    #[error("the platform kept {at} waiting {waits} times: {words}")]
    Throttled {
        /// The call.
        at: At,
        /// Waits made.
        waits: u32,
        /// The platform's own words.
        words: String,
    },
    /// A window could not be read as one consistent whole.
    #[error("{at}: received {received} of {announced} announced rows, in each of {tries} reads: {words}")]
    Incomplete {
        /// Message, window and last page.
        at: At,
        /// Distinct rows received in the last read.
        received: u64,
        /// The last `totalRecordCount`.
        announced: u64,
        /// Reads made.
        tries: u32,
        /// The platform's own words on the last page.
        words: String,
    },
    /// The platform says that it does not give so much at a time, and the window cannot be made shorter.
    #[error("the platform does not give {at} in one read: {words}")]
    TooLarge {
        /// The call.
        at: At,
        /// The platform's own words.
        words: String,
    },
    /// A line of a page says of itself that it did not arrive.
    #[error("{at}: line {line} did not arrive, in each of {tries} reads: {words}")]
    LineFailed {
        /// Message, window and page.
        at: At,
        /// The line's own key, or its place in the page.
        line: String,
        /// Reads made.
        tries: u32,
        /// The platform's own words for this line.
        words: String,
    },
    /// A reading ahead ended without a result.
    #[error("a window could not be read to its end: {what}")]
    BrokenOff {
        /// What the runtime says.
        what: String,
    },
    /// A stored page is not what the platform's contract says.
    #[error("page `{artifact}` cannot be parsed: {what}")]
    Page {
        /// Name of the artifact.
        artifact: String,
        /// What is wrong.
        what: String,
    },
    /// No message number is configured for a dataset.
    #[error("no message of the platform is configured for dataset `{dataset}`")]
    NoMessage {
        /// The dataset.
        dataset: String,
    },
    /// The landing root cannot be read.
    #[error("landing `{path}` cannot be read")]
    Landing {
        /// Path below the root, or the root.
        path: String,
        /// The store's error.
        #[source]
        source: object_store::Error,
    },
    /// A local file operation failed.
    #[error("file `{path}` cannot be used")]
    Io {
        /// The file.
        path: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Rows could not be laid out as an Arrow batch.
    #[error("rows of `{artifact}` cannot be laid out")]
    Batch {
        /// Name of the artifact.
        artifact: String,
        /// Arrow's error.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// The receiver of the rows failed.
    #[error("rows of `{artifact}` could not be handed on")]
    Sink {
        /// Name of the artifact.
        artifact: String,
        /// The receiver's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Fault for SourceError {
    fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "E-SRC-001",
            Self::Secret { .. } => "E-SRC-002",
            Self::Incomplete { .. } => "E-SRC-003",
            Self::Unreachable { .. } => "E-SRC-004",
            Self::Business { .. } => "E-SRC-005",
            Self::Throttled { .. } => "E-SRC-006",
            Self::Unauthorized { .. } => "E-SRC-007",
            Self::TokenRefused { .. } => "E-SRC-008",
            Self::Page { .. } => "E-SRC-009",
            Self::NoMessage { .. } => "E-SRC-010",
            Self::Landing { .. } => "E-SRC-011",
            Self::Io { .. } => "E-SRC-012",
            Self::Batch { .. } => "E-SRC-013",
            Self::Sink { .. } => "E-SRC-014",
            Self::TooLarge { .. } => "E-SRC-015",
            Self::LineFailed { .. } => "E-SRC-016",
            Self::BrokenOff { .. } => "E-SRC-017",
        }
    }

    fn kind(&self) -> FaultKind {
        match self {
            Self::Config { .. } | Self::Secret { .. } | Self::Unauthorized { .. } | Self::TokenRefused { .. } | Self::NoMessage { .. } => {
                FaultKind::Usage
            }
            Self::Unreachable { .. } | Self::Business { .. } | Self::Throttled { .. } | Self::Landing { .. } => FaultKind::Unavailable,
            Self::TooLarge { .. } => FaultKind::Unavailable,
            Self::Incomplete { .. } | Self::LineFailed { .. } | Self::Page { .. } => FaultKind::Unavailable,
            Self::Io { .. } | Self::Batch { .. } | Self::Sink { .. } | Self::BrokenOff { .. } => FaultKind::Negative,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let words = match self {
            Self::Config { .. } => "compare the source's configuration with its documented source.toml",
            Self::Secret { .. } => "write secrets as `env:NAME` or `file:PATH` and see that the value is there and not empty",
            Self::Incomplete { .. } => "the cursor has not moved: run the load again, or ask for a shorter window",
            Self::Unreachable { .. } => "the cursor has not moved: check the network and the platform, then run the load again",
            Self::Business { .. } => "the cursor has not moved: take the platform's words to its operator, then run the load again",
            Self::Throttled { .. } => "raise `rate.min_interval_ms` to the interval the platform asks for",
            Self::Unauthorized { .. } => "check `signing` and `paasid` (or `ca_key`), the secret and this machine's clock",
            Self::TooLarge { .. } => {
                "the window is one second already: take the platform's words to its operator, or correct `words.window_too_large`"
            }
            Self::LineFailed { .. } => {
                "the cursor has not moved: take the line and the platform's words to its operator, then run the load again"
            }
            Self::BrokenOff { .. } => "this is a defect: report it",
            Self::TokenRefused { .. } => "check `app_code` and `auth_code`",
            Self::Page { .. } => "the page is kept: show it to the platform's operator",
            Self::NoMessage { .. } => "add the dataset to `[messages]`",
            Self::Landing { .. } => "check that the landing root exists and can be read",
            Self::Io { .. } => "check free space and permissions of the temporary folder",
            Self::Batch { .. } => "this is a defect: report it with the artifact's name",
            Self::Sink { .. } => "see the cause below",
        };
        Some(words.into())
    }
}

impl SourceError {
    /// A configuration error.
    pub(crate) fn config(name: impl Into<String>, what: impl fmt::Display) -> Self {
        Self::Config { name: name.into(), what: what.to_string() }
    }
}
