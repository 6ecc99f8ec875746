//! The unit of staleness, digest and evidence: (county, month) of a table.

/// County or month of a row whose place cannot be told.
pub const UNKNOWN: &str = "unknown";

/// A cell's place: county code and month (`yyyy-MM`), either may be [`UNKNOWN`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Six-digit county (or region) code.
    pub county: String,
    /// `yyyy-MM`.
    pub month: String,
}

impl Cell {
    /// A cell from its two parts.
    pub fn new(county: impl Into<String>, month: impl Into<String>) -> Self {
        Self { county: county.into(), month: month.into() }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.county, self.month)
    }
}
