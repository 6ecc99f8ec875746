//! What a release was made from: run, instant, texts, and how far every source had been read.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::ledger::{Kind, Sheet, Value};
use crate::store::Root;

const BASIS: Sheet = Sheet {
    name: "basis",
    title: "发布依据登记",
    columns: &[
        ("release_no", Kind::Int, "发布序号"),
        ("run_seq", Kind::Int, "运行序号"),
        ("run_id", Kind::Text, "运行编号"),
        ("as_of", Kind::Text, "数据时点"),
        ("bundle", Kind::Text, "SQL、规则、合同与设置清单的 SHA-256"),
        ("cursors", Kind::Text, "各平台数据集已读至何时（微秒），JSON"),
    ],
};

/// What a release was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Basis {
    /// The release.
    pub release: i64,
    /// Number of the run that made it: rows received by later runs were not known.
    pub run_seq: i64,
    /// Its id.
    pub run_id: String,
    /// Data instant, `yyyy-MM-ddTHH:mm:ss`.
    pub as_of: String,
    /// SHA-256 of the manifest of texts, see [`super::Texts`].
    pub bundle: String,
    /// Dataset of the platform → last instant up to which it had been read whole, microseconds.
    pub cursors: BTreeMap<String, i64>,
}

/// Writes it down, before the release itself: a release without a basis cannot be replayed, a basis without a release does no harm.
///
/// # Errors
/// As the storage says.
pub async fn record_basis(root: &Root, basis: &Basis) -> Result<()> {
    let cursors: serde_json::Map<String, serde_json::Value> =
        basis.cursors.iter().map(|(name, micros)| (name.clone(), (*micros).into())).collect();
    let row = vec![
        basis.release.into(),
        basis.run_seq.into(),
        basis.run_id.as_str().into(),
        basis.as_of.as_str().into(),
        basis.bundle.as_str().into(),
        serde_json::Value::Object(cursors).to_string().into(),
    ];
    BASIS.append(root, basis.run_seq, &[row]).await
}

/// The basis of a release, the last one written for it; `None` when there is none.
///
/// # Errors
/// As the storage says.
pub async fn basis_of(root: &Root, release: i64) -> Result<Option<Basis>> {
    // A run that was killed between basis and release leaves a row for a number that a later run takes.
    Ok(all_bases(root).await?.into_iter().filter(|basis| basis.release == release).max_by_key(|basis| basis.run_seq))
}

/// All that were written.
///
/// # Errors
/// As the storage says.
pub async fn all_bases(root: &Root) -> Result<Vec<Basis>> {
    let basis = |row: Vec<Value>| Basis {
        release: row[0].int(),
        run_seq: row[1].int(),
        run_id: row[2].text().to_string(),
        as_of: row[3].text().to_string(),
        bundle: row[4].text().to_string(),
        cursors: serde_json::from_str(row[5].text()).unwrap_or_default(),
    };
    Ok(BASIS.read(root).await?.into_iter().map(basis).collect())
}
