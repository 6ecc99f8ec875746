//! `yaojia seal`: sign a month as published. `yaojia verify`: check all seals.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use yaojia_models::value::Month;
use yaojia_warehouse::audit::seal::SealPublicKey;

use super::progress::Bars;
use super::table::Table;
use super::{App, CliError, ExitStatus};
use crate::project::Project;
use crate::publish::Which;

/// Arguments of `seal`.
#[derive(Debug, Args)]
pub struct SealArgs {
    /// The month
    #[arg(value_name = "yyyy-MM", required_unless_present_any = ["public_key", "hand_over"])]
    pub month: Option<String>,
    /// The release to seal it from [default: the current one]
    #[arg(long, value_name = "N")]
    pub release: Option<i64>,
    /// Print the public keys that verify, and seal nothing
    #[arg(long, conflicts_with_all = ["month", "release"])]
    pub public_key: bool,
    /// Sign with the key in use that the key of this public PEM seals from now on, and seal nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["month", "release", "public_key"])]
    pub hand_over: Option<PathBuf>,
    /// Why the key is handed over; kept in what is signed
    #[arg(long, requires = "hand_over", default_value = "")]
    pub why: String,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Read and compute the cells of this month only; the chain is always looked at whole
    #[arg(value_name = "yyyy-MM")]
    pub month: Option<String>,
    /// PEM file of one public key or several; may be given several times [default: the configured ones]
    #[arg(long, value_name = "FILE")]
    pub public_key: Vec<PathBuf>,
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
    other_key: Option<String>,
}

#[derive(Serialize)]
struct HandedOverJson {
    schema_version: u32,
    from: String,
    to: String,
    path: String,
}

pub(super) async fn seal(app: &App, args: &SealArgs) -> Result<ExitStatus, CliError> {
    let project = app.project()?;
    if args.public_key {
        for key in project.config.seal_public_keys()? {
            app.printer.text(key.to_pem().map_err(crate::error::RunError::from)?.trim_end());
        }
        return Ok(ExitStatus::Done);
    }
    if let Some(file) = &args.hand_over {
        return hand_over(app, &project, file, &args.why).await;
    }
    let month = parse(args.month.as_deref().unwrap_or_default())?;
    let which = args.release.map_or(Which::Current, Which::Release);
    let known = project.config.seal_public_keys()?;
    let sealed = crate::publish::seal_month(&project, month, &which, &project.config.seal_key()?, &known).await?;
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
        other_key: sealed.other_key,
    };
    if let Some(other) = &said.other_key {
        app.printer.warn(&format!(
            "the seal before is signed by another key (`{other}`), which has not handed over to this one: who verifies needs both public keys"
        ));
    }
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

/// Hands over to the key of a public PEM.
async fn hand_over(app: &App, project: &Project, file: &Path, why: &str) -> Result<ExitStatus, CliError> {
    let new = match keys_of(file)?.as_slice() {
        [new] => new.clone(),
        many => return Err(CliError::usage(format!("`{}` holds {} keys", file.display(), many.len()), "give the new public key alone")),
    };
    let old = project.config.seal_key()?;
    let path = crate::publish::hand_over(project, &old, &new, &project.config.seal_public_keys()?, why).await?;
    let said = HandedOverJson { schema_version: super::SCHEMA_VERSION, from: old.public().id(), to: new.id(), path };
    if app.json() {
        app.printer.json("seal", &said)?;
    } else {
        app.printer.text(&format!(
            "the key {} has handed over to {}: {}\nput the new key into `audit.seal_key`, and its public half beside the old one into `audit.seal_public_key`",
            said.from, said.to, said.path
        ));
    }
    Ok(ExitStatus::Done)
}

/// The public keys of a PEM file.
fn keys_of(path: &Path) -> Result<Vec<SealPublicKey>, CliError> {
    let pem = std::fs::read_to_string(path).map_err(|error| CliError::file(path, &error))?;
    Ok(SealPublicKey::all_from_pem(&pem).map_err(crate::error::RunError::from)?)
}

pub(super) async fn verify(app: &App, args: &VerifyArgs) -> Result<ExitStatus, CliError> {
    let project = app.reading()?;
    if let Some(month) = &args.month {
        parse(month)?;
    }
    let keys = if args.public_key.is_empty() {
        project.config.seal_public_keys()?
    } else {
        args.public_key.iter().map(|path| keys_of(path)).collect::<Result<Vec<_>, _>>()?.concat()
    };
    let scratch = tempfile::Builder::new().prefix("yaojia-verify-").tempdir().map_err(|error| CliError::layout(&error))?;
    let place = (!args.no_recompute).then(|| scratch.path());
    let report = {
        let bars = Bars::new(&app.printer);
        crate::publish::verify_seals(&project, args.month.as_deref(), &keys, place, &bars).await?
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
            "{} objects hashed, {} pinned cells digested, {} published cells compared, {} restated since, {} cells computed again: {}",
            report.objects,
            report.cells,
            report.published,
            report.restated.len(),
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
