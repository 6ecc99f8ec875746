//! Completeness certificates: per dataset, county and month what was declared, received and made of it.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::ledger::RunStamp;
use crate::ledger::sheet::{Kind, Sheet, Value};
use crate::silver::CellCounts;
use crate::store::Root;

const COMPLETENESS: Sheet = Sheet {
    name: "completeness",
    title: "数据完整性证明（每个数据集、区划、月份一行，变化时追加；区划和月份均为*的行为整个数据集合计）",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("run_id", Kind::Text, "运行编号"),
        ("dataset", Kind::Text, "数据集"),
        ("county", Kind::Text, "医保区划（*为合计，unknown为无法判定）"),
        ("month", Kind::Text, "月份（*为合计，unknown为无法判定）"),
        ("declared", Kind::Int, "来源申报行数（文件按投递目录的区划月份；平台只按窗口申报，仅合计行有值；未申报为空）"),
        ("delivered", Kind::Int, "实际交付行数（与申报行数同口径，含重复；未申报为空）"),
        ("received", Kind::Int, "收到行数（去重，按行所属区划月份）"),
        ("repeated", Kind::Int, "内容重复行数"),
        ("parsed", Kind::Int, "解析成列的行数"),
        ("accepted", Kind::Int, "采用行数"),
        ("quarantined", Kind::Int, "隔离行数"),
        ("superseded", Kind::Int, "被后续版本取代行数"),
        ("void", Kind::Int, "作废行数"),
        ("state", Kind::Text, "结论（complete 完整，incomplete 不完整，undeclared 未申报）"),
        ("reason", Kind::Text, "原因，完整时为空串"),
    ],
};

/// What a certificate is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CertificateKey {
    /// Dataset.
    pub dataset: String,
    /// County, `*` for all, `unknown`.
    pub county: String,
    /// Month, `*` for all, `unknown`.
    pub month: String,
}

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRow {
    /// Rows the source said there are; none where it said nothing for this county and month.
    pub declared: Option<u64>,
    /// Rows it gave, counted as it declared them.
    pub delivered: Option<u64>,
    /// What became of the rows that belong here.
    pub counts: CellCounts,
    /// `complete`, `incomplete`, `undeclared`.
    pub state: String,
    /// Why it is not complete.
    pub reason: String,
}

/// The certificates in force.
///
/// # Errors
/// As the storage says.
pub async fn certificates(root: &Root) -> Result<BTreeMap<CertificateKey, CertificateRow>> {
    let mut rows = COMPLETENESS.read(root).await?;
    rows.sort_by_key(|row| row[0].int());
    let count = |value: &Value| u64::try_from(value.int()).unwrap_or_default();
    let maybe = |value: &Value| value.number().and_then(|n| u64::try_from(n).ok());
    Ok(rows
        .iter()
        .map(|row| {
            let key =
                CertificateKey { dataset: row[2].text().to_string(), county: row[3].text().to_string(), month: row[4].text().to_string() };
            let counts = CellCounts {
                received: count(&row[7]),
                repeated: count(&row[8]),
                parsed: count(&row[9]),
                accepted: count(&row[10]),
                quarantined: count(&row[11]),
                superseded: count(&row[12]),
                void: count(&row[13]),
            };
            let of = CertificateRow {
                declared: maybe(&row[5]),
                delivered: maybe(&row[6]),
                counts,
                state: row[14].text().to_string(),
                reason: row[15].text().to_string(),
            };
            (key, of)
        })
        .collect())
}

/// Appends certificates, in one commit.
///
/// # Errors
/// As the storage says.
pub async fn record_certificates(root: &Root, run: &RunStamp, all: &[(&CertificateKey, &CertificateRow)]) -> Result<()> {
    let rows: Vec<Vec<Value>> = all
        .iter()
        .map(|(key, of)| {
            let c = &of.counts;
            let mut row: Vec<Value> = vec![run.seq.into(), run.id.as_str().into()];
            row.extend([&key.dataset, &key.county, &key.month].map(|text| Value::from(text.as_str())));
            row.extend([of.declared.into(), of.delivered.into()]);
            row.extend([c.received, c.repeated, c.parsed, c.accepted, c.quarantined, c.superseded, c.void].map(Value::from));
            row.extend([of.state.as_str().into(), of.reason.as_str().into()]);
            row
        })
        .collect();
    COMPLETENESS.append(root, run.seq, &rows).await
}
