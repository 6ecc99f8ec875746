//! `yaojia backfill`: months read again, recorded, resumed, listed, given up.

use clap::{Args, Subcommand};
use serde_json::json;
use yaojia_models::value::Month;

use super::progress::Bars;
use super::table::Table;
use super::{App, CliError, ExitStatus, Printer, report};
use crate::config::vars;
use crate::run::backfill::{self, BackfillAsk, BackfillLine, Backfilled};

/// Arguments of `backfill`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BackfillArgs {
    /// What to do with those there are.
    #[command(subcommand)]
    pub what: Option<What>,
    /// A new one.
    #[command(flatten)]
    pub new: NewArgs,
}

/// A new backfill.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// First month
    #[arg(long, value_name = "yyyy-MM", required = true, value_parser = month)]
    pub from: Option<Month>,
    /// Last month
    #[arg(long, value_name = "yyyy-MM", required = true, value_parser = month)]
    pub to: Option<Month>,
    /// Why
    #[arg(long, value_name = "REASON", required = true)]
    pub why: Option<String>,
    /// Who asks for it [default: the user name of the environment]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Only these datasets: names with commas between, or selectors, such as +D13 or tag:platform
    #[arg(long, value_name = "DATASET")]
    pub dataset: Vec<String>,
    /// The earliest month first, the default
    #[arg(long, conflicts_with = "newest_first")]
    pub oldest_first: bool,
    /// The latest month first
    #[arg(long)]
    pub newest_first: bool,
}

/// What to do with those there are.
#[derive(Debug, Subcommand)]
pub enum What {
    /// All of them, the newest first
    List,
    /// One, month by month
    Show {
        /// Its id, b0001 or 1
        id: String,
    },
    /// Go on at the first month that is not done
    Resume {
        /// Its id, b0001 or 1
        id: String,
    },
    /// Give it up; what its months brought stays
    Cancel {
        /// Its id, b0001 or 1
        id: String,
        /// Who gives it up [default: the user name of the environment]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

/// A month of the command line.
pub(super) fn month(text: &str) -> Result<Month, String> {
    Month::parse(text).map_err(|error| error.to_string())
}

/// Who: as said, or as the environment has it.
fn who(app: &App, said: Option<&String>) -> Result<String, CliError> {
    let named = said.map(String::as_str).or_else(|| vars::WHO.iter().find_map(|var| app.vars.get(*var))).unwrap_or_default().trim();
    match named.is_empty() {
        true => Err(CliError::usage("nobody is named: the environment has no user name", "--by 张三")),
        false => Ok(named.to_owned()),
    }
}

pub(super) async fn backfill(app: &App, args: &BackfillArgs) -> Result<ExitStatus, CliError> {
    match &args.what {
        None => new(app, &args.new).await,
        Some(What::List) => list(app).await,
        Some(What::Show { id }) => {
            let of = backfill::show(&app.reading()?, id).await?;
            shown(app, &of)?;
            Ok(ExitStatus::Done)
        }
        Some(What::Resume { id }) => {
            let project = app.project()?;
            let done = {
                let bars = Bars::new(&app.printer);
                backfill::resume(&project, id, &bars).await?
            };
            worked(app, done)
        }
        Some(What::Cancel { id, by }) => {
            let of = backfill::cancel(&app.project()?, id, &who(app, by.as_ref())?).await?;
            shown(app, &of)?;
            Ok(ExitStatus::Done)
        }
    }
}

async fn new(app: &App, args: &NewArgs) -> Result<ExitStatus, CliError> {
    let (Some(from), Some(to)) = (args.from, args.to) else {
        return Err(CliError::usage("a backfill has a first and a last month", "--from 2024-01 --to 2024-06"));
    };
    let why = args.why.as_deref().unwrap_or_default().trim().to_owned();
    if why.is_empty() {
        return Err(CliError::usage("a backfill says why", "--why 平台补数"));
    }
    let by = who(app, args.by.as_ref())?;
    let ask = BackfillAsk { from, to, datasets: args.dataset.clone(), newest_first: args.newest_first, by, why };
    let project = app.project()?;
    let done = {
        let bars = Bars::new(&app.printer);
        backfill::start(&project, &ask, &bars).await?
    };
    worked(app, done)
}

/// What working at one came to: its runs, and how far it is.
fn worked(app: &App, done: Backfilled) -> Result<ExitStatus, CliError> {
    if app.json() {
        app.printer.json("backfill", &json!({"backfill": done.backfill, "steps": done.steps}))?;
    } else {
        for step in &done.steps {
            let month = step.backfill.as_ref().map(|of| of.month.as_str()).unwrap_or_default();
            let rows = step.load.as_ref().map_or(0, crate::report::LoadReport::appended);
            app.printer.text(&format!("{month}: {rows} rows that were not held, {}", built(step)));
            if app.printer.style().level == super::Level::Verbose {
                report::text(&app.printer, step);
            }
        }
        one(&app.printer, &done.backfill);
        if done.backfill.is_open {
            app.printer.note(&format!("it goes on with `{}`", app.command(&format!("backfill resume {}", done.backfill.id))));
        }
    }
    done.failed.map_or(Ok(ExitStatus::Done), |error| Err(error.into()))
}

fn built(step: &crate::report::RunReport) -> String {
    let replaced: u64 = step.build.iter().flat_map(|build| build.replaced.values()).sum();
    let release = step.release.map_or_else(|| "no release yet".to_owned(), |number| format!("release {number}"));
    format!("{replaced} cells replaced, {release}")
}

async fn list(app: &App) -> Result<ExitStatus, CliError> {
    let all = backfill::list(&app.reading()?).await?;
    if app.json() {
        app.printer.json("backfill", &json!({"backfills": all}))?;
        return Ok(ExitStatus::Done);
    }
    if all.is_empty() {
        app.printer.text("there was no backfill yet");
        return Ok(ExitStatus::Done);
    }
    app.printer.table("", &table(all.iter().rev()));
    Ok(ExitStatus::Done)
}

/// Backfills, one a line.
pub(super) fn table<'a>(all: impl Iterator<Item = &'a BackfillLine>) -> Table {
    let mut table = Table::new(["backfill", "state", "months", "done", "datasets", "by", "why", "time"]);
    for of in all {
        let done = of.months.iter().filter(|month| month.state == "done").count();
        let datasets = if of.datasets.is_empty() { "all".to_owned() } else { of.datasets.join(" ") };
        table.push([
            of.id.clone(),
            of.state.to_owned(),
            format!("{}..{}", of.from, of.to),
            format!("{done} of {}", of.months.len()),
            datasets,
            of.by.clone(),
            of.why.clone(),
            of.time.clone(),
        ]);
    }
    table
}

fn shown(app: &App, of: &BackfillLine) -> Result<(), CliError> {
    if app.json() {
        return app.printer.json("backfill", &json!({"backfill": of}));
    }
    one(&app.printer, of);
    Ok(())
}

fn one(printer: &Printer, of: &BackfillLine) {
    printer.table("", &table(std::iter::once(of)));
    if let Some(by) = &of.cancelled_by {
        printer.text(&format!("given up by {by}"));
    }
    let mut table = Table::new(["month", "state", "runs", "why"]);
    for month in &of.months {
        table.push([month.month.clone(), month.state.to_owned(), month.runs.join(" "), month.why.clone()]);
    }
    printer.table("", &table);
}
