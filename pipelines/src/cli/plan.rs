//! `yaojia plan`: what a build would do now, and why.

use std::collections::BTreeMap;

use clap::Args;
use yaojia_models::value::Month;

use super::table::Table;
use super::{App, CliError, ExitStatus, Printer};
use crate::plan::PlanFilter;
use crate::report::PlanReport;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Say why, with the counties and months concerned
    #[arg(long)]
    pub why: bool,
    /// Only these tables and indicators, as `build` selects them
    #[arg(value_name = "SELECTOR")]
    pub selectors: Vec<String>,
    /// Only cells of this county
    #[arg(long, value_name = "CODE")]
    pub county: Option<String>,
    /// Only cells of this month, or of these: 2024-01..2024-03
    #[arg(long, value_name = "yyyy-MM[..yyyy-MM]", value_parser = months)]
    pub month: Option<(Month, Month)>,
}

/// A month, or the first and the last of several.
fn months(text: &str) -> Result<(Month, Month), String> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (from, to) = (super::backfill::month(from)?, super::backfill::month(to)?);
    if from <= to { Ok((from, to)) } else { Err(format!("the months run backwards: {from}..{to}")) }
}

pub(super) async fn plan(app: &App, args: &PlanArgs) -> Result<ExitStatus, CliError> {
    let project = app.reading()?;
    let filter = PlanFilter { selectors: args.selectors.clone(), county: args.county.clone(), months: args.month };
    let plan = crate::run::plan(&project, &filter).await?;
    if app.json() {
        app.printer.json("plan", &plan)?;
    } else {
        let part = !args.selectors.is_empty() || args.county.is_some() || args.month.is_some();
        text(&app.printer, &plan, args.why, part);
    }
    Ok(ExitStatus::Done)
}

/// Table → reason → cells (county, month).
type Stale = BTreeMap<String, BTreeMap<String, Vec<(String, String)>>>;

fn text(printer: &Printer, plan: &PlanReport, why: bool, part: bool) {
    let mut stale = Stale::new();
    let mut add = |table: String, reason: &str, county: &str, month: &str| {
        stale.entry(table).or_default().entry(reason.to_owned()).or_default().push((county.to_owned(), month.to_owned()));
    };
    plan.gold.iter().for_each(|cell| add(cell.table.clone(), &cell.reason, &cell.county, &cell.month));
    plan.indicators.iter().for_each(|month| add(format!("indicator {}", month.indicator), &month.reason, "*", &month.month));
    plan.parse.iter().for_each(|dataset| add(format!("bronze.{dataset}"), "parser_changed", "*", "*"));
    plan.silver_reasons.iter().for_each(|(dataset, reason)| add(format!("silver.{dataset}"), reason, "*", "*"));
    if stale.is_empty() {
        let what = if part { "nothing of this is stale" } else { "all is fresh" };
        return printer.text(&format!("nothing to do: {what} as of {}", plan.as_of));
    }
    let mut table =
        if why { Table::new(["table", "cells", "reason", "counties", "months"]) } else { Table::new(["table", "cells", "reasons"]) };
    for (name, reasons) in &stale {
        if why {
            for (reason, cells) in reasons {
                table.push([
                    name.clone(),
                    cells.len().to_string(),
                    reason.clone(),
                    span(cells.iter().map(|c| &c.0)),
                    span(cells.iter().map(|c| &c.1)),
                ]);
            }
        } else {
            let cells: usize = reasons.values().map(Vec::len).sum();
            table.push([name.clone(), cells.to_string(), reasons.keys().cloned().collect::<Vec<_>>().join(", ")]);
        }
    }
    printer.table(&format!("stale as of {}", plan.as_of), &table);
}

/// A few values as they are, many as first..last.
fn span<'a>(values: impl Iterator<Item = &'a String>) -> String {
    let mut values: Vec<&str> = values.map(String::as_str).collect();
    values.sort_unstable();
    values.dedup();
    match values.as_slice() {
        [first, .., last] if values.len() > 3 => format!("{first}..{last} ({})", values.len()),
        few => few.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use yaojia_warehouse::gold::{StaleCell, StaleMonth};

    use super::super::Style;
    use super::super::printer::tests::taped;
    use super::*;

    #[test]
    fn cells_are_counted_by_table_and_reason() {
        let cell = |month: &str, reason: &str| StaleCell {
            table: "gold.fact_receipt".into(),
            county: "652801".into(),
            month: month.into(),
            reason: reason.into(),
        };
        let plan = PlanReport {
            as_of: "2024-07-03T02:00:00".into(),
            gold: vec![cell("2024-01", "input_changed"), cell("2024-02", "input_changed"), cell("2024-03", "never_built")],
            indicators: vec![StaleMonth {
                indicator: "D05".into(),
                month: "2024-01".into(),
                reason: "rule_changed".into(),
                judges_only: true,
            }],
            ..PlanReport::default()
        };
        let (printer, out, _) = taped(Style::default());
        text(&printer, &plan, false, false);
        text(&printer, &plan, true, false);
        text(&printer, &PlanReport { as_of: "2024-07-03T02:00:00".into(), ..PlanReport::default() }, true, false);
        let expected = "\
stale as of 2024-07-03T02:00:00
table              cells  reasons
gold.fact_receipt      3  input_changed, never_built
indicator D05          1  rule_changed
stale as of 2024-07-03T02:00:00
table              cells  reason         counties  months
gold.fact_receipt      2  input_changed  652801    2024-01 2024-02
gold.fact_receipt      1  never_built    652801    2024-03
indicator D05          1  rule_changed   *         2024-01
nothing to do: all is fresh as of 2024-07-03T02:00:00
";
        assert_eq!(out.text(), expected);
    }
}
