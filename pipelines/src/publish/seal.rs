//! Sealing a month of a release, and verifying all seals.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use yaojia_models::value::Month;
use yaojia_warehouse::audit::seal::{self, Finding, SealAsk, SealKey, SealPublicKey, Sealed};
use yaojia_warehouse::ledger::refuse_vacuumed;
use yaojia_warehouse::store::Lease;

use super::replay::{ReplayAsk, Which, find, made, replay};
use crate::context::{Context, instant_text};
use crate::error::RunError;
use crate::progress::Progress;
use crate::project::Project;
use crate::report::SCHEMA_VERSION;

/// Seals a month of a release.
///
/// # Errors
/// [`RunError::NotFound`] for an unknown release, [`RunError::Config`] for a month that has not ended by its data instant.
pub async fn seal_month(
    project: &Project,
    month: Month,
    which: &Which,
    key: &SealKey,
    known: &[SealPublicKey],
) -> Result<Sealed, RunError> {
    let context = Context::of(project);
    let at = instant_text(context.now);
    let lease = Lease::take(context.root, "seal", &at, project.clock.unix_now()).await?;
    // The tables of a rollback are those of the release it took back to, and are sealed as that.
    let release = made(&context, &find(&context, which).await?).await?;
    refuse_vacuumed(context.root, release.number).await?;
    let instant = yaojia_models::text::parse_timestamp(&release.as_of).ok().flatten().unwrap_or_default();
    let sealed = if instant < month.next().first_micros() {
        Err(RunError::Config(format!(
            "{month} has not ended at the data instant {} of release {}: it cannot be sealed",
            release.as_of, release.number
        )))
    } else {
        let ask = SealAsk { month, release: &release, region: context.region, at: &at };
        seal::seal(context.root, context.registry, &ask, key, known).await.map_err(RunError::from)
    };
    lease.release().await?;
    sealed
}

/// Hands the sealing over to another key: signed by the one in use. Returns the path of what was signed.
///
/// # Errors
/// [`RunError::Warehouse`] when the key in use was handed over before; `E-WH-007` when another run holds the lease.
pub async fn hand_over(
    project: &Project,
    old: &SealKey,
    new: &SealPublicKey,
    known: &[SealPublicKey],
    why: &str,
) -> Result<String, RunError> {
    let context = Context::of(project);
    let at = instant_text(context.now);
    let lease = Lease::take(context.root, "seal", &at, project.clock.unix_now()).await?;
    let done = seal::hand_over(context.root, old, new, known, &at, why).await;
    lease.release().await?;
    Ok(done?)
}

/// What verifying found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerifyReport {
    /// Version of this document.
    pub schema_version: u32,
    /// Seals whose signature holds.
    pub seals: Vec<SealLine>,
    /// Objects hashed.
    pub objects: u64,
    /// Pinned cells read and digested.
    pub cells: u64,
    /// Published cells of sealed months compared with the pinned ones.
    pub published: u64,
    /// Sealed cells that the current release shows otherwise: restated since. Computing again shows whether that follows from the rows.
    pub restated: Vec<String>,
    /// Cells computed again from the sealed bytes.
    pub recomputed: u64,
    /// All that does not fit; empty: everything holds.
    pub findings: Vec<Finding>,
}

/// A seal.
#[derive(Debug, Clone, Serialize)]
pub struct SealLine {
    /// Its number.
    pub seal: i64,
    /// The month.
    pub month: String,
    /// When it was sealed.
    pub sealed_at: String,
    /// The release.
    pub release: i64,
    /// The release's data instant.
    pub as_of: String,
    /// Gold cells.
    pub cells: usize,
}

/// Verifies all seals: signature, chain, objects, pinned cells; and, where `place` is given, computes every sealed release again there
/// and compares the cells of its sealed months.
///
/// # Errors
/// As the storage says; what does not fit is a finding.
pub async fn verify_seals(
    project: &Project,
    month: Option<&str>,
    keys: &[SealPublicKey],
    place: Option<&Path>,
    progress: &dyn Progress,
) -> Result<VerifyReport, RunError> {
    let context = Context::of(project);
    progress.stage("signatures, chain, objects, cells");
    let verdict = seal::verify(context.root, context.registry, keys, month).await?;
    let mut report = VerifyReport {
        schema_version: SCHEMA_VERSION,
        objects: verdict.objects,
        cells: verdict.cells,
        published: verdict.published,
        restated: verdict.restated,
        findings: verdict.findings,
        ..VerifyReport::default()
    };
    for statement in &verdict.statements {
        let said = &statement.predicate;
        report.seals.push(SealLine {
            seal: said.seal,
            month: said.month.clone(),
            sealed_at: said.sealed_at.clone(),
            release: said.release,
            as_of: said.as_of.clone(),
            cells: statement.subject.len(),
        });
        let Some(place) = place.filter(|_| month.is_none_or(|month| said.month == month)) else { continue };
        let name = format!("seal {} of {}", said.seal, said.month);
        recompute(project, Which::Release(said.release), &said.month, &name, place, progress, &mut report).await;
    }
    // What readers see of a sealed month in a later release follows from the rows, too.
    if let Some(place) = place.filter(|_| !report.restated.is_empty()) {
        let months: BTreeSet<String> =
            report.restated.iter().filter_map(|cell| cell.rsplit_once("/month=").map(|(_, month)| month.to_owned())).collect();
        for month in months {
            let name = format!("{month} in the current release");
            recompute(project, Which::Current, &month, &name, place, progress, &mut report).await;
        }
    }
    Ok(report)
}

/// Computes a month of a release again in a place of its own and compares it with what was published.
async fn recompute(
    project: &Project,
    which: Which,
    month: &str,
    name: &str,
    place: &Path,
    progress: &dyn Progress,
    report: &mut VerifyReport,
) {
    let ask = ReplayAsk { which, month: Some(month), sql_now: false };
    let place = place.join("again");
    match replay(project, &ask, &place, progress).await {
        Ok(replayed) => {
            report.recomputed += replayed.cells;
            report.findings.extend(replayed.different.into_iter().map(|cell| Finding {
                what: format!("{} {} {}", cell.table, cell.county, cell.month),
                why: format!(
                    "computed again for {name} it is not what was published: published {}, computed {}",
                    cell.published_row.or(cell.published).unwrap_or_else(|| "no rows".to_owned()),
                    cell.replayed_row.or(cell.replayed).unwrap_or_else(|| "no rows".to_owned())
                ),
            }));
        }
        Err(error) => report.findings.push(Finding { what: name.to_owned(), why: format!("it cannot be computed again: {error}") }),
    }
    // One at a time on disk.
    let _ = std::fs::remove_dir_all(&place);
}
