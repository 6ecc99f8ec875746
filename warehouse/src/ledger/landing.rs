//! The landing folder as it was seen last: every file that lies there, and what became of it.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::ledger::RunStamp;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const LANDING: Sheet = Sheet {
    name: "landing",
    title: "落地目录登记",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("run_id", Kind::Text, "运行编号"),
        ("path", Kind::Text, "落地目录下的路径"),
        ("dataset", Kind::Text, "数据集，不是数据文件的为空"),
        ("stamp", Kind::Text, "列目录所见的大小与修改时间（或对象存储的标签），含控制文件的"),
        ("sha256", Kind::Text, "原件摘要"),
        (
            "state",
            Kind::Text,
            "结果（loaded 已装载，same_content 内容相同，refused 拒收，passed_over 未读，missing 已申报未到，gone 已不在）",
        ),
        ("reason", Kind::Text, "原因代码"),
        ("detail", Kind::Text, "原因"),
        ("hint", Kind::Text, "处理办法"),
        ("parser", Kind::Text, "解析规则指纹"),
    ],
};

/// What became of something that lies in the landing folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LandingState {
    /// Its rows are in bronze.
    Loaded,
    /// Its content was loaded under another name.
    SameContent,
    /// Refused as a whole.
    Refused,
    /// No file to be loaded.
    PassedOver,
    /// A control file announces it, and it is not there.
    Missing,
    /// It lay there once.
    Gone,
}

impl LandingState {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Loaded, "loaded"),
        (Self::SameContent, "same_content"),
        (Self::Refused, "refused"),
        (Self::PassedOver, "passed_over"),
        (Self::Missing, "missing"),
        (Self::Gone, "gone"),
    ];

    /// As the ledger and the reports write it.
    #[must_use]
    pub fn text(self) -> &'static str {
        Self::ALL.iter().find(|(of, _)| *of == self).map_or("", |(_, text)| text)
    }

    /// A state that a later version may have added is none of ours: the file is looked at again.
    fn of(text: &str) -> Self {
        Self::ALL.iter().find(|(_, of)| *of == text).map_or(Self::Gone, |(state, _)| *state)
    }
}

/// One thing in the landing folder; of a file that feeds several datasets, one for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandingMark {
    /// Path below the landing root.
    pub path: String,
    /// Dataset; empty where it is no file of one.
    pub dataset: String,
    /// Size and time of change as listed, the control file's too; empty: not known.
    pub stamp: String,
    /// SHA-256 of a file that was read.
    pub sha256: String,
    /// What became of it.
    pub state: LandingState,
    /// The word of the report.
    pub reason: String,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
    /// Fingerprint of the rules it was read by.
    pub parser: String,
}

/// Path and dataset.
pub type LandingKey = (String, String);

impl LandingMark {
    /// What it is of.
    #[must_use]
    pub fn key(&self) -> LandingKey {
        (self.path.clone(), self.dataset.clone())
    }
}

/// What lay in the landing folder when a run looked last.
///
/// # Errors
/// As the storage says.
pub async fn landing(root: &Root) -> Result<BTreeMap<LandingKey, LandingMark>> {
    let mut rows: Vec<(i64, LandingMark)> = LANDING
        .read(root)
        .await?
        .into_iter()
        .map(|r| {
            let text = |at: usize| r.get(at).map(|value| value.text().to_string()).unwrap_or_default();
            let mark = LandingMark {
                path: text(2),
                dataset: text(3),
                stamp: text(4),
                sha256: text(5),
                state: LandingState::of(&text(6)),
                reason: text(7),
                detail: text(8),
                hint: text(9),
                parser: text(10),
            };
            (r.first().map_or(0, super::Value::int), mark)
        })
        .collect();
    // stable: of one run's two rows the later counts
    rows.sort_by_key(|(seq, _)| *seq);
    let mut last: BTreeMap<LandingKey, LandingMark> = rows.into_iter().map(|(_, mark)| (mark.key(), mark)).collect();
    last.retain(|_, mark| mark.state != LandingState::Gone);
    Ok(last)
}

/// Appends what a run saw.
///
/// # Errors
/// As the storage says.
pub async fn record_landing(root: &Root, run: &RunStamp, marks: &[LandingMark]) -> Result<()> {
    let rows: Vec<_> = marks
        .iter()
        .map(|m| {
            let texts =
                [run.id.as_str(), &m.path, &m.dataset, &m.stamp, &m.sha256, m.state.text(), &m.reason, &m.detail, &m.hint, &m.parser];
            std::iter::once(run.seq.into()).chain(texts.map(Into::into)).collect()
        })
        .collect();
    LANDING.append(root, run.seq, &rows).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_word_on_a_path_and_dataset_counts() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        assert!(landing(&root).await.unwrap().is_empty());
        let mark = |path: &str, state| LandingMark {
            path: path.into(),
            dataset: "shp".into(),
            stamp: "1:2".into(),
            sha256: String::new(),
            state,
            reason: "format".into(),
            detail: "d".into(),
            hint: "h".into(),
            parser: String::new(),
        };
        let run = |seq| RunStamp { seq, id: format!("r{seq}"), at: 0 };
        record_landing(&root, &run(1), &[mark("a", LandingState::PassedOver), mark("b", LandingState::Refused)]).await.unwrap();
        record_landing(&root, &run(2), &[mark("a", LandingState::Gone), mark("b", LandingState::Loaded)]).await.unwrap();
        let held = landing(&root).await.unwrap();
        assert_eq!(held.into_values().collect::<Vec<_>>(), [mark("b", LandingState::Loaded)]);
        assert!(LandingState::ALL.iter().all(|(state, text)| LandingState::of(text) == *state));
    }
}
