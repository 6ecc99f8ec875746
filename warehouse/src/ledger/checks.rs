//! Checks that kept a candidate from being published.

use std::collections::BTreeMap;

use crate::delta::Cell;
use crate::error::Result;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const CHECK: Sheet = Sheet {
    name: "check",
    title: "未通过的检查",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("table_name", Kind::Text, "表"),
        ("county", Kind::Text, "区划"),
        ("month", Kind::Text, "月份"),
        ("check_name", Kind::Text, "检查"),
        ("why", Kind::Text, "发现"),
        ("candidate", Kind::Text, "保留的候选文件"),
        ("fingerprint", Kind::Text, "候选的输入指纹"),
    ],
};

/// A failed check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckMark {
    /// `gold.fact_receipt`.
    pub table: String,
    /// Where.
    pub cell: Cell,
    /// Which check.
    pub check: String,
    /// What was found.
    pub why: String,
    /// Where the refused rows are kept, below the root; empty where there are none.
    pub candidate: String,
    /// What the whole candidate was built from.
    pub fingerprint: String,
}

/// Remembers failed checks.
///
/// # Errors
/// As the storage says.
pub async fn record_checks(root: &Root, run_seq: i64, marks: &[CheckMark]) -> Result<()> {
    let rows: Vec<_> = marks
        .iter()
        .map(|m| {
            vec![
                run_seq.into(),
                m.table.as_str().into(),
                m.cell.county.as_str().into(),
                m.cell.month.as_str().into(),
                m.check.as_str().into(),
                m.why.as_str().into(),
                m.candidate.as_str().into(),
                m.fingerprint.as_str().into(),
            ]
        })
        .collect();
    CHECK.append(root, run_seq, &rows).await
}

/// Fingerprints of refused candidates, the latest of each table: what is stale with this very print was refused.
#[derive(Debug, Clone, Default)]
pub struct Refused(BTreeMap<String, String>);

impl Refused {
    /// Reads the ledger.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn read(root: &Root) -> Result<Self> {
        let mut rows = CHECK.read(root).await?;
        rows.sort_by_key(|r| r[0].int());
        Ok(Self(rows.into_iter().map(|r| (r[1].text().to_string(), r[7].text().to_string())).collect()))
    }

    /// Whether a candidate of this print was refused.
    #[must_use]
    pub fn is(&self, table: &str, print: &str) -> bool {
        self.0.get(table).is_some_and(|held| held == print)
    }
}
