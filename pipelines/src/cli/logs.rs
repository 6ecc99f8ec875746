//! Logs on stderr, beneath the progress bars.

use std::io::Write;

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;

use super::{Global, Printer};
use crate::config::vars::{self, Vars};

/// What is logged unless `YAOJIA_LOG` says otherwise.
fn filter(global: &Global) -> String {
    let own =
        |level: &str| format!("error,yaojia_connectors={level},yaojia_warehouse={level},yaojia_pipelines={level},yaojia_simulator={level}");
    match (global.quiet, global.verbose) {
        (true, _) => "off".to_owned(),
        (_, 0) => "error".to_owned(), // what matters the verbs say themselves
        (_, 1) => own("warn"),
        (_, 2) => own("debug"),
        _ => "debug".to_owned(),
    }
}

/// Starts logging; once a process.
pub fn start(global: &Global, vars: &Vars, printer: &Printer) {
    let filter = vars.get(vars::LOG).map_or_else(|| filter(global), str::to_owned);
    let bars = printer.bars().clone();
    // Without times: a log of a run can be compared with another's. A second start (tests) changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(printer.style().color)
        .without_time()
        .with_target(global.verbose > 1)
        .with_writer(move || Below(bars.clone()))
        .try_init();
}

/// stderr, with the bars out of the way.
struct Below(MultiProgress);

impl Write for Below {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.suspend(|| std::io::stderr().write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
