//! From bronze to silver: typed, one current version of a key, everything else accounted for.
//!
//! ```text
//! bronze files ─judge─► one small record a row ─compete─► accepted / quarantined / superseded / void
//!                                                    └─► cells whose input changed are typed, sorted, digested, replaced
//! ```
//! Judging reads every bronze row of a dataset whose inputs changed; writing touches only the cells that differ.

mod alone;
mod build;
mod compete;
mod index;
mod judge;
mod plan;
mod quarantine;
mod remark;
mod typed;

pub use alone::{Verdict, judge_alone};
pub use build::{Silver, SilverOutcome};
pub use compete::{CellCounts, Counts};
pub(crate) use index::{Counties, KeyIndex, finish, name_of};
pub use quarantine::{QUARANTINE, quarantine_schema};

pub use judge::contents;
