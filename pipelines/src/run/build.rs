//! Building: silver, facts and dimensions, indicators, then the release.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use yaojia_models::contract::SourceKind;
use yaojia_warehouse::WarehouseError;
use yaojia_warehouse::audit::{Basis, record_basis};
use yaojia_warehouse::delta::Table;
use yaojia_warehouse::gold::{Completeness, Gold, Indicators, Session};
use yaojia_warehouse::ledger::{CellMarks, LoadMark, current_release, last_run, loads, publish_release, read_counts, write_counts};
use yaojia_warehouse::silver::{QUARANTINE, Silver};

use super::bundle;
use super::context::{Context, LazyRun, instant_text};
use super::platform::cursor;
use super::report::{BuildReport, PlanReport, SCHEMA_VERSION};
use super::{Nested, Progress, RunError};

const DAY: i64 = 86_400_000_000;

/// The data instant of a run: its clock; but where nothing new arrived and the day is still that of the last run, the last run's,
/// so that a run with nothing to do finds everything fresh.
pub(crate) async fn instant(context: &Context<'_>, news: bool) -> Result<i64, RunError> {
    if news || context.fixed {
        return Ok(context.now);
    }
    let last = current_release(context.root)
        .await?
        .and_then(|r| yaojia_models::text::parse_timestamp(&r.as_of).ok().flatten())
        .filter(|t| t.div_euclid(DAY) == context.now.div_euclid(DAY) && *t <= context.now);
    // A run that was killed after it had loaded leaves rows that came after the last release.
    let newer = last_run(context.root).await?.and_then(|r| yaojia_models::text::parse_timestamp(&r.as_of).ok().flatten());
    Ok(match (last, newer) {
        (Some(last), Some(newer)) if newer <= last => last,
        _ => context.now,
    })
}

/// How far every dataset of the platform was read whole.
async fn cursors(context: &Context<'_>, known: &[LoadMark]) -> Result<BTreeMap<String, i64>, RunError> {
    let mut cursors = BTreeMap::new();
    for dataset in context.registry.datasets().iter().filter(|d| d.source == SourceKind::Platform) {
        if let Some(until) = cursor(context, &dataset.name, known).await? {
            cursors.insert(dataset.name.clone(), until);
        }
    }
    Ok(cursors)
}

async fn completeness(context: &Context<'_>, at: i64) -> Result<Completeness, RunError> {
    let known = loads(context.root).await?;
    let cursors = cursors(context, &known).await?;
    Ok(Completeness::new(context.registry, context.region, at, &known, cursors))
}

/// What is stale as things stand.
pub(crate) async fn plan(context: &Context<'_>, at: i64) -> Result<PlanReport, RunError> {
    let marks = CellMarks::read(context.root).await?;
    let completeness = completeness(context, at).await?;
    Ok(PlanReport {
        schema_version: SCHEMA_VERSION,
        as_of: instant_text(at),
        silver: silver(context).stale(&marks).await?,
        gold: gold(context).plan(&marks).await?,
        indicators: indicators(context, at, &completeness).plan(&marks).await?,
    })
}

fn silver<'a>(context: &'a Context<'_>) -> Silver<'a> {
    Silver { root: context.root, registry: context.registry, region: context.region }
}

fn gold<'a>(context: &'a Context<'_>) -> Gold<'a> {
    Gold { root: context.root, registry: context.registry, region: context.region, models: &context.models }
}

fn indicators<'a>(context: &'a Context<'_>, at: i64, completeness: &'a Completeness) -> Indicators<'a> {
    Indicators {
        root: context.root,
        registry: context.registry,
        region: context.region,
        first_month: context.first_month,
        indicators: context.indicators,
        instant: at,
        completeness,
        parameters: context.parameters,
    }
}

/// Builds what is stale and moves the release; opens the run only if there is something to write. The second value is the error of an
/// indicator that could not be computed: the others are published all the same.
pub(crate) async fn build(
    context: &Context<'_>,
    lazy: &mut LazyRun,
    at: i64,
    progress: &dyn Progress,
    seconds: &mut Vec<(String, Duration)>,
) -> Result<(BuildReport, Option<RunError>), RunError> {
    let mut report = BuildReport::default();
    let mut marks = CellMarks::read(context.root).await?;
    let mut clock = Instant::now();
    let mut lap = |name: &str| {
        seconds.push((name.to_string(), clock.elapsed()));
        clock = Instant::now();
    };

    context.go_on()?;
    progress.stage("silver");
    if !silver(context).stale(&marks).await?.is_empty() {
        let stamp = lazy.open(context).await?;
        let outcome = silver(context).build(&stamp, &mut marks, &|name| progress.step(name, 0, None)).await?;
        marks.flush(context.root, stamp.seq).await?;
        write_counts(context.root, stamp.seq, &outcome.counts).await?;
        report.replaced.extend(outcome.cells.into_iter().filter(|(_, n)| *n > 0));
    }
    lap("silver");

    context.go_on()?;
    progress.stage("gold");
    let stale = gold(context).plan(&marks).await?;
    if !stale.is_empty() {
        let stamp = lazy.open(context).await?;
        let session = Session::new(None, None)?;
        let outcome = gold(context).build(&session, &stamp, &mut marks, &|name| progress.step(name, 0, None)).await;
        marks.flush(context.root, stamp.seq).await?;
        let outcome = outcome?;
        report.stale.extend(outcome.stale);
        report.replaced.extend(outcome.cells.into_iter().filter(|(_, n)| *n > 0));
    }
    lap("gold");

    context.go_on()?;
    progress.stage("indicators");
    let completeness = completeness(context, at).await?;
    let indicators = indicators(context, at, &completeness);
    let mut failed: Option<RunError> = None;
    if !indicators.plan(&marks).await?.is_empty() {
        let stamp = lazy.open(context).await?;
        let session = Session::new(None, None)?;
        let outcome = indicators.build(&session, &stamp, &mut marks, &|name| progress.step(name, 0, None)).await?;
        marks.flush(context.root, stamp.seq).await?;
        report.computed = outcome.computed;
        report.judged = outcome.judged;
        report.replaced.extend(outcome.cells.into_iter().filter(|(_, n)| *n > 0));
        report.failed = outcome.failed.iter().map(ToString::to_string).collect();
        failed = outcome.failed.into_iter().next().map(|e| WarehouseError::from(e).into());
    }
    lap("indicators");

    context.go_on()?;
    progress.stage("publish");
    release(context, lazy, at).await?;
    report.silver = read_counts(context.root).await?;
    report.alerts = alerts(context).await?;
    lap("publish");
    Ok((report, failed))
}

/// Moves the release to the tables as they are, if any of them moved.
async fn release(context: &Context<'_>, lazy: &mut LazyRun, at: i64) -> Result<(), RunError> {
    let mut tables = BTreeMap::new();
    let silver = context.registry.datasets().iter().map(|d| ("silver", d.name.as_str())).chain([("silver", QUARANTINE)]);
    let gold = context.registry.gold().iter().map(|t| ("gold", t.name.as_str()));
    for (layer, name) in silver.chain(gold) {
        if let Some(table) = Table::open(context.root, layer, name).await? {
            tables.insert(format!("{layer}.{name}"), table.version());
        }
    }
    let held = current_release(context.root).await?;
    if tables.is_empty() || held.as_ref().is_some_and(|r| r.tables == tables && lazy.opened().is_none()) {
        return Ok(());
    }
    let stamp = lazy.open(context).await?;
    let known = loads(context.root).await?;
    let basis = Basis {
        release: held.map_or(0, |release| release.number) + 1,
        run_seq: stamp.seq,
        run_id: stamp.id.clone(),
        as_of: instant_text(at),
        bundle: bundle::keep(context).await?,
        cursors: cursors(context, &known).await?,
    };
    record_basis(context.root, &basis).await?;
    publish_release(context.root, stamp.seq, &stamp.id, &instant_text(at), tables).await?;
    Ok(())
}

/// Alerts by indicator and state, as stored now.
async fn alerts(context: &Context<'_>) -> Result<Nested, RunError> {
    use arrow::array::AsArray as _;
    let mut counts = Nested::new();
    let Some(table) = Table::open(context.root, "gold", "alert").await? else { return Ok(counts) };
    let wanted = ["indicator_id".to_string(), "state".to_string()];
    for file in table.files()? {
        for batch in yaojia_warehouse::delta::read_file(&table.store(), table.label(), &file.path, Some(&wanted)).await? {
            let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
            if let (Some(ids), Some(states)) = (text("indicator_id"), text("state")) {
                for (id, state) in ids.iter().zip(states.iter()) {
                    *counts
                        .entry(id.unwrap_or_default().to_string())
                        .or_default()
                        .entry(state.unwrap_or_default().to_string())
                        .or_default() += 1;
                }
            }
        }
    }
    Ok(counts)
}
