//! `yaojia demo`: a made world, served, loaded, and what comes out.

mod show;
mod world;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use yaojia_simulator::load_folder;
use yaojia_simulator::server::{ServerConfig, serve};

use super::progress::Bars;
use super::{App, CliError, ExitStatus};
use crate::clock::Clock;
use crate::config::Overrides;
use crate::project::{Access, Project};

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder of world, project and warehouse; used again when it is there
    #[arg(long, value_name = "DIR", default_value = "demo-warehouse")]
    pub dir: PathBuf,
}

pub(super) async fn demo(app: &App, args: &DemoArgs) -> Result<ExitStatus, CliError> {
    let dir = args.dir.clone();
    let folder = dir.clone();
    app.printer.note(&format!("demo in {}: a made prefecture of nine counties over six months, with dirt in it", dir.display()));
    let task = tokio::task::spawn_blocking(move || world::prepare(&folder)).await;
    let (world, until) = task.map_err(|error| CliError::layout(&error))??;
    let data = load_folder(&world, None)?;
    let server = serve(Arc::new(data), ServerConfig { page_size: 500, ..ServerConfig::default() }).await?;
    let clock = match app.as_of() {
        Some(_) => app.clock()?,
        None => Clock::at(until),
    };
    let overrides = Overrides { platform_url: Some(server.base_url()), warehouse: app.global.warehouse.clone(), export_root: None };
    let mut project = Project::open(&dir, &overrides, clock, Access::Write)?;
    project.stop = app.stop.clone();
    let run = {
        let bars = Bars::new(&app.printer);
        crate::run::nightly(&project, false, &bars).await
    };
    server.shutdown().await;
    let outcome = run?;
    if let Some(error) = outcome.failed {
        return Err(error.into());
    }
    show::show(app, &project, &outcome.report, &world).await?;
    Ok(ExitStatus::Done)
}
