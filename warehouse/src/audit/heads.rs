//! The heads on record, and whether the objects they name are those that are there.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt as _;
use object_store::ObjectStore as _;
use object_store::path::Path as ObjectPath;

use super::seal::Finding;
use crate::error::{Result, WarehouseError};
use crate::keep::LAYERS;
use crate::ledger::{HeadMark, OWN_LOG, RunRecord, heads, record_heads, runs};
use crate::store::Root;

/// Folders of objects that are written once and stay, beside the tables' logs.
const REPORTS: [&str; 2] = ["_ops/runs", "_ops/seals"];

/// Puts on record what is not yet: commits and checkpoints of all tables, reports, seals. Writes nothing where there is nothing new. The caller
/// holds the lease.
///
/// # Errors
/// As the storage says; the next call goes on.
pub async fn put_on_record(root: &Root) -> Result<()> {
    let held = heads(root).await?;
    let known: BTreeSet<&str> = held.iter().map(|mark| mark.object.as_str()).collect();
    let new: Vec<String> = recordable(root).await?.into_iter().filter(|path| !known.contains(path.as_str())).collect();
    // The ledger's own newest commit is always new: it waits for the others.
    if new.iter().all(|path| path.starts_with(OWN_LOG)) {
        return Ok(());
    }
    let mut objects = Vec::with_capacity(new.len());
    for path in new {
        if let Some((_, sha256)) = root.sha256(&path).await? {
            objects.push((path, sha256));
        }
    }
    let run = runs(root).await?.last().map_or(0, |run| run.seq);
    record_heads(root, run, held.last(), &objects).await
}

/// Paths of all objects that can be put on record, in order.
async fn recordable(root: &Root) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for layer in LAYERS {
        let failed = |source| WarehouseError::Store { path: layer.to_string(), source };
        let folders = root.store().list_with_delimiter(Some(&ObjectPath::from(layer))).await.map_err(failed)?;
        for table in folders.common_prefixes {
            let log = table.join("_delta_log");
            let files: Vec<_> = root.store().list(Some(&log)).try_collect().await.map_err(failed)?;
            paths.extend(files.into_iter().map(|meta| meta.location.to_string()).filter(|path| is_entry(path)));
        }
    }
    paths.extend(root.list(&REPORTS).await?.into_iter().map(|meta| meta.location.to_string()));
    paths.sort();
    Ok(paths)
}

/// Whether a path below a log's folder is a commit or a part of a checkpoint. `_last_checkpoint` is a pointer that moves.
fn is_entry(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    version(path).is_some() && (name.ends_with(".json") || name.ends_with(".parquet"))
}

/// The version a log entry's name begins with.
fn version(path: &str) -> Option<i64> {
    let name = path.rsplit('/').next()?;
    let (digits, rest) = name.split_at_checked(20)?;
    if rest.starts_with('.') { digits.parse().ok() } else { None }
}

/// What was found of the heads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadReport {
    /// Objects on record.
    pub objects: u64,
    /// The last head: the hash over all of them; empty when there is none.
    pub head: String,
    /// Objects that a run which has not ended left, or is at work on: not on record yet.
    pub waiting: u64,
    /// What does not fit.
    pub findings: Vec<Finding>,
}

impl HeadReport {
    fn find(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.findings.push(Finding { what: what.into(), why: why.into() });
    }
}

/// Compares what is there with what is on record: the chain holds, every object on record is there as it was, and no other is there.
///
/// # Errors
/// As the storage says when a folder cannot be listed; what cannot be read of the ledger is a finding.
pub async fn check_heads(root: &Root) -> Result<HeadReport> {
    let mut found = HeadReport::default();
    let (marks, ended) = match (heads(root).await, runs(root).await) {
        (Ok(marks), Ok(runs)) => {
            let ended = has_ended(&runs, marks.last());
            (marks, ended)
        }
        (Err(error), _) | (_, Err(error)) => {
            found.find("_ops.head", format!("the record of commits cannot be read: {error}"));
            return Ok(found);
        }
    };
    found.objects = marks.len() as u64;
    found.head = marks.last().map(|mark| mark.head.clone()).unwrap_or_default();
    chain(&marks, &mut found);
    let present: BTreeSet<String> = recordable(root).await?.into_iter().collect();
    // Table → newest version of which it has a checkpoint: commits up to it may have been removed.
    let mut checkpoints: BTreeMap<&str, i64> = BTreeMap::new();
    for path in present.iter().filter(|path| path.contains(".checkpoint")) {
        if let (Some((log, _)), Some(version)) = (path.rsplit_once('/'), version(path)) {
            let newest = checkpoints.entry(log).or_insert(version);
            *newest = version.max(*newest);
        }
    }
    let mut known: BTreeMap<&str, &HeadMark> = BTreeMap::new();
    for mark in &marks {
        if known.insert(mark.object.as_str(), mark).is_some_and(|other| other.sha256 != mark.sha256) {
            found.find("_ops.head", format!("it has `{}` twice, with different hashes", mark.object));
        }
    }
    for (object, mark) in &known {
        let run = mark.run_seq;
        match root.sha256(object).await? {
            Some((_, sha256)) if sha256 == mark.sha256 => {}
            Some((_, sha256)) => {
                found
                    .find(*object, format!("it was changed since run {run} put it on record: SHA-256 {sha256}, on record {}", mark.sha256));
            }
            None => {
                let stood_for = object
                    .rsplit_once('/')
                    .zip(version(object))
                    .is_some_and(|((log, _), version)| checkpoints.get(log).is_some_and(|newest| version < *newest));
                if !stood_for {
                    found.find(*object, format!("it is gone; run {run} put it on record"));
                }
            }
        }
    }
    if marks.is_empty() && present.iter().all(|path| path.starts_with("_ops/head/")) {
        return Ok(found);
    }
    if marks.is_empty() && ended {
        let why = "nothing is on record of what was committed: the warehouse was made by an older version (the next run puts it on record), or \
                   the record was removed";
        found.find("_ops.head", why);
        return Ok(found);
    }
    // The commit by which the record was written last is on record only with the next; the first one of all made the table, too.
    let own = known.keys().filter(|path| path.starts_with(OWN_LOG)).filter_map(|path| version(path)).max().map_or(1, |last| last + 1);
    for object in present.iter().filter(|path| !known.contains_key(path.as_str())) {
        if object.starts_with(OWN_LOG) && version(object).is_some_and(|version| version <= own) {
            continue;
        }
        if ended {
            let why = "no run put it on record: it was added, or the end of `_ops.head` was removed; where a run was killed at its very end, the \
                       next one puts it on record";
            found.find(object, why);
        } else {
            found.waiting += 1;
        }
    }
    Ok(found)
}

/// What the chain has at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadChain {
    /// The head after so many objects, computed from their rows.
    Is(String),
    /// It ends before, after so many.
    EndsAt(u64),
}

/// The head after the first `objects` objects on record, computed from the rows.
///
/// # Errors
/// As the storage says.
pub async fn head_at(root: &Root, objects: u64) -> Result<HeadChain> {
    let marks = heads(root).await?;
    let Some(marks) = usize::try_from(objects).ok().and_then(|count| marks.get(..count)) else {
        return Ok(HeadChain::EndsAt(marks.len() as u64));
    };
    Ok(HeadChain::Is(marks.iter().fold(String::new(), |before, mark| HeadMark::follows(&before, &mark.object, &mark.sha256))))
}

/// The chain: each head follows from the one before.
fn chain(marks: &[HeadMark], found: &mut HeadReport) {
    let mut before = String::new();
    for (at, mark) in marks.iter().enumerate() {
        if mark.head != HeadMark::follows(&before, &mark.object, &mark.sha256) {
            let why =
                format!("row {} (`{}`) does not follow from the one before: a row was changed, added or taken out", at + 1, mark.object);
            found.find("_ops.head", why);
            return;
        }
        before.clone_from(&mark.head);
    }
}

/// Whether the newest run has said how it ended, or another has put on record what it left. With none nothing is open.
fn has_ended(runs: &[RunRecord], last: Option<&HeadMark>) -> bool {
    let Some(newest) = runs.last().map(|run| run.seq) else { return true };
    last.is_some_and(|last| last.run_seq >= newest) || runs.iter().any(|run| run.seq == newest && run.state != "opened")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{RunStamp, open_run, record_run};

    async fn warehouse(dir: &tempfile::TempDir) -> (Root, RunStamp) {
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let run = open_run(&root, "nightly", 0, "2024-01-01T02:00:00").await.unwrap();
        root.put("_ops/runs/r000001/run.json", "{}".into()).await.unwrap();
        record_run(&root, &run, "nightly", "2024-01-01T02:00:00", "done", "").await.unwrap();
        put_on_record(&root).await.unwrap();
        (root, run)
    }

    async fn named(root: &Root) -> Vec<String> {
        check_heads(root).await.unwrap().findings.into_iter().map(|finding| finding.what).collect()
    }

    #[tokio::test]
    async fn what_was_changed_removed_or_added_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (root, run) = warehouse(&dir).await;
        assert_eq!(named(&root).await, Vec::<String>::new());
        let before = heads(&root).await.unwrap();
        put_on_record(&root).await.unwrap();
        assert_eq!(heads(&root).await.unwrap(), before, "nothing was new");
        let report = "_ops/runs/r000001/run.json";
        root.put(report, "{ }".into()).await.unwrap();
        assert_eq!(named(&root).await, [report]);
        root.delete(report).await.unwrap();
        assert_eq!(named(&root).await, [report]);
        root.put(report, "{}".into()).await.unwrap();
        let last = "_ops/run/_delta_log/00000000000000000002.json";
        let held = root.get_opt(last).await.unwrap().unwrap();
        root.delete(last).await.unwrap();
        assert!(named(&root).await.contains(&last.to_string()), "the last commit is gone");
        root.put(last, held.clone()).await.unwrap();
        let more = "_ops/run/_delta_log/00000000000000000003.json";
        root.put(more, held).await.unwrap();
        assert_eq!(named(&root).await, [more]);
        root.delete(more).await.unwrap();
        // A run at work is waited for.
        record_run(&root, &RunStamp { seq: 2, ..run }, "nightly", "2024-01-02T02:00:00", "opened", "").await.unwrap();
        let found = check_heads(&root).await.unwrap();
        assert_eq!((found.findings.len(), found.waiting), (0, 1));
    }

    #[tokio::test]
    async fn the_end_of_the_record_is_missed() {
        let dir = tempfile::tempdir().unwrap();
        let (root, run) = warehouse(&dir).await;
        record_run(&root, &RunStamp { seq: 2, ..run }, "nightly", "2024-01-02T02:00:00", "done", "").await.unwrap();
        put_on_record(&root).await.unwrap();
        assert_eq!(named(&root).await, Vec::<String>::new());
        root.delete("_ops/head/_delta_log/00000000000000000002.json").await.unwrap();
        assert_eq!(named(&root).await, ["_ops/run/_delta_log/00000000000000000003.json"]);
        std::fs::remove_dir_all(dir.path().join("_ops/head")).unwrap();
        let other = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        assert_eq!(named(&other).await, ["_ops.head"]);
    }

    #[test]
    fn a_changed_row_breaks_the_chain() {
        let mut marks = Vec::new();
        let mut head = String::new();
        for object in ["a", "b", "c"] {
            head = HeadMark::follows(&head, object, "0");
            marks.push(HeadMark { run_seq: 1, object: object.into(), sha256: "0".into(), head: head.clone() });
        }
        let broken = |marks: &[HeadMark]| {
            let mut found = HeadReport::default();
            chain(marks, &mut found);
            !found.findings.is_empty()
        };
        assert!(!broken(&marks) && !broken(&marks[..2]));
        assert!(broken(&marks[1..]) && broken(&[marks[0].clone(), marks[2].clone()]));
        let mut other = marks.clone();
        other[1].sha256 = "1".into();
        assert!(broken(&other));
    }
}
