//! The command line: one file a verb.
//!
//! stdout carries data only (a table, or with `--json` one document with `schema_version`); everything else goes to stderr. Exit
//! codes are [`ExitStatus`]; errors look like `error[E-SRC-003]: …` with a `hint: …`.

mod app;
mod backfill;
mod build;
mod cells;
mod certificate;
mod demo;
mod doctor;
mod error;
mod exit;
mod explain;
mod fields;
mod indicator;
mod indicator_files;
mod init;
mod lineage;
mod load;
mod logs;
mod maintain;
mod nightly;
mod plan;
mod printer;
mod profile;
mod progress;
mod prove;
mod quarantine;
mod query;
mod release;
mod replay;
mod report;
mod retry;
mod seal;
mod signals;
mod simulate;
mod start;
mod status;
mod table;
#[cfg(test)]
mod tests;

pub use app::App;
pub use error::CliError;
pub use exit::ExitStatus;
pub use printer::{Level, Printer, SCHEMA_VERSION, Style};
pub use start::{main, run};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// 药价: medicine procurement prices, from the platform and the exports to indicators with evidence.
#[derive(Debug, Parser)]
#[command(name = "yaojia", version, after_help = AFTER, max_term_width = 120)]
pub struct Command {
    /// What holds for every verb.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

const AFTER: &str = "\
Exit codes:
   0  done, also nothing to do                 4  a data check kept something back
   1  the answer is negative, or it failed     5  another run holds the lease: wait
   2  wrong usage or configuration            70  a bug: report it
   3  a source or the storage was unreachable or incomplete; what arrived is kept: retry

Variables (flags win over them, they over yaojia.toml):
  YAOJIA_PROJECT YAOJIA_WAREHOUSE YAOJIA_PLATFORM_URL YAOJIA_EXPORT_ROOT YAOJIA_AS_OF
  YAOJIA_JSON YAOJIA_NO_PROGRESS YAOJIA_LOG NO_COLOR

Begin with `yaojia demo`, or with `yaojia init` and `yaojia doctor`.";

/// Flags of every verb.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// Folder of yaojia.toml [default: the current one]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub project: Option<PathBuf>,
    /// Warehouse root: a folder or an object store URL, in place of the configured one
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub warehouse: Option<String>,
    /// One JSON document on stdout in place of tables
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Errors only on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub quiet: bool,
    /// More on stderr; twice: logs too
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// No progress bars
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_progress: bool,
    /// Data instant of the run, Asia/Shanghai, yyyy-MM-ddTHH:mm:ss [default: now]
    #[arg(long, global = true, value_name = "INSTANT", help_heading = "Global options")]
    pub as_of: Option<String>,
    /// Let the instant lie before that of the release readers see
    #[arg(long, global = true, help_heading = "Global options")]
    pub allow_earlier: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a world, load it and show what comes out
    Demo(demo::DemoArgs),
    /// Write a commented yaojia.toml and its secrets
    Init(init::InitArgs),
    /// Check configuration, secrets, contracts, SQL, warehouse and sources
    Doctor(doctor::DoctorArgs),
    /// Check contracts, cards and SQL, without data
    Check,
    /// Serve a made world, or a folder, as the procurement platform
    Simulate(simulate::SimulateArgs),
    /// Load everything new, build what is stale, publish
    Nightly(load::LoadArgs),
    /// Only load
    Load(load::LoadArgs),
    /// Only build and publish, everything or a part
    Build(build::BuildArgs),
    /// What the last runs left undone, and what follows from it
    Retry,
    /// Read months again, whatever the position says: recorded, resumable
    Backfill(backfill::BackfillArgs),
    /// Run models again in other ways: the same digests every time?
    Prove(prove::ProveArgs),
    /// What a build would do now
    Plan(plan::PlanArgs),
    /// Release, runs, counts, and what there is by county and month
    Status(status::StatusArgs),
    /// An alert, from its value down to original bytes
    Explain(explain::ExplainArgs),
    /// Indicators: list, show, check, new, pages
    Indicator(indicator::IndicatorArgs),
    /// Rows that could not be used: list, show, replay
    Quarantine(quarantine::QuarantineArgs),
    /// Mapping profiles: check one against a file
    Profile(profile::ProfileArgs),
    /// Releases: list, show, compare, take back
    Release(release::ReleaseArgs),
    /// What a table, a column or an indicator is made from, and what is made of it
    Lineage(lineage::LineageArgs),
    /// A release made again as known then, compared with what was published
    Replay(replay::ReplayArgs),
    /// Sign a month as published
    Seal(seal::SealArgs),
    /// Check all seals: signature, chain, original bytes, cells
    Verify(seal::VerifyArgs),
    /// Merge small files, write checkpoints, remove what nobody needs; back up
    Maintain(maintain::MaintainArgs),
    /// One SELECT over the current release
    Query(query::QueryArgs),
}
