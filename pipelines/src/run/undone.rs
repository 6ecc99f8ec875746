//! What a run leaves undone: noted in the ledger, so that `retry` takes up this and nothing else.

use std::collections::BTreeSet;

use yaojia_models::fault::Fault;
use yaojia_warehouse::ledger::{self, Undone, UndoneKind, record_undone};

use super::Work;
use super::build;
use crate::context::{Context, LazyRun};
use crate::error::RunError;
use crate::load::ask::{ALL, LoadAsk, Which};
use crate::plan::select::Scope;
use crate::report::PlanReport;

/// A thing left undone because of an error.
pub(crate) fn undone(kind: UndoneKind, name: &str, error: &RunError) -> Undone {
    Undone { kind, name: name.to_owned(), code: error.code().to_owned(), why: error.to_string() }
}

/// Stale tables and indicators as things left undone.
fn stale(plan: &PlanReport, scope: Option<&Scope>, error: &RunError) -> BTreeSet<Undone> {
    let within = |node: &str| scope.is_none_or(|scope| scope.nodes.contains(node));
    let mut all = BTreeSet::new();
    for dataset in plan.parse.iter().filter(|dataset| within(&format!("silver.{dataset}"))) {
        all.insert(undone(UndoneKind::Parse, dataset, error));
    }
    let tables = plan.silver.iter().map(|dataset| format!("silver.{dataset}")).chain(plan.gold.iter().map(|cell| cell.table.clone()));
    all.extend(tables.filter(|table| within(table)).map(|table| undone(UndoneKind::Table, &table, error)));
    let indicators = plan.indicators.iter().map(|month| &month.indicator).filter(|id| within(&format!("indicator.{id}")));
    all.extend(indicators.map(|id| undone(UndoneKind::Indicator, id, error)));
    all
}

/// Whether a run of this kind takes up what was left undone before.
fn covers(what: &Work, scope: Option<&Scope>, of: &Undone) -> bool {
    let load = |reads: &dyn Fn(&LoadAsk) -> bool| what.load.as_ref().is_some_and(|ask| ask.month.is_none() && reads(ask));
    let builds_all = what.build.as_ref().is_some_and(|build| matches!(build.which, Which::All) && build.parse_only.is_none());
    let builds = |node: String| builds_all || scope.is_some_and(|scope| scope.nodes.contains(&node));
    match of.kind {
        UndoneKind::Dataset => load(&|ask| ask.reads(&of.name)),
        UndoneKind::Files => load(&|ask| ask.reads_files_of(&of.name)),
        UndoneKind::File => load(&|ask| ask.files.as_ref().is_none_or(|only| only.contains(ALL)) || ask.paths.contains(&of.name)),
        UndoneKind::Parse => builds(format!("silver.{}", of.name)),
        UndoneKind::Table => builds(of.name.clone()),
        UndoneKind::Indicator => builds(format!("indicator.{}", of.name)),
        UndoneKind::Run => {
            let loads_all = load(&LoadAsk::is_all);
            match of.name.as_str() {
                "load" => loads_all,
                "build" | "quarantine" => builds_all,
                _ => loads_all && builds_all,
            }
        }
    }
}

/// How a run ended, for the note of what it left.
pub(super) struct Ended<'a> {
    /// What it was asked to do.
    pub what: &'a Work,
    /// What it built, where only a part.
    pub scope: Option<&'a Scope>,
    /// What its loads left.
    pub left: Vec<Undone>,
    /// Its data instant, where it came so far.
    pub at: Option<i64>,
    /// Why it failed.
    pub failed: Option<&'a RunError>,
}

/// Notes in the ledger what is undone after a run, if that is something else than before; returns it.
///
/// # Errors
/// As the storage says.
pub(super) async fn note(context: &Context<'_>, lazy: &mut LazyRun, ended: Ended<'_>) -> Result<Vec<Undone>, RunError> {
    let held = ledger::undone(context.root).await?;
    let Ended { what, scope, left, at, failed } = ended;
    let mut now: BTreeSet<Undone> = left.into_iter().collect();
    let mut whole = false;
    // What was wrong with the request leaves nothing undone that a second try could do.
    let refused = failed.is_some_and(|error| {
        matches!(error, RunError::Usage { .. } | RunError::UsedRule(_) | RunError::Config(_) | RunError::Profile(_) | RunError::NotFound(_))
    });
    if let Some(error) = failed.filter(|_| !refused) {
        let stopped = matches!(error, RunError::Stopped);
        match at.filter(|_| what.build.is_some() && !stopped) {
            Some(at) => now.extend(stale(&build::plan(context, at).await?, scope, error)),
            None => whole = stopped || now.is_empty(),
        }
        // A backfill has a ledger of its own.
        if whole && what.verb != super::backfill::VERB {
            now.insert(undone(UndoneKind::Run, what.verb, error));
        }
    }
    // A run that ended before its end says nothing of what was undone before it.
    now.extend(held.iter().filter(|of| whole || refused || !covers(what, scope, of)).cloned());
    // One line for each thing: what this run says of it, not what was said before.
    let mut all: Vec<Undone> = Vec::new();
    for of in now {
        match all.iter_mut().find(|other| (other.kind, &other.name) == (of.kind, &of.name)) {
            Some(other) if held.contains(other) && !held.contains(&of) => *other = of,
            Some(_) => {}
            None => all.push(of),
        }
    }
    let keys = |all: &[Undone]| all.iter().map(|of| (of.kind, of.name.clone(), of.code.clone())).collect::<BTreeSet<_>>();
    if keys(&all) != keys(&held) {
        let stamp = lazy.open(context).await?;
        record_undone(context.root, &stamp, &all).await?;
    }
    Ok(all)
}
