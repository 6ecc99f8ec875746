//! `backfill`: months read again whatever the position says, one run a month, resumed where it was left.
//!
//! ```text
//! start ─► opened ─► (running month run ─► done | failed)… ─► all done
//!                        │ killed, failed                └─ cancel
//!                        └─ resume: at the first month that is not done
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use yaojia_models::contract::SourceKind;
use yaojia_models::fault::Fault;
use yaojia_models::value::Month;
use yaojia_warehouse::ledger::{Backfill, BackfillEvent, BackfillState, StepState, backfills, record_backfill, runs};
use yaojia_warehouse::store::Lease;

use super::Outcome;
use super::Work;
use super::leased;
use crate::context::{Context, LazyRun, instant_text};
use crate::error::RunError;
use crate::load::ask::{BuildAsk, LoadAsk};
use crate::plan::select::Nodes;
use crate::progress::Progress;
use crate::project::Project;
use crate::report::{BackfillMonth, RunReport, SCHEMA_VERSION};

/// The verb of its runs.
pub(crate) const VERB: &str = "backfill";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct BackfillAsk {
    /// First month.
    pub from: Month,
    /// Last month.
    pub to: Month,
    /// Datasets, as selectors; empty: all.
    pub datasets: Vec<String>,
    /// Whether the newest month comes first.
    pub newest_first: bool,
    /// Who asks.
    pub by: String,
    /// Why.
    pub why: String,
}

/// A month of a backfill as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonthLine {
    /// Month.
    pub month: String,
    /// `open`, `running` (or killed), `done`, `failed`.
    pub state: &'static str,
    /// The runs that worked at it.
    pub runs: Vec<String>,
    /// Why it failed; empty where it did not.
    pub why: String,
}

/// A backfill as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackfillLine {
    /// `b0001`.
    pub id: String,
    /// `open`, `running` (or killed), `failed`, `done`, `cancelled`.
    pub state: &'static str,
    /// When it was asked for.
    pub time: String,
    /// Who asked.
    pub by: String,
    /// Why.
    pub why: String,
    /// First month.
    pub from: String,
    /// Last month.
    pub to: String,
    /// Datasets; empty: all.
    pub datasets: Vec<String>,
    /// `oldest_first`, `newest_first`.
    pub order: &'static str,
    /// Who gave it up; null where nobody did.
    pub cancelled_by: Option<String>,
    /// Its months, in the order they are done.
    pub months: Vec<MonthLine>,
    /// Whether months are left to do.
    #[serde(skip)]
    pub is_open: bool,
}

impl From<&Backfill> for BackfillLine {
    fn from(of: &Backfill) -> Self {
        let month = |month: String| {
            let step = of.steps.get(&month);
            MonthLine {
                state: step.map_or("open", |step| step.state.text()),
                runs: step.map(|step| step.runs.clone()).unwrap_or_default(),
                why: step.map(|step| step.why.clone()).unwrap_or_default(),
                month,
            }
        };
        Self {
            id: of.id.clone(),
            state: of.state.text(),
            time: of.time.clone(),
            by: of.by.clone(),
            why: of.why.clone(),
            from: of.from.clone(),
            to: of.to.clone(),
            datasets: of.datasets.clone(),
            order: if of.newest_first { "newest_first" } else { "oldest_first" },
            cancelled_by: Some(of.cancelled_by.clone()).filter(|by| !by.is_empty()),
            months: ordered(of).into_iter().map(month).collect(),
            is_open: of.state.is_open(),
        }
    }
}

/// What working at a backfill came to.
#[derive(Debug)]
pub struct Backfilled {
    /// The backfill, as it stands now.
    pub backfill: BackfillLine,
    /// A run for each month that was worked at.
    pub steps: Vec<RunReport>,
    /// Why the last of them failed.
    pub failed: Option<RunError>,
}

/// The months of a range, in order.
fn months(from: &str, to: &str) -> Vec<String> {
    let (Ok(from), Ok(to)) = (Month::parse(from), Month::parse(to)) else { return Vec::new() };
    (0..=to.since(from)).map(|n| from.plus(n).to_string()).collect()
}

/// The months of a backfill, in the order they are done.
fn ordered(of: &Backfill) -> Vec<String> {
    let mut all = months(&of.from, &of.to);
    if of.newest_first {
        all.reverse();
    }
    all
}

async fn all(context: &Context<'_>) -> Result<Vec<Backfill>, RunError> {
    Ok(backfills(context.root, months).await?)
}

fn usage(what: impl Into<String>, hint: impl Into<String>) -> RunError {
    RunError::Usage { what: what.into(), hint: hint.into() }
}

/// All backfills, oldest first.
///
/// # Errors
/// As the storage says.
pub async fn list(project: &Project) -> Result<Vec<BackfillLine>, RunError> {
    Ok(all(&Context::of(project)).await?.iter().map(BackfillLine::from).collect())
}

/// One backfill.
///
/// # Errors
/// [`RunError::NotFound`].
pub async fn show(project: &Project, id: &str) -> Result<BackfillLine, RunError> {
    Ok(BackfillLine::from(&find(&Context::of(project), id).await?))
}

async fn find(context: &Context<'_>, id: &str) -> Result<Backfill, RunError> {
    let number = |text: &str| text.trim_start_matches('b').parse::<u32>().ok();
    let found = all(context).await?.into_iter().find(|of| of.id == id || number(&of.id) == number(id).filter(|_| !id.is_empty()));
    found.ok_or_else(|| RunError::NotFound(format!("there is no backfill `{id}` (`yaojia backfill list`)")))
}

/// Starts a backfill and works at it to its end, or to the first month that fails.
///
/// # Errors
/// [`RunError::Usage`] for months that cannot be read, or where an open backfill concerns one of them already.
pub async fn start(project: &Project, ask: &BackfillAsk, progress: &dyn Progress) -> Result<Backfilled, RunError> {
    let context = Context::of(project);
    let datasets = datasets(&context, &ask.datasets)?;
    check(&context, ask, datasets.as_ref())?;
    let time = instant_text(context.now);
    let lease = Lease::take(context.root, VERB, &time, project.clock.unix_now()).await?;
    let done = async {
        let known = all(&context).await?;
        let (from, to) = (ask.from.to_string(), ask.to.to_string());
        if let Some(open) = known.iter().find(|of| of.state.is_open() && of.from <= to && from <= of.to) {
            return Err(usage(
                format!("backfill {} of {}..{} is {} ({} by {})", open.id, open.from, open.to, open.state.text(), open.why, open.by),
                format!("`yaojia backfill resume {0}` goes on with it, `yaojia backfill cancel {0}` gives it up", open.id),
            ));
        }
        let of = Backfill {
            id: format!("b{:04}", known.len() + 1),
            time: time.clone(),
            by: ask.by.clone(),
            why: ask.why.clone(),
            from,
            to,
            datasets: datasets.iter().flatten().cloned().collect(),
            newest_first: ask.newest_first,
            steps: BTreeMap::new(),
            cancelled_by: String::new(),
            state: BackfillState::Open,
        };
        // The first month's run is the one that writes it down.
        let mut lazy = LazyRun::new(VERB, context.now);
        let stamp = lazy.open(&context).await?;
        record_backfill(context.root, stamp.seq, &time, &of, BackfillEvent::Opened).await?;
        go_on(project, &context, of, Some(lazy), progress).await
    }
    .await;
    lease.release().await?;
    done
}

/// Goes on with a backfill at the first month that is not done.
///
/// # Errors
/// [`RunError::NotFound`], [`RunError::Usage`] where it was given up.
pub async fn resume(project: &Project, id: &str, progress: &dyn Progress) -> Result<Backfilled, RunError> {
    let context = Context::of(project);
    let lease = Lease::take(context.root, VERB, &instant_text(context.now), project.clock.unix_now()).await?;
    let done = async {
        let of = find(&context, id).await?;
        if of.state == BackfillState::Cancelled {
            return Err(usage(
                format!("backfill {} was given up by {}", of.id, of.cancelled_by),
                "start a new one: `yaojia backfill --from …`",
            ));
        }
        go_on(project, &context, of, None, progress).await
    }
    .await;
    lease.release().await?;
    done
}

/// Gives a backfill up; what its months brought stays. Returns it as it stands then.
///
/// # Errors
/// [`RunError::NotFound`], [`RunError::Usage`] where nothing is left of it to give up.
pub async fn cancel(project: &Project, id: &str, by: &str) -> Result<BackfillLine, RunError> {
    let context = Context::of(project);
    let time = instant_text(context.now);
    let lease = Lease::take(context.root, VERB, &time, project.clock.unix_now()).await?;
    let done = async {
        let of = find(&context, id).await?;
        if !of.state.is_open() {
            return Err(usage(format!("backfill {} is {}: nothing is left of it", of.id, of.state.text()), "see `yaojia backfill list`"));
        }
        // No run: it changes no row that anybody reads.
        let seq = runs(context.root).await?.last().map_or(0, |run| run.seq);
        record_backfill(context.root, seq, &time, &of, BackfillEvent::Cancelled(by)).await?;
        Ok(BackfillLine::from(&find(&context, id).await?))
    }
    .await;
    lease.release().await?;
    done
}

/// The datasets that words select; none: all.
fn datasets(context: &Context<'_>, words: &[String]) -> Result<Option<BTreeSet<String>>, RunError> {
    if words.is_empty() {
        return Ok(None);
    }
    // A comma lists here: a dataset and another have nothing in common.
    let words: Vec<String> = words.iter().flat_map(|word| word.split(',')).map(str::to_owned).collect();
    let nodes = Nodes::of(context)?.select(&words, &BTreeMap::new())?;
    let of: BTreeSet<String> = nodes.iter().filter_map(|node| node.strip_prefix("silver.")).map(str::to_owned).collect();
    if of.is_empty() {
        let hint = "name datasets: `--dataset ord_detl,shp`, `--dataset +D13`, `--dataset tag:platform`";
        return Err(usage(format!("`{}` selects no dataset", words.join(" ")), hint));
    }
    Ok(Some(of))
}

/// Whether the months can be read.
fn check(context: &Context<'_>, ask: &BackfillAsk, datasets: Option<&BTreeSet<String>>) -> Result<(), RunError> {
    let (from, to) = (ask.from, ask.to);
    if to < from {
        return Err(usage(
            format!("the months run backwards: {from}..{to}"),
            "`--from` is the earlier one; the order they are done in is `--newest-first`",
        ));
    }
    let last = Month::of_micros(context.now - 1);
    if to > last {
        return Err(usage(format!("month {to} has not begun: it is {last}"), format!("`--to {last}` at the latest")));
    }
    let platform = |name: &str| context.registry.dataset(name).is_some_and(|dataset| dataset.source == SourceKind::Platform);
    let asks_platform = datasets.is_none_or(|of| of.iter().any(|name| platform(name)));
    if let Some(config) = context.platform.as_ref().filter(|_| asks_platform) {
        let since = Month::of_micros(config.since.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros());
        if from < since {
            let hint =
                format!("set `[platform] since = \"{from}-01\"` first; or name only datasets that come as files: `--dataset tag:export`");
            return Err(usage(
                format!("month {from} lies before `[platform] since` ({}): the platform is not asked for it", config.since),
                hint,
            ));
        }
    } else if from < context.first_month {
        let hint = format!("set `[region] first_month = \"{from}\"` first: nothing before it is computed");
        return Err(usage(format!("month {from} lies before `[region] first_month` ({})", context.first_month), hint));
    }
    if context.platform.is_none() && context.export.is_none() {
        return Err(usage("there is no source to read again", "configure `[platform]` or `[export]`"));
    }
    Ok(())
}

/// Does the months that are left, one run each, until one fails.
async fn go_on(
    project: &Project,
    context: &Context<'_>,
    of: Backfill,
    mut first: Option<LazyRun>,
    progress: &dyn Progress,
) -> Result<Backfilled, RunError> {
    let (mut steps, mut failed) = (Vec::new(), None);
    let only: Option<BTreeSet<String>> = Some(of.datasets.iter().cloned().collect()).filter(|of: &BTreeSet<String>| !of.is_empty());
    let left = ordered(&of).into_iter().filter(|month| of.steps.get(month).is_none_or(|step| step.state != StepState::Done));
    for month in left {
        progress.stage(&format!("backfill {} {month}", of.id));
        let mut lazy = first.take().unwrap_or_else(|| LazyRun::new(VERB, context.now));
        let stamp = lazy.open(context).await?;
        let time = instant_text(context.now);
        record_backfill(context.root, stamp.seq, &time, &of, BackfillEvent::Running(&month, &stamp.id)).await?;
        // As of the last run: what came to the platform since then was not read, so a later instant would be built on half of it.
        let load = LoadAsk { platform: only.clone(), files: only.clone(), month: Month::parse(&month).ok(), ..LoadAsk::default() };
        let what = Work { verb: VERB, load: Some(load), build: Some(BuildAsk { completes_last: true, ..BuildAsk::default() }) };
        let report = RunReport {
            schema_version: SCHEMA_VERSION,
            verb: VERB.to_string(),
            backfill: Some(BackfillMonth { id: of.id.clone(), month: month.clone() }),
            ..RunReport::default()
        };
        let Outcome { report, failed: error } = leased(project, context, lazy, &what, report, progress).await?;
        steps.push(report);
        match error {
            None => record_backfill(context.root, stamp.seq, &time, &of, BackfillEvent::Done(&month, &stamp.id)).await?,
            // What the next month brings would be built on this one's error: it is mended first.
            Some(error) => {
                let why = format!("{}: {error}", error.code());
                record_backfill(context.root, stamp.seq, &time, &of, BackfillEvent::Failed(&month, &stamp.id, &why)).await?;
                failed = Some(error);
                break;
            }
        }
    }
    Ok(Backfilled { backfill: BackfillLine::from(&find(context, &of.id).await?), steps, failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_in_both_orders() {
        assert_eq!(months("2023-11", "2024-02"), ["2023-11", "2023-12", "2024-01", "2024-02"]);
        assert_eq!(months("2024-02", "2024-01"), Vec::<String>::new());
        let of = Backfill {
            id: "b0001".into(),
            time: String::new(),
            by: String::new(),
            why: String::new(),
            from: "2024-01".into(),
            to: "2024-02".into(),
            datasets: Vec::new(),
            newest_first: true,
            steps: BTreeMap::new(),
            cancelled_by: String::new(),
            state: BackfillState::Open,
        };
        assert_eq!(ordered(&of), ["2024-02", "2024-01"]);
    }
}
