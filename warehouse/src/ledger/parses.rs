//! Parses: from which run on all artifacts of a dataset are read by which rules, and which of them could not be read again.

use crate::error::Result;
use crate::ledger::RunStamp;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const PARSE: Sheet = Sheet {
    name: "parse",
    title: "解析登记",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("run_id", Kind::Text, "运行编号"),
        ("dataset", Kind::Text, "数据集"),
        ("parser", Kind::Text, "解析规则指纹"),
        (
            "state",
            Kind::Text,
            "结果（current 自本次运行起全部原件均按此规则解析，sealed 原件已加密且未提供审计身份，unreadable 原件无法打开，missing 原件缺失，refused 按此规则拒收）",
        ),
        ("source", Kind::Text, "页或文件，整个数据集为空串"),
        ("artifact", Kind::Text, "原件摘要，整个数据集为空串"),
        ("reason", Kind::Text, "原因"),
        ("artifact_count", Kind::Int, "重新解析的原件数"),
        ("row_count", Kind::Int, "重新解析的行数"),
    ],
};

/// An artifact that keeps the rows of an older parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptParse {
    /// `sealed`, `unreadable`, `missing`, `refused`.
    pub state: String,
    /// Page or file.
    pub source: String,
    /// SHA-256.
    pub artifact: String,
    /// Why.
    pub reason: String,
}

/// The last word on a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseMark {
    /// The run from which on it holds.
    pub run_seq: i64,
    /// Dataset.
    pub dataset: String,
    /// Fingerprint of the rules.
    pub parser: String,
    /// Artifacts the run parsed again.
    pub artifacts: u64,
    /// Rows they gave.
    pub rows: u64,
    /// Artifacts that keep an older parse.
    pub kept: Vec<KeptParse>,
}

/// The last mark of every dataset that was ever parsed again, by name.
///
/// # Errors
/// As the storage says.
pub async fn parses(root: &Root) -> Result<std::collections::BTreeMap<String, ParseMark>> {
    let mut rows = PARSE.read(root).await?;
    rows.sort_by_key(|row| row[0].int());
    let mut marks = std::collections::BTreeMap::new();
    for row in rows.iter().filter(|row| row[4].text() == "current") {
        let mark = ParseMark {
            run_seq: row[0].int(),
            dataset: row[2].text().to_string(),
            parser: row[3].text().to_string(),
            artifacts: u64::try_from(row[8].int()).unwrap_or_default(),
            rows: u64::try_from(row[9].int()).unwrap_or_default(),
            kept: Vec::new(),
        };
        marks.insert(mark.dataset.clone(), mark);
    }
    for row in rows.iter().filter(|row| row[4].text() != "current") {
        let Some(mark) = marks.get_mut(row[2].text()).filter(|mark| mark.run_seq == row[0].int()) else { continue };
        mark.kept.push(KeptParse {
            state: row[4].text().to_string(),
            source: row[5].text().to_string(),
            artifact: row[6].text().to_string(),
            reason: row[7].text().to_string(),
        });
    }
    Ok(marks)
}

/// Writes marks of a run, in one commit.
///
/// # Errors
/// As the storage says.
pub async fn record_parses(root: &Root, run: &RunStamp, marks: &[ParseMark]) -> Result<()> {
    let mut rows = Vec::new();
    for mark in marks {
        let mut push = |state: &str, source: &str, artifact: &str, reason: &str, artifacts: u64, n: u64| {
            rows.push(vec![
                run.seq.into(),
                run.id.as_str().into(),
                mark.dataset.as_str().into(),
                mark.parser.as_str().into(),
                state.into(),
                source.into(),
                artifact.into(),
                reason.into(),
                artifacts.into(),
                n.into(),
            ]);
        };
        push("current", "", "", "", mark.artifacts, mark.rows);
        for kept in &mark.kept {
            push(&kept.state, &kept.source, &kept.artifact, &kept.reason, 0, 0);
        }
    }
    PARSE.append(root, run.seq, &rows).await
}
