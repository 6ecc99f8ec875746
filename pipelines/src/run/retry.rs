//! `retry`: what the last runs left undone, and what follows from it; nothing else.

use std::collections::BTreeSet;

use yaojia_models::contract::SourceKind;
use yaojia_warehouse::ledger::{Undone, UndoneKind, runs, undone};
use yaojia_warehouse::store::Lease;

use super::Outcome;
use super::Work;
use super::backfill;
use super::leased;
use crate::context::{Context, LazyRun, instant_text};
use crate::error::RunError;
use crate::load::ask::{ALL, BuildAsk, LoadAsk, Which};
use crate::plan::select::Nodes;
use crate::progress::Progress;
use crate::project::Project;
use crate::publish::release;
use crate::report::{RunReport, SCHEMA_VERSION};

const VERB: &str = "retry";

/// Takes up again what the ledger says was left undone: datasets of the platform, files, tables, indicators; a run that was killed as a
/// whole. What is made of it is built too, as of the run it completes, so that the release can move. With nothing undone it does nothing.
///
/// # Errors
/// As a nightly run.
pub async fn retry(project: &Project, progress: &dyn Progress) -> Result<Outcome, RunError> {
    let context = Context::of(project);
    let lease = Lease::take(context.root, VERB, &instant_text(context.now), project.clock.unix_now()).await?;
    let outcome = again(project, &context, progress).await;
    lease.release().await?;
    outcome
}

async fn again(project: &Project, context: &Context<'_>, progress: &dyn Progress) -> Result<Outcome, RunError> {
    let mut left = undone(context.root).await?;
    left.extend(killed(context).await?);
    let retried = left.iter().map(|of| format!("{} {}", of.kind.text(), of.name)).collect();
    let report = RunReport { schema_version: SCHEMA_VERSION, verb: VERB.to_string(), retried, ..RunReport::default() };
    let what = match left.is_empty() {
        true => Work { verb: VERB, load: None, build: None },
        false => work(context, &left)?,
    };
    leased(project, context, LazyRun::new(VERB, context.now), &what, report, progress).await
}

/// The last run, where it never came to its end: what it left nobody wrote down.
async fn killed(context: &Context<'_>) -> Result<Option<Undone>, RunError> {
    let all = runs(context.root).await?;
    let Some(last) = all.iter().rev().find(|run| run.verb != release::VERB && run.verb != backfill::VERB) else { return Ok(None) };
    let ended = all.iter().any(|run| run.seq == last.seq && run.state != "opened");
    Ok((!ended).then(|| Undone { kind: UndoneKind::Run, name: last.verb.clone(), code: String::new(), why: "it was killed".to_owned() }))
}

/// What is to be done about it.
fn work(context: &Context<'_>, left: &[Undone]) -> Result<Work, RunError> {
    let nodes = Nodes::of(context)?;
    let (mut platform, mut files, mut paths) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut build = BTreeSet::new();
    let (mut loads_all, mut builds_all) = (false, false);
    let is_export = |name: &str| context.datasets.iter().any(|d| d.name == name && d.source == SourceKind::Export);
    for of in left {
        match of.kind {
            UndoneKind::Dataset => {
                platform.insert(of.name.clone());
                build.extend(nodes.with_downstream(&format!("silver.{}", of.name)));
            }
            UndoneKind::Files => {
                files.insert(of.name.clone());
                builds_all |= of.name == ALL;
                build.extend(nodes.with_downstream(&format!("silver.{}", of.name)));
            }
            UndoneKind::File => {
                paths.insert(of.name.clone());
                // A file that a profile maps may feed any dataset.
                match of.name.split('/').next().filter(|folder| is_export(folder)) {
                    Some(dataset) => build.extend(nodes.with_downstream(&format!("silver.{dataset}"))),
                    None => builds_all = true,
                }
            }
            UndoneKind::Parse => build.extend(nodes.with_downstream(&format!("silver.{}", of.name))),
            UndoneKind::Table => build.extend(nodes.with_downstream(&of.name)),
            UndoneKind::Indicator => build.extend(nodes.with_downstream(&format!("indicator.{}", of.name))),
            UndoneKind::Run => {
                builds_all = true;
                loads_all |= !matches!(of.name.as_str(), "build" | "quarantine");
            }
        }
    }
    let load = match loads_all {
        true => LoadAsk::default(),
        false => LoadAsk { platform: Some(platform), files: Some(files), paths, ..LoadAsk::default() },
    };
    let which = match builds_all {
        true => Which::All,
        false => {
            // An indicator or a table that is no more is nothing to build.
            let known = nodes.all();
            Which::Nodes(build.into_iter().filter(|node| known.contains(node)).collect())
        }
    };
    Ok(Work { verb: VERB, load: Some(load), build: Some(BuildAsk { which, parse_only: None, completes_last: !builds_all }) })
}
