//! Releases: what each shows, how two differ, and taking back to an earlier one.

use std::collections::{BTreeMap, BTreeSet};

use object_store::ObjectStoreExt as _;
use serde::Serialize;
use yaojia_models::digest::{Digest, merkle_root};
use yaojia_warehouse::delta::digest_in;
use yaojia_warehouse::ledger::{
    Release, Rollback, current_release, open_run, publish_release, record_rollback, record_run, refuse_vacuumed, releases, rollbacks, runs,
    vacuumed,
};
use yaojia_warehouse::store::Lease;

use crate::context::{Context, instant_text};
use crate::error::RunError;
use crate::project::Project;
use crate::report::SCHEMA_VERSION;
use crate::run::build::versions;
use crate::run::differ::{cells, files, place, rows, side};

/// The verb in the run ledger.
pub const VERB: &str = "release rollback";

/// A release in the list.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// Its number.
    pub number: i64,
    /// The run that made it.
    pub run_id: String,
    /// The run's instant.
    pub time: String,
    /// Its data instant.
    pub as_of: String,
    /// Tables whose version is another than in the release before.
    pub changed: Vec<String>,
    /// Where it takes back to an earlier one.
    pub rollback: Option<TakenBack>,
    /// Whether it can still be read; else `maintain` has removed rows of it.
    pub readable: bool,
}

/// A rollback.
#[derive(Debug, Clone, Serialize)]
pub struct TakenBack {
    /// The release that was current.
    pub from: i64,
    /// The release it took back to.
    pub to: i64,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

impl From<&Rollback> for TakenBack {
    fn from(of: &Rollback) -> Self {
        Self { from: of.from, to: of.to, by: of.by.clone(), why: of.why.clone() }
    }
}

/// A table in a release.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// `gold.fact_order`.
    pub table: String,
    /// Its version.
    pub version: i64,
    /// Cells with rows.
    pub cells: usize,
    /// Rows.
    pub rows: u64,
    /// Merkle root over the cells' canonical digests.
    pub root: String,
}

/// A release in full.
#[derive(Debug, Clone, Serialize)]
pub struct Showing {
    /// As in the list.
    #[serde(flatten)]
    pub release: Listed,
    /// Its tables.
    pub tables: Vec<Shown>,
}

/// A cell that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellChange {
    /// Its place: `county=652801/month=2024-01`.
    pub cell: String,
    /// `added`, `removed`, `changed`.
    pub change: &'static str,
    /// Rows before.
    pub rows_before: Option<u64>,
    /// Rows after.
    pub rows_after: Option<u64>,
}

/// A table that differs.
#[derive(Debug, Clone, Serialize)]
pub struct TableChange {
    /// `gold.fact_order`.
    pub table: String,
    /// Its versions; null where the release does not have it.
    pub versions: (Option<i64>, Option<i64>),
    /// Its cells.
    pub cells: Vec<CellChange>,
}

/// A value or an alert that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowChange {
    /// `appeared`, `vanished`, `changed`.
    pub change: &'static str,
    /// What names it.
    pub key: BTreeMap<String, String>,
    /// What it was: only the columns that differ, all where it vanished.
    pub before: BTreeMap<String, Option<String>>,
    /// What it is.
    pub after: BTreeMap<String, Option<String>>,
}

/// How two releases differ.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The one.
    pub from: i64,
    /// The other.
    pub to: i64,
    /// Their data instants.
    pub as_of: (String, String),
    /// Tables that differ.
    pub tables: Vec<TableChange>,
    /// Published values that differ.
    pub values: Vec<RowChange>,
    /// Alerts that differ.
    pub alerts: Vec<RowChange>,
}

impl Difference {
    /// Whether they hold the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }
}

/// What a rollback did.
#[derive(Debug, Clone, Serialize)]
pub struct RolledBack {
    /// Version of this document.
    pub schema_version: u32,
    /// The release readers see now.
    pub release: i64,
    /// The run; null where nothing had to be done.
    pub run_id: Option<String>,
    /// The release it shows the versions of.
    pub to: i64,
    /// The release that was current.
    pub from: i64,
}

/// All releases, newest last.
///
/// # Errors
/// As the storage says.
pub async fn list(project: &Project) -> Result<Vec<Listed>, RunError> {
    let root = &project.warehouse.root;
    let times: BTreeMap<String, String> = runs(root).await?.into_iter().rev().map(|run| (run.id, run.as_of)).collect();
    let (back, gone) = (rollbacks(root).await?, vacuumed(root).await?);
    let mut before: BTreeMap<String, i64> = BTreeMap::new();
    let mut all = Vec::new();
    for release in releases(root).await? {
        let names: BTreeSet<&String> = before.keys().chain(release.tables.keys()).collect();
        let changed = names.into_iter().filter(|name| before.get(*name) != release.tables.get(*name)).cloned().collect();
        all.push(Listed {
            number: release.number,
            time: times.get(&release.run_id).cloned().unwrap_or_default(),
            as_of: release.as_of,
            changed,
            rollback: back.get(&release.run_id).map(TakenBack::from),
            readable: !gone.contains_key(&release.number),
            run_id: release.run_id,
        });
        before = release.tables;
    }
    Ok(all)
}

async fn find(project: &Project, number: i64) -> Result<Release, RunError> {
    let found = releases(&project.warehouse.root).await?.into_iter().find(|release| release.number == number);
    found.ok_or_else(|| RunError::NotFound(format!("there is no release {number}: `yaojia release list`")))
}

/// A release whose rows are all there, as far as maintenance goes.
async fn readable(project: &Project, number: i64) -> Result<Release, RunError> {
    let found = find(project, number).await?;
    refuse_vacuumed(&project.warehouse.root, number).await?;
    Ok(found)
}

/// A release with the rows and the digest of every table.
///
/// # Errors
/// [`RunError::NotFound`] when there is none of this number.
pub async fn show(project: &Project, number: i64) -> Result<Showing, RunError> {
    let release = find(project, number).await?;
    let listed = list(project).await?.into_iter().find(|listed| listed.number == number);
    let listed = listed.ok_or_else(|| RunError::NotFound(format!("there is no release {number}")))?;
    let mut tables = Vec::new();
    for (name, version) in &release.tables {
        let (_, files) = files(&project.warehouse.root, name, *version).await?;
        let mut leaves = BTreeMap::new();
        for file in &files {
            let digest = digest_in(&file.path).and_then(|digest| digest.parse::<Digest>().ok());
            let digest = digest.unwrap_or_else(|| Digest::of(file.path.as_bytes()));
            leaves.insert(format!("{name}/{}", place(file)), digest);
        }
        tables.push(Shown {
            table: name.clone(),
            version: *version,
            cells: leaves.len(),
            rows: files.iter().filter_map(|file| file.rows).sum(),
            root: merkle_root(&leaves).hex(),
        });
    }
    Ok(Showing { release: listed, tables })
}

/// How two releases differ, table by table and cell by cell; values and alerts row by row.
///
/// # Errors
/// [`RunError::NotFound`] when there is none of a number; `E-WH-011` when one cannot be read any more.
pub async fn diff(project: &Project, from: i64, to: i64) -> Result<Difference, RunError> {
    let (one, other) = (readable(project, from).await?, readable(project, to).await?);
    let mut tables = Vec::new();
    let (mut values, mut alerts) = (Vec::new(), Vec::new());
    let names: BTreeSet<&String> = one.tables.keys().chain(other.tables.keys()).collect();
    for name in names {
        let versions = (one.tables.get(name).copied(), other.tables.get(name).copied());
        if versions.0 == versions.1 {
            continue;
        }
        let before = side(&project.warehouse.root, name, versions.0).await?;
        let after = side(&project.warehouse.root, name, versions.1).await?;
        let cells = cells(&before, &after);
        if cells.is_empty() {
            continue;
        }
        let changed: BTreeSet<&str> = cells.iter().map(|cell| cell.cell.as_str()).collect();
        match name.as_str() {
            "gold.indicator_value" => values = rows(name, &before, &after, &changed).await?,
            "gold.alert" => alerts = rows(name, &before, &after, &changed).await?,
            _ => {}
        }
        tables.push(TableChange { table: name.clone(), versions, cells });
    }
    Ok(Difference { from, to, as_of: (one.as_of, other.as_of), tables, values, alerts })
}

/// Makes a new release that shows what release `number` shows. The tables keep their newest versions: the next run that changes
/// anything publishes all of them together again; until then the rollback stands.
///
/// # Errors
/// [`RunError::NotFound`] when there is no such release or a file of it is gone; `E-WH-007` when another run holds the lease.
pub async fn rollback(project: &Project, number: i64, by: &str, why: &str) -> Result<RolledBack, RunError> {
    let context = Context::of(project);
    let time = instant_text(context.now);
    let lease = Lease::take(context.root, VERB, &time, project.clock.unix_now()).await?;
    let done = take_back(project, &context, number, by, why, &time).await;
    lease.release().await?;
    done
}

async fn take_back(project: &Project, context: &Context<'_>, number: i64, by: &str, why: &str, time: &str) -> Result<RolledBack, RunError> {
    let wanted = readable(project, number).await?;
    let held = current_release(context.root).await?.unwrap_or_default();
    let answer = |release: i64, run_id: Option<String>| RolledBack {
        schema_version: SCHEMA_VERSION,
        release,
        run_id,
        to: number,
        from: held.number,
    };
    if held.tables == wanted.tables {
        return Ok(answer(held.number, None));
    }
    // A release that cannot be read any more must not become what readers see.
    for (name, version) in &wanted.tables {
        let (table, files) = files(&project.warehouse.root, name, *version).await?;
        for file in files {
            let path = object_store::path::Path::parse(&file.path).map_err(|e| RunError::Report(e.to_string()))?;
            table.store().head(&path).await.map_err(|_| {
                RunError::NotFound(format!("release {number} cannot be read any more: `{}` of table `{name}` is gone", file.path))
            })?;
        }
    }
    let stamp = open_run(context.root, VERB, context.now, time).await?;
    let latest = versions(context).await?;
    let row = Rollback { run_id: stamp.id.clone(), from: held.number, to: number, by: by.to_string(), why: why.to_string(), latest };
    record_rollback(context.root, stamp.seq, &row).await?;
    let made = publish_release(context.root, stamp.seq, &stamp.id, &wanted.as_of, wanted.tables).await?;
    let note = format!("release {} shows release {number}; by {by}: {why}", made.number);
    record_run(context.root, &stamp, VERB, time, "done", &note).await?;
    let report = answer(made.number, Some(stamp.id.clone()));
    let text = serde_json::to_string_pretty(&report).map_err(|e| RunError::Report(e.to_string()))?;
    context.root.put(&format!("_ops/runs/{}/run.json", stamp.id), text.into()).await?;
    Ok(report)
}
