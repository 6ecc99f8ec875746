//! `gold.alert`: one row per value in warn, verify or exempt.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use yaojia_models::card::Indicator;

use super::publish::{Table, is_public, subject_kind};
use super::value::Judged;
use super::{Ask, EngineError, Names};

/// The judged rows that have an alert, in order.
pub(super) fn alerted<'a>(indicator: &Indicator, judged: &[&'a Judged]) -> Vec<&'a Judged> {
    judged.iter().copied().filter(|row| row.state.is_alert() && is_public(indicator, row)).collect()
}

/// The rows of `gold.alert`, without `first_run_id`, which the caller knows; `counts` says how many evidence rows an alert has.
///
/// # Errors
/// When a number does not fit its published type.
pub(super) fn alerts(
    indicator: &Indicator,
    ask: &Ask,
    names: &Names,
    rows: &[&Judged],
    counts: &BTreeMap<String, i64>,
) -> Result<RecordBatch, EngineError> {
    let build = Table { indicator, rows };
    let recipients = indicator.card.recipients.join("、");
    let columns = vec![
        build.owned_texts("alert_id", |row| Some(row.value.key.alert_id(indicator.id()))),
        build.texts("indicator_id", |_| Some(indicator.id())),
        build.texts("measure", |row| Some(&row.value.key.measure)),
        build.texts("month", |row| Some(&row.value.key.month)),
        build.texts("county", |row| Some(&row.value.key.county)),
        build.texts("level", |row| Some(row.value.key.level.as_str())),
        build.texts("subject_kind", |row| Some(subject_kind(indicator, row).as_str())),
        build.texts("subject_code", |row| Some(&row.value.key.subject_code)),
        build.texts("subject_name", |row| Some(names.name(subject_kind(indicator, row), &row.value.key.subject_code))),
        build.texts("product_code", |row| Some(&row.value.key.product_code)),
        build.texts("batch_code", |row| Some(&row.value.key.batch_code)),
        build.texts("group_code", |row| Some(&row.value.key.group_code)),
        build.texts("state", |row| Some(row.state.as_str())),
        build.doubles("value", |row| row.result),
        build.decimals("amount_at_risk", 38, 2, |row| row.value.amount)?,
        build.texts("mark", |row| Some(&row.mark)),
        build.texts("threshold", |row| row.threshold.as_deref()),
        build.texts("rule_version", |row| row.rule_version.as_deref()),
        build.texts("message", |row| row.message.as_deref()),
        build.owned_texts("recipients", |_| Some(recipients.clone())),
        build.texts("exempt_id", |row| row.exempt_id.as_deref()),
        build.wholes("evidence_n", |row| Some(counts.get(&row.value.key.alert_id(indicator.id())).copied().unwrap_or(0))),
        build.times("as_of", |row| ask.asked(&row.value.key.month).map(|asked| asked.as_of)),
    ];
    build.finish(columns)
}
