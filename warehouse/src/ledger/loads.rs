//! Loads: every page window and file that was looked at, and what became of it.

use crate::error::Result;
use crate::ledger::RunStamp;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const LOAD: Sheet = Sheet {
    name: "load",
    title: "装载登记",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("run_id", Kind::Text, "运行编号"),
        ("dataset", Kind::Text, "数据集"),
        ("name", Kind::Text, "窗口或文件"),
        ("sha256", Kind::Text, "原件摘要"),
        (
            "state",
            Kind::Text,
            "结果（loaded 已装载，refused 拒收，same_content 内容相同，missing 已申报未到，withdrawn 申报撤回，taken_back 读取位置退回）",
        ),
        ("reason", Kind::Text, "原因"),
        ("declared", Kind::Int, "申报行数，-1 为未申报"),
        ("row_count", Kind::Int, "收到行数"),
        ("parser", Kind::Text, "解析规则指纹"),
    ],
};

/// A row of `_ops.load`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadMark {
    /// Run number.
    pub run_seq: i64,
    /// Run id.
    pub run_id: String,
    /// Dataset.
    pub dataset: String,
    /// Window (`2024-01-01 00:00:00..2024-01-31 23:59:59`) or file path below the landing root.
    pub name: String,
    /// SHA-256 of a file, empty for a window.
    pub sha256: String,
    /// `loaded`, `refused`, `same_content`; `missing` and `withdrawn` of a control file whose file is not there; `taken_back` of a position.
    pub state: String,
    /// Why it was refused; of a loaded file that a profile mapped, `profile:NAME`; of a window, the newest row it gave.
    pub reason: String,
    /// Rows the source said there are, -1 when it said nothing.
    pub declared: i64,
    /// Rows received.
    pub rows: u64,
    /// Fingerprint of the rules it was parsed by.
    pub parser: String,
}

/// The whole load ledger, oldest first.
///
/// # Errors
/// As the storage says.
pub async fn loads(root: &Root) -> Result<Vec<LoadMark>> {
    let mut all: Vec<LoadMark> = LOAD
        .read(root)
        .await?
        .into_iter()
        .map(|r| LoadMark {
            run_seq: r[0].int(),
            run_id: r[1].text().to_string(),
            dataset: r[2].text().to_string(),
            name: r[3].text().to_string(),
            sha256: r[4].text().to_string(),
            state: r[5].text().to_string(),
            reason: r[6].text().to_string(),
            declared: r[7].int(),
            rows: u64::try_from(r[8].int()).unwrap_or_default(),
            parser: r[9].text().to_string(),
        })
        .collect();
    all.sort_by_key(|l| l.run_seq);
    Ok(all)
}

/// Appends to the load ledger, as marks of `run`: whatever run they name themselves.
///
/// # Errors
/// As the storage says.
pub async fn record_loads(root: &Root, run: &RunStamp, marks: &[LoadMark]) -> Result<()> {
    let rows: Vec<_> = marks
        .iter()
        .map(|m| {
            vec![
                run.seq.into(),
                run.id.as_str().into(),
                m.dataset.as_str().into(),
                m.name.as_str().into(),
                m.sha256.as_str().into(),
                m.state.as_str().into(),
                m.reason.as_str().into(),
                m.declared.into(),
                m.rows.into(),
                m.parser.as_str().into(),
            ]
        })
        .collect();
    LOAD.append(root, run.seq, &rows).await
}
