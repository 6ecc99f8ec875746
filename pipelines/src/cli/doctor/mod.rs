//! `yaojia doctor` and `yaojia check`: one line a check; nothing is loaded, nothing published.

mod contents;
mod places;
mod secrets;
pub(super) mod sql;

use clap::Args;
use serde::Serialize;
use serde_json::json;
use yaojia_models::bundle::SqlBundle;
use yaojia_models::contract::Registry;
use yaojia_models::definitions::{Definitions, Parameters, Region};

use super::table::printable;
use super::{App, CliError, ExitStatus};
use crate::config::{Config, check_parameters};
use crate::project::overlays;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Do not ask the platform
    #[arg(long)]
    pub offline: bool,
    /// Read every file of the warehouse: whether it is what it was written as
    #[arg(long)]
    pub deep: bool,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Failed,
    Skipped,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Prints checks as they are made.
struct Report<'a> {
    app: &'a App,
    checks: Vec<Check>,
}

impl Report<'_> {
    fn add(&mut self, name: &'static str, verdict: Verdict, detail: String, hint: Option<String>) {
        if !self.app.json() {
            let mark = match verdict {
                Verdict::Ok => "ok",
                Verdict::Failed => "FAIL",
                Verdict::Skipped => "skip",
            };
            self.app.printer.text(&format!("{mark:4}  {name:12}  {}", printable(&detail)));
            if let Some(hint) = hint.as_ref().filter(|_| verdict == Verdict::Failed) {
                self.app.printer.text(&format!("                    hint: {}", printable(hint)));
            }
        }
        self.checks.push(Check { name, verdict, detail, hint });
    }

    /// Notes how a check came out; gives what it found.
    fn note<T>(&mut self, name: &'static str, found: Result<(T, String), CliError>) -> Option<T> {
        match found {
            Ok((value, detail)) => {
                self.add(name, Verdict::Ok, detail, None);
                Some(value)
            }
            Err(error) => {
                self.add(name, Verdict::Failed, format!("[{}] {}", error.code, error.message), error.hint);
                None
            }
        }
    }

    /// Ends the report.
    fn end(self, command: &str) -> Result<ExitStatus, CliError> {
        let bad = self.checks.iter().any(|check| check.verdict == Verdict::Failed);
        if self.app.json() {
            self.app.printer.json(command, &json!({"ok": !bad, "checks": self.checks}))?;
        }
        Ok(if bad { ExitStatus::Negative } else { ExitStatus::Done })
    }

    fn skip(&mut self, name: &'static str, why: &str) {
        self.add(name, Verdict::Skipped, why.to_owned(), None);
    }
}

pub(super) async fn doctor(app: &App, args: &DoctorArgs) -> Result<ExitStatus, CliError> {
    let mut report = Report { app, checks: Vec::new() };
    let config = report.note("config", config(app));
    let registry = declarations(&mut report, config.as_ref()).await?;
    if let Some(config) = &config {
        if let Some(registry) = &registry {
            report.note("aliases", config.aliases.merged(registry.datasets()).map_err(CliError::from).map(|_| ((), aliases(config))));
        }
        for (verdict, detail, hint) in secrets::check(config) {
            report.add("secrets", verdict, detail, hint);
        }
        places::warehouse(&mut report, config).await;
        contents::contents(&mut report, config, registry.as_ref(), args.deep).await;
        places::platform(&mut report, config, registry.as_ref(), args.offline).await;
        places::landing(&mut report, config, registry.as_ref().map_or(&[], |registry| registry.datasets())).await;
    } else {
        for name in ["secrets", "warehouse", "region", "tables", "platform", "landing"] {
            report.skip(name, "there is no configuration");
        }
    }
    report.end("doctor")
}

/// `yaojia check`: what needs neither data nor a configuration.
pub(super) async fn check(app: &App) -> Result<ExitStatus, CliError> {
    let mut report = Report { app, checks: Vec::new() };
    let config = if app.dir().join(crate::config::FILE).exists() { Some(app.config()?) } else { None };
    declarations(&mut report, config.as_ref()).await?;
    report.end("check")
}

/// Contracts, cards and SQL; gives the contracts.
async fn declarations(report: &mut Report<'_>, config: Option<&Config>) -> Result<Option<Registry>, CliError> {
    let registry = report.note("contracts", contracts());
    let bundle = report.note("cards", cards(report.app, config));
    if let (Some(config), Some(bundle)) = (config, &bundle) {
        report.note("parameters", parameters(config, bundle));
        rules(report, config, bundle).await;
    }
    if let (Some(registry), Some(bundle)) = (&registry, &bundle) {
        let definitions = match config {
            Some(config) => crate::project::definitions(&report.app.dir(), config, registry.clone())?,
            None => Definitions {
                contracts: registry.clone(),
                sql: bundle.clone(),
                region: Region::example(),
                parameters: Parameters::default(),
            },
        };
        for (name, result) in sql::check_all(&definitions).await {
            report.note(name, result.map(|detail| ((), detail)));
        }
    } else {
        report.skip("sql", "contracts or cards do not load");
    }
    Ok(registry)
}

fn config(app: &App) -> Result<(Config, String), CliError> {
    let config = app.config()?;
    let detail = format!("{} {} from {}", config.region.code, config.region.name, config.region.first_month);
    Ok((config, detail))
}

fn contracts() -> Result<(Registry, String), CliError> {
    let registry = Registry::embedded()?;
    let detail = format!("{} datasets, {} gold tables", registry.datasets().len(), registry.gold().len());
    Ok((registry, detail))
}

fn cards(app: &App, config: Option<&Config>) -> Result<(SqlBundle, String), CliError> {
    let bundle = match config {
        Some(config) => SqlBundle::load(&overlays(&app.dir(), config))?,
        None => SqlBundle::embedded()?,
    };
    let indicators = bundle.catalogue().indicators();
    let rules: usize = indicators.iter().map(|indicator| indicator.rules.len()).sum();
    let detail = format!("{} indicators, {rules} rules, {} models", indicators.len(), bundle.models().count());
    Ok((bundle, detail))
}

fn parameters(config: &Config, bundle: &SqlBundle) -> Result<((), String), CliError> {
    check_parameters(&config.parameters, bundle.catalogue())?;
    let count: usize = config.parameters.values().map(indexmap::IndexMap::len).sum();
    Ok(((), format!("{count} of the region's own, all known to their cards")))
}

/// Rules that a release of the warehouse has used are as they were, where there is a warehouse.
async fn rules(report: &mut Report<'_>, config: &Config, bundle: &SqlBundle) {
    let location = &config.warehouse.location;
    if !location.contains("://") && !std::path::Path::new(location).exists() {
        report.skip("rules", "there is no warehouse yet that has used any");
        return;
    }
    let found = async {
        let root = yaojia_warehouse::Root::open(location, config.storage_options()?)?;
        Ok::<_, CliError>(crate::plan::edited_rules(&root, bundle.catalogue().indicators()).await?)
    };
    let outcome = match found.await {
        Ok(edited) if edited.is_empty() => Ok(((), "those that a release has used are as they were".to_owned())),
        Ok(edited) => Err(crate::error::RunError::UsedRule(edited.join("; ")).into()),
        Err(error) => Err(error),
    };
    report.note("rules", outcome);
}

fn aliases(config: &Config) -> String {
    let titles: usize = config.aliases.file_titles.values().map(indexmap::IndexMap::len).sum();
    format!("{} JSON keys, {titles} file titles beyond the contracts", config.aliases.json_keys.len())
}
