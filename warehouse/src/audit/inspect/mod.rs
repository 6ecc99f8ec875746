//! Looking through a whole warehouse: whether tables, ledger and releases fit each other ([`inspect_tables`]), and, reading every byte of it,
//! whether every file is what it was written as, every cell digests from its rows to what the ledger has on record, and nothing that
//! something stands on is gone ([`inspect_bytes`]).

mod bytes;
mod kept;
mod tables;

pub use bytes::inspect_bytes;
pub use tables::inspect_tables;

use super::seal::Finding;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Tables opened.
    pub tables: u64,
    /// Active files found in place.
    pub files: u64,
    /// Cells whose mark was compared.
    pub cells: u64,
    /// Objects whose bytes were hashed.
    pub hashed: u64,
    /// Cells whose rows were digested.
    pub digested: u64,
    /// Encrypted originals that no identity at hand opens: they were not looked into.
    pub closed: u64,
    /// What does not fit.
    pub findings: Vec<Finding>,
}

impl Inspection {
    fn find(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.findings.push(Finding { what: what.into(), why: why.into() });
    }
}

/// A file's path as it is below the table's folder. A log writes it as a URL does; ours hold nothing that this changes but `=`.
fn plain(path: &str) -> String {
    path.replace("%3D", "=")
}
