//! What a demo shows: per county the three rates, the alerts by indicator, and where to look next.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::Datelike;
use serde_json::{Value, json};
use yaojia_models::value::Month;
use yaojia_warehouse::ledger::read_counts;
use yaojia_warehouse::read::{Reader, Rows, parameters, plain};

use super::super::table::Table;
use super::super::{App, CliError, app, query, report, status};
use crate::clock::parse_instant;
use crate::project::Project;
use crate::report::RunReport;

/// Column of the table, indicator, measure.
const RATES: [(&str, &str, &str); 4] = [
    ("online purchase rate (D05)", "D05", "main"),
    ("agreed volume done (D09)", "D09", "completion_amt"),
    ("groups on track (D09)", "D09", "on_track"),
    ("on-time delivery (D13)", "D13", "main"),
];

pub(super) async fn show(app: &App, project: &Project, run: &RunReport, world: &Path) -> Result<(), CliError> {
    let reader = project.warehouse.reader().await?;
    let month = latest_whole_month(&reader).await?;
    let rates = rates(&reader, &month).await?;
    let alerts = alerts(&reader, &month).await?;
    let names = status::county_names(project, true).await;
    let planned = as_planned(project, world).await?;
    let gravest = gravest(&reader, &month).await?;
    let next = next(project, gravest.as_deref());
    if app.json() {
        let counties: Vec<Value> = rates
            .iter()
            .map(|(county, of)| {
                let of: serde_json::Map<String, Value> = RATES
                    .iter()
                    .map(|(title, id, measure)| (format!("{id}.{measure}"), of.get(*title).cloned().unwrap_or(Value::Null)))
                    .collect();
                json!({"county": county, "name": names.get(county), "percent": of})
            })
            .collect();
        let document =
            json!({"run": run, "month": month, "counties": counties, "alerts": alerts.objects(), "silver_differs": planned, "next": next});
        return app.printer.json("demo", &document);
    }
    report::text(&app.printer, run);
    let mut table = Table::new(["county", "name"].into_iter().chain(RATES.iter().map(|(title, ..)| *title)));
    for (county, of) in &rates {
        let cells = RATES.iter().map(|(title, ..)| of.get(*title).map_or_else(|| "–".to_owned(), |percent| format!("{}%", plain(percent))));
        table.push([county.clone(), names.get(county).cloned().unwrap_or_default()].into_iter().chain(cells));
    }
    app.printer.table(&format!("\n{month}, the latest whole month"), &table);
    let mut table = Table::new([
        "indicator".to_owned(),
        "name".to_owned(),
        "verify".to_owned(),
        "warn".to_owned(),
        "exempt".to_owned(),
        format!("of these in {month}"),
    ]);
    for at in 0..alerts.rows.len() {
        let id = alerts.text(at, "indicator_id");
        let name = project.warehouse.sql.catalogue().get(&id).map(|indicator| indicator.card.name_zh.clone()).unwrap_or_default();
        let count = |column: &str| alerts.text(at, column);
        table.push([id, name, count("verify"), count("warn"), count("exempt"), count("latest")]);
    }
    app.printer.table("\nalerts by indicator and level", &table);
    match planned.as_slice() {
        [] => app
            .printer
            .text("\nsilver counts every row as the world planned it: accepted, superseded, void, or quarantined with its reason"),
        differs => app.printer.warn(&format!("silver counts differ from what the world planned: {}", differs.join(", "))),
    }
    app.printer.text(&format!("\nwhere to look next\n{}", next.iter().map(|line| format!("  {line}\n")).collect::<String>()));
    Ok(())
}

/// The last month that has ended by the release's instant and has values.
async fn latest_whole_month(reader: &Reader) -> Result<String, CliError> {
    let as_of = parse_instant(&reader.release().as_of).map_err(|why| CliError::missing(why, "the release has no instant"))?;
    let last = Month::of(as_of.year(), as_of.month()).plus(-1);
    let sql = "SELECT MAX(v.month) AS month FROM gold.indicator_value AS v WHERE v.level = 'region' AND v.month <= $last";
    let found = query::rows(reader, sql, &parameters([("last", &last.to_string())])).await?.text(0, "month");
    Ok(if found.is_empty() { last.to_string() } else { found })
}

/// County → title → percent with one place.
async fn rates(reader: &Reader, month: &str) -> Result<BTreeMap<String, BTreeMap<&'static str, Value>>, CliError> {
    let sql = "SELECT v.county, v.indicator_id, v.measure, \
         CAST(ROUND(100.0 * CAST(SUM(v.numerator) AS DOUBLE) / CAST(NULLIF(SUM(v.denominator), 0) AS DOUBLE), 1) AS DECIMAL(10, 1)) AS percent \
         FROM gold.indicator_value AS v WHERE v.month = $month AND v.level IN ('county', 'region') AND v.state <> 'na' \
         AND v.indicator_id IN ('D05', 'D09', 'D13') AND v.measure IN ('main', 'completion_amt', 'on_track') \
         GROUP BY v.county, v.indicator_id, v.measure ORDER BY 1, 2, 3";
    let rows = query::rows(reader, sql, &parameters([("month", month)])).await?;
    let mut rates: BTreeMap<String, BTreeMap<&'static str, Value>> = BTreeMap::new();
    for at in 0..rows.rows.len() {
        let (id, measure, percent) = (rows.text(at, "indicator_id"), rows.text(at, "measure"), rows.text(at, "percent"));
        let title = RATES.iter().find(|(_, of, named)| *of == id && *named == measure).map(|(title, ..)| *title);
        if let (Some(title), false) = (title, percent.is_empty()) {
            rates.entry(rows.text(at, "county")).or_default().insert(title, Value::String(percent));
        }
    }
    Ok(rates)
}

/// Alerts by indicator: how many of each state over all months, and how many in the latest.
async fn alerts(reader: &Reader, month: &str) -> Result<Rows, CliError> {
    let count = |what: &str| format!("SUM(CASE WHEN {what} THEN 1 ELSE 0 END)");
    let states: Vec<String> =
        ["verify", "warn", "exempt"].iter().map(|state| format!("{} AS {state}", count(&format!("a.state = '{state}'")))).collect();
    let sql = format!(
        "SELECT a.indicator_id, {}, {} AS latest FROM gold.alert AS a GROUP BY a.indicator_id ORDER BY a.indicator_id",
        states.join(", "),
        count("a.month = $month")
    );
    query::rows(reader, &sql, &parameters([("month", month)])).await
}

/// An alert worth explaining: the gravest of the month, with evidence.
async fn gravest(reader: &Reader, month: &str) -> Result<Option<String>, CliError> {
    let sql = "SELECT a.alert_id FROM gold.alert AS a WHERE a.month = $month AND a.level = 'subject' AND a.evidence_n > 0 \
         ORDER BY CASE a.state WHEN 'verify' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, a.indicator_id, a.alert_id LIMIT 1";
    let found = query::rows(reader, sql, &parameters([("month", month)])).await?.text(0, "alert_id");
    Ok((!found.is_empty()).then_some(found))
}

/// Datasets whose silver counts are not those the world planned.
async fn as_planned(project: &Project, world: &Path) -> Result<Vec<String>, CliError> {
    let path = world.join("expected_silver.json");
    let text = std::fs::read(&path).map_err(|error| CliError::file(&path, &error))?;
    let planned: Value = serde_json::from_slice(&text).map_err(|error| CliError::layout(&error))?;
    let counts = read_counts(&project.warehouse.root).await?;
    let mut differs = Vec::new();
    for (dataset, of) in planned.as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with('_')) {
        let got = serde_json::to_value(counts.get(dataset).cloned().unwrap_or_default()).map_err(|error| CliError::layout(&error))?;
        // How often a row came again depends on how windows overlap.
        if ["received", "accepted", "superseded", "void", "quarantined", "warnings"].iter().any(|name| got.get(*name) != of.get(*name)) {
            differs.push(dataset.clone());
        }
    }
    Ok(differs)
}

/// Commands to copy.
fn next(project: &Project, alert: Option<&str>) -> Vec<String> {
    let command = |words: &str| format!("{} --project {} {words}", app::program(), project.dir.display());
    let mut next = Vec::new();
    if let Some(alert) = alert {
        next.push(command(&format!("explain {alert}")));
    }
    next.extend(
        ["status", "indicator show D05", "quarantine list", "query \"SELECT v.month, v.value, v.state FROM gold.indicator_value AS v WHERE v.indicator_id = 'D13' AND v.measure = 'main' AND v.level = 'region' ORDER BY v.month\""]
            .iter()
            .map(|words| command(words)),
    );
    next.push(format!("{} simulate --world {}    # then, in another terminal:", app::program(), project.dir.join("world").display()));
    next.push(command("nightly --as-of 2024-07-02T02:00:00"));
    next
}
