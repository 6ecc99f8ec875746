//! Silver counts of every dataset, as of its last build.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::ledger::sheet::{Kind, Sheet};
use crate::silver::Counts;
use crate::store::Root;

const COUNT: Sheet = Sheet {
    name: "silver_count",
    title: "银层行数核对",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("dataset", Kind::Text, "数据集"),
        ("measure", Kind::Text, "项目"),
        ("name", Kind::Text, "隔离原因或提示"),
        ("row_count", Kind::Int, "行数"),
    ],
};

/// The latest counts of every dataset that was ever built.
///
/// # Errors
/// As the storage says.
pub async fn read_counts(root: &Root) -> Result<BTreeMap<String, Counts>> {
    let mut rows = COUNT.read(root).await?;
    rows.sort_by_key(|r| r[0].int());
    let mut latest: BTreeMap<String, i64> = BTreeMap::new();
    for row in &rows {
        latest.insert(row[1].text().to_string(), row[0].int());
    }
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for row in rows {
        if latest.get(row[1].text()) != Some(&row[0].int()) {
            continue;
        }
        let of = counts.entry(row[1].text().to_string()).or_default();
        let n = u64::try_from(row[4].int()).unwrap_or_default();
        let name = row[3].text().to_string();
        match row[2].text() {
            "received" => of.received = n,
            "repeated" => of.repeated = n,
            "accepted" => of.accepted = n,
            "superseded" => of.superseded = n,
            "contested" => of.contested = n,
            "void" => of.void = n,
            "quarantined" => {
                of.quarantined.insert(name, n);
            }
            "warning" => {
                of.warnings.insert(name, n);
            }
            _ => {}
        }
    }
    Ok(counts)
}

/// Writes the counts of the datasets built by a run.
///
/// # Errors
/// As the storage says.
pub async fn write_counts(root: &Root, run_seq: i64, counts: &BTreeMap<String, Counts>) -> Result<()> {
    let mut rows = Vec::new();
    for (dataset, c) in counts {
        let mut push = |measure: &str, name: &str, n: u64| {
            rows.push(vec![run_seq.into(), dataset.as_str().into(), measure.into(), name.into(), n.into()])
        };
        push("received", "", c.received);
        push("repeated", "", c.repeated);
        push("accepted", "", c.accepted);
        push("superseded", "", c.superseded);
        push("contested", "", c.contested);
        push("void", "", c.void);
        for (reason, n) in &c.quarantined {
            push("quarantined", reason, *n);
        }
        for (warning, n) in &c.warnings {
            push("warning", warning, *n);
        }
    }
    COUNT.append(root, run_seq, &rows).await
}
