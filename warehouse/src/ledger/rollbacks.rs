//! Rollbacks: which release was taken back to which, by whom and why.
//!
//! A row is tied to a release by the run, and is written before it: a rollback that was killed in between is no release, and its row is
//! of no consequence.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::ledger::releases::{Release, releases};
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const ROLLBACK: Sheet = Sheet {
    name: "rollback",
    title: "回退登记",
    columns: &[
        ("run_id", Kind::Text, "运行编号"),
        ("from_release", Kind::Int, "回退前的发布序号"),
        ("to_release", Kind::Int, "回退到的发布序号"),
        ("by_whom", Kind::Text, "操作人"),
        ("reason", Kind::Text, "原因"),
        ("table_name", Kind::Text, "表"),
        ("latest_version", Kind::Int, "回退时该表的最新版本"),
    ],
};

/// One rollback.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rollback {
    /// The run that made it.
    pub run_id: String,
    /// The release that was current.
    pub from: i64,
    /// The release whose versions it took.
    pub to: i64,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The newest versions there were: while they stay the newest, the rollback stands.
    pub latest: BTreeMap<String, i64>,
}

/// All rollbacks by run id.
///
/// # Errors
/// As the storage says.
pub async fn rollbacks(root: &Root) -> Result<BTreeMap<String, Rollback>> {
    let mut all: BTreeMap<String, Rollback> = BTreeMap::new();
    for row in ROLLBACK.read(root).await? {
        let one = all.entry(row[0].text().to_string()).or_default();
        one.run_id = row[0].text().to_string();
        one.from = row[1].int();
        one.to = row[2].int();
        one.by = row[3].text().to_string();
        one.why = row[4].text().to_string();
        one.latest.insert(row[5].text().to_string(), row[6].int());
    }
    Ok(all)
}

/// Writes a rollback down; one commit.
///
/// # Errors
/// As the storage says.
pub async fn record_rollback(root: &Root, run_seq: i64, of: &Rollback) -> Result<()> {
    let rows: Vec<_> = of
        .latest
        .iter()
        .map(|(table, version)| {
            vec![
                of.run_id.as_str().into(),
                of.from.into(),
                of.to.into(),
                of.by.as_str().into(),
                of.why.as_str().into(),
                table.as_str().into(),
                (*version).into(),
            ]
        })
        .collect();
    ROLLBACK.append(root, run_seq, &rows).await
}

/// The newest release that was built, not taken back to.
///
/// # Errors
/// As the storage says.
pub async fn last_built(root: &Root) -> Result<Option<Release>> {
    let back = rollbacks(root).await?;
    Ok(releases(root).await?.into_iter().rev().find(|release| !back.contains_key(&release.run_id)))
}
