//! `yaojia status`: release, runs, counts, and what there is by county and month.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use yaojia_warehouse::ledger::{
    self, CellMarks, Release, RunRecord, certificates, current_release, loads, parses, read_counts, runs, undone,
};
use yaojia_warehouse::read::Parameters;
use yaojia_warehouse::silver::Counts;

use super::table::Table;
use super::{App, CliError, ExitStatus, backfill, certificate, query};
use crate::project::Project;
use crate::report::LandingLine;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Rows of this table in the matrix, such as gold.fact_receipt [default: the silver rows of all datasets]
    #[arg(long, value_name = "LAYER.TABLE")]
    pub table: Option<String>,
    /// Only the silver counts, as one JSON object, dataset → counts
    #[arg(long)]
    pub silver_counts: bool,
    /// The certificates of completeness, one line each dataset, county and month
    #[arg(long)]
    pub completeness: bool,
    /// Runs to show
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub runs: usize,
}

/// Rows of one county and month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Square {
    county: String,
    month: String,
    rows: u64,
}

pub(super) async fn status(app: &App, args: &StatusArgs) -> Result<ExitStatus, CliError> {
    let project = app.reading()?;
    let silver = read_counts(&project.warehouse.root).await?;
    if args.silver_counts {
        app.printer.bare_json(&silver)?;
        return Ok(ExitStatus::Done);
    }
    let certificates = certificates(&project.warehouse.root).await?;
    if args.completeness {
        certificate::print(app, &certificates)?;
        return Ok(ExitStatus::Done);
    }
    let release = current_release(&project.warehouse.root).await?;
    let runs = latest(runs(&project.warehouse.root).await?, args.runs);
    let marks = CellMarks::read(&project.warehouse.root).await?;
    let squares = squares(&project, &marks, args.table.as_deref());
    let lying = lying(&project).await?;
    let kept: Vec<Value> = parses(&project.warehouse.root)
        .await?
        .into_values()
        .flat_map(|mark| {
            mark.kept
                .into_iter()
                .map(move |of| json!({"dataset": mark.dataset, "state": of.state, "source": of.source, "reason": of.reason}))
        })
        .collect();
    let undone = undone(&project.warehouse.root).await?;
    let backfills: Vec<_> = crate::run::backfill::list(&project).await?.into_iter().filter(|of| of.is_open).collect();
    if app.json() {
        let mut document = document(&project, release.as_ref(), &runs, &squares, &silver);
        document["landing"] = json!(lying);
        for (name, state) in [("refused", "refused"), ("passed_over", "passed_over"), ("missing", "missing")] {
            document[name] = lying.iter().filter(|of| of.state == state).map(entry).collect();
        }
        document["completeness"] = certificate::document(&certificates);
        document["old_parses"] = Value::Array(kept);
        document["undone"] =
            undone.iter().map(|of| json!({"kind": of.kind.text(), "name": of.name, "code": of.code, "why": of.why})).collect();
        document["backfills"] = json!(backfills);
        app.printer.json("status", &document)?;
        return Ok(ExitStatus::Done);
    }
    head(app, &project, release.as_ref());
    if !runs.is_empty() {
        let mut table = Table::new(["run", "verb", "as of", "state", "note"]);
        runs.iter().for_each(|run| table.push([run.id.clone(), run.verb.clone(), run.as_of.clone(), run.state.clone(), cut(&run.note)]));
        app.printer.table("\nruns", &table);
    }
    if !undone.is_empty() {
        let mut table = Table::new(["undone", "name", "error", "why"]);
        undone.iter().for_each(|of| table.push([of.kind.text().to_owned(), of.name.clone(), of.code.clone(), cut(&of.why)]));
        app.printer.table("\nleft undone", &table);
        app.printer.note(&format!("`{}` takes it up again", app.command("retry")));
    }
    if !backfills.is_empty() {
        app.printer.table("\nopen backfills", &backfill::table(backfills.iter()));
        app.printer.note(&format!("`{}` goes on with one", app.command("backfill resume ID")));
    }
    if !squares.is_empty() {
        let names = county_names(&project, release.is_some()).await;
        let what = args.table.as_deref().unwrap_or("silver, all datasets");
        app.printer.table(&format!("\nrows by county and month ({what})"), &matrix(&squares, &names));
    }
    if !silver.is_empty() {
        app.printer.table("\nsilver", &counts(&silver));
    }
    if !certificates.is_empty() {
        let words = "completeness, counties complete of all, by dataset and month (`--completeness`: every certificate)";
        app.printer.table(&format!("\n{words}"), &certificate::matrix(&certificates, &project.warehouse.region.code));
    }
    if !kept.is_empty() {
        app.printer.warn(&format!("{} pages or files keep the rows of older parsing rules; `--json` lists them", kept.len()));
    }
    landing(app, &lying);
    if runs.is_empty() {
        app.printer.note(&format!("nothing was loaded yet: `{}`", app.command("nightly")));
    }
    Ok(ExitStatus::Done)
}

fn head(app: &App, project: &Project, release: Option<&Release>) {
    let region =
        format!("{} {}, from {}", project.warehouse.region.code, project.warehouse.region.name, project.warehouse.region.first_month);
    let release = release.map_or_else(
        || "no release yet".to_owned(),
        |r| format!("release {} as of {} by {}, {} tables", r.number, r.as_of, r.run_id, r.tables.len()),
    );
    app.printer.text(&format!("{region}\n{}\n{release}", project.warehouse.root.url()));
}

/// The beginning of a long text; `--json` has all of it.
fn cut(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The last state of each run, the newest first.
fn latest(all: Vec<RunRecord>, n: usize) -> Vec<RunRecord> {
    let mut by_seq: BTreeMap<i64, RunRecord> = BTreeMap::new();
    for run in all {
        // `opened` stands before `done` or `failed`; where the ledger holds both, the later wins.
        if run.state != "opened" || !by_seq.contains_key(&run.seq) {
            by_seq.insert(run.seq, run);
        }
    }
    by_seq.into_values().rev().take(n).collect()
}

/// What lies in the landing folder, as the last run that looked wrote it down; a refused file that was taken away stays one until it is
/// delivered again.
async fn lying(project: &Project) -> Result<Vec<LandingLine>, CliError> {
    let mut lines: Vec<LandingLine> = Vec::new();
    for mark in ledger::landing(&project.warehouse.root).await?.values() {
        let line = LandingLine::of(mark);
        // a file that feeds several datasets is one file
        if lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    let mut last: BTreeMap<String, (String, String)> = BTreeMap::new();
    for mark in loads(&project.warehouse.root).await?.into_iter().filter(|mark| !mark.sha256.is_empty()) {
        last.insert(mark.name, (mark.state, mark.reason));
    }
    for (file, (_, reason)) in last.into_iter().filter(|(_, (state, _))| state == "refused") {
        if !lines.iter().any(|line| line.file == file && line.state == "refused") {
            let (detail, hint) = ("it was refused when it was last looked at".to_owned(), "have it delivered again".to_owned());
            lines.push(LandingLine { file, state: "refused", reason, detail, hint });
        }
    }
    lines.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(lines)
}

/// What is not loaded, with why and what to do.
fn landing(app: &App, lying: &[LandingLine]) {
    let of = |state: &str| lying.iter().filter(move |line| line.state == state).count();
    if lying.is_empty() {
        return;
    }
    let counts: Vec<String> =
        [("loaded", "loaded"), ("same_content", "same content"), ("refused", "refused"), ("passed_over", "passed over")]
            .into_iter()
            .chain([("missing", "announced and missing")])
            .map(|(state, words)| format!("{} {words}", of(state)))
            .collect();
    app.printer.text(&format!("\nlanding folder: {}", counts.join(", ")));
    let mut table = Table::new(["file", "state", "reason", "what", "what to do"]);
    for line in lying.iter().filter(|line| !matches!(line.state, "loaded" | "same_content")) {
        table.push([line.file.as_str(), line.state, line.reason.as_str(), line.detail.as_str(), line.hint.as_str()]);
    }
    if !table.is_empty() {
        app.printer.table("", &table);
    }
}

/// A line of what is not loaded.
fn entry(of: &LandingLine) -> Value {
    json!({"file": of.file, "reason": of.reason, "detail": of.detail, "hint": of.hint})
}

/// Rows by county and month: of one table, or of the silver of all datasets; reference data of the region stands aside.
fn squares(project: &Project, marks: &CellMarks, table: Option<&str>) -> Vec<Square> {
    let tables: Vec<String> = match table {
        Some(table) => vec![table.to_owned()],
        None => project.warehouse.contracts.datasets().iter().map(|dataset| format!("silver.{}", dataset.name)).collect(),
    };
    let first = project.warehouse.region.first_month.to_string();
    let mut rows: BTreeMap<(String, String), u64> = BTreeMap::new();
    for table in &tables {
        for (cell, mark) in marks.of(table) {
            let whole = cell.county == "*" || mark.rows == 0;
            let aside = table_is_all(tables.len()) && (cell.county == project.warehouse.region.code || cell.month < first);
            if !whole && !aside {
                *rows.entry((cell.county, cell.month)).or_default() += mark.rows;
            }
        }
    }
    rows.into_iter().map(|((county, month), rows)| Square { county, month, rows }).collect()
}

const fn table_is_all(tables: usize) -> bool {
    tables > 1
}

fn matrix(squares: &[Square], names: &BTreeMap<String, String>) -> Table {
    let months: BTreeSet<&str> = squares.iter().map(|s| s.month.as_str()).collect();
    let mut by_county: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for square in squares {
        by_county.entry(&square.county).or_default().insert(&square.month, square.rows);
    }
    let mut table = Table::new(["county", "name"].into_iter().chain(months.iter().copied()));
    for (county, rows) in by_county {
        let cells = months.iter().map(|month| rows.get(month).map_or_else(|| "–".to_owned(), ToString::to_string));
        let name = names.get(county).cloned().unwrap_or_default();
        table.push([county.to_owned(), name].into_iter().chain(cells));
    }
    table
}

fn counts(silver: &BTreeMap<String, Counts>) -> Table {
    let named = |of: &BTreeMap<String, u64>| of.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ");
    let mut table = Table::new(["dataset", "received", "repeated", "accepted", "superseded", "void", "quarantined", "warnings"]);
    for (dataset, of) in silver {
        table.push([
            dataset.clone(),
            of.received.to_string(),
            of.repeated.to_string(),
            of.accepted.to_string(),
            of.superseded.to_string(),
            of.void.to_string(),
            named(&of.quarantined),
            named(&of.warnings),
        ]);
    }
    table
}

fn document(
    project: &Project,
    release: Option<&Release>,
    runs: &[RunRecord],
    squares: &[Square],
    silver: &BTreeMap<String, Counts>,
) -> Value {
    let run = |r: &RunRecord| json!({"seq": r.seq, "id": r.id, "verb": r.verb, "as_of": r.as_of, "state": r.state, "note": r.note});
    json!({
        "region": {"code": project.warehouse.region.code, "name": project.warehouse.region.name, "first_month": project.warehouse.region.first_month.to_string()},
        "warehouse": project.warehouse.root.url().as_str(),
        "release": release.map(|r| json!({"number": r.number, "run_id": r.run_id, "as_of": r.as_of, "tables": r.tables})),
        "runs": runs.iter().map(run).collect::<Vec<_>>(),
        "matrix": squares,
        "silver": silver,
    })
}

/// County code → name: as configured, else as the released dimension says; codes alone where neither does.
pub(super) async fn county_names(project: &Project, released: bool) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, String> = project.counties.iter().map(|county| (county.code.clone(), county.name.clone())).collect();
    names.insert(project.warehouse.region.code.clone(), project.warehouse.region.name.clone());
    if !released {
        return names;
    }
    let Ok(reader) = project.warehouse.reader().await else { return names };
    match query::rows(&reader, "SELECT d.admdvs, d.admdvs_name FROM gold.dim_admdvs AS d ORDER BY d.admdvs", &Parameters::new()).await {
        Ok(rows) => {
            for at in 0..rows.rows.len() {
                names.entry(rows.text(at, "admdvs")).or_insert_with(|| rows.text(at, "admdvs_name"));
            }
        }
        Err(error) => tracing::debug!(%error.message, "no names of counties"),
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_shows_what_is_not_there() {
        let square = |county: &str, month: &str, rows| Square { county: county.into(), month: month.into(), rows };
        let names = BTreeMap::from([("652801".to_owned(), "库尔勒市".to_owned())]);
        let table = matrix(&[square("652801", "2024-01", 1200), square("652801", "2024-02", 7), square("652822", "2024-02", 3)], &names);
        let expected = "\
county  name      2024-01  2024-02
652801  库尔勒市     1200        7
652822                  –        3
";
        assert_eq!(table.render(), expected);
    }

    #[test]
    fn a_run_shows_its_last_state_and_the_newest_comes_first() {
        let run = |seq, state: &str| RunRecord {
            seq,
            id: format!("r{seq}"),
            verb: "nightly".into(),
            as_of: String::new(),
            state: state.into(),
            note: String::new(),
        };
        let shown = latest(vec![run(1, "opened"), run(1, "done"), run(2, "failed"), run(2, "opened"), run(3, "opened")], 2);
        let shown: Vec<(i64, &str)> = shown.iter().map(|r| (r.seq, r.state.as_str())).collect();
        assert_eq!(shown, [(3, "opened"), (2, "failed")]);
    }

    #[test]
    fn silver_counts_have_the_shape_of_the_expected_file() {
        let of = Counts { received: 3, accepted: 2, quarantined: BTreeMap::from([("negative".to_owned(), 1)]), ..Counts::default() };
        let text = serde_json::to_value(BTreeMap::from([("shp", of)])).unwrap();
        assert_eq!(
            text,
            json!({"shp": {"received": 3, "repeated": 0, "accepted": 2, "superseded": 0, "void": 0, "quarantined": {"negative": 1}, "warnings": {}}})
        );
    }
}
