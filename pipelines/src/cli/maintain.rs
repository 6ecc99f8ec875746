//! `yaojia maintain`: merge small files, write checkpoints, remove what nobody needs; and the backup.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde::Serialize;
use yaojia_warehouse::keep::{Copied, Tally};

use super::progress::Bars;
use super::table::Table;
use super::{App, CliError, ExitStatus};
use crate::tend::maintain::{MaintainReport, backup, maintain as run};

/// Arguments of `maintain`.
#[derive(Debug, Args)]
pub struct MaintainArgs {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Something else than that
    #[command(subcommand)]
    pub what: Option<What>,
}

/// What else there is to do.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Copy the warehouse to a folder, or bring the copy there up to date
    Backup {
        /// The folder
        dir: String,
        /// Remove from the copy what the warehouse has no more
        #[arg(long)]
        prune: bool,
    },
}

#[derive(Serialize)]
struct CopiedJson<'a> {
    schema_version: u32,
    to: &'a str,
    #[serde(flatten)]
    copied: Copied,
}

pub(super) async fn maintain(app: &App, args: &MaintainArgs) -> Result<ExitStatus, CliError> {
    let project = app.project()?;
    if let Some(What::Backup { dir, prune }) = &args.what {
        if args.dry_run {
            return Err(CliError::usage("a backup has no `--dry-run`", "leave it out: what is there already is not copied again"));
        }
        let copied = backup(&project, dir, *prune).await?;
        if app.json() {
            app.printer.json("maintain backup", &CopiedJson { schema_version: super::SCHEMA_VERSION, to: dir, copied })?;
        } else {
            let pruned = if *prune { format!(", {} removed from it", files(copied.pruned)) } else { String::new() };
            app.printer.text(&format!("{}: {} copied of {}{pruned}", dir, files(copied.copied), files(copied.all)));
            app.printer.note(&format!("`yaojia --warehouse {dir} doctor --deep` looks whether the copy is whole"));
        }
        return Ok(ExitStatus::Done);
    }
    let report = {
        let bars = Bars::new(&app.printer);
        run(&project, args.dry_run, &bars).await?
    };
    if app.json() {
        app.printer.json("maintain", &report)?;
    } else {
        show(app, &report);
    }
    Ok(ExitStatus::Done)
}

fn files(of: Tally) -> String {
    format!("{} files ({} bytes)", of.files, of.bytes)
}

fn show(app: &App, report: &MaintainReport) {
    let printer = &app.printer;
    let mut table = Table::new(["what", "table", "files", "bytes"]);
    for (name, merged) in &report.compacted {
        table.push(["merge".to_owned(), name.clone(), format!("{} → {}", merged.before, merged.after), String::new()]);
    }
    for (name, commits) in &report.checkpoints {
        table.push(["checkpoint".to_owned(), name.clone(), format!("after {commits} commits"), String::new()]);
    }
    let mut removed = |what: &str, of: &BTreeMap<String, Tally>| {
        for (name, tally) in of {
            table.push([what.to_owned(), name.clone(), tally.files.to_string(), tally.bytes.to_string()]);
        }
    };
    removed("remove superseded", &report.superseded);
    removed("remove orphans", &report.orphans);
    removed("remove old log", &report.logs);
    for (what, of) in [("remove candidates", report.candidates), ("remove unfinished uploads", report.leftovers)] {
        if of.files > 0 {
            table.push([what.to_owned(), String::new(), of.files.to_string(), of.bytes.to_string()]);
        }
    }
    if table.is_empty() {
        printer.text("nothing to do");
    } else {
        printer.table(if report.dry_run { "would be done" } else { "done" }, &table);
    }
    let list = |of: &[i64]| of.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    if !report.given_up.is_empty() {
        let when = if report.dry_run { "would not be readable any more" } else { "are not readable any more" };
        printer.text(&format!("releases {} {when}", list(&report.given_up)));
    }
    if report.young.files > 0 {
        printer.note(&format!("{} belong to nothing and are too young to be removed", files(report.young)));
    }
    if report.sealed.files > 0 {
        printer.note(&format!("{} are kept for seals only", files(report.sealed)));
    }
}
