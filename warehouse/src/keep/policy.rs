//! What is kept, and for how long.

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// The newest releases, by number; the current one always.
    pub releases: usize,
    /// Releases made at this instant or later, `yyyy-MM-ddTHH:mm:ss`.
    pub since: String,
    /// Unix seconds: what stopped being in use later than this, or was written later and belongs to nothing, is left alone. A reader
    /// holds no lease.
    pub idle_before: i64,
    /// Unix seconds: rows that a check refused before this go.
    pub candidates_before: i64,
    /// A table gets a checkpoint when its log grew by so many commits.
    pub commits: u64,
    /// So many small files in a row are merged.
    pub files: usize,
    /// Bytes up to which a file is small, and about which a merged one is large.
    pub bytes: u64,
    /// Whether the logs of silver and gold reach back to every release, so that any can be replayed and compared.
    pub history: bool,
}

/// Maintenance writes itself into these tables.
const OWN: [&str; 2] = ["_ops.run", "_ops.head"];
/// So much has to come together there, whatever is configured: else maintenance would find work in what it wrote the last time.
const OWN_LEAST: usize = 8;

impl Keep {
    /// Files in a row of a table that are merged.
    #[must_use]
    pub fn files_of(&self, label: &str) -> usize {
        if OWN.contains(&label) { self.files.max(OWN_LEAST) } else { self.files }
    }

    /// Commits after which a table gets a checkpoint, and that are worth removing.
    #[must_use]
    pub fn commits_of(&self, label: &str) -> u64 {
        if OWN.contains(&label) { self.commits.max(OWN_LEAST as u64) } else { self.commits.max(1) }
    }
}

/// Files and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Tally {
    /// Counts one.
    pub fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}
