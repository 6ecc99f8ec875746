//! Why indicator-months were made anew by runs that did not move the release: the release that shows them names the cause all the same.

use crate::error::Result;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const UNRELEASED: Sheet = Sheet {
    name: "unreleased",
    title: "已重算未发布登记（部分构建时各指标月份的重算原因）",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("indicator_id", Kind::Text, "指标"),
        ("month", Kind::Text, "月份"),
        ("reason", Kind::Text, "重算原因"),
    ],
};

/// An indicator's month and why it was made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreleased {
    /// Indicator.
    pub indicator: String,
    /// Month.
    pub month: String,
    /// `rule_changed` and so on.
    pub reason: String,
}

/// What runs after this one made anew without moving the release, in order.
///
/// # Errors
/// As the storage says.
pub async fn unreleased(root: &Root, after_run: i64) -> Result<Vec<Unreleased>> {
    let rows = UNRELEASED.read(root).await?;
    let text = |row: &[crate::ledger::Value], at: usize| row[at].text().to_string();
    let after = rows.iter().filter(|row| row[0].int() > after_run);
    Ok(after.map(|row| Unreleased { indicator: text(row, 1), month: text(row, 2), reason: text(row, 3) }).collect())
}

/// Writes it down, in one commit.
///
/// # Errors
/// As the storage says.
pub async fn record_unreleased(root: &Root, run_seq: i64, all: &[Unreleased]) -> Result<()> {
    let rows: Vec<_> = all
        .iter()
        .map(|of| vec![run_seq.into(), of.indicator.as_str().into(), of.month.as_str().into(), of.reason.as_str().into()])
        .collect();
    UNRELEASED.append(root, run_seq, &rows).await
}
