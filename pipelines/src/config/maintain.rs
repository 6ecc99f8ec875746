//! `[maintain]`: what is kept, and for how long.

use serde::{Deserialize, Serialize};

/// What `yaojia maintain` keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaintainConfig {
    /// The newest releases, by number.
    pub keep_releases: usize,
    /// Releases of the last days.
    pub keep_days: u32,
    /// Whether logs reach back to every release, so that any can be replayed and compared.
    pub keep_history: bool,
    /// Hours for which what went out of use, or belongs to nothing, is left alone.
    pub idle_hours: u32,
    /// Days for which rows that a check refused are kept.
    pub candidate_days: u32,
    /// Commits after which a table gets a checkpoint.
    pub checkpoint_commits: u64,
    /// Small files in a row that are merged.
    pub compact_files: usize,
    /// Bytes up to which a file is small.
    pub compact_bytes: u64,
}

impl Default for MaintainConfig {
    fn default() -> Self {
        Self {
            keep_releases: 30,
            keep_days: 90,
            keep_history: true,
            idle_hours: 24,
            candidate_days: 30,
            checkpoint_commits: 20,
            compact_files: 8,
            compact_bytes: 64 << 20,
        }
    }
}
