//! `yaojia explain ALERT`: value, rule with its source, fact rows, silver rows, original bytes; as text, JSON, or a page to be filed.

mod text;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};
use yaojia_serving::explain::Depth;
use yaojia_serving::html::alert_page;
use yaojia_warehouse::read::plain;

use super::{App, CliError, ExitStatus};
use crate::file_rows::ProjectFiles;

/// Rows of evidence on a page; what is more is counted and said.
const PAGE_ROWS: usize = 1000;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The alert's id, or its beginning (`yaojia query "SELECT a.alert_id, a.message FROM gold.alert AS a"`)
    pub alert: String,
    /// Evidence rows to print
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub rows: usize,
    /// Evidence rows to follow to the original bytes [default: 1, on a page 20]
    #[arg(long, value_name = "N")]
    pub trace: Option<usize>,
    /// Write a page to be filed: one HTML file that needs nothing else, with all evidence rows
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

impl ExplainArgs {
    fn depth(&self) -> Depth {
        let usual = Depth::default();
        let opened = self.trace.unwrap_or(if self.html.is_some() { 20 } else { usual.opened });
        let shown = if self.html.is_some() { PAGE_ROWS } else { usual.shown.max(self.rows) };
        Depth { shown: shown.max(opened), traced: usual.traced.max(opened), opened }
    }
}

pub(super) async fn explain(app: &App, args: &ExplainArgs) -> Result<ExitStatus, CliError> {
    let project = app.reading()?;
    let reader = project.warehouse.reader().await?;
    let files = ProjectFiles::of(&project);
    let explanation = yaojia_serving::explain::explain(&project.warehouse, &reader, &files, &args.alert, args.depth()).await?;
    let id = explanation.alert.get("indicator_id").map(plain).unwrap_or_default();
    let indicator = project.warehouse.sql.catalogue().get(&id);
    if let Some(file) = &args.html {
        let page = alert_page(&explanation, &project.warehouse, indicator)?;
        std::fs::write(file, page).map_err(|error| CliError::file(file, &error))?;
        app.printer.note(&format!("written to {}", file.display()));
    }
    if app.json() {
        app.printer.json("explain", &explanation)?;
    } else if args.html.is_none() {
        let sources = indicator.map(|indicator| indicator.card.sources.clone()).unwrap_or_default();
        app.printer.text(&text::text(&explanation, &sources, args.rows));
    }
    Ok(ExitStatus::Done)
}

/// A field as text; empty where there is none.
fn get(map: &Map<String, Value>, name: &str) -> String {
    map.get(name).map(plain).unwrap_or_default()
}
