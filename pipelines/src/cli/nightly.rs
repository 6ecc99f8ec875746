//! `yaojia nightly`: load everything new, build what is stale, publish.

use super::load::LoadArgs;
use super::progress::Bars;
use super::{App, CliError, ExitStatus, report};

/// Runs it and prints its report.
pub(super) async fn nightly(app: &App, args: &LoadArgs) -> Result<ExitStatus, CliError> {
    let project = app.project()?;
    let run = {
        let bars = Bars::new(&app.printer);
        crate::run::nightly(&project, args.reread, &bars).await?
    };
    report::print(app, run)
}
