//! A run: load, build, publish. One run at a time (the lease); killed anywhere, run again, it finishes.

pub mod backfill;
pub(crate) mod build;
pub(crate) mod bundle;
pub(crate) mod differ;
pub(crate) mod guard;
mod openlineage;
mod parse_again;
mod restate;
mod retry;
pub(crate) mod undone;

use yaojia_models::fault::Fault;
use yaojia_warehouse::ledger::{current_release, record_landing, record_run};
use yaojia_warehouse::store::Lease;

pub use crate::context::instant_text;
pub use crate::error::RunError;
pub use crate::progress::Progress;
pub use crate::report::{BuildReport, LoadReport, ParseReport, RunReport, SCHEMA_VERSION};
pub use guard::region_of;
pub use parse_again::{Change, ParseAgainReport, parse_again};
pub use retry::retry;

use crate::context::{Context, LazyRun};
use crate::load::ask::{BuildAsk, LoadAsk, Which as Asked};
use crate::load::{export, platform, reparse};
use crate::plan::rules;
use crate::plan::select::{self, PlanFilter, Scope};
use crate::project::Project;
use crate::report::{Pending, PlanReport, Undone};
use build::Take;

/// What a run did, and what ended it early if something did: a source that is down does not make unknown what the others brought.
#[derive(Debug)]
pub struct Outcome {
    /// What was loaded, built and published.
    pub report: RunReport,
    /// Why the run failed.
    pub failed: Option<RunError>,
}

/// Loads everything new and builds what is stale, then moves the release. Landing files that are listed as they were when they were read
/// are opened only to `reread` them.
///
/// # Errors
/// [`RunError`] when the run could not begin or be recorded, else in the outcome; what was committed before stays, and the old release
/// still serves.
pub async fn nightly(project: &Project, reread: bool, progress: &dyn Progress) -> Result<Outcome, RunError> {
    let load = LoadAsk { reread, ..LoadAsk::default() };
    run(project, &Work { verb: "nightly", load: Some(load), build: Some(BuildAsk::default()) }, progress).await
}

/// Only loads; `reread` as for [`nightly`].
///
/// # Errors
/// [`RunError`].
pub async fn load(project: &Project, reread: bool, progress: &dyn Progress) -> Result<Outcome, RunError> {
    let load = LoadAsk { reread, ..LoadAsk::default() };
    run(project, &Work { verb: "load", load: Some(load), build: None }, progress).await
}

/// Only builds and publishes: everything, or what selectors select. What a part reads is taken as stored, and the release waits until
/// nothing is stale any more.
///
/// # Errors
/// [`RunError`]; [`RunError::Usage`] for a selector that selects nothing there is.
pub async fn build(project: &Project, selectors: &[String], progress: &dyn Progress) -> Result<Outcome, RunError> {
    let which = if selectors.is_empty() { Asked::All } else { Asked::Selected(selectors.to_vec()) };
    run(project, &Work { verb: "build", load: None, build: Some(BuildAsk { which, ..BuildAsk::default() }) }, progress).await
}

/// What a build would do now, or those of its cells that are asked for.
///
/// # Errors
/// [`RunError`].
pub async fn plan(project: &Project, filter: &PlanFilter) -> Result<PlanReport, RunError> {
    let context = Context::of(project);
    let at = build::instant(&context, None, false).await?;
    filter.narrow(&context, build::plan(&context, at).await?)
}

/// What a run does.
struct Work {
    verb: &'static str,
    load: Option<LoadAsk>,
    build: Option<BuildAsk>,
}

async fn run(project: &Project, what: &Work, progress: &dyn Progress) -> Result<Outcome, RunError> {
    let (context, verb) = (Context::of(project), what.verb);
    let lease = Lease::take(context.root, verb, &instant_text(context.now), project.clock.unix_now()).await?;
    let report = RunReport { schema_version: SCHEMA_VERSION, verb: verb.to_string(), ..RunReport::default() };
    let outcome = leased(project, &context, LazyRun::new(verb, context.now), what, report, progress).await;
    lease.release().await?;
    outcome
}

/// A run of someone who holds the lease.
async fn leased(
    project: &Project,
    context: &Context<'_>,
    mut lazy: LazyRun,
    what: &Work,
    mut report: RunReport,
    progress: &dyn Progress,
) -> Result<Outcome, RunError> {
    let mut done = Done::default();
    let failed = work(context, &mut lazy, what, &mut done, &mut report, progress).await.err();
    // What cannot be done as it was asked for is no run.
    if let (Some(RunError::Usage { .. }), None) = (&failed, lazy.opened()) {
        return failed.map_or(Ok(Outcome { report, failed: None }), Err);
    }
    report.failed = failed.as_ref().map(|error| format!("{}: {error}", error.code()));
    let ended = undone::Ended { what, scope: done.scope.as_ref(), left: done.left, at: done.at, failed: failed.as_ref() };
    match undone::note(context, &mut lazy, ended).await {
        Ok(left) => report.undone = left.iter().map(Undone::from).collect(),
        // The storage that failed the run may fail its note: the first error is the one to be told.
        Err(error) if failed.is_some() => tracing::warn!(%error, "what was left undone could not be noted"),
        Err(error) => return Err(error),
    }
    if let Some(stamp) = lazy.opened() {
        record_landing(context.root, stamp, &done.pending.landing).await?;
        let state = if failed.is_none() { "done" } else { "failed" };
        let note = report.failed.clone().unwrap_or_default();
        report.run_id = Some(stamp.id.clone());
        report.changed = true;
        // As of when what it built is: where nothing arrived that is the run's before.
        let as_of = done.at.map_or_else(|| instant_text(context.now), instant_text);
        record_run(context.root, stamp, what.verb, &as_of, state, &note).await?;
        let text = serde_json::to_string_pretty(&report).map_err(|e| RunError::Report(e.to_string()))?;
        context.root.put(&format!("_ops/runs/{}/run.json", stamp.id), text.into()).await?;
        if what.build.is_some() {
            openlineage::write(project, &stamp.id, &report, &instant_text(context.now), failed.as_ref().map(RunError::code)).await?;
        }
    }
    Ok(Outcome { report, failed })
}

/// What a run came to, beside its report.
#[derive(Default)]
struct Done {
    /// What it built, where only a part.
    scope: Option<Scope>,
    /// What its loads left.
    left: Vec<yaojia_warehouse::ledger::Undone>,
    /// Its data instant, once it is known.
    at: Option<i64>,
    /// What its loads saw and did not write down.
    pending: Pending,
}

async fn work(
    context: &Context<'_>,
    lazy: &mut LazyRun,
    what: &Work,
    done: &mut Done,
    report: &mut RunReport,
    progress: &dyn Progress,
) -> Result<(), RunError> {
    guard::same_region(context).await?;
    let clock = std::time::Instant::now();
    let mut failed: Option<RunError> = None;
    if what.build.is_some() {
        report.warnings.extend(guard::not_earlier(context).await?);
    }
    if let Some(build) = &what.build {
        done.scope = match &build.which {
            Asked::All => None,
            Asked::Nodes(nodes) => Some(Scope::of(nodes.clone())),
            Asked::Selected(words) => Some(Scope::of(select::selected(context, words).await?)),
        };
        rules::refuse_edited(context.root, context.indicators).await?;
        progress.stage("parse");
        let only = build.parse_only.as_ref().or(done.scope.as_ref().map(|scope| &scope.silver));
        // Before the load, so that rows that come again meet what they are by the rules in force.
        match reparse::reparse(context, lazy, only, progress).await {
            Ok(parse) => report.parse = Some(parse),
            // A landing folder that is away keeps nothing from being loaded and built: the rows keep their older parse for now.
            Err(error @ RunError::Source(_)) => failed = Some(error),
            Err(error) => return Err(error),
        }
        report.seconds.push(("parse".to_string(), clock.elapsed()));
    }
    let clock = std::time::Instant::now();
    if let Some(ask) = &what.load {
        progress.stage("load");
        let (mut load, mut left) = (LoadReport::default(), Vec::new());
        // A source that is down does not keep the other, nor the build, from what has arrived; the run still fails at its end.
        for result in [
            platform::load(context, ask, lazy, &mut load, &mut left, progress).await,
            export::load(context, ask, lazy, &mut load, &mut left, progress).await,
        ] {
            match result {
                Err(stop @ RunError::Stopped) => return Err(stop),
                Err(error) => {
                    failed.get_or_insert(error);
                }
                Ok(()) => {}
            }
        }
        done.pending = std::mem::take(&mut load.pending);
        report.warnings.append(&mut load.warnings);
        report.load = Some(load);
        if ask.month.is_none() {
            done.left = left;
        }
        report.seconds.push(("load".to_string(), clock.elapsed()));
    }
    let completes = what.build.as_ref().is_some_and(|build| build.completes_last);
    let at = build::instant(context, lazy.opened(), completes).await?;
    report.as_of = instant_text(at);
    done.at = Some(at);
    platform::settle(context, lazy, &std::mem::take(&mut done.pending.windows), at).await?;
    if what.build.is_some() {
        let take = Take { at, scope: done.scope.as_ref() };
        let (built, unfinished) = build::build(context, lazy, &take, progress, &mut report.seconds).await?;
        report.build = Some(built);
        failed = failed.or(unfinished);
    }
    report.release = current_release(context.root).await?.map(|r| r.number);
    failed.map_or(Ok(()), Err)
}
