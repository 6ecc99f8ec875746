//! Replay: a release made again, as known then, in a place of its own, from this warehouse alone.

use std::path::Path;

use serde::Serialize;
use yaojia_models::text::parse_timestamp;
use yaojia_warehouse::Root;
use yaojia_warehouse::audit::{Difference, as_known, basis_of, compare};
use yaojia_warehouse::ledger::{Release, releases, rollbacks};
use yaojia_warehouse::store::Archive;

use crate::clock::Clock;
use crate::context::{Context, LazyRun, naive};
use crate::error::RunError;
use crate::load::position::POSITION;
use crate::progress::Progress;
use crate::project::Project;
use crate::report::SCHEMA_VERSION;
use crate::run::build;
use crate::run::build::Take;
use crate::run::bundle::{self, contracts};

/// Which release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one readers see now.
    Current,
    /// By its number.
    Release(i64),
    /// The one a run made, by the run's id or number.
    Run(String),
}

/// What a replay found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReplayReport {
    /// Version of this document.
    pub schema_version: u32,
    /// The release.
    pub release: i64,
    /// The run that made it.
    pub run_id: String,
    /// Its data instant.
    pub as_of: String,
    /// `then`: SQL, rules and settings of that run; `now`: the project's of today.
    pub sql: &'static str,
    /// Contracts that have changed since: they are part of the program and are taken as they are now.
    pub contracts_changed: Vec<String>,
    /// Bronze files known then.
    pub bronze_files: u64,
    /// Bronze rows known then.
    pub bronze_rows: u64,
    /// Cells compared.
    pub cells: u64,
    /// Cells that are not what was published.
    pub different: Vec<CellDifference>,
    /// Where the replayed warehouse was left, if it was asked for.
    pub kept: Option<String>,
}

/// A cell that is not what was published.
#[derive(Debug, Clone, Serialize)]
pub struct CellDifference {
    /// `layer.table`.
    pub table: String,
    /// County code.
    pub county: String,
    /// Month.
    pub month: String,
    /// Digest as published; null: no rows.
    pub published: Option<String>,
    /// Digest as replayed; null: no rows.
    pub replayed: Option<String>,
    /// The first row that is not the same, as published.
    pub published_row: Option<String>,
    /// The same, as replayed.
    pub replayed_row: Option<String>,
}

impl From<Difference> for CellDifference {
    fn from(found: Difference) -> Self {
        let (published_row, replayed_row) = found.row.unzip();
        Self {
            table: found.table,
            county: found.cell.county,
            month: found.cell.month,
            published: found.digests.0,
            replayed: found.digests.1,
            published_row,
            replayed_row,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ReplayAsk<'a> {
    /// Which release.
    pub which: Which,
    /// Compare this month only.
    pub month: Option<&'a str>,
    /// With SQL, rules and settings of today.
    pub sql_now: bool,
}

/// Replays a release into the empty folder `place` and compares every silver and gold cell with what was published.
///
/// # Errors
/// [`RunError::NotFound`] for an unknown release or one without a basis; [`RunError::Warehouse`] when a text is not what it was.
pub async fn replay(project: &Project, ask: &ReplayAsk<'_>, place: &Path, progress: &dyn Progress) -> Result<ReplayReport, RunError> {
    let context = Context::of(project);
    let release = find(&context, &ask.which).await?;
    let made = made(&context, &release).await?;
    let basis = basis_of(context.root, made.number)
        .await?
        .filter(|basis| basis.run_id == made.run_id)
        .ok_or_else(|| RunError::NotFound(format!("release {} has no basis on record: it cannot be replayed", made.number)))?;
    let manifest = bundle::manifest(context.root, &basis).await?;
    let root = Root::open(&place.to_string_lossy(), std::collections::HashMap::new())?;
    progress.stage("as known then");
    let known = as_known(context.root, &root, context.registry, &basis, POSITION).await?;

    let at = parse_timestamp(&basis.as_of).ok().flatten().unwrap_or(context.now);
    let mut then = project.clone();
    then.warehouse.archive = Archive::new(root.clone(), yaojia_warehouse::store::AuditKeys::default());
    then.warehouse.root = root;
    then.clock = Clock::at(naive(at));
    then.config.platform = None;
    then.config.export = None;
    if !ask.sql_now {
        then = bundle::restore(&context, &manifest, then).await?;
    }
    let scratch = Context::of(&then);
    let mut lazy = LazyRun::new("replay", at);
    let (_, failed) = build::build(&scratch, &mut lazy, &Take { at, scope: None }, progress, &mut Vec::new()).await?;
    if let Some(error) = failed {
        return Err(error);
    }

    let now = contracts(context.registry);
    let mut report = ReplayReport {
        schema_version: SCHEMA_VERSION,
        release: release.number,
        run_id: release.run_id.clone(),
        as_of: release.as_of.clone(),
        sql: if ask.sql_now { "now" } else { "then" },
        contracts_changed: manifest
            .contracts
            .iter()
            .filter(|(name, digest)| now.get(*name) != Some(digest))
            .map(|(name, _)| name.clone())
            .collect(),
        bronze_files: known.files,
        bronze_rows: known.rows,
        ..ReplayReport::default()
    };
    progress.stage("compare");
    for (table, version) in release.tables.iter().filter(|(table, _)| table.starts_with("silver.") || table.starts_with("gold.")) {
        let (cells, different) = compare((context.root, Some(*version)), (scratch.root, None), table, ask.month).await?;
        report.cells += cells;
        report.different.extend(different.into_iter().map(CellDifference::from));
    }
    Ok(report)
}

/// The release whose run made the tables: of a rollback the one it took back to.
pub(super) async fn made(context: &Context<'_>, release: &Release) -> Result<Release, RunError> {
    let (all, back) = (releases(context.root).await?, rollbacks(context.root).await?);
    let mut made = release.clone();
    while let Some(to) = back.get(&made.run_id).map(|back| back.to) {
        let target = all.iter().find(|other| other.number == to && other.number < made.number);
        made = target
            .cloned()
            .ok_or_else(|| RunError::NotFound(format!("there is no release {to}, which release {} took back to", made.number)))?;
    }
    Ok(made)
}

pub(super) async fn find(context: &Context<'_>, which: &Which) -> Result<Release, RunError> {
    let all = releases(context.root).await?;
    let missing = |what: String| RunError::NotFound(format!("there is no release {what}"));
    match which {
        Which::Current => all.into_iter().next_back().ok_or_else(|| missing("yet: run `yaojia nightly`".to_owned())),
        Which::Release(number) => all.into_iter().find(|release| release.number == *number).ok_or_else(|| missing(number.to_string())),
        Which::Run(run) => {
            let padded = run.parse::<i64>().map(|number| format!("r{number:06}-")).unwrap_or_default();
            let made = |release: &Release| release.run_id == *run || (!padded.is_empty() && release.run_id.starts_with(&padded));
            // Of several the last: a run moves the release once, a rollback names its own run.
            all.into_iter().rev().find(made).ok_or_else(|| missing(format!("of the run `{run}`")))
        }
    }
}
