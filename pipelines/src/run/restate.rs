//! The restatement ledger: what a release changes of months that had ended when the one before was made.

use std::collections::BTreeMap;

use yaojia_models::value::Month;
use yaojia_warehouse::ledger::{Release, Restatement, RunStamp, record_restatements};

use super::differ::published;
use crate::context::Context;
use crate::error::RunError;

/// Why an indicator's month was made anew, in the words of the ledger.
fn cause(reason: &str) -> &'static str {
    match reason {
        "rule_changed" => "rule",
        "code_changed" | "contract_changed" => "code",
        "source_incomplete" => "completeness",
        _ => "input",
    }
}

/// Writes down how values and alerts of closed months differ from the release `before`; returns how many rows by change.
///
/// `made` says why each indicator-month was made anew since (indicator, month, reason; the last counts). What a run that was killed had built already has no reason here: then it is the
/// data, unless `changed_code` says that texts are others than those of the release before.
pub(crate) async fn restate(
    context: &Context<'_>,
    stamp: &RunStamp,
    before: &Release,
    tables: &BTreeMap<String, i64>,
    made: &[(String, String, String)],
    changed_code: bool,
) -> Result<BTreeMap<String, u64>, RunError> {
    let known = yaojia_models::text::parse_timestamp(&before.as_of).ok().flatten().unwrap_or_default();
    let closed = |month: &str| Month::parse(month).is_ok_and(|month| month.next().first_micros() <= known);
    let reasons: BTreeMap<(&str, &str), &str> =
        made.iter().map(|(indicator, month, reason)| ((indicator.as_str(), month.as_str()), reason.as_str())).collect();
    let mut all = Vec::new();
    for table in ["gold.alert", "gold.indicator_value"] {
        let versions = (before.tables.get(table).copied(), tables.get(table).copied());
        if versions.0 == versions.1 {
            continue;
        }
        let place = |place: &str| place.rsplit_once("month=").is_some_and(|(_, month)| closed(month));
        for row in published(context.root, table, versions, &place).await? {
            let text = |name: &str| row.key.get(name).map(String::as_str).unwrap_or_default();
            let unknown = if changed_code { "code" } else { "input" };
            let cause = reasons.get(&(text("indicator_id"), text("month"))).map_or(unknown, |reason| cause(reason));
            all.push(Restatement {
                release: before.number + 1,
                run_id: stamp.id.clone(),
                table: table.to_owned(),
                change: row.change.to_owned(),
                cause: cause.to_owned(),
                key: row.key,
                before: row.before,
                after: row.after,
            });
        }
    }
    record_restatements(context.root, stamp.seq, &all).await?;
    let mut counts = BTreeMap::new();
    for one in &all {
        *counts.entry(format!("{} {}", one.table.trim_start_matches("gold."), one.change)).or_default() += 1;
    }
    Ok(counts)
}
