//! Which files a table had at which of its versions, as its log says.

use std::collections::{BTreeMap, BTreeSet};

use object_store::ObjectMeta;
use serde_json::Value;

use super::tables::TableName;
use crate::delta::Table;
use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// A file's time in a table: from a version on, until before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life {
    from: i64,
    until: Option<i64>,
}

/// A table's log, read.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The newest version.
    pub latest: i64,
    /// The oldest version that can be told.
    pub first: i64,
    /// Commits that are there as JSON: version → bytes, and unix seconds of writing.
    pub commits: BTreeMap<i64, (u64, i64)>,
    /// Checkpoints: version → objects below the table's folder, and their bytes.
    pub checkpoints: BTreeMap<i64, Vec<(String, u64)>>,
    files: BTreeMap<String, Vec<Life>>,
}

impl History {
    /// What the names of the log's objects tell: versions and checkpoints, no files.
    #[must_use]
    pub fn outline(objects: &BTreeMap<String, ObjectMeta>) -> Self {
        let mut new = Self::default();
        for (path, meta) in objects {
            let Some((version, rest)) = path.strip_prefix("_delta_log/").and_then(numbered) else { continue };
            if rest == ".json" {
                new.commits.insert(version, (meta.size, meta.last_modified.timestamp()));
            } else if rest.starts_with(".checkpoint") {
                new.checkpoints.entry(version).or_default().push((path.clone(), meta.size));
            }
        }
        let newest = new.commits.last_key_value().map(|(version, _)| *version).max(new.checkpoints.last_key_value().map(|(v, _)| *v));
        new.latest = newest.unwrap_or(-1);
        new
    }

    /// Reads a table's log; `objects` are those below its folder.
    ///
    /// # Errors
    /// [`WarehouseError::Audit`] when a commit cannot be read or the log has a gap; else as the storage says.
    pub async fn read(root: &Root, table: &TableName, objects: &BTreeMap<String, ObjectMeta>) -> Result<Self> {
        let mut new = Self::outline(objects);
        let broken = |why: String| WarehouseError::Audit { what: format!("log of `{}`", table.label()), why };
        if new.latest < 0 {
            return Err(broken("it has no commit".to_string()));
        }
        // The commits that follow each other up to the newest; what is before them is in a checkpoint.
        let mut start = new.latest + 1;
        while new.commits.contains_key(&(start - 1)) {
            start -= 1;
        }
        if start > 0 {
            let (base, _) = new
                .checkpoints
                .range(start - 1..)
                .next()
                .ok_or_else(|| broken(format!("commits before {start} are gone, and there is no checkpoint in their place")))?;
            new.first = *base;
            let held = Table::open_at(root, &table.layer, &table.name, Some(new.first)).await?;
            for file in held.map(|held| held.files()).transpose()?.unwrap_or_default() {
                new.files.entry(plain(&file.path)).or_default().push(Life { from: new.first, until: None });
            }
            start = new.first + 1;
        }
        for version in start..=new.latest {
            let path = format!("{}/{}/_delta_log/{version:020}.json", table.layer, table.name);
            let bytes = root.get_opt(&path).await?.ok_or_else(|| broken(format!("`{path}` is gone")))?;
            new.take(version, &bytes).map_err(|why| broken(format!("`{path}`: {why}")))?;
        }
        Ok(new)
    }

    fn take(&mut self, version: i64, bytes: &[u8]) -> std::result::Result<(), String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let action: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let path = |kind: &str| action.get(kind).and_then(|of| of.get("path")).and_then(Value::as_str).map(plain);
            if let Some(path) = path("remove") {
                let lives = self.files.entry(path).or_default();
                match lives.iter_mut().rev().find(|life| life.until.is_none()) {
                    Some(life) => life.until = Some(version),
                    None => lives.push(Life { from: version, until: Some(version) }),
                }
            }
            if let Some(path) = path("add") {
                self.files.entry(path).or_default().push(Life { from: version, until: None });
            }
        }
        Ok(())
    }

    /// Whether the log names a file, at whatever version.
    #[must_use]
    pub fn names(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Files that the table has at one of the versions.
    #[must_use]
    pub fn at(&self, versions: &BTreeSet<i64>) -> BTreeSet<&str> {
        let alive = |life: &Life| versions.range(life.from..).next().is_some_and(|version| life.until.is_none_or(|until| *version < until));
        self.files.iter().filter(|(_, lives)| lives.iter().any(alive)).map(|(path, _)| path.as_str()).collect()
    }

    /// Versions that stopped being the newest after an instant (unix seconds): somebody may be reading them.
    #[must_use]
    pub fn newest_after(&self, instant: i64) -> BTreeSet<i64> {
        let left = self.commits.iter().filter(|(_, (_, written))| *written > instant).map(|(version, _)| version - 1);
        left.filter(|version| *version >= self.first).chain([self.latest]).collect()
    }

    /// Commits since the last checkpoint.
    #[must_use]
    pub fn since_checkpoint(&self) -> u64 {
        let last = self.checkpoints.last_key_value().map_or(-1, |(version, _)| *version);
        u64::try_from(self.latest - last).unwrap_or_default()
    }
}

/// The version a log object's name begins with, and the rest of it.
fn numbered(name: &str) -> Option<(i64, &str)> {
    let (digits, rest) = name.split_at_checked(20)?;
    Some((digits.parse().ok()?, rest))
}

/// A path as it is below the table's folder. The log may write it as a URL does; ours hold nothing that this changes but `=`.
fn plain(path: &str) -> String {
    path.replace("%3D", "=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(commits: &[&str]) -> History {
        let mut new = History { latest: commits.len() as i64 - 1, ..History::default() };
        for (version, text) in commits.iter().enumerate() {
            let version = version as i64;
            new.commits.insert(version, (1, 100 * version));
            new.take(version, text.as_bytes()).unwrap();
        }
        new
    }

    #[test]
    fn a_file_is_there_from_its_commit_until_the_one_that_removes_it() {
        let of = history(&[
            "{\"metaData\":{}}",
            "{\"add\":{\"path\":\"a\"}}\n{\"add\":{\"path\":\"county%3D1/b\"}}",
            "{\"remove\":{\"path\":\"a\"}}\n{\"add\":{\"path\":\"c\"}}",
            "{\"remove\":{\"path\":\"c\"}}",
        ]);
        let at = |versions: &[i64]| of.at(&versions.iter().copied().collect()).into_iter().collect::<Vec<_>>();
        assert!(at(&[0]).is_empty());
        assert_eq!(at(&[1]), ["a", "county=1/b"]);
        assert_eq!(at(&[2]), ["c", "county=1/b"]);
        assert_eq!(at(&[1, 3]), ["a", "county=1/b"]);
        assert!(of.names("c") && !of.names("d"));
        assert_eq!(of.since_checkpoint(), 4);
        // Version 2 was the newest until 300.
        assert_eq!(of.newest_after(250).into_iter().collect::<Vec<_>>(), [2, 3]);
        assert_eq!(of.newest_after(300).into_iter().collect::<Vec<_>>(), [3]);
    }
}
