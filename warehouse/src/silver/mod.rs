//! From bronze to silver: typed, one current version of a key, everything else accounted for.
//!
//! ```text
//! bronze files ─judge─► one small record a row ─compete─► accepted / quarantined / superseded / void
//!                                                    └─► cells whose input changed are typed, sorted, digested, replaced
//! ```
//! Only what is concerned is judged again ([`narrow`]): the groups ([`group`]) that new rows belong to, or rows whose references say
//! something else than at the last build ([`manifest`]). What came of them then is taken out of the stored cells and counts, what comes of
//! them now is put in. Where that cannot be told, or is no less, everything is judged; both ways give the same.

mod accept;
mod alone;
mod build;
#[cfg(test)]
mod cleaning;
mod compete;
mod group;
mod index;
mod judge;
mod lookup;
mod manifest;
mod narrow;
mod plan;
mod quarantine;
mod rows;
mod tables;
#[cfg(test)]
mod tests;
mod typed;

pub use alone::{Alone, Verdict, judge_alone};
pub use build::{Extent, RowsJudged, Silver, SilverOutcome};
pub use compete::{CellCounts, Counts};
pub(crate) use index::{Counties, KeyIndex, finish, name_of};
pub use quarantine::{QUARANTINE, quarantine_schema};

pub use judge::contents;
