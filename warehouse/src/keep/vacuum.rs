//! Vacuum: files that no kept version of their table has, files that belong to nothing, and refused candidates nobody looked at.
//!
//! A file goes only if no kept version has it. Kept are, of silver and gold, the versions that kept releases name; of every table, the
//! newest version and those that were the newest a while ago. What a seal lists stays whatever else is said of it. Releases that lose a
//! file by it are written down in `_ops.vacuum` first.

use std::collections::{BTreeMap, BTreeSet};

use object_store::ObjectMeta;

use super::history::History;
use super::leftover::{Leftover, leftovers};
use super::pinned::{Pinned, pinned};
use super::policy::{Keep, Tally};
use super::tables::{LAYERS, TableName, tables};
use crate::error::Result;
use crate::ledger::{Release, RunStamp, last_built, record_vacuumed, releases, runs, vacuumed};
use crate::store::Root;

const CANDIDATES: &str = "_ops/candidates/";

/// A file to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Path below the warehouse root.
    pub path: String,
    /// Bytes.
    pub bytes: u64,
    /// `layer.table`, or the folder.
    pub of: String,
    /// `superseded`, `orphan`, `candidate`.
    pub why: &'static str,
}

/// What is to be removed.
#[derive(Debug, Clone, Default)]
pub struct Removals {
    /// Releases that stay readable.
    pub kept: Vec<i64>,
    /// Releases that lose a file and have not been given up before.
    pub given_up: Vec<i64>,
    /// The files.
    pub files: Vec<Removal>,
    /// Unfinished uploads of a local folder.
    pub leftovers: Vec<Leftover>,
    /// Files that belong to nothing and are too young to go.
    pub young: Tally,
    /// Files that only a seal holds.
    pub sealed: Tally,
}

impl Removals {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given_up.is_empty() && self.files.is_empty() && self.leftovers.is_empty()
    }
}

/// Removes what nobody needs.
#[derive(Debug)]
pub struct Vacuum<'a> {
    /// Warehouse root.
    pub root: &'a Root,
    /// What is kept.
    pub keep: &'a Keep,
    /// What seals stand on.
    pub pinned: &'a Pinned,
}

impl Vacuum<'_> {
    /// What would go.
    ///
    /// # Errors
    /// [`crate::WarehouseError::Audit`] when a log cannot be read to its beginning; else as the storage says.
    pub async fn plan(&self) -> Result<Removals> {
        let listing = self.root.list(&LAYERS).await?;
        let (kept, others): (Vec<Release>, Vec<Release>) = {
            let numbers = self.kept_releases().await?;
            releases(self.root).await?.into_iter().partition(|release| numbers.contains(&release.number))
        };
        let mut found = Removals { kept: kept.iter().map(|release| release.number).collect(), ..Removals::default() };
        // Without their logs releases cannot be opened, whatever files are left.
        let mut lost: BTreeSet<i64> = others.iter().filter(|_| !self.keep.history).map(|release| release.number).collect();
        for (table, objects) in tables(&listing) {
            let history = History::read(self.root, &table, &objects).await?;
            let label = table.label();
            let mut versions = history.newest_after(self.keep.idle_before);
            versions.extend(kept.iter().filter_map(|release| release.tables.get(&label)));
            let needed = history.at(&versions);
            let mut whole: BTreeMap<i64, bool> = BTreeMap::new();
            for release in &others {
                let Some(version) = release.tables.get(&label) else { continue };
                let whole =
                    whole.entry(*version).or_insert_with(|| *version >= history.first && history.at(&[*version].into()).is_subset(&needed));
                if !*whole {
                    lost.insert(release.number);
                }
            }
            self.sort(&table, &objects, &history, &needed, &mut found);
        }
        let given_up = vacuumed(self.root).await?;
        found.given_up = lost.into_iter().filter(|number| !given_up.contains_key(number)).collect();
        for meta in &listing {
            let path = meta.location.to_string();
            if path.starts_with(CANDIDATES)
                && meta.last_modified.timestamp() < self.keep.candidates_before
                && !self.pinned.paths.contains(&path)
            {
                found.files.push(Removal { path, bytes: meta.size, of: "_ops/candidates".to_string(), why: "candidate" });
            }
        }
        found.leftovers = leftovers(self.root)?.into_iter().filter(|of| of.written < self.keep.idle_before).collect();
        Ok(found)
    }

    /// Each of a table's files: needed, sealed, to go, or too young to go.
    fn sort(
        &self,
        table: &TableName,
        objects: &BTreeMap<String, ObjectMeta>,
        history: &History,
        needed: &BTreeSet<&str>,
        found: &mut Removals,
    ) {
        for (path, meta) in objects {
            let full = meta.location.to_string();
            if is_log(path) || needed.contains(path.as_str()) {
                continue;
            }
            let (known, of) = (history.names(path), table.label());
            if self.pinned.paths.contains(&full) {
                found.sealed.add(meta.size);
            } else if known {
                found.files.push(Removal { path: full, bytes: meta.size, of, why: "superseded" });
            } else if meta.last_modified.timestamp() < self.keep.idle_before {
                found.files.push(Removal { path: full, bytes: meta.size, of, why: "orphan" });
            } else {
                found.young.add(meta.size);
            }
        }
    }

    /// Numbers of the releases that stay readable.
    async fn kept_releases(&self) -> Result<BTreeSet<i64>> {
        let all = releases(self.root).await?;
        let times: BTreeMap<String, String> = runs(self.root).await?.into_iter().map(|run| (run.id, run.as_of)).collect();
        let young = |release: &&Release| times.get(&release.run_id).is_none_or(|time| *time >= self.keep.since);
        let mut kept: BTreeSet<i64> = all.iter().rev().take(self.keep.releases.max(1)).map(|release| release.number).collect();
        kept.extend(all.iter().filter(young).map(|release| release.number));
        kept.extend(&self.pinned.releases);
        // What the next build compares with, also after a rollback.
        kept.extend(last_built(self.root).await?.map(|release| release.number));
        Ok(kept)
    }

    /// Writes down which releases are given up, then removes.
    ///
    /// # Errors
    /// As the storage says; run again, it goes on.
    pub async fn run(&self, what: &Removals, stamp: &RunStamp) -> Result<()> {
        record_vacuumed(self.root, stamp.seq, &stamp.id, &what.given_up).await?;
        for file in &what.files {
            self.root.delete(&file.path).await?;
        }
        for leftover in &what.leftovers {
            leftover.remove()?;
        }
        Ok(())
    }
}

/// Whether a path below a table's folder is part of its log.
fn is_log(path: &str) -> bool {
    path.strip_prefix("_delta_log/").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit()) || name == "_last_checkpoint")
}

/// Files below the tables that neither a log names nor a seal lists (old logs go, what is sealed stays), whatever their age, by table; and
/// unfinished uploads.
///
/// # Errors
/// As [`Vacuum::plan`].
pub async fn strays(root: &Root) -> Result<BTreeMap<String, Tally>> {
    let mut all: BTreeMap<String, Tally> = BTreeMap::new();
    let sealed = pinned(root).await?.paths;
    for (table, objects) in tables(&root.list(&LAYERS).await?) {
        let history = History::read(root, &table, &objects).await?;
        for (_, meta) in
            objects.iter().filter(|(path, meta)| !is_log(path) && !history.names(path) && !sealed.contains(&meta.location.to_string()))
        {
            all.entry(table.label()).or_default().add(meta.size);
        }
    }
    for of in leftovers(root)? {
        all.entry("unfinished uploads".to_string()).or_default().add(of.bytes);
    }
    Ok(all)
}
