//! From the process's arguments to its exit code.

use std::ffi::OsString;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;

use super::{App, CliError, Command, ExitStatus, Level, Printer, Style, Verb, logs, signals};
use super::{
    backfill, build, demo, doctor, explain, indicator, init, lineage, load, maintain, nightly, plan, profile, prove, quarantine, query,
    release, replay, retry, seal, simulate, status,
};
use crate::config::vars::{self, Vars};
use crate::stop::Stop;

/// Stack of a worker: plans of long SQL are deep.
const STACK: usize = 16 << 20;

/// Set when anything panicked, in whatever thread.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        PANICKED.store(true, Ordering::Release);
        let what = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        let error = bug(format!("a defect: {what}{place}"));
        Printer::new(Style { level: Level::Quiet, ..Style::default() }).error(&error);
    }));
    let status = catch_unwind(AssertUnwindSafe(|| run(std::env::args_os(), Vars::of_process()))).unwrap_or(ExitStatus::Bug);
    let panicked = PANICKED.load(Ordering::Acquire) && status != ExitStatus::Done;
    if panicked { ExitStatus::Bug.into() } else { status.into() }
}

/// One invocation.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>, vars: Vars) -> ExitStatus {
    let command = match Command::try_parse_from(arguments) {
        Ok(command) => command,
        Err(error) => {
            if error.use_stderr() {
                Printer::new(Style::default()).error(&misused(&error.to_string()));
                return ExitStatus::Usage;
            }
            return printed(&error);
        }
    };
    let printer = Printer::new(style(&command, &vars));
    logs::start(&command.global, &vars, &printer);
    let app = App { printer, global: command.global, vars, stop: Stop::default() };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            app.printer.error(&bug(format!("the runtime does not start: {error}")));
            return ExitStatus::Bug;
        }
    };
    let ended = runtime.block_on(async {
        tokio::select! {
            done = Box::pin(dispatch(&app, command.verb)) => done,
            signal = signals::ended(&app) => Err(CliError::interrupted(signal)),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    let ended = ended.unwrap_or_else(|error| {
        app.printer.error(&error);
        error.exit
    });
    whole(&app.printer, ended)
}

/// Help and version, in clap's own colours.
fn printed(help: &clap::Error) -> ExitStatus {
    match help.print().and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let error = CliError::output(&error);
            Printer::new(Style::default()).error(&error);
            error.exit
        }
        _ => ExitStatus::Done,
    }
}

/// How a command ended, or that its output did not get out.
fn whole(printer: &Printer, ended: ExitStatus) -> ExitStatus {
    match printer.lost() {
        None => ended,
        Some(error) => {
            printer.error(&error);
            if ended == ExitStatus::Done { error.exit } else { ended }
        }
    }
}

async fn dispatch(app: &App, verb: Verb) -> Result<ExitStatus, CliError> {
    match verb {
        Verb::Demo(args) => demo::demo(app, &args).await,
        Verb::Init(args) => init::init(app, &args),
        Verb::Doctor(args) => doctor::doctor(app, &args).await,
        Verb::Check => doctor::check(app).await,
        Verb::Simulate(args) => simulate::simulate(app, &args).await,
        Verb::Nightly(args) => nightly::nightly(app, &args).await,
        Verb::Load(args) => load::load(app, &args).await,
        Verb::Build(args) => build::build(app, &args).await,
        Verb::Retry => retry::retry(app).await,
        Verb::Backfill(args) => Box::pin(backfill::backfill(app, &args)).await,
        Verb::Prove(args) => prove::prove(app, &args).await,
        Verb::Plan(args) => plan::plan(app, &args).await,
        Verb::Status(args) => status::status(app, &args).await,
        Verb::Explain(args) => explain::explain(app, &args).await,
        Verb::Indicator(args) => indicator::indicator(app, &args).await,
        Verb::Quarantine(args) => quarantine::quarantine(app, &args).await,
        Verb::Profile(args) => profile::profile(app, &args).await,
        Verb::Release(args) => Box::pin(release::release(app, &args)).await,
        Verb::Lineage(args) => Box::pin(lineage::lineage(app, &args)).await,
        Verb::Replay(args) => replay::replay(app, &args).await,
        Verb::Seal(args) => seal::seal(app, &args).await,
        Verb::Verify(args) => seal::verify(app, &args).await,
        Verb::Maintain(args) => maintain::maintain(app, &args).await,
        Verb::Query(args) => query::query(app, &args).await,
    }
}

fn style(command: &Command, vars: &Vars) -> Style {
    let global = &command.global;
    let level = if global.quiet {
        Level::Quiet
    } else if global.verbose > 0 {
        Level::Verbose
    } else {
        Level::Default
    };
    Style {
        json: global.json || vars.is_on(vars::JSON),
        level,
        color: vars.get(vars::NO_COLOR).is_none(),
        progress: !global.no_progress && !vars.is_on(vars::NO_PROGRESS),
    }
}

/// What the argument parser says, in our form: its first line is the error, the rest (usage, tips) the hint.
fn misused(text: &str) -> CliError {
    let (first, rest) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    CliError::usage(first.trim_start_matches("error: "), if rest.is_empty() { "see `yaojia --help`".to_owned() } else { rest })
}

fn bug(message: String) -> CliError {
    CliError {
        code: "E-BUG-001".to_owned(),
        message,
        hint: Some("report it with the command and this message; what was committed stays, and the old release still serves".to_owned()),
        exit: ExitStatus::Bug,
    }
}
