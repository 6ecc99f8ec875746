//! `yaojia quarantine`: rows that could not be used, why, and as received.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{App, CliError, ExitStatus, query};

/// Arguments of `quarantine`.
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// What to show.
    #[command(subcommand)]
    pub what: What,
}

/// What to show.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Counts by dataset, reason, column and source
    List(Filter),
    /// The rows, with their raw values
    Show(Show),
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

impl Filter {
    /// The condition, `TRUE` for all rows.
    fn sql(&self) -> String {
        let parts = [("dataset", &self.dataset), ("reason", &self.reason), ("county", &self.county), ("month", &self.month)];
        let parts: Vec<String> = parts
            .iter()
            .filter_map(|(column, value)| value.as_ref().map(|value| format!("q.{column} = '{}'", value.replace('\'', "''"))))
            .collect();
        if parts.is_empty() { "TRUE".to_owned() } else { parts.join(" AND ") }
    }
}

pub(super) async fn quarantine(app: &App, args: &QuarantineArgs) -> Result<ExitStatus, CliError> {
    let project = app.project()?;
    let session = crate::run::session(&project).await?;
    let release = session.release().number;
    match &args.what {
        What::List(filter) => {
            // A page is named `C1004 window p0001`, a file by its path: the first word of the one, the folder of the other.
            let sql = format!(
                "SELECT q.dataset, q.reason, q.column_name, {SOURCE} AS source, COUNT(1) AS row_count, MIN(q._ingested_at) AS first_seen, MAX(q._ingested_at) AS last_seen \
                 FROM silver.quarantine AS q WHERE {} GROUP BY q.dataset, q.reason, q.column_name, {SOURCE} ORDER BY 1, 2, 3, 4",
                filter.sql()
            );
            let rows = query::rows(&session, &sql).await?;
            if app.json() {
                app.printer.json("quarantine", &json!({"release": release, "counts": rows.objects()}))?;
            } else if rows.rows.is_empty() {
                app.printer.text("no row is in quarantine");
            } else {
                app.printer.table("", &rows.table());
            }
        }
        What::Show(show) => {
            let sql = format!(
                "SELECT q.dataset, q.reason, q.column_name, q.column_value, q.row_key, q.county, q.month, q._source, q._row, q._run_id, q._artifact, q.row_json \
                 FROM silver.quarantine AS q WHERE {} ORDER BY q.dataset, q.reason, q._artifact, q._row LIMIT {}",
                show.filter.sql(),
                show.limit
            );
            let rows = query::rows(&session, &sql).await?;
            if app.json() {
                app.printer.json("quarantine", &json!({"release": release, "rows": rows.objects()}))?;
            } else if rows.rows.is_empty() {
                app.printer.text("no such row is in quarantine");
            } else {
                let mut blocks = Vec::new();
                for at in 0..rows.rows.len() {
                    let column = rows.text(at, "column_name");
                    let value = rows.text(at, "column_value");
                    let subject = if column.is_empty() { String::new() } else { format!(" {column} = `{value}`") };
                    let head = format!("{} {}: {}{subject}", rows.text(at, "dataset"), rows.text(at, "row_key"), rows.text(at, "reason"));
                    let source = format!("{} row {}, {}", rows.text(at, "_source"), rows.text(at, "_row"), rows.text(at, "_run_id"));
                    let lines = [head, source, rows.text(at, "row_json")];
                    blocks.push(lines.map(|line| super::table::printable(&line)).join("\n  "));
                }
                app.printer.text(&blocks.join("\n\n"));
            }
        }
    }
    Ok(ExitStatus::Done)
}

/// Where a row came from, without window and page or file name.
const SOURCE: &str = "CASE WHEN q._source LIKE '%/%' THEN 'files' ELSE split_part(q._source, ' ', 1) END";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_condition_and_no_way_in() {
        assert_eq!(Filter::default().sql(), "TRUE");
        let filter = Filter { dataset: Some("shp".into()), reason: Some("x' OR '1'='1".into()), ..Filter::default() };
        assert_eq!(filter.sql(), "q.dataset = 'shp' AND q.reason = 'x'' OR ''1''=''1'");
    }
}
