//! `quarantine replay`: parses again what was parsed by other rules, judges again, and says what left quarantine.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use yaojia_warehouse::ledger::read_counts;

use super::Work;
use super::plan;
use super::run;
use crate::error::RunError;
use crate::load::ask::BuildAsk;
use crate::plan::select::PlanFilter;
use crate::progress::Progress;
use crate::project::Project;
use crate::report::Nested;
use crate::report::{RunReport, SCHEMA_VERSION};

/// How many rows of a dataset were set aside for a reason, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Dataset.
    pub dataset: String,
    /// Reason.
    pub reason: String,
    /// Rows before.
    pub before: u64,
    /// Rows after; null where nothing was done.
    pub after: Option<u64>,
}

/// What a replay did, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct ParseAgainReport {
    /// Version of this document.
    pub schema_version: u32,
    /// Datasets of which something is parsed again.
    pub parse: Vec<String>,
    /// Datasets that are judged again; those that follow from a parse are not known before it.
    pub judge: Vec<String>,
    /// Rows in quarantine by dataset and reason.
    pub counts: Vec<Change>,
    /// The run; null where nothing was done.
    pub run: Option<RunReport>,
}

/// Parses and judges again, all datasets or one; a `dry` one only says what it would do.
///
/// # Errors
/// [`RunError::NotFound`] for an unknown dataset, else as a build.
pub async fn parse_again(
    project: &Project,
    dataset: Option<&str>,
    dry: bool,
    progress: &dyn Progress,
) -> Result<ParseAgainReport, RunError> {
    if let Some(name) = dataset.filter(|name| project.dataset(name).is_none()) {
        return Err(RunError::NotFound(format!("there is no dataset `{name}`")));
    }
    let planned = plan(project, &PlanFilter::default()).await?;
    let wanted = |name: &String| dataset.is_none_or(|only| name == only);
    let before = quarantined(project).await?;
    let done = match dry {
        true => None,
        false => {
            let parse_only = dataset.map(|name| BTreeSet::from([name.to_owned()]));
            let build = BuildAsk { parse_only, ..BuildAsk::default() };
            let outcome = run(project, &Work { verb: "quarantine", load: None, build: Some(build) }, progress).await?;
            if let Some(error) = outcome.failed {
                return Err(error);
            }
            Some(outcome.report)
        }
    };
    let after = match &done {
        Some(_) => Some(quarantined(project).await?),
        None => None,
    };
    let keys: BTreeSet<(&String, &String)> = [Some(&before), after.as_ref()]
        .into_iter()
        .flatten()
        .flat_map(|counts| counts.iter().flat_map(|(dataset, of)| of.keys().map(move |reason| (dataset, reason))))
        .filter(|(dataset, _)| wanted(dataset))
        .collect();
    let count = |counts: &Nested, dataset: &str, reason: &str| counts.get(dataset).and_then(|of| of.get(reason)).copied().unwrap_or(0);
    let counts = keys
        .into_iter()
        .map(|(dataset, reason)| Change {
            dataset: dataset.clone(),
            reason: reason.clone(),
            before: count(&before, dataset, reason),
            after: after.as_ref().map(|after| count(after, dataset, reason)),
        })
        .collect();
    Ok(ParseAgainReport {
        schema_version: SCHEMA_VERSION,
        parse: planned.parse.into_iter().filter(wanted).collect(),
        judge: planned.silver.into_iter().filter(wanted).collect(),
        counts,
        run: done,
    })
}

/// Rows in quarantine by dataset and reason, as of the last build.
async fn quarantined(project: &Project) -> Result<Nested, RunError> {
    let counts = read_counts(&project.warehouse.root).await?;
    Ok(counts.into_iter().map(|(dataset, of)| (dataset, of.quarantined)).collect::<BTreeMap<_, _>>())
}
