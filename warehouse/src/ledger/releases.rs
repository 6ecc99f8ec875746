//! Releases: which version of every table readers see; moved once, at the end of a run.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const RELEASE: Sheet = Sheet {
    name: "release",
    title: "发布登记",
    columns: &[
        ("release_no", Kind::Int, "发布序号"),
        ("run_id", Kind::Text, "运行编号"),
        ("as_of", Kind::Text, "数据时点"),
        ("table_name", Kind::Text, "表"),
        ("version", Kind::Int, "表版本"),
    ],
};

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Release {
    /// 1, 2, 3 …
    pub number: i64,
    /// The run that made it.
    pub run_id: String,
    /// Its data instant, `yyyy-MM-ddTHH:mm:ss`.
    pub as_of: String,
    /// `layer.table` → version.
    pub tables: BTreeMap<String, i64>,
}

/// All releases, oldest first.
///
/// # Errors
/// As the storage says.
pub async fn releases(root: &Root) -> Result<Vec<Release>> {
    let mut by_number: BTreeMap<i64, Release> = BTreeMap::new();
    for row in RELEASE.read(root).await? {
        let release = by_number.entry(row[0].int()).or_default();
        release.number = row[0].int();
        release.run_id = row[1].text().to_string();
        release.as_of = row[2].text().to_string();
        release.tables.insert(row[3].text().to_string(), row[4].int());
    }
    Ok(by_number.into_values().collect())
}

/// What readers see now.
///
/// # Errors
/// As the storage says.
pub async fn current_release(root: &Root) -> Result<Option<Release>> {
    Ok(releases(root).await?.pop())
}

/// Makes a release of the given versions; one commit, so readers see all of it or nothing.
///
/// # Errors
/// As the storage says.
pub async fn publish_release(root: &Root, run_seq: i64, run_id: &str, as_of: &str, tables: BTreeMap<String, i64>) -> Result<Release> {
    let number = current_release(root).await?.map_or(0, |r| r.number) + 1;
    let rows: Vec<_> = tables
        .iter()
        .map(|(name, version)| vec![number.into(), run_id.into(), as_of.into(), name.as_str().into(), (*version).into()])
        .collect();
    RELEASE.append(root, run_seq, &rows).await?;
    Ok(Release { number, run_id: run_id.to_string(), as_of: as_of.to_string(), tables })
}
