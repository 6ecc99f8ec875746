//! Building: silver, facts and dimensions, indicators, then the release.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use yaojia_models::contract::SourceKind;
use yaojia_warehouse::WarehouseError;
use yaojia_warehouse::audit::{Basis, basis_of, record_basis};
use yaojia_warehouse::delta::{Cell, Table};
use yaojia_warehouse::gold::{Completeness, Gold, Indicators, Session, SetAside, StaleMonth};
use yaojia_warehouse::ledger::{
    CellMarks, LoadMark, RunStamp, Unreleased, certificates, current_release, last_built, loads, publish_release, read_counts,
    record_certificates, record_unreleased, rollbacks, runs, unreleased, write_counts,
};
use yaojia_warehouse::silver::{CellCounts, QUARANTINE, Silver};

use super::bundle;
use super::restate::restate;
use crate::context::{Context, LazyRun, instant_text};
use crate::error::RunError;
use crate::load::platform::cursor;
use crate::load::reparse;
use crate::plan::select::Scope;
use crate::progress::Progress;
use crate::report::Nested;
use crate::report::{BuildReport, PlanReport, SCHEMA_VERSION};

const DAY: i64 = 86_400_000_000;
/// Stands for all counties in a certificate.
const ALL: &str = "*";

/// The data instant of a run: its clock; but where nothing new arrived and the day is still that of the last run, the last run's, so that
/// a run with nothing to do finds everything fresh, and several that each build a part build parts of one state. A run that completes
/// the last one takes that one's whatever arrived and whenever it is. `own` is this run, if it has written.
pub(crate) async fn instant(context: &Context<'_>, own: Option<&RunStamp>, completes: bool) -> Result<i64, RunError> {
    if context.fixed || (own.is_some() && !completes) {
        return Ok(context.now);
    }
    let instant = |text: &str| yaojia_models::text::parse_timestamp(text).ok().flatten();
    // A release that was taken back to is as of an earlier instant; what stands built is as of the last one that was built.
    let last = last_built(context.root).await?.and_then(|r| instant(&r.as_of));
    // Rows of a run that was killed after it had loaded, and what a run built without moving the release, are as of that run.
    let newest = runs(context.root)
        .await?
        .into_iter()
        .rev()
        .find(|run| run.verb != crate::publish::release::VERB && own.is_none_or(|own| run.seq != own.seq));
    let newest = newest.and_then(|r| instant(&r.as_of));
    let same_day = |t: &i64| completes || t.div_euclid(DAY) == context.now.div_euclid(DAY);
    Ok(last.max(newest).filter(|t| same_day(t) && *t <= context.now).unwrap_or(context.now))
}

/// What a build takes on.
pub(crate) struct Take<'a> {
    /// The data instant.
    pub at: i64,
    /// Only these tables and indicators; the release then waits until nothing is stale any more.
    pub scope: Option<&'a Scope>,
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

pub(crate) async fn completeness(context: &Context<'_>, at: i64) -> Result<Completeness, RunError> {
    let known = loads(context.root).await?;
    let cursors = cursors(context, &known).await?;
    Ok(Completeness::new(context.registry, context.region, context.first_month, at, &known, cursors))
}

/// What is stale as things stand.
pub(crate) async fn plan(context: &Context<'_>, at: i64) -> Result<PlanReport, RunError> {
    let marks = CellMarks::read(context.root).await?;
    let completeness = completeness(context, at).await?;
    let set_aside = SetAside::read(context.root, context.region).await?;
    let silver = silver(context, None).reasons(&marks).await?;
    Ok(PlanReport {
        schema_version: SCHEMA_VERSION,
        as_of: instant_text(at),
        parse: reparse::stale(context).await?,
        silver: silver.iter().map(|(name, _)| name.clone()).collect(),
        silver_reasons: silver.into_iter().map(|(name, reason)| (name, reason.to_string())).collect(),
        gold: gold(context, None).plan(&marks).await?,
        indicators: indicators(context, at, &completeness, &set_aside, None).plan(&marks).await?,
    })
}

pub(crate) fn silver<'a>(context: &'a Context<'_>, scope: Option<&'a Scope>) -> Silver<'a> {
    context.warehouse.silver().only(scope.map(|scope| &scope.silver))
}

pub(crate) fn gold<'a>(context: &'a Context<'_>, scope: Option<&'a Scope>) -> Gold<'a> {
    context.warehouse.gold().only(scope.map(|scope| &scope.gold))
}

pub(crate) fn indicators<'a>(
    context: &'a Context<'_>,
    at: i64,
    completeness: &'a Completeness,
    set_aside: &'a SetAside,
    scope: Option<&'a Scope>,
) -> Indicators<'a> {
    context.warehouse.indicators_at(at, completeness, set_aside).only(scope.map(|scope| &scope.indicators))
}

/// Builds what is stale and moves the release; opens the run only if there is something to write. The second value is the error of an
/// indicator that could not be computed: the others are published all the same. Where only a part is built the release moves only once
/// nothing at all is stale: all tables switch together, and what a release shows is what its instant and the rows received make.
pub(crate) async fn build(
    context: &Context<'_>,
    lazy: &mut LazyRun,
    take: &Take<'_>,
    progress: &dyn Progress,
    seconds: &mut Vec<(String, Duration)>,
) -> Result<(BuildReport, Option<RunError>), RunError> {
    let Take { at, scope } = *take;
    let mut report = BuildReport::default();
    let mut marks = CellMarks::read(context.root).await?;
    let mut clock = Instant::now();
    let mut lap = |name: &str| {
        seconds.push((name.to_string(), clock.elapsed()));
        clock = Instant::now();
    };

    context.go_on()?;
    progress.stage("silver");
    let completeness = completeness(context, at).await?;
    let silver = silver(context, scope);
    if silver.stale(&marks).await?.is_empty() {
        certify(context, lazy, &completeness, BTreeMap::new()).await?;
    } else {
        let stamp = lazy.open(context).await?;
        let outcome = silver.build(&stamp, &mut marks, &|name| progress.step(name, 0, None)).await?;
        // Counts before marks: killed in between, the datasets are built again and counted again.
        write_counts(context.root, stamp.seq, &outcome.counts).await?;
        certify(context, lazy, &completeness, outcome.by_cell).await?;
        marks.flush(context.root, stamp.seq).await?;
        report.replaced.extend(outcome.cells.into_iter().filter(|(_, n)| *n > 0));
        report.judged_rows = outcome.judged;
    }
    lap("silver");

    context.go_on()?;
    progress.stage("gold");
    let stale = gold(context, scope).plan(&marks).await?;
    if !stale.is_empty() {
        let stamp = lazy.open(context).await?;
        let session = Session::new(None, None)?;
        let outcome = gold(context, scope).build(&session, &stamp, &mut marks, &|name| progress.step(name, 0, None)).await;
        marks.flush(context.root, stamp.seq).await?;
        let outcome = outcome?;
        report.cells = Some(outcome.all);
        report.stale.extend(outcome.stale);
        report.replaced.extend(outcome.cells.into_iter().filter(|(_, n)| *n > 0));
    }
    lap("gold");

    context.go_on()?;
    progress.stage("indicators");
    let set_aside = SetAside::read(context.root, context.region).await?;
    let indicators = indicators(context, at, &completeness, &set_aside, scope);
    let mut failed: Option<RunError> = None;
    let stale = indicators.plan(&marks).await?;
    if !stale.is_empty() {
        let stamp = lazy.open(context).await?;
        let session = Session::new(None, None)?;
        let outcome = indicators.build(&session, &stamp, &mut marks, &|name| progress.step(name, 0, None)).await?;
        marks.flush(context.root, stamp.seq).await?;
        report.indicators = Some(outcome.months);
        report.computed = outcome.computed;
        report.judged = outcome.judged;
        report.replaced.extend(outcome.cells.into_iter().filter(|(_, n)| *n > 0));
        report.failed = outcome.failed.iter().map(ToString::to_string).collect();
        failed = outcome.failed.into_iter().next().map(|e| WarehouseError::from(e).into());
    }
    lap("indicators");

    context.go_on()?;
    progress.stage("publish");
    let left = match scope {
        Some(_) => plan(context, at).await?.len(),
        None => 0,
    };
    if left == 0 {
        report.restated = release(context, lazy, at, &stale).await?;
    } else {
        report.waits = Some(left);
        if let Some(stamp) = lazy.opened().filter(|_| !stale.is_empty()) {
            let made =
                stale.iter().map(|of| Unreleased { indicator: of.indicator.clone(), month: of.month.clone(), reason: of.reason.clone() });
            record_unreleased(context.root, stamp.seq, &made.collect::<Vec<_>>()).await?;
        }
    }
    report.silver = read_counts(context.root).await?;
    report.alerts = alerts(context).await?;
    lap("publish");
    Ok((report, failed))
}

/// Writes the certificates that say something else than those in force; `built` has the counts of the datasets built now.
async fn certify(
    context: &Context<'_>,
    lazy: &mut LazyRun,
    completeness: &Completeness,
    built: BTreeMap<String, BTreeMap<Cell, CellCounts>>,
) -> Result<(), RunError> {
    let held = certificates(context.root).await?;
    let mut cells: BTreeMap<String, BTreeMap<Cell, CellCounts>> = BTreeMap::new();
    for (key, of) in held.iter().filter(|(key, _)| key.county != ALL) {
        // A cell that a build left without rows says so.
        let counts = if built.contains_key(&key.dataset) { CellCounts::default() } else { of.counts };
        cells.entry(key.dataset.clone()).or_default().insert(Cell::new(key.county.as_str(), key.month.as_str()), counts);
    }
    for (dataset, counts) in built {
        cells.entry(dataset).or_default().extend(counts);
    }
    let rows = completeness.rows(&cells)?;
    let changed: Vec<_> = rows.iter().filter(|(key, of)| held.get(*key) != Some(*of)).collect();
    if changed.is_empty() || (held.is_empty() && cells.is_empty()) {
        return Ok(());
    }
    let stamp = lazy.open(context).await?;
    record_certificates(context.root, &stamp, &changed).await?;
    Ok(())
}

/// Silver and gold tables with their newest versions.
pub(crate) async fn versions(context: &Context<'_>) -> Result<BTreeMap<String, i64>, RunError> {
    let mut tables = BTreeMap::new();
    let silver = context.registry.datasets().iter().map(|d| ("silver", d.name.as_str())).chain([("silver", QUARANTINE)]);
    let gold = context.registry.gold().iter().map(|t| ("gold", t.name.as_str()));
    for (layer, name) in silver.chain(gold) {
        if let Some(table) = Table::open(context.root, layer, name).await? {
            tables.insert(format!("{layer}.{name}"), table.version());
        }
    }
    Ok(tables)
}

/// Moves the release to the tables as they are, if any of them moved; returns what it restates, by change. A rollback stands until a table
/// has moved since.
async fn release(context: &Context<'_>, lazy: &mut LazyRun, at: i64, stale: &[StaleMonth]) -> Result<BTreeMap<String, u64>, RunError> {
    let tables = versions(context).await?;
    let held = current_release(context.root).await?;
    if let Some(held) = &held
        && rollbacks(context.root).await?.get(&held.run_id).is_some_and(|back| back.latest == tables)
    {
        return Ok(BTreeMap::new());
    }
    if tables.is_empty() || held.as_ref().is_some_and(|r| r.tables == tables && lazy.opened().is_none()) {
        return Ok(BTreeMap::new());
    }
    let bundle = bundle::keep(context).await?;
    // A run that changed no table, as of the same instant and by the same texts, has nothing to show that is not shown.
    if let Some(held) = held.as_ref().filter(|held| held.tables == tables && held.as_of == instant_text(at))
        && basis_of(context.root, held.number).await?.is_some_and(|basis| basis.bundle == bundle)
    {
        return Ok(BTreeMap::new());
    }
    let stamp = lazy.open(context).await?;
    let known = loads(context.root).await?;
    let basis = Basis {
        release: held.as_ref().map_or(0, |release| release.number) + 1,
        run_seq: stamp.seq,
        run_id: stamp.id.clone(),
        as_of: instant_text(at),
        bundle,
        cursors: cursors(context, &known).await?,
    };
    record_basis(context.root, &basis).await?;
    let restated = match &held {
        Some(before) => {
            let others = basis_of(context.root, before.number).await?.is_none_or(|known| known.bundle != basis.bundle);
            let mut why: Vec<(String, String, String)> = Vec::new();
            // A run's id begins with its number: `r000012-…`.
            let made = before.run_id.get(1..7).and_then(|seq| seq.parse().ok()).unwrap_or_default();
            why.extend(unreleased(context.root, made).await?.into_iter().map(|of| (of.indicator, of.month, of.reason)));
            why.extend(stale.iter().map(|of| (of.indicator.clone(), of.month.clone(), of.reason.clone())));
            restate(context, &stamp, before, &tables, &why, others).await?
        }
        None => BTreeMap::new(),
    };
    publish_release(context.root, stamp.seq, &stamp.id, &instant_text(at), tables).await?;
    Ok(restated)
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
