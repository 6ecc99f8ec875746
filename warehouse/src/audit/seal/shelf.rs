//! Where seals lie, and the ledger of them.

use yaojia_models::digest::sha256_hex;

use crate::error::Result;
use crate::ledger::{Kind, Sheet};
use crate::store::Root;

/// Folder of the envelopes.
const SEALS: &str = "_ops/seals";
/// Folder of the hand-overs from one key to the next.
const HAND_OVERS: &str = "_ops/seals/keys";

const SEAL: Sheet = Sheet {
    name: "seal",
    title: "封存登记",
    columns: &[
        ("seal_no", Kind::Int, "封存序号"),
        ("month", Kind::Text, "月份"),
        ("release_no", Kind::Int, "发布序号"),
        ("sha256", Kind::Text, "封存文件的 SHA-256"),
    ],
};

/// A seal on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealMark {
    /// 1, 2, 3 …
    pub number: i64,
    /// `yyyy-MM`.
    pub month: String,
    /// The release it seals.
    pub release: i64,
    /// SHA-256 of the envelope.
    pub sha256: String,
}

impl SealMark {
    /// Path of its envelope.
    #[must_use]
    pub fn path(&self) -> String {
        path(self.number, &self.month)
    }
}

/// Path of the hand-over to a key, after a seal.
pub(super) fn hand_over_path(after: i64, to: &str) -> String {
    format!("{HAND_OVERS}/{after:06}-{to}.json")
}

/// Path of an envelope.
pub(super) fn path(number: i64, month: &str) -> String {
    format!("{SEALS}/{number:06}-{month}.json")
}

/// All seals on record, oldest first.
///
/// # Errors
/// As the storage says.
pub async fn seals(root: &Root) -> Result<Vec<SealMark>> {
    let mut all: Vec<SealMark> = SEAL
        .read(root)
        .await?
        .into_iter()
        .map(|row| SealMark {
            number: row[0].int(),
            month: row[1].text().to_string(),
            release: row[2].int(),
            sha256: row[3].text().to_string(),
        })
        .collect();
    all.sort_by_key(|seal| seal.number);
    all.dedup();
    Ok(all)
}

/// Writes a seal down; its envelope lies there already.
pub(super) async fn record(root: &Root, mark: &SealMark) -> Result<()> {
    let row = vec![mark.number.into(), mark.month.as_str().into(), mark.release.into(), mark.sha256.as_str().into()];
    SEAL.append(root, mark.number, &[row]).await
}

/// Paths of the envelopes of seals that are there.
pub(super) async fn envelopes(root: &Root) -> Result<Vec<String>> {
    let all = root.list(&[SEALS]).await?.into_iter().map(|meta| meta.location.to_string());
    Ok(all.filter(|path| !path.starts_with(HAND_OVERS)).collect())
}

/// Paths of the hand-overs that are there, in the order of the seals they follow.
pub(super) async fn hand_overs(root: &Root) -> Result<Vec<String>> {
    Ok(root.list(&[HAND_OVERS]).await?.into_iter().map(|meta| meta.location.to_string()).collect())
}

/// Bytes and SHA-256 of an envelope.
pub(super) async fn read(root: &Root, path: &str) -> Result<Option<(bytes::Bytes, String)>> {
    Ok(root.get_opt(path).await?.map(|bytes| {
        let sum = sha256_hex(&bytes);
        (bytes, sum)
    }))
}
