//! Runs: who wrote, when, as of when.

use crate::error::Result;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const RUN: Sheet = Sheet {
    name: "run",
    title: "运行登记",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("run_id", Kind::Text, "运行编号"),
        ("verb", Kind::Text, "命令"),
        ("as_of", Kind::Text, "数据时点"),
        ("state", Kind::Text, "状态（opened 已开始，done 完成，failed 失败）"),
        ("note", Kind::Text, "说明"),
    ],
};

/// Identity of a run: its number orders what it received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStamp {
    /// 1, 2, 3 …
    pub seq: i64,
    /// `r000001-20240703T020000`.
    pub id: String,
    /// The run's instant, microseconds, naive Asia/Shanghai: the end of every window, the ingestion time of every row.
    pub at: i64,
}

/// A row of `_ops.run`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Run number.
    pub seq: i64,
    /// Run id.
    pub id: String,
    /// Verb.
    pub verb: String,
    /// Data instant, `yyyy-MM-ddTHH:mm:ss`.
    pub as_of: String,
    /// `opened`, `done`, `failed`.
    pub state: String,
    /// One sentence.
    pub note: String,
}

/// All rows of the run ledger, oldest first.
///
/// # Errors
/// As the storage says.
pub async fn runs(root: &Root) -> Result<Vec<RunRecord>> {
    let mut all: Vec<RunRecord> = RUN
        .read(root)
        .await?
        .into_iter()
        .map(|r| RunRecord {
            seq: r[0].int(),
            id: r[1].text().to_string(),
            verb: r[2].text().to_string(),
            as_of: r[3].text().to_string(),
            state: r[4].text().to_string(),
            note: r[5].text().to_string(),
        })
        .collect();
    all.sort_by_key(|r| r.seq);
    Ok(all)
}

/// The newest run that wrote anything.
///
/// # Errors
/// As the storage says.
pub async fn last_run(root: &Root) -> Result<Option<RunRecord>> {
    Ok(runs(root).await?.pop())
}

/// Opens a run: takes the next number and writes it down before anything else is written.
///
/// # Errors
/// As the storage says.
pub async fn open_run(root: &Root, verb: &str, at: i64, as_of: &str) -> Result<RunStamp> {
    let seq = runs(root).await?.iter().map(|r| r.seq).max().unwrap_or(0) + 1;
    let compact: String = as_of.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let stamp = RunStamp { seq, id: format!("r{seq:06}-{compact}"), at };
    record_run(root, &stamp, verb, as_of, "opened", "").await?;
    Ok(stamp)
}

/// Writes a state of a run.
///
/// # Errors
/// As the storage says.
pub async fn record_run(root: &Root, stamp: &RunStamp, verb: &str, as_of: &str, state: &str, note: &str) -> Result<()> {
    let row = vec![stamp.seq.into(), stamp.id.as_str().into(), verb.into(), as_of.into(), state.into(), note.into()];
    RUN.append(root, stamp.seq, &[row]).await
}
