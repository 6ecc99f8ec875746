//! `yaojia retry`: what the last runs left undone, and what follows from it.

use super::progress::Bars;
use super::{App, CliError, ExitStatus, report};

/// Runs it and prints its report.
pub(super) async fn retry(app: &App) -> Result<ExitStatus, CliError> {
    let project = app.project()?;
    let outcome = {
        let bars = Bars::new(&app.printer);
        crate::run::retry(&project, &bars).await?
    };
    if !app.json() && outcome.failed.is_none() && outcome.report.retried.is_empty() {
        app.printer.text("nothing to retry: no run left anything undone");
        return Ok(ExitStatus::Done);
    }
    if !app.json() {
        app.printer.text(&format!("retried: {}", outcome.report.retried.join(", ")));
    }
    report::print(app, outcome)
}
