//! `yaojia seal`: sign a month as published. `yaojia verify`: check all seals.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use yaojia_models::value::Month;
use yaojia_warehouse::audit::seal::SealPublicKey;

use super::progress::Bars;
use super::table::Table;
use super::{App, CliError, ExitStatus};
use crate::publish::Which;

/// Arguments of `seal`.
#[derive(Debug, Args)]
pub struct SealArgs {
    /// The month
    #[arg(value_name = "yyyy-MM", required_unless_present = "public_key")]
    pub month: Option<String>,
    /// The release to seal it from [default: the current one]
    #[arg(long, value_name = "N")]
    pub release: Option<i64>,
    /// Print the public key that verifies, and seal nothing
    #[arg(long, conflicts_with_all = ["month", "release"])]
    pub public_key: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Read and compute the cells of this month only; the chain is always looked at whole
    #[arg(value_name = "yyyy-MM")]
    pub month: Option<String>,
    /// PEM file of the public key [default: the configured one]
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// Do not compute the sealed cells again from the original rows
    #[arg(long)]
    pub no_recompute: bool,
}

#[derive(Serialize)]
struct SealedJson {
    schema_version: u32,
    seal: i64,
    month: String,
    release: i64,
    sha256: String,
    path: String,
    cells: u64,
    objects: u64,
    repeated: bool,
}

pub(super) async fn seal(app: &App, args: &SealArgs) -> Result<ExitStatus, CliError> {
    let project = app.project()?;
    if args.public_key {
        app.printer.text(project.config.seal_public_key()?.to_pem().map_err(crate::error::RunError::from)?.trim_end());
        return Ok(ExitStatus::Done);
    }
    let month = parse(args.month.as_deref().unwrap_or_default())?;
    let which = args.release.map_or(Which::Current, Which::Release);
    let sealed = crate::publish::seal_month(&project, month, &which, &project.config.seal_key()?).await?;
    let said = SealedJson {
        schema_version: super::SCHEMA_VERSION,
        seal: sealed.mark.number,
        month: sealed.mark.month,
        release: sealed.mark.release,
        sha256: sealed.mark.sha256,
        path: sealed.path,
        cells: sealed.cells,
        objects: sealed.objects,
        repeated: sealed.repeated,
    };
    if app.json() {
        app.printer.json("seal", &said)?;
    } else if said.repeated {
        app.printer.text(&format!("{} of release {} is sealed already: {}", said.month, said.release, said.path));
    } else {
        app.printer.text(&format!(
            "sealed {} of release {} as seal {}: {} gold cells, {} objects listed for the first time\n{}  sha256 {}",
            said.month, said.release, said.seal, said.cells, said.objects, said.path, said.sha256
        ));
    }
    Ok(ExitStatus::Done)
}

pub(super) async fn verify(app: &App, args: &VerifyArgs) -> Result<ExitStatus, CliError> {
    let project = app.reading()?;
    if let Some(month) = &args.month {
        parse(month)?;
    }
    let key = match &args.public_key {
        Some(path) => {
            let pem = std::fs::read_to_string(path).map_err(|error| CliError::file(path, &error))?;
            SealPublicKey::from_pem(&pem).map_err(crate::error::RunError::from)?
        }
        None => project.config.seal_public_key()?,
    };
    let scratch = tempfile::Builder::new().prefix("yaojia-verify-").tempdir().map_err(|error| CliError::layout(&error))?;
    let place = (!args.no_recompute).then(|| scratch.path());
    let report = {
        let bars = Bars::new(&app.printer);
        crate::publish::verify_seals(&project, args.month.as_deref(), &key, place, &bars).await?
    };
    let asked = args.month.as_deref();
    if report.findings.is_empty() && !report.seals.iter().any(|seal| asked.is_none_or(|month| seal.month == month)) {
        let what = asked.map_or_else(|| "nothing is sealed".to_owned(), |month| format!("{month} is not sealed"));
        return Err(CliError::missing(what, "`yaojia seal yyyy-MM` seals a month"));
    }
    let printer = &app.printer;
    if app.json() {
        printer.json("verify", &report)?;
    } else {
        let mut table = Table::new(["seal", "month", "release", "as of", "sealed at", "gold cells"]);
        for seal in &report.seals {
            table.push([
                seal.seal.to_string(),
                seal.month.clone(),
                seal.release.to_string(),
                seal.as_of.clone(),
                seal.sealed_at.clone(),
                seal.cells.to_string(),
            ]);
        }
        printer.table("seals whose signature holds", &table);
        printer.text(&format!(
            "{} objects hashed, {} pinned cells digested, {} cells computed again: {}",
            report.objects,
            report.cells,
            report.recomputed,
            if report.findings.is_empty() { "everything holds".to_owned() } else { format!("{} do not fit", report.findings.len()) }
        ));
        for finding in &report.findings {
            printer.text(&format!("  {}: {}", finding.what, finding.why));
        }
    }
    Ok(if report.findings.is_empty() { ExitStatus::Done } else { ExitStatus::Negative })
}

fn parse(month: &str) -> Result<Month, CliError> {
    Month::parse(month).map_err(|why| CliError::usage(format!("`{month}`: {why}"), "for example 2024-03"))
}
