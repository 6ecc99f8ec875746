//! `yaojia replay`: a release made again as known then, and compared with what was published.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::progress::Bars;
use super::table::Table;
use super::{App, CliError, ExitStatus};
use crate::publish::{ReplayAsk, Which};

/// Whose SQL, rules and settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sql {
    /// Those of the run
    Then,
    /// Those of today
    Now,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Release by its number [default: the current one]
    #[arg(long, value_name = "N", conflicts_with = "run")]
    pub release: Option<i64>,
    /// Release by the run that made it: id or number
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Compare this month only
    #[arg(long, value_name = "yyyy-MM")]
    pub month: Option<String>,
    /// Whose SQL, rules and settings
    #[arg(long, value_enum, default_value = "then")]
    pub sql: Sql,
    /// Keep the replayed warehouse in this folder, which must be empty or new
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

pub(super) async fn replay(app: &App, args: &ReplayArgs) -> Result<ExitStatus, CliError> {
    let project = app.reading()?;
    let which = match (&args.release, &args.run) {
        (Some(number), _) => Which::Release(*number),
        (None, Some(run)) => Which::Run(run.clone()),
        (None, None) => Which::Current,
    };
    if let Some(month) = &args.month {
        yaojia_models::value::Month::parse(month)
            .map_err(|why| CliError::usage(format!("`--month`: {why}"), "for example --month 2024-03"))?;
    }
    let scratch = tempfile::Builder::new().prefix("yaojia-replay-").tempdir().map_err(|error| CliError::layout(&error))?;
    let place = match &args.out {
        Some(dir) => {
            if std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(CliError::usage(format!("`--out {}` is not empty", dir.display()), "give a new folder"));
            }
            dir.clone()
        }
        None => scratch.path().join("warehouse"),
    };
    let ask = ReplayAsk { which, month: args.month.as_deref(), sql_now: args.sql == Sql::Now };
    let mut report = {
        let bars = Bars::new(&app.printer);
        crate::publish::replay(&project, &ask, &place, &bars).await?
    };
    report.kept = args.out.as_ref().map(|dir| dir.display().to_string());
    let printer = &app.printer;
    if app.json() {
        printer.json("replay", &report)?;
    } else {
        printer.text(&format!(
            "release {} of {} replayed as of {}, SQL and rules of {}: {} bronze rows known then, {} cells compared, {}",
            report.release,
            report.run_id,
            report.as_of,
            report.sql,
            report.bronze_rows,
            report.cells,
            if report.different.is_empty() { "all equal".to_owned() } else { format!("{} differ", report.different.len()) }
        ));
        if !report.contracts_changed.is_empty() {
            printer.warn(&format!("contracts changed since: {}", report.contracts_changed.join(", ")));
        }
        let mut table = Table::new(["table", "county", "month", "published", "replayed"]);
        let short =
            |digest: &Option<String>| digest.as_deref().map_or_else(|| "no rows".to_owned(), |digest| digest.chars().take(12).collect());
        for found in &report.different {
            table.push([found.table.clone(), found.county.clone(), found.month.clone(), short(&found.published), short(&found.replayed)]);
        }
        if !table.is_empty() {
            printer.table("\nnot what was published", &table);
        }
        for found in report.different.iter().filter(|found| found.published_row.is_some()) {
            let row = |row: &Option<String>| row.clone().unwrap_or_default();
            printer.text(&format!(
                "\nfirst row of {} {} {}\n  published: {}\n  replayed:  {}",
                found.table,
                found.county,
                found.month,
                row(&found.published_row),
                row(&found.replayed_row)
            ));
        }
    }
    Ok(if report.different.is_empty() { ExitStatus::Done } else { ExitStatus::Negative })
}
