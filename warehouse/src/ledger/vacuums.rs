//! Releases that maintenance gave up: rows of theirs are removed, so that they cannot be read any more.

use std::collections::BTreeMap;

use crate::error::{Result, WarehouseError};
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const VACUUM: Sheet = Sheet {
    name: "vacuum",
    title: "清理登记（已不可读取的发布）",
    columns: &[("run_seq", Kind::Int, "运行序号"), ("run_id", Kind::Text, "运行编号"), ("release_no", Kind::Int, "不再可读的发布序号")],
};

/// Releases given up, and the run that did.
///
/// # Errors
/// As the storage says.
pub async fn vacuumed(root: &Root) -> Result<BTreeMap<i64, String>> {
    Ok(VACUUM.read(root).await?.into_iter().map(|row| (row[2].int(), row[1].text().to_string())).collect())
}

/// Writes them down; before anything is removed.
///
/// # Errors
/// As the storage says.
pub async fn record_vacuumed(root: &Root, run_seq: i64, run_id: &str, releases: &[i64]) -> Result<()> {
    let rows: Vec<_> = releases.iter().map(|number| vec![run_seq.into(), run_id.into(), (*number).into()]).collect();
    VACUUM.append(root, run_seq, &rows).await
}

/// Refuses a release that was given up.
///
/// # Errors
/// [`WarehouseError::Vacuumed`].
pub async fn refuse_vacuumed(root: &Root, release: i64) -> Result<()> {
    match vacuumed(root).await?.remove(&release) {
        Some(run) => Err(WarehouseError::Vacuumed { release, run }),
        None => Ok(()),
    }
}
