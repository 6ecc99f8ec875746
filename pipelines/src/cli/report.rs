//! A run's report as people read it.

use std::collections::BTreeSet;

use super::table::Table;
use super::{App, CliError, ExitStatus, Printer};
use crate::report::{BuildReport, LandingLine, LoadReport, ParseReport, RunReport};
use crate::run::Outcome;

/// Prints the report, also of a run that failed on the way; then that it failed.
pub(super) fn print(app: &App, outcome: Outcome) -> Result<ExitStatus, CliError> {
    let (printer, run) = (&app.printer, &outcome.report);
    for (stage, time) in &run.seconds {
        printer.detail(&format!("{stage}: {}.{:03} s", time.as_secs(), time.subsec_millis()));
    }
    if app.json() {
        printer.json(&run.verb, run)?;
    } else {
        text(printer, run);
    }
    outcome.failed.map_or(Ok(ExitStatus::Done), |error| Err(error.into()))
}

/// The tables.
pub(super) fn text(printer: &Printer, run: &RunReport) {
    let release = run.release.map_or_else(|| "no release yet".to_owned(), |number| format!("release {number}"));
    let as_of = if run.as_of.is_empty() { String::new() } else { format!(", as of {}", run.as_of) };
    match &run.run_id {
        Some(id) if run.changed => printer.text(&format!("{} {id}{as_of}, {release}", run.verb)),
        _ if run.failed.is_some() => printer.text(&format!("{} wrote nothing and failed, {release}", run.verb)),
        _ => printer.text(&format!("nothing new: {} wrote nothing{as_of}, {release}", run.verb)),
    }
    for words in &run.warnings {
        printer.warn(words);
    }
    if let Some(left) = run.build.as_ref().and_then(|build| build.waits) {
        printer.text(&format!("release waits: {left} stale cells left; `build` or `nightly` without selectors builds them and moves it"));
    }
    if let Some(parse) = &run.parse {
        parsed(printer, parse);
    }
    if let Some(load) = &run.load {
        loaded(printer, load);
    }
    if let Some(build) = run.build.as_ref().filter(|_| run.changed) {
        built(printer, build);
    }
}

/// What was parsed again, and what could not be.
pub(super) fn parsed(printer: &Printer, parse: &ParseReport) {
    let mut table = Table::new(["dataset", "artifacts", "rows"]);
    for (name, of) in &parse.datasets {
        table.push([name.clone(), of.artifacts.to_string(), of.rows.to_string()]);
    }
    if !table.is_empty() {
        printer.table("\nparsed again: the rules changed", &table);
    }
    let mut kept: std::collections::BTreeMap<(&str, &str), Vec<&str>> = std::collections::BTreeMap::new();
    for of in &parse.kept {
        kept.entry((&of.dataset, &of.reason)).or_default().push(&of.source);
    }
    for ((dataset, reason), sources) in kept {
        let (first, n) = (sources.first().copied().unwrap_or_default(), sources.len());
        printer.warn(&format!("{dataset}: {n} not parsed again by the rules in force and kept as they were, such as `{first}`: {reason}"));
    }
}

fn loaded(printer: &Printer, load: &LoadReport) {
    let mut table = Table::new(["dataset", "windows", "files", "declared", "received", "appended"]);
    for (name, of) in load.datasets.iter().filter(|(_, of)| of.appended > 0) {
        table.push([
            name.clone(),
            of.windows.to_string(),
            of.files.to_string(),
            of.declared.to_string(),
            of.received.to_string(),
            of.appended.to_string(),
        ]);
    }
    if !table.is_empty() {
        printer.table("\nloaded", &table);
    }
    landing(printer, &load.landing);
    for file in &load.same_content {
        printer.note(&format!("file `{file}` skipped: its content was loaded before under another name"));
    }
    for what in &load.failed {
        printer.warn(what);
    }
}

/// Passed-over entries named one by one.
const NAMED: usize = 20;

/// What lies in the landing folder and is not loaded.
fn landing(printer: &Printer, lines: &[LandingLine]) {
    let mut passed = 0;
    for of in lines {
        let LandingLine { file, reason, detail, hint, .. } = of;
        match of.state {
            "refused" => {
                printer.warn(&format!("file `{file}` refused: {reason}: {detail}"));
                printer.note(&format!("  hint: {hint}"));
            }
            "missing" => printer.warn(&format!("`{file}`: {detail}")),
            "passed_over" => {
                passed += 1;
                if passed <= NAMED {
                    printer.warn(&format!("`{file}` passed over: {detail}; {hint}"));
                }
            }
            _ => {}
        }
    }
    if passed > NAMED {
        printer.warn(&format!("{} more entries of the landing folder passed over: `yaojia status` names all", passed - NAMED));
    }
}

fn built(printer: &Printer, build: &BuildReport) {
    let mut table = Table::new(["silver", "received", "accepted", "superseded", "void", "quarantined", "warnings"]);
    let sum = |counts: &std::collections::BTreeMap<String, u64>| counts.values().sum::<u64>().to_string();
    for (name, of) in build.silver.iter().filter(|(_, of)| of.received > 0) {
        table.push([
            name.clone(),
            of.received.to_string(),
            of.accepted.to_string(),
            of.superseded.to_string(),
            of.void.to_string(),
            sum(&of.quarantined),
            sum(&of.warnings),
        ]);
    }
    if !table.is_empty() {
        printer.table("\nsilver", &table);
    }
    let mut table = Table::new(["table", "stale cells", "replaced"]);
    let names: BTreeSet<&String> = build.stale.keys().chain(build.replaced.keys()).collect();
    for name in names {
        let count = |of: &std::collections::BTreeMap<String, u64>| of.get(name).copied().unwrap_or(0);
        if count(&build.stale) + count(&build.replaced) > 0 {
            table.push([name.clone(), count(&build.stale).to_string(), count(&build.replaced).to_string()]);
        }
    }
    if !table.is_empty() {
        printer.table("\nbuilt", &table);
    }
    printer.text(&format!("\nindicators: {} indicator-months computed, {} judged again", build.computed, build.judged));
    let alerts = alerts(build);
    if !alerts.is_empty() {
        printer.table("\nalerts in the release", &alerts);
    }
}

/// Alerts by indicator and state.
fn alerts(build: &BuildReport) -> Table {
    let states: BTreeSet<&String> = build.alerts.values().flat_map(|of| of.keys()).collect();
    let mut table = Table::new(["indicator".to_owned()].into_iter().chain(states.iter().map(|state| (*state).clone())));
    for (indicator, of) in &build.alerts {
        let counts = states.iter().map(|state| of.get(*state).copied().unwrap_or(0).to_string());
        table.push([indicator.clone()].into_iter().chain(counts));
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Style;
    use super::super::printer::tests::taped;
    use super::*;
    use crate::report::DatasetLoad;

    #[test]
    fn nothing_new_is_one_line() {
        let (printer, out, err) = taped(Style::default());
        let run = RunReport {
            verb: "nightly".into(),
            as_of: "2024-07-03T02:00:00".into(),
            release: Some(3),
            load: Some(LoadReport::default()),
            ..RunReport::default()
        };
        text(&printer, &run);
        assert_eq!(
            (out.text().as_str(), err.text().as_str()),
            ("nothing new: nightly wrote nothing, as of 2024-07-03T02:00:00, release 3\n", "")
        );
    }

    #[test]
    fn a_run_is_a_few_tables_and_what_was_refused_a_warning() {
        let (printer, out, err) = taped(Style::default());
        let line = |file: &str, state, reason: &str, detail: &str| LandingLine {
            file: file.into(),
            state,
            reason: reason.into(),
            detail: detail.into(),
            hint: "deliver it again".into(),
        };
        let landing =
            vec![line("fee_list/a.csv", "refused", "rows", "3 rows where 4 are announced"), line("a.et", "passed_over", "format", "no")];
        let warnings = vec!["the clock".to_owned()];
        let mut load = LoadReport { files: 1, landing, ..LoadReport::default() };
        load.datasets.insert("shp".into(), DatasetLoad { windows: 2, declared: 10, received: 10, appended: 9, ..DatasetLoad::default() });
        load.datasets.insert("retn".into(), DatasetLoad { windows: 2, ..DatasetLoad::default() });
        let mut build = BuildReport { computed: 6, ..BuildReport::default() };
        build.alerts.insert("D05".into(), BTreeMap::from([("warn".into(), 2), ("verify".into(), 1)]));
        build.alerts.insert("D13".into(), BTreeMap::from([("warn".into(), 4)]));
        build.stale.insert("gold.fact_receipt".into(), 3);
        let run = RunReport {
            verb: "nightly".into(),
            run_id: Some("r000001-20240703T020000".into()),
            changed: true,
            warnings,
            load: Some(load),
            build: Some(build),
            ..RunReport::default()
        };
        text(&printer, &run);
        let expected = "\
nightly r000001-20240703T020000, no release yet

loaded
dataset  windows  files  declared  received  appended
shp            2      0        10        10         9

built
table              stale cells  replaced
gold.fact_receipt            3         0

indicators: 6 indicator-months computed, 0 judged again

alerts in the release
indicator  verify  warn
D05             1     2
D13             0     4
";
        assert_eq!(out.text(), expected);
        let expected = "\
warning: the clock
warning: file `fee_list/a.csv` refused: rows: 3 rows where 4 are announced
  hint: deliver it again
warning: `a.et` passed over: no; deliver it again
";
        assert_eq!(err.text(), expected);
    }
}
