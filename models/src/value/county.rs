//! County codes: the first partition key.

use std::fmt;

/// The county and the month of a row whose partition cannot be told.
pub const UNKNOWN: &str = "unknown";

/// A county as partition value: the code as it stands, or `unknown`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct County(String);

impl County {
    /// The county of a code; the shapes of codes are not checked, only emptiness is.
    #[must_use]
    pub fn of(code: Option<&str>) -> Self {
        match code {
            Some(code) if !code.is_empty() => Self(code.to_owned()),
            _ => Self::unknown(),
        }
    }

    /// Where rows go whose county cannot be told.
    #[must_use]
    pub fn unknown() -> Self {
        Self(UNKNOWN.to_owned())
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the county cannot be told.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0 == UNKNOWN
    }
}

impl fmt::Display for County {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
