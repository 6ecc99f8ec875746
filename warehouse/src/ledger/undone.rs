//! What the last runs left undone: datasets that could not be read, files, tables, indicators. `retry` does these and no others.
//!
//! The rows of the newest run in the table are what is undone now, whole: each write says all of it again, and a run that leaves as much
//! undone as was on record writes nothing. Nothing undone any more is one row of kind `none`.

use crate::error::Result;
use crate::ledger::RunStamp;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const UNDONE: Sheet = Sheet {
    name: "undone",
    title: "未完成登记（最新一次运行的各行即当前未完成的全部事项）",
    columns: &[
        ("run_seq", Kind::Int, "登记时的运行序号"),
        ("run_id", Kind::Text, "登记时的运行编号"),
        (
            "kind",
            Kind::Text,
            "种类（dataset 平台数据集，files 某数据集的落地文件，file 落地文件，parse 重新解析，table 表，indicator 指标，run 整个运行，none 无）",
        ),
        ("name", Kind::Text, "名称"),
        ("code", Kind::Text, "错误代码"),
        ("why", Kind::Text, "原因"),
    ],
};
const NONE: &str = "none";

/// What kind of thing was left undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UndoneKind {
    /// A dataset of the platform was not read to its end.
    Dataset,
    /// The landing files of a dataset, `*` of all: they could not be listed or read.
    Files,
    /// One landing file, by its path.
    File,
    /// Rows of a dataset that were to be parsed again.
    Parse,
    /// A table of silver or gold.
    Table,
    /// An indicator.
    Indicator,
    /// A whole run, by its verb: it ended before it could say what it left.
    Run,
}

impl UndoneKind {
    const ALL: [Self; 7] = [Self::Dataset, Self::Files, Self::File, Self::Parse, Self::Table, Self::Indicator, Self::Run];

    /// Its word in the ledger.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Files => "files",
            Self::File => "file",
            Self::Parse => "parse",
            Self::Table => "table",
            Self::Indicator => "indicator",
            Self::Run => "run",
        }
    }
}

/// One thing that was left undone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undone {
    /// Its kind.
    pub kind: UndoneKind,
    /// `ord_detl`, `fee_list/652801/202401/a.csv`, `gold.fact_receipt`, `D13`, `nightly`.
    pub name: String,
    /// The error's code.
    pub code: String,
    /// The error in words.
    pub why: String,
}

/// All that is undone now, in order.
///
/// # Errors
/// As the storage says.
pub async fn undone(root: &Root) -> Result<Vec<Undone>> {
    let rows = UNDONE.read(root).await?;
    let Some(newest) = rows.iter().map(|row| row[0].int()).max() else { return Ok(Vec::new()) };
    let mut all: Vec<Undone> = rows
        .iter()
        .filter(|row| row[0].int() == newest)
        .filter_map(|row| {
            let kind = UndoneKind::ALL.into_iter().find(|kind| kind.text() == row[2].text())?;
            let text = |at: usize| row[at].text().to_string();
            Some(Undone { kind, name: text(3), code: text(4), why: text(5) })
        })
        .collect();
    all.sort();
    Ok(all)
}

/// Writes down all that is undone after a run, in one commit.
///
/// # Errors
/// As the storage says.
pub async fn record_undone(root: &Root, run: &RunStamp, all: &[Undone]) -> Result<()> {
    let row = |kind: &str, name: &str, code: &str, why: &str| {
        vec![run.seq.into(), run.id.as_str().into(), kind.into(), name.into(), code.into(), why.into()]
    };
    let mut rows: Vec<_> = all.iter().map(|of| row(of.kind.text(), &of.name, &of.code, &of.why)).collect();
    if rows.is_empty() {
        rows.push(row(NONE, "", "", ""));
    }
    UNDONE.append(root, run.seq, &rows).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_run_says_all_that_is_undone() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let run = |seq: i64| RunStamp { seq, id: format!("r{seq}"), at: 0 };
        let of = |kind, name: &str| Undone { kind, name: name.into(), code: "E-SRC-004".into(), why: "away".into() };
        assert_eq!(undone(&root).await.unwrap(), []);
        record_undone(&root, &run(1), &[of(UndoneKind::Indicator, "D13"), of(UndoneKind::Dataset, "shp")]).await.unwrap();
        assert_eq!(undone(&root).await.unwrap(), [of(UndoneKind::Dataset, "shp"), of(UndoneKind::Indicator, "D13")]);
        record_undone(&root, &run(2), &[]).await.unwrap();
        assert_eq!(undone(&root).await.unwrap(), []);
    }
}
