//! Maintenance: merging, checkpoints, removing what nobody needs; and the backup.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use yaojia_models::fault::Fault;
use yaojia_warehouse::Root;
use yaojia_warehouse::keep::{Backup, Checkpoints, Compaction, Copied, Keep, OldLog, Pinned, Removal, Tally, Vacuum, pinned};
use yaojia_warehouse::ledger::{CellMarks, RunStamp, record_run};
use yaojia_warehouse::store::Lease;

use crate::config::MaintainConfig;
use crate::context::{Context, LazyRun, instant_text};
use crate::error::RunError;
use crate::progress::Progress;
use crate::project::Project;
use crate::report::SCHEMA_VERSION;

/// The verb in the run ledger.
pub const VERB: &str = "maintain";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const MICROS: i64 = 1_000_000;

/// Files merged in a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Merged {
    /// Files before.
    pub before: usize,
    /// Files in their place.
    pub after: usize,
}

/// What maintenance did, or would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MaintainReport {
    /// Version of this document.
    pub schema_version: u32,
    /// Whether it only says what it would do.
    pub dry_run: bool,
    /// The run; null where nothing had to be done.
    pub run_id: Option<String>,
    /// Whether anything was written or removed.
    pub changed: bool,
    /// Small files merged, by table.
    pub compacted: BTreeMap<String, Merged>,
    /// Checkpoints: table → commits since the one before.
    pub checkpoints: BTreeMap<String, u64>,
    /// Files removed that no kept version has, by table.
    pub superseded: BTreeMap<String, Tally>,
    /// Files removed that no table ever had, by table.
    pub orphans: BTreeMap<String, Tally>,
    /// Rows removed that a check had refused.
    pub candidates: Tally,
    /// Unfinished uploads removed.
    pub leftovers: Tally,
    /// Log files removed that a checkpoint stands for, by table.
    pub logs: BTreeMap<String, Tally>,
    /// Files that belong to nothing and are too young to go.
    pub young: Tally,
    /// Files that only seals hold.
    pub sealed: Tally,
    /// Releases that stay readable.
    pub kept_releases: Vec<i64>,
    /// Releases that cannot be read any more from now on.
    pub given_up: Vec<i64>,
}

/// What is kept, at this run's clock.
fn keep(of: &MaintainConfig, context: &Context<'_>, unix_now: i64) -> Keep {
    let since = context.now - i64::from(of.keep_days) * DAY * MICROS;
    Keep {
        releases: of.keep_releases,
        since: instant_text(since),
        // Of the same second nothing can be said.
        idle_before: unix_now + 1 - i64::from(of.idle_hours) * HOUR,
        candidates_before: unix_now + 1 - i64::from(of.candidate_days) * DAY,
        commits: of.checkpoint_commits,
        files: of.compact_files,
        bytes: of.compact_bytes,
        history: of.keep_history,
    }
}

/// Keeps the warehouse fit; `dry_run` only says how.
///
/// # Errors
/// [`RunError`]; what was committed stays, and the next run goes on.
pub async fn maintain(project: &Project, dry_run: bool, progress: &dyn Progress) -> Result<MaintainReport, RunError> {
    let context = Context::of(project);
    let keep = keep(&project.config.maintain, &context, project.clock.unix_now());
    let mut report = MaintainReport { schema_version: SCHEMA_VERSION, dry_run, ..MaintainReport::default() };
    let at = instant_text(context.now);
    if dry_run {
        work(&context, &keep, &mut LazyRun::new(VERB, context.now), &mut report, progress).await?;
        return Ok(report);
    }
    let lease = Lease::take(context.root, VERB, &at, project.clock.unix_now()).await?;
    let mut lazy = LazyRun::new(VERB, context.now);
    let failed = work(&context, &keep, &mut lazy, &mut report, progress).await.err();
    if let Some(stamp) = lazy.opened() {
        report.run_id = Some(stamp.id.clone());
        report.changed = true;
        let note = failed.as_ref().map(|error| format!("{}: {error}", error.code())).unwrap_or_default();
        record_run(context.root, stamp, VERB, &at, if failed.is_none() { "done" } else { "failed" }, &note).await?;
        let text = serde_json::to_string_pretty(&report).map_err(|e| RunError::Report(e.to_string()))?;
        context.root.put(&format!("_ops/runs/{}/run.json", stamp.id), text.into()).await?;
    }
    lease.release().await?;
    failed.map_or(Ok(report), Err)
}

async fn work(
    context: &Context<'_>,
    keep: &Keep,
    run: &mut LazyRun,
    report: &mut MaintainReport,
    progress: &dyn Progress,
) -> Result<(), RunError> {
    let root = context.root;
    let pinned = pinned(root).await?;
    progress.stage("merge small files");
    compact(context, keep, &pinned, run, report).await?;

    progress.stage("checkpoints");
    let checkpoints = Checkpoints { root, keep };
    for (table, commits) in checkpoints.plan().await? {
        context.go_on()?;
        if !report.dry_run {
            run.open(context).await?;
            checkpoints.run(&table).await?;
        }
        report.checkpoints.insert(table.label(), commits);
    }

    progress.stage("remove what nobody needs");
    let vacuum = Vacuum { root, keep, pinned: &pinned };
    let removals = vacuum.plan().await?;
    context.go_on()?;
    for file in &removals.files {
        match file.why {
            "superseded" => report.superseded.entry(file.of.clone()).or_default().add(file.bytes),
            "orphan" => report.orphans.entry(file.of.clone()).or_default().add(file.bytes),
            _ => report.candidates.add(file.bytes),
        }
    }
    removals.leftovers.iter().for_each(|of| report.leftovers.add(of.bytes));
    (report.young, report.sealed) = (removals.young, removals.sealed);
    report.kept_releases.clone_from(&removals.kept);
    report.given_up.clone_from(&removals.given_up);
    if !report.dry_run && !removals.is_empty() {
        let stamp = run.open(context).await?;
        vacuum.run(&removals, &stamp).await?;
    }

    let logs = OldLog { root, keep, pinned: &pinned, kept: &removals.kept };
    let old: Vec<Removal> = logs.plan().await?;
    old.iter().for_each(|file| report.logs.entry(file.of.clone()).or_default().add(file.bytes));
    if !report.dry_run && !old.is_empty() {
        context.go_on()?;
        run.open(context).await?;
        logs.run(&old).await?;
    }
    Ok(())
}

/// Merges small files. Datasets whose bronze is merged and that were fresh stay fresh: their rows are the same.
async fn compact(
    context: &Context<'_>,
    keep: &Keep,
    pinned: &Pinned,
    run: &mut LazyRun,
    report: &mut MaintainReport,
) -> Result<(), RunError> {
    let compaction = Compaction { root: context.root, keep, pinned };
    let due = compaction.plan().await?;
    if report.dry_run || due.is_empty() {
        for merges in due {
            report.compacted.insert(merges.table.label(), Merged { before: merges.files(), after: merges.stretches.len() });
        }
        return Ok(());
    }
    let stamp = run.open(context).await?;
    // Tables are opened once by each: the one asked after a merge must see it.
    let silver = || context.warehouse.silver();
    let mut marks = CellMarks::read(context.root).await?;
    let stale: BTreeSet<String> = silver().stale(&marks).await?.into_iter().collect();
    for merges in due {
        context.go_on()?;
        let after = compaction.run(&merges, &stamp).await?;
        report.compacted.insert(merges.table.label(), Merged { before: merges.files(), after });
        if merges.table.layer == "bronze" && !stale.contains(&merges.table.name) {
            silver().remark(&[merges.table.name.clone()].into(), &mut marks).await?;
            flush(context, &mut marks, &stamp).await?;
        }
    }
    Ok(())
}

async fn flush(context: &Context<'_>, marks: &mut CellMarks, stamp: &RunStamp) -> Result<(), RunError> {
    if marks.is_dirty() {
        marks.flush(context.root, stamp.seq).await?;
    }
    Ok(())
}

/// Copies the warehouse to a folder (or URL), under the lease. The warehouse itself is not written to.
///
/// # Errors
/// [`RunError`]; run again, it goes on.
pub async fn backup(project: &Project, to: &str, prune: bool) -> Result<Copied, RunError> {
    let context = Context::of(project);
    let lease = Lease::take(context.root, "maintain backup", &instant_text(context.now), project.clock.unix_now()).await?;
    let copied = async {
        let to = Root::open(to, std::collections::HashMap::new())?;
        if to.url().as_str().starts_with(context.root.url().as_str()) || context.root.url().as_str().starts_with(to.url().as_str()) {
            return Err(RunError::Config(format!("`{}` and the warehouse lie in each other", to.url())));
        }
        let copied = Backup { from: context.root, to: &to, prune }.run(&|| context.go_on().is_err()).await?;
        context.go_on()?;
        Ok(copied)
    };
    let copied = copied.await;
    lease.release().await?;
    copied
}
