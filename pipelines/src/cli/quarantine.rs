//! `yaojia quarantine`: rows that could not be used, why, and as received; and what leaves once a mapping was mended.

use clap::{Args, Subcommand};
use serde_json::json;
use yaojia_models::contract::Reason;
use yaojia_warehouse::read::Parameters;

use super::progress::Bars;
use super::table::Table;
use super::{App, CliError, ExitStatus, cells, query};
use crate::project::Project;
use crate::run::ParseAgainReport;

/// Arguments of `quarantine`.
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Counts by dataset, reason, column and source, with an example and when they came
    List(Filter),
    /// The rows, with their raw values
    Show(Show),
    /// Parse again what was parsed by other rules, judge again, and say what left quarantine
    Replay(Replay),
}

/// Which rows.
#[derive(Debug, Default, Args)]
pub struct Filter {
    /// Only this dataset
    #[arg(long, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Only this reason
    #[arg(long, value_name = "REASON")]
    pub reason: Option<String>,
    /// Only this county
    #[arg(long, value_name = "CODE")]
    pub county: Option<String>,
    /// Only this month
    #[arg(long, value_name = "yyyy-MM")]
    pub month: Option<String>,
    /// Only this source: a message number such as C1004, or the beginning of a file's path
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
}

/// Arguments of `quarantine show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Which rows.
    #[command(flatten)]
    pub filter: Filter,
    /// Rows at most
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: u32,
}

/// Arguments of `quarantine replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Only this dataset is parsed again and reported; what follows from it is built all the same
    #[arg(long, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

impl Filter {
    /// The condition, `TRUE` for all rows, and the values of its `$name`s.
    fn sql(&self) -> (String, Parameters) {
        let parts = [("dataset", &self.dataset), ("reason", &self.reason), ("county", &self.county), ("month", &self.month)];
        let mut given: Vec<(&str, &str, String)> = Vec::new();
        given.extend(parts.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?, format!("q.{name} = ${name}")))));
        if let Some(source) = &self.source {
            given.push(("source", source, format!("({SOURCE} = $source OR starts_with(q._source, $source))")));
        }
        let parameters = given.iter().map(|(name, value, _)| ((*name).to_owned(), (*value).into())).collect();
        let parts: Vec<String> = given.into_iter().map(|(.., part)| part).collect();
        (if parts.is_empty() { "TRUE".to_owned() } else { parts.join(" AND ") }, parameters)
    }

    /// A name that nothing can have is a mistake, not an empty answer.
    fn check(&self, app: &App, project: &Project) -> Result<(), CliError> {
        if let Some(name) = self.dataset.as_deref().filter(|name| project.dataset(name).is_none()) {
            let names: Vec<&str> = project.datasets.iter().map(|dataset| dataset.name.as_str()).collect();
            return Err(CliError::missing(format!("there is no dataset `{name}`"), format!("one of {}", names.join(", "))));
        }
        if let Some(reason) = self.reason.as_deref().filter(|reason| Reason::ALL.iter().all(|known| known.as_str() != *reason)) {
            let names: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
            let hint = format!("one of {}; `{}` counts them", names.join(", "), app.command("quarantine list"));
            return Err(CliError::missing(format!("there is no reason `{reason}`"), hint));
        }
        Ok(())
    }
}

pub(super) async fn quarantine(app: &App, args: &QuarantineArgs) -> Result<ExitStatus, CliError> {
    let project = if matches!(&args.what, What::Replay(of) if !of.dry_run) { app.project()? } else { app.reading()? };
    match &args.what {
        What::List(filter) => list(app, &project, filter).await,
        What::Show(of) => show(app, &project, of).await,
        What::Replay(of) => {
            Filter { dataset: of.dataset.clone(), ..Filter::default() }.check(app, &project)?;
            let done = {
                let bars = Bars::new(&app.printer);
                crate::run::parse_again(&project, of.dataset.as_deref(), of.dry_run, &bars).await?
            };
            if app.json() {
                app.printer.json("quarantine", &done)?;
            } else {
                replayed(app, &done);
            }
            Ok(ExitStatus::Done)
        }
    }
}

async fn list(app: &App, project: &Project, filter: &Filter) -> Result<ExitStatus, CliError> {
    filter.check(app, project)?;
    let reader = project.warehouse.reader().await?;
    let (condition, parameters) = filter.sql();
    let sql = format!(
        "SELECT q.dataset, q.reason, q.column_name, {SOURCE} AS source, COUNT(1) AS row_count, MIN(q._ingested_at) AS first_seen, MAX(q._ingested_at) AS last_seen, \
         MIN(q.row_key) AS example_key, MIN(q.column_value) AS example_value \
         FROM silver.quarantine AS q WHERE {condition} GROUP BY q.dataset, q.reason, q.column_name, {SOURCE} ORDER BY 1, 2, 3, 4"
    );
    let rows = query::rows(&reader, &sql, &parameters).await?;
    if app.json() {
        app.printer.json("quarantine", &json!({"release": reader.release().number, "counts": rows.objects()}))?;
    } else if rows.rows.is_empty() {
        app.printer.text("no row is in quarantine");
    } else {
        app.printer.table("", &cells::table(&rows));
    }
    Ok(ExitStatus::Done)
}

async fn show(app: &App, project: &Project, show: &Show) -> Result<ExitStatus, CliError> {
    show.filter.check(app, project)?;
    let reader = project.warehouse.reader().await?;
    let (condition, parameters) = show.filter.sql();
    let sql = format!(
        "SELECT q.dataset, q.reason, q.column_name, q.column_value, q.row_key, q.county, q.month, q._source, q._row, q._run_id, q._ingested_at AS first_seen, q._artifact, q.row_json \
         FROM silver.quarantine AS q WHERE {condition} ORDER BY q.dataset, q.reason, q._artifact, q._row LIMIT {}",
        show.limit
    );
    let rows = query::rows(&reader, &sql, &parameters).await?;
    if app.json() {
        app.printer.json("quarantine", &json!({"release": reader.release().number, "rows": rows.objects()}))?;
    } else if rows.rows.is_empty() {
        app.printer.text("no such row is in quarantine");
    } else {
        let mut blocks = Vec::new();
        for at in 0..rows.rows.len() {
            let text = |name: &str| rows.text(at, name);
            let (column, value) = (text("column_name"), text("column_value"));
            let subject = if column.is_empty() { String::new() } else { format!(" {column} = `{value}`") };
            let head = format!("{} {}: {}{subject}", text("dataset"), text("row_key"), text("reason"));
            let source = format!("{} row {}, first seen {}, {}", text("_source"), text("_row"), text("first_seen"), text("_run_id"));
            let archived = format!("archived sha256 {}", text("_artifact"));
            let lines = [head, source, archived, text("row_json")];
            blocks.push(lines.map(|line| super::table::printable(&line)).join("\n  "));
        }
        app.printer.text(&blocks.join("\n\n"));
    }
    Ok(ExitStatus::Done)
}

/// What was done, or would be.
fn replayed(app: &App, done: &ParseAgainReport) {
    let printer = &app.printer;
    let names = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    match &done.run {
        None => printer.text(&format!("would parse again: {}\nwould judge again: {}", names(&done.parse), names(&done.judge))),
        Some(run) => {
            match &run.run_id {
                Some(id) => printer.text(&format!("{} {id}", run.verb)),
                None => printer.text("nothing to do: all was parsed and judged by the rules in force"),
            }
            if let Some(parse) = &run.parse {
                super::report::parsed(printer, parse);
            }
        }
    }
    let dash = || "–".to_owned();
    let mut table = Table::new(["dataset", "reason", "before", "left", "came", "stay"]);
    for change in &done.counts {
        let after = change.after;
        table.push([
            change.dataset.clone(),
            change.reason.clone(),
            change.before.to_string(),
            after.map_or_else(dash, |after| change.before.saturating_sub(after).to_string()),
            after.map_or_else(dash, |after| after.saturating_sub(change.before).to_string()),
            after.map_or_else(dash, |after| after.to_string()),
        ]);
    }
    if table.is_empty() {
        printer.text("no row is in quarantine");
    } else {
        printer.table("", &table);
    }
}

/// Where a row came from: a page is named `C1004 window p0001`, and its message number tells it; a file is its path.
const SOURCE: &str = "CASE WHEN q._source LIKE '%/%' THEN q._source ELSE split_part(q._source, ' ', 1) END";

#[cfg(test)]
mod tests {
    use yaojia_warehouse::read::parameters;

    use super::*;

    #[test]
    fn a_filter_is_a_condition_and_no_way_in() {
        assert_eq!(Filter::default().sql(), ("TRUE".to_owned(), Parameters::new()));
        let filter = Filter { dataset: Some("shp".into()), reason: Some("x' OR '1'='1".into()), ..Filter::default() };
        let given = parameters([("dataset", "shp"), ("reason", "x' OR '1'='1")]);
        assert_eq!(filter.sql(), ("q.dataset = $dataset AND q.reason = $reason".to_owned(), given));
        let filter = Filter { source: Some("fee_list/'6".into()), ..Filter::default() };
        let (condition, given) = filter.sql();
        assert!(condition.ends_with("starts_with(q._source, $source))") && !condition.contains("fee_list"), "{condition}");
        assert_eq!(given, parameters([("source", "fee_list/'6")]));
    }
}
