//! `yaojia load`: only load.

use clap::Args;

use super::progress::Bars;
use super::{App, CliError, ExitStatus, report};

/// Arguments of what loads.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Open all landing files, those too that are listed as they were when they were read
    #[arg(long)]
    pub reread: bool,
}

/// Runs it and prints its report.
pub(super) async fn load(app: &App, args: &LoadArgs) -> Result<ExitStatus, CliError> {
    let project = app.project()?;
    let run = {
        let bars = Bars::new(&app.printer);
        crate::run::load(&project, args.reread, &bars).await?
    };
    report::print(app, run)
}
