//! Why a row is quarantined.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The reasons of sources.md §3, in the order in which they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A CSV row with another number of fields than its header.
    BadRow,
    /// A required column is null.
    MissingKey,
    /// A number does not parse or is too large.
    BadNumber,
    /// A date does not parse, or is a null date in a required column.
    BadDate,
    /// A value outside its listed values.
    BadEnum,
    /// A conversion ratio of zero or less.
    BadConvrat,
    /// An id whose digits a spreadsheet has lost.
    LossyNumber,
    /// A negative quantity, price or amount.
    Negative,
    /// An institution that no accepted row has.
    UnknownOrg,
    /// A listing that no accepted row has.
    UnknownListing,
    /// A row whose parent was not accepted.
    Orphan,
    /// An event after the day the row arrived.
    FutureDate,
}

impl Reason {
    /// All reasons, in judging order.
    pub const ALL: [Self; 12] = [
        Self::BadRow,
        Self::MissingKey,
        Self::BadNumber,
        Self::BadDate,
        Self::BadEnum,
        Self::BadConvrat,
        Self::LossyNumber,
        Self::Negative,
        Self::UnknownOrg,
        Self::UnknownListing,
        Self::Orphan,
        Self::FutureDate,
    ];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRow => "bad_row",
            Self::MissingKey => "missing_key",
            Self::BadNumber => "bad_number",
            Self::BadDate => "bad_date",
            Self::BadEnum => "bad_enum",
            Self::BadConvrat => "bad_convrat",
            Self::LossyNumber => "lossy_number",
            Self::Negative => "negative",
            Self::UnknownOrg => "unknown_org",
            Self::UnknownListing => "unknown_listing",
            Self::Orphan => "orphan",
            Self::FutureDate => "future_date",
        }
    }

    /// Whether a later build may accept the row once another row has arrived.
    #[must_use]
    pub const fn may_heal(self) -> bool {
        matches!(self, Self::UnknownOrg | Self::UnknownListing | Self::Orphan)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
