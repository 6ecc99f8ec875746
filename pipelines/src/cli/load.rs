//! `yaojia load`: only load.

use super::progress::Bars;
use super::{App, CliError, ExitStatus, report};

/// Runs it and prints its report.
pub(super) async fn load(app: &App) -> Result<ExitStatus, CliError> {
    let project = app.project()?;
    let run = {
        let bars = Bars::new(&app.printer);
        crate::run::load(&project, &bars).await?
    };
    report::print(app, run)
}
