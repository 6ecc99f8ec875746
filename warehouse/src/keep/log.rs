//! Commits that a checkpoint stands for, and that no version anybody opens needs.

use std::collections::BTreeSet;

use super::backup::IDENTITY;
use super::history::History;
use super::pinned::Pinned;
use super::policy::Keep;
use super::tables::{LAYERS, tables};
use super::vacuum::Removal;
use crate::error::Result;
use crate::ledger::{Release, releases};
use crate::store::Root;

/// Removes old log files.
#[derive(Debug)]
pub struct OldLog<'a> {
    /// Warehouse root.
    pub root: &'a Root,
    /// What is kept.
    pub keep: &'a Keep,
    /// What seals stand on.
    pub pinned: &'a Pinned,
    /// Releases that stay readable.
    pub kept: &'a [i64],
}

impl OldLog<'_> {
    /// Log files that can go, where there are enough of them to be worth it.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn plan(&self) -> Result<Vec<Removal>> {
        let opened = |release: &Release| self.keep.history || self.kept.contains(&release.number);
        let releases: Vec<Release> = releases(self.root).await?.into_iter().filter(opened).collect();
        let mut old = Vec::new();
        for (table, objects) in tables(&self.root.list(&LAYERS).await?) {
            let (history, label) = (History::outline(&objects), table.label());
            let mut versions: BTreeSet<i64> = history.newest_after(self.keep.idle_before);
            versions.extend(releases.iter().filter_map(|release| release.tables.get(&label)));
            let Some(base) =
                versions.first().and_then(|oldest| history.checkpoints.range(..=oldest).next_back()).map(|(version, _)| *version)
            else {
                continue;
            };
            let folder = format!("{}/{}", table.layer, table.name);
            let commits = history.commits.range(..base).map(|(version, (bytes, _))| (format!("_delta_log/{version:020}.json"), *bytes));
            let checkpoints = history.checkpoints.range(..base).flat_map(|(_, parts)| parts.iter().cloned());
            let gone: Vec<Removal> = commits
                .chain(checkpoints)
                .map(|(path, bytes)| Removal { path: format!("{folder}/{path}"), bytes, of: label.clone(), why: "log" })
                .filter(|file| !self.pinned.paths.contains(&file.path) && file.path != IDENTITY)
                .collect();
            if gone.len() as u64 >= self.keep.commits_of(&label) {
                old.extend(gone);
            }
        }
        Ok(old)
    }

    /// Removes them, the oldest first.
    ///
    /// # Errors
    /// As the storage says; run again, it goes on.
    pub async fn run(&self, old: &[Removal]) -> Result<()> {
        for file in old {
            self.root.delete(&file.path).await?;
        }
        Ok(())
    }
}
