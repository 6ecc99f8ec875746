//! Restatements: values and alerts of closed months that a release shows otherwise than the one before.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::error::Result;
use crate::ledger::releases::releases;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const RESTATEMENT: Sheet = Sheet {
    name: "restatement",
    title: "重述登记（已结束月份的指标值与预警）",
    columns: &[
        ("release_no", Kind::Int, "发布序号"),
        ("run_id", Kind::Text, "运行编号"),
        ("table_name", Kind::Text, "表（gold.indicator_value 或 gold.alert）"),
        ("change", Kind::Text, "变化（appeared 出现，vanished 消失，changed 改变）"),
        ("cause", Kind::Text, "原因（input 数据，rule 规则，code 口径或程序，completeness 数据完整性）"),
        ("indicator_id", Kind::Text, "指标编号"),
        ("county", Kind::Text, "区划"),
        ("month", Kind::Text, "月份"),
        ("row_key", Kind::Text, "标识，JSON"),
        ("before", Kind::Text, "原值，JSON，只含有变化的列"),
        ("after", Kind::Text, "新值，JSON，只含有变化的列"),
    ],
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restatement {
    /// The release that shows it so.
    pub release: i64,
    /// The run that made it.
    pub run_id: String,
    /// `gold.indicator_value` or `gold.alert`.
    pub table: String,
    /// `appeared`, `vanished`, `changed`.
    pub change: String,
    /// `input`, `rule`, `code`, `completeness`.
    pub cause: String,
    /// What names the row: `indicator_id`, `county`, `month` and the others.
    pub key: BTreeMap<String, String>,
    /// What it was.
    pub before: BTreeMap<String, Option<String>>,
    /// What it is.
    pub after: BTreeMap<String, Option<String>>,
}

fn json<V: Clone + Into<Json>>(of: &BTreeMap<String, V>) -> String {
    Json::Object(of.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect::<Map<_, _>>()).to_string()
}

/// Writes them down, before the release itself: rows for a number that another run took in the end are of no consequence.
///
/// # Errors
/// As the storage says.
pub async fn record_restatements(root: &Root, run_seq: i64, all: &[Restatement]) -> Result<()> {
    let rows: Vec<_> = all
        .iter()
        .map(|one| {
            let key = |name: &str| one.key.get(name).map(String::as_str).unwrap_or_default();
            vec![
                one.release.into(),
                one.run_id.as_str().into(),
                one.table.as_str().into(),
                one.change.as_str().into(),
                one.cause.as_str().into(),
                key("indicator_id").into(),
                key("county").into(),
                key("month").into(),
                json(&one.key).into(),
                json(&one.before).into(),
                json(&one.after).into(),
            ]
        })
        .collect();
    RESTATEMENT.append(root, run_seq, &rows).await
}

/// What the releases restated, oldest first; `release` narrows it to one.
///
/// # Errors
/// As the storage says.
pub async fn restatements(root: &Root, release: Option<i64>) -> Result<Vec<Restatement>> {
    let made: BTreeMap<i64, String> = releases(root).await?.into_iter().map(|one| (one.number, one.run_id)).collect();
    let mut all: Vec<Restatement> = RESTATEMENT
        .read(root)
        .await?
        .into_iter()
        .filter(|row| made.get(&row[0].int()).is_some_and(|run| run == row[1].text()))
        .filter(|row| release.is_none_or(|number| row[0].int() == number))
        .map(|row| Restatement {
            release: row[0].int(),
            run_id: row[1].text().to_string(),
            table: row[2].text().to_string(),
            change: row[3].text().to_string(),
            cause: row[4].text().to_string(),
            key: serde_json::from_str(row[8].text()).unwrap_or_default(),
            before: serde_json::from_str(row[9].text()).unwrap_or_default(),
            after: serde_json::from_str(row[10].text()).unwrap_or_default(),
        })
        .collect();
    all.sort_by(|a, b| (a.release, &a.table, &a.key).cmp(&(b.release, &b.table, &b.key)));
    Ok(all)
}
