//! `yaojia release`: list, show, diff, rollback.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;
use yaojia_warehouse::ledger::restatements;

use super::table::Table;
use super::{App, CliError, ExitStatus, Printer};
use crate::publish::release::{self, Difference, Listed, RowChange};

/// Arguments of `release`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum What {
    /// All releases, and which tables each changed
    List,
    /// One release: version, rows and digest of every table
    Show {
        /// Its number
        number: i64,
    },
    /// How two releases differ: cells, and values and alerts that appeared, vanished or changed; exit 1 where they do
    Diff {
        /// The earlier one
        from: i64,
        /// The later one
        to: i64,
        /// Values and alerts to print
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: usize,
    },
    /// Values and alerts of closed months that releases showed otherwise than before, with the cause
    Restatements {
        /// Of this release only
        #[arg(long, value_name = "N")]
        release: Option<i64>,
        /// Rows to print
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: usize,
    },
    /// Show readers an earlier release again, as a new release, until a run changes something
    Rollback {
        /// The release to take back to
        number: i64,
        /// Who takes it back
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why
        #[arg(long, value_name = "REASON")]
        why: String,
    },
}

pub(super) async fn release(app: &App, args: &ReleaseArgs) -> Result<ExitStatus, CliError> {
    match &args.what {
        What::List => list(app).await,
        What::Show { number } => show(app, *number).await,
        What::Diff { from, to, limit } => diff(app, *from, *to, *limit).await,
        What::Restatements { release, limit } => restated(app, *release, *limit).await,
        What::Rollback { number, by, why } => rollback(app, *number, by, why).await,
    }
}

fn note(of: &Listed) -> String {
    let back = of.rollback.as_ref().map(|back| format!("back from {} to {}, by {}: {}", back.from, back.to, back.by, back.why));
    let gone = (!of.readable).then(|| "cannot be read any more (maintain)".to_owned());
    [back, gone].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

async fn list(app: &App) -> Result<ExitStatus, CliError> {
    let all = release::list(&app.reading()?).await?;
    if app.json() {
        app.printer.json("release", &json!({"releases": all}))?;
        return Ok(ExitStatus::Done);
    }
    if all.is_empty() {
        app.printer.text("nothing was published yet");
        return Ok(ExitStatus::Done);
    }
    let mut table = Table::new(["release", "run", "time", "as of", "changed tables", "note"]);
    for of in all.iter().rev() {
        let changed = match of.changed.as_slice() {
            few if few.len() <= 3 => few.join(" "),
            many => format!("{} tables", many.len()),
        };
        table.push([of.number.to_string(), of.run_id.clone(), of.time.clone(), of.as_of.clone(), changed, note(of)]);
    }
    app.printer.table("", &table);
    Ok(ExitStatus::Done)
}

async fn show(app: &App, number: i64) -> Result<ExitStatus, CliError> {
    let of = release::show(&app.reading()?, number).await?;
    if app.json() {
        app.printer.json("release", &of)?;
        return Ok(ExitStatus::Done);
    }
    let head = &of.release;
    app.printer.text(&format!("release {} of {}, {}, as of {}", head.number, head.run_id, head.time, head.as_of));
    let note = note(head);
    if !note.is_empty() {
        app.printer.text(&note);
    }
    let mut table = Table::new(["table", "version", "cells", "rows", "Merkle root"]);
    for of in &of.tables {
        table.push([of.table.clone(), of.version.to_string(), of.cells.to_string(), of.rows.to_string(), of.root.clone()]);
    }
    app.printer.table("", &table);
    Ok(ExitStatus::Done)
}

async fn diff(app: &App, from: i64, to: i64, limit: usize) -> Result<ExitStatus, CliError> {
    let of = release::diff(&app.reading()?, from, to).await?;
    if app.json() {
        app.printer.json("release", &of)?;
    } else {
        differences(&app.printer, &of, limit);
    }
    Ok(if of.is_empty() { ExitStatus::Done } else { ExitStatus::Negative })
}

fn differences(printer: &Printer, of: &Difference, limit: usize) {
    if of.is_empty() {
        return printer.text(&format!("releases {} and {} hold the same", of.from, of.to));
    }
    printer.text(&format!("release {} (as of {}) against release {} (as of {})", of.from, of.as_of.0, of.to, of.as_of.1));
    let mut table = Table::new(["table", "versions", "added cells", "removed", "changed", "rows before", "rows after"]);
    for of in &of.tables {
        let count = |change: &str| of.cells.iter().filter(|cell| cell.change == change).count().to_string();
        let version = |version: Option<i64>| version.map_or_else(|| "–".to_owned(), |version| version.to_string());
        let before: u64 = of.cells.iter().filter_map(|cell| cell.rows_before).sum();
        let after: u64 = of.cells.iter().filter_map(|cell| cell.rows_after).sum();
        table.push([
            of.table.clone(),
            format!("{} → {}", version(of.versions.0), version(of.versions.1)),
            count("added"),
            count("removed"),
            count("changed"),
            before.to_string(),
            after.to_string(),
        ]);
    }
    printer.table("\ncells that differ", &table);
    rows(printer, "values", &of.values, limit);
    rows(printer, "alerts", &of.alerts, limit);
}

fn rows(printer: &Printer, what: &str, of: &[RowChange], limit: usize) {
    let count = |change: &str| of.iter().filter(|row| row.change == change).count();
    printer.text(&format!("\n{what}: {} appeared, {} vanished, {} changed", count("appeared"), count("vanished"), count("changed")));
    if of.is_empty() {
        return;
    }
    let mut table = Table::new(["change", "which", "before", "after"]);
    let text = |side: &std::collections::BTreeMap<String, Option<String>>| {
        let shown = side.iter().filter(|(name, _)| SHOWN.contains(&name.as_str()));
        shown.map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("–"))).collect::<Vec<_>>().join(" ")
    };
    for row in of.iter().take(limit) {
        let which: Vec<&str> = row.key.values().filter(|value| !value.is_empty()).map(String::as_str).collect();
        table.push([row.change.to_owned(), which.join(" "), text(&row.before), text(&row.after)]);
    }
    printer.table("", &table);
    if of.len() > limit {
        printer.text(&format!("… and {} more: --limit, or --json", of.len() - limit));
    }
}

/// The columns that the text shows of a row; JSON has all that differ.
const SHOWN: [&str; 9] =
    ["indicator_id", "measure", "subject_code", "numerator", "denominator", "value", "amount_at_risk", "state", "mark"];

/// A row of the ledger as JSON.
#[derive(Serialize)]
struct RestatedJson {
    release: i64,
    run_id: String,
    table: String,
    change: String,
    cause: String,
    key: BTreeMap<String, String>,
    before: BTreeMap<String, Option<String>>,
    after: BTreeMap<String, Option<String>>,
}

async fn restated(app: &App, release: Option<i64>, limit: usize) -> Result<ExitStatus, CliError> {
    let project = app.reading()?;
    let all = restatements(&project.warehouse.root, release).await.map_err(crate::error::RunError::from)?;
    if app.json() {
        let rows: Vec<RestatedJson> = all
            .into_iter()
            .map(|one| RestatedJson {
                release: one.release,
                run_id: one.run_id,
                table: one.table,
                change: one.change,
                cause: one.cause,
                key: one.key,
                before: one.before,
                after: one.after,
            })
            .collect();
        app.printer.json("release restatements", &json!({ "restatements": rows }))?;
        return Ok(ExitStatus::Done);
    }
    let mut table = Table::new(["release", "table", "change", "cause", "indicator", "county", "month", "of", "before", "after"]);
    for one in all.iter().take(limit) {
        let key = |name: &str| one.key.get(name).cloned().unwrap_or_default();
        let side = |side: &BTreeMap<String, Option<String>>| {
            let shown = ["value", "numerator", "denominator", "state"].iter().filter_map(|name| Some((name, side.get(*name)?.as_deref()?)));
            shown.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
        };
        table.push([
            one.release.to_string(),
            one.table.trim_start_matches("gold.").to_owned(),
            one.change.clone(),
            one.cause.clone(),
            format!("{} {}", key("indicator_id"), key("measure")),
            key("county"),
            key("month"),
            format!("{} {}", key("level"), key("subject_code")).trim().to_owned(),
            side(&one.before),
            side(&one.after),
        ]);
    }
    if table.is_empty() {
        app.printer.text("no release has restated a closed month");
    } else {
        app.printer.table("restated", &table);
        app.printer.text(&format!("{} of {} rows", all.len().min(limit), all.len()));
    }
    Ok(ExitStatus::Done)
}

async fn rollback(app: &App, number: i64, by: &str, why: &str) -> Result<ExitStatus, CliError> {
    if by.trim().is_empty() || why.trim().is_empty() {
        return Err(CliError::usage("a rollback names who and why", "--by 张三 --why 目录价有误"));
    }
    let done = release::rollback(&app.project()?, number, by.trim(), why.trim()).await?;
    if app.json() {
        app.printer.json("release", &done)?;
    } else if done.run_id.is_none() {
        app.printer.text(&format!("nothing to do: release {} shows what release {number} shows", done.release));
    } else {
        app.printer.text(&format!("release {} shows what release {number} showed; it was {}", done.release, done.from));
        app.printer.note("it stands until a run changes a table; that run publishes all tables as they are then");
    }
    Ok(ExitStatus::Done)
}
