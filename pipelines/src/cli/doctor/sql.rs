//! SQL without data: the determinism lint, and a plan of every query over empty tables of the contracts' shapes.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::scalar::ScalarValue;
use serde::Serialize;
use yaojia_models::card::Indicator;
use yaojia_models::definitions::Definitions;
use yaojia_models::lint::lint;
use yaojia_warehouse::indicator::{Ask, AskedMonth, Engine, check_examples};

use super::super::CliError;
use crate::shapes::empty_session;

/// Problems are shown up to so many; the count says the rest.
const SHOWN: usize = 5;

/// What was found about one file or folder.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Finding {
    /// File or folder below `sql/`.
    pub(in crate::cli) what: String,
    /// In words; empty: none.
    pub(in crate::cli) problems: Vec<String>,
}

/// All SQL checks: name, and what came out.
pub(super) async fn check_all(definitions: &Definitions) -> Vec<(&'static str, Result<String, CliError>)> {
    let lints = lints(definitions);
    let lint = summary(&lints, format!("{} SQL files follow the rules of determinism", lints.len()));
    let models = match check_models(definitions).await {
        Ok(found) => summary(&found, format!("{} models plan, with their contracts' columns", found.len())),
        Err(error) => Err(error),
    };
    let indicators = match check_indicators(definitions).await {
        Ok(found) => summary(&found, format!("{} indicators plan, their examples come out", found.len())),
        Err(error) => Err(error),
    };
    vec![("sql lint", lint), ("models", models), ("indicators", indicators)]
}

fn summary(found: &[Finding], good: String) -> Result<String, CliError> {
    let bad: Vec<String> = found.iter().flat_map(|f| f.problems.iter().map(|problem| format!("{}: {problem}", f.what))).collect();
    if bad.is_empty() {
        return Ok(good);
    }
    let more = if bad.len() > SHOWN { format!("; and {} more", bad.len() - SHOWN) } else { String::new() };
    let shown: Vec<&str> = bad.iter().take(SHOWN).map(String::as_str).collect();
    Err(CliError {
        code: "E-SQL-020".to_owned(),
        message: format!("{}{more}", shown.join("; ")),
        hint: Some("correct the file below `sql/`".to_owned()),
        exit: super::super::ExitStatus::Negative,
    })
}

/// The lint over every model and indicator.
fn lints(definitions: &Definitions) -> Vec<Finding> {
    let (bundle, registry) = (&definitions.sql, &definitions.contracts);
    let found = |what: &str, text: &str, grain: &[String]| Finding {
        what: what.to_owned(),
        problems: lint(text, grain).iter().map(ToString::to_string).collect(),
    };
    let mut all: Vec<Finding> = Vec::new();
    for model in bundle.models() {
        // Orders are judged by the columns of the inputs, which the file alone does not tell: ties are the proof's business.
        all.push(found(&model.path, &model.text, &[]));
        if registry.gold_table(&model.table).is_none() {
            all.push(Finding {
                what: model.path.clone(),
                problems: vec![format!("no contract `models/contracts/gold/{}.toml`", model.table)],
            });
        }
    }
    // What several indicators share is judged once.
    let texts: BTreeMap<String, &str> = bundle.catalogue().indicators().iter().flat_map(Indicator::texts).collect();
    all.extend(texts.into_iter().map(|(file, text)| found(&file, text, &[])));
    all
}

/// Plans every model and compares its columns with the contract's.
async fn check_models(definitions: &Definitions) -> Result<Vec<Finding>, CliError> {
    let Definitions { contracts: registry, sql: bundle, region, .. } = definitions;
    let session = empty_session(registry)?;
    let mut all = Vec::new();
    for model in bundle.models() {
        let mut problems = Vec::new();
        let parameters = vec![("region".to_owned(), ScalarValue::Utf8(Some(region.code.clone())))];
        let planned = match session.context().sql(&model.text).await {
            Ok(frame) if model.text.contains("$region") => frame.with_param_values(parameters),
            other => other,
        };
        match (planned, registry.gold_table(&model.table)) {
            (Err(error), _) => problems.push(one_line(&error.strip_backtrace())),
            (Ok(frame), Some(contract)) => {
                let given: BTreeSet<String> = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
                let wanted: BTreeSet<String> =
                    contract.columns.iter().map(|c| c.name.clone()).chain(contract.partition.iter().cloned()).collect();
                problems.extend(wanted.difference(&given).map(|column| format!("does not give the contract's column `{column}`")));
                problems.extend(given.difference(&wanted).map(|column| format!("gives `{column}`, which the contract does not know")));
            }
            (Ok(_), None) => {} // said by the lint
        }
        all.push(Finding { what: model.path.clone(), problems });
    }
    Ok(all)
}

/// Computes every indicator over empty tables, and its worked examples.
pub(in crate::cli) async fn check_indicators(definitions: &Definitions) -> Result<Vec<Finding>, CliError> {
    let session = empty_session(&definitions.contracts)?;
    let first = definitions.region.first_month;
    let months = (0..3).map(|n| AskedMonth::at(first.plus(n), i64::MAX)).collect();
    let engine = Engine::new(session.context().clone(), Ask::new(&definitions.region.code, first, months)?)?;
    let mut all = Vec::new();
    for indicator in definitions.indicators() {
        let mut problems = Vec::new();
        if let Err(error) = engine.compute(indicator, &[]).await {
            problems.push(one_line(&error.to_string()));
        }
        if let Err(error) = check_examples(indicator) {
            problems.push(one_line(&error.to_string()));
        }
        all.push(Finding { what: format!("indicators/{}", indicator.folder), problems });
    }
    Ok(all)
}

/// Engines write over several lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
