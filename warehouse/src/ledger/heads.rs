//! The heads: what was ever committed and reported, by its SHA-256, each row chained to the one before.
//!
//! Commits and checkpoints of every table, reports of runs, seals: an object a row, in the order in which they were put on record. A row's
//! head is a hash over all rows up to it, so the last one stands for all of them: a row that was changed or taken out breaks the chain, and an
//! object that was changed or removed is not what is on record. Rows are written when the lease is given back; what a killed run left is put
//! on record by the next.

use yaojia_models::digest::sha256_hex;

use crate::error::Result;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const HEAD: Sheet = Sheet {
    name: "head",
    title: "链首登记（每次提交、检查点、运行报告与封存文件的 SHA-256，逐行相扣）",
    columns: &[
        ("run_seq", Kind::Int, "登记时的最新运行序号"),
        ("object", Kind::Text, "仓库下的路径"),
        ("sha256", Kind::Text, "该对象的 SHA-256"),
        ("head", Kind::Text, "链首：前一行的链首、本行路径与摘要的 SHA-256"),
    ],
};

/// Folder of the ledger's own log: its newest commit is on record only with the next rows.
pub(crate) const OWN_LOG: &str = "_ops/head/_delta_log/";

/// An object on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadMark {
    /// Number of the newest run when it was put on record.
    pub run_seq: i64,
    /// Path below the warehouse root.
    pub object: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Hash over all rows up to this one.
    pub head: String,
}

impl HeadMark {
    /// The head that follows from the one before.
    #[must_use]
    pub fn follows(before: &str, object: &str, sha256: &str) -> String {
        sha256_hex(format!("{before} {sha256} {object}\n").as_bytes())
    }
}

/// All heads, in the order of the chain.
///
/// # Errors
/// As the storage says.
pub async fn heads(root: &Root) -> Result<Vec<HeadMark>> {
    let rows = HEAD.read(root).await?;
    Ok(rows
        .into_iter()
        .map(|row| HeadMark {
            run_seq: row[0].int(),
            object: row[1].text().to_string(),
            sha256: row[2].text().to_string(),
            head: row[3].text().to_string(),
        })
        .collect())
}

/// Appends objects (path, SHA-256) to the chain that ends with `last`, in one commit.
///
/// # Errors
/// As the storage says.
pub async fn record_heads(root: &Root, run_seq: i64, last: Option<&HeadMark>, objects: &[(String, String)]) -> Result<()> {
    // Readers take the rows in the order of runs: an older number would put new rows before old ones.
    let run_seq = last.map_or(run_seq, |last| last.run_seq.max(run_seq));
    let mut head = last.map(|last| last.head.clone()).unwrap_or_default();
    let mut rows = Vec::with_capacity(objects.len());
    for (object, sha256) in objects {
        head = HeadMark::follows(&head, object, sha256);
        rows.push(vec![run_seq.into(), object.as_str().into(), sha256.as_str().into(), head.as_str().into()]);
    }
    HEAD.append(root, run_seq, &rows).await
}
