//! A run: load, build, publish. One run at a time (the lease); killed anywhere, run again, it finishes.

mod behind;
mod build;
mod bundle;
mod context;
mod error;
mod explain;
mod export;
pub mod maintain;
mod openlineage;
mod parse_again;
mod parser;
mod platform;
mod prove;
mod read;
pub mod release;
mod reparse;
mod replay;
mod report;
mod restate;
mod rules;
mod seal;

use std::collections::BTreeMap;

use yaojia_warehouse::ledger::{current_release, record_run};
use yaojia_warehouse::store::Lease;

pub use context::{instant_text, naive};
pub use error::RunError;
pub use explain::{EvidenceRow, Explanation, Original};
pub use parse_again::{Change, ParseAgainReport, parse_again};
pub use prove::prove;
pub use read::{ReadSession, session};
pub use replay::{CellDifference, ReplayAsk, ReplayReport, Which, replay};
pub use report::{BuildReport, DatasetLoad, DatasetParse, LoadReport, OldParse, ParseReport, PlanReport, RunReport, SCHEMA_VERSION};
pub use rules::edited_rules;
pub use seal::{SealLine, VerifyReport, seal_month, verify_seals};

use crate::project::Project;
use context::{Context, LazyRun};

/// Hears how a run goes on.
pub trait Progress: Send + Sync {
    /// A stage begins.
    fn stage(&self, text: &str);
    /// A step of the stage.
    fn step(&self, text: &str, done: u64, total: Option<u64>);
}

/// What a run did, and what ended it early if something did: a source that is down does not make unknown what the others brought.
#[derive(Debug)]
pub struct Outcome {
    /// What was loaded, built and published.
    pub report: RunReport,
    /// Why the run failed.
    pub failed: Option<RunError>,
}

/// Loads everything new and builds what is stale, then moves the release.
///
/// # Errors
/// [`RunError`] when the run could not begin or be recorded, else in the outcome; what was committed before stays, and the old release
/// still serves.
pub async fn nightly(project: &Project, progress: &dyn Progress) -> Result<Outcome, RunError> {
    run(project, &Work { verb: "nightly", loads: true, builds: true, parse_only: None }, progress).await
}

/// Only loads.
///
/// # Errors
/// [`RunError`].
pub async fn load(project: &Project, progress: &dyn Progress) -> Result<Outcome, RunError> {
    run(project, &Work { verb: "load", loads: true, builds: false, parse_only: None }, progress).await
}

/// Only builds and publishes.
///
/// # Errors
/// [`RunError`].
pub async fn build(project: &Project, progress: &dyn Progress) -> Result<Outcome, RunError> {
    run(project, &Work { verb: "build", loads: false, builds: true, parse_only: None }, progress).await
}

/// What a build would do now.
///
/// # Errors
/// [`RunError`].
pub async fn plan(project: &Project) -> Result<PlanReport, RunError> {
    let context = Context::of(project);
    let at = build::instant(&context, false).await?;
    build::plan(&context, at).await
}

/// Everything about one alert, down to original bytes.
///
/// # Errors
/// [`RunError::NotFound`] when there is no such alert in the release.
pub async fn explain(project: &Project, alert_id: &str) -> Result<Explanation, RunError> {
    explain::explain(project, alert_id).await
}

/// What a run does.
struct Work<'a> {
    verb: &'static str,
    loads: bool,
    builds: bool,
    /// Where it builds: the one dataset to parse again if need be; all when none is named.
    parse_only: Option<&'a str>,
}

async fn run(project: &Project, what: &Work<'_>, progress: &dyn Progress) -> Result<Outcome, RunError> {
    let (context, verb) = (Context::of(project), what.verb);
    let lease = Lease::take(context.root, verb, &instant_text(context.now), project.clock.unix_now()).await?;
    let mut lazy = LazyRun::new(verb, context.now);
    let mut report = RunReport { schema_version: SCHEMA_VERSION, verb: verb.to_string(), ..RunReport::default() };
    let failed = work(&context, &mut lazy, what, &mut report, progress).await.err();
    report.failed = failed.as_ref().map(|error| format!("{}: {error}", error.code()));
    if let Some(stamp) = lazy.opened() {
        let state = if failed.is_none() { "done" } else { "failed" };
        let note = report.failed.clone().unwrap_or_default();
        report.run_id = Some(stamp.id.clone());
        report.changed = true;
        record_run(context.root, stamp, verb, &instant_text(context.now), state, &note).await?;
        let text = serde_json::to_string_pretty(&report).map_err(|e| RunError::Report(e.to_string()))?;
        context.root.put(&format!("_ops/runs/{}/run.json", stamp.id), text.into()).await?;
        if what.builds {
            openlineage::write(project, &stamp.id, &report, &instant_text(context.now), failed.as_ref().map(RunError::code)).await?;
        }
    }
    lease.release().await?;
    Ok(Outcome { report, failed })
}

async fn work(
    context: &Context<'_>,
    lazy: &mut LazyRun,
    what: &Work<'_>,
    report: &mut RunReport,
    progress: &dyn Progress,
) -> Result<(), RunError> {
    let clock = std::time::Instant::now();
    let mut failed: Option<RunError> = None;
    if what.builds {
        rules::refuse_edited(context.root, context.indicators).await?;
        progress.stage("parse");
        // Before the load, so that rows that come again meet what they are by the rules in force.
        match reparse::reparse(context, lazy, what.parse_only, progress).await {
            Ok(parse) => report.parse = Some(parse),
            // A landing folder that is away keeps nothing from being loaded and built: the rows keep their older parse for now.
            Err(error @ RunError::Source(_)) => failed = Some(error),
            Err(error) => return Err(error),
        }
        report.seconds.push(("parse".to_string(), clock.elapsed()));
    }
    let clock = std::time::Instant::now();
    if what.loads {
        progress.stage("load");
        let mut load = LoadReport::default();
        // A source that is down does not keep the other, nor the build, from what has arrived; the run still fails at its end.
        for result in [platform::load(context, lazy, &mut load, progress).await, export::load(context, lazy, &mut load, progress).await] {
            match result {
                Err(stop @ RunError::Stopped) => return Err(stop),
                Err(error) => {
                    failed.get_or_insert(error);
                }
                Ok(()) => {}
            }
        }
        report.load = Some(load);
        report.seconds.push(("load".to_string(), clock.elapsed()));
    }
    let at = build::instant(context, lazy.opened().is_some()).await?;
    report.as_of = instant_text(at);
    if what.builds {
        let (built, unfinished) = build::build(context, lazy, at, progress, &mut report.seconds).await?;
        report.build = Some(built);
        failed = failed.or(unfinished);
    }
    report.release = current_release(context.root).await?.map(|r| r.number);
    failed.map_or(Ok(()), Err)
}

/// A progress nobody watches.
#[derive(Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn stage(&self, _text: &str) {}
    fn step(&self, _text: &str, _done: u64, _total: Option<u64>) {}
}

/// Counts by two names.
pub(crate) type Nested = BTreeMap<String, BTreeMap<String, u64>>;
