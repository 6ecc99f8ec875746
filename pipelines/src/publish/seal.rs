//! Sealing a month of a release, and verifying all seals.

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
pub async fn seal_month(project: &Project, month: Month, which: &Which, key: &SealKey) -> Result<Sealed, RunError> {
    let context = Context::of(project);
    let at = instant_text(context.now);
    let lease = Lease::take(context.root, "seal", &at, project.clock.unix_now()).await?;
    // The tables of a rollback are those of the release it took back to, and are sealed as that.
    let release = made(&context, &find(&context, which).await?).await?;
    refuse_vacuumed(context.root, release.number).await?;
    let known = yaojia_models::text::parse_timestamp(&release.as_of).ok().flatten().unwrap_or_default();
    let sealed = if known < month.next().first_micros() {
        Err(RunError::Config(format!(
            "{month} has not ended at the data instant {} of release {}: it cannot be sealed",
            release.as_of, release.number
        )))
    } else {
        let ask = SealAsk { month, release: &release, region: context.region, at: &at };
        seal::seal(context.root, context.registry, &ask, key).await.map_err(RunError::from)
    };
    lease.release().await?;
    sealed
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
    key: &SealPublicKey,
    place: Option<&Path>,
    progress: &dyn Progress,
) -> Result<VerifyReport, RunError> {
    let context = Context::of(project);
    progress.stage("signatures, chain, objects, cells");
    let verdict = seal::verify(context.root, context.registry, key, month).await?;
    let mut report = VerifyReport {
        schema_version: SCHEMA_VERSION,
        objects: verdict.objects,
        cells: verdict.cells,
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
        let ask = ReplayAsk { which: Which::Release(said.release), month: Some(&said.month), sql_now: false };
        let name = format!("seal {} of {}", said.seal, said.month);
        match replay(project, &ask, &place.join(said.seal.to_string()), progress).await {
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
            Err(error) => report.findings.push(Finding { what: name, why: format!("it cannot be computed again: {error}") }),
        }
        // One at a time on disk.
        let _ = std::fs::remove_dir_all(place.join(said.seal.to_string()));
    }
    Ok(report)
}
