//! `yaojia build`: only build and publish, everything or a part.

use clap::Args;

use super::progress::Bars;
use super::{App, CliError, ExitStatus, report};

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Only these: fact_receipt, silver.shp, D13, layer:gold, tag:配, stale, changed; +x with all it is made from, x+ with all that is
    /// made of it, a,b what both select. The release moves once nothing is stale any more
    #[arg(value_name = "SELECTOR")]
    pub selectors: Vec<String>,
    /// Look into every file of this table of silver or gold, and make those again that are not what is on record; may be given several times.
    /// Files that are gone are always made again
    #[arg(long, value_name = "TABLE")]
    pub repair: Vec<String>,
}

/// Runs it and prints its report.
pub(super) async fn build(app: &App, args: &BuildArgs) -> Result<ExitStatus, CliError> {
    let project = app.project()?;
    let run = {
        let bars = Bars::new(&app.printer);
        crate::run::build(&project, &args.selectors, &args.repair, &bars).await?
    };
    report::print(app, run)
}
