//! Fingerprints of cells: what a cell was built from, so that fresh ⇔ equal.

use std::collections::BTreeMap;

use crate::delta::Cell;
use crate::error::Result;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const CELL: Sheet = Sheet {
    name: "cell",
    title: "单元指纹登记",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("table_name", Kind::Text, "表"),
        ("county", Kind::Text, "区划"),
        ("month", Kind::Text, "月份"),
        ("fingerprint", Kind::Text, "输入指纹"),
        ("digest", Kind::Text, "内容摘要，空串为无行"),
        ("row_count", Kind::Int, "行数"),
    ],
};

/// What is on record of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellMark {
    /// Hash of everything the cell was built from.
    pub fingerprint: String,
    /// Canonical digest of its rows; empty when it has none.
    pub digest: String,
    /// Rows.
    pub rows: u64,
}

/// The latest marks of all tables.
#[derive(Debug, Clone, Default)]
pub struct CellMarks {
    marks: BTreeMap<String, BTreeMap<Cell, CellMark>>,
    fresh: Vec<(String, Cell, CellMark)>,
}

impl CellMarks {
    /// Reads the ledger.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn read(root: &Root) -> Result<Self> {
        let mut rows = CELL.read(root).await?;
        rows.sort_by_key(|r| r[0].int());
        let mut new = Self::default();
        for row in rows {
            let mark = CellMark {
                fingerprint: row[4].text().to_string(),
                digest: row[5].text().to_string(),
                rows: u64::try_from(row[6].int()).unwrap_or_default(),
            };
            new.marks.entry(row[1].text().to_string()).or_default().insert(Cell::new(row[2].text(), row[3].text()), mark);
        }
        Ok(new)
    }

    /// The mark of a cell.
    #[must_use]
    pub fn get(&self, table: &str, cell: &Cell) -> Option<&CellMark> {
        self.marks.get(table)?.get(cell)
    }

    /// Names of all tables with marks.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.marks.keys().map(String::as_str)
    }

    /// All marked cells of a table.
    #[must_use]
    pub fn of(&self, table: &str) -> BTreeMap<Cell, CellMark> {
        self.marks.get(table).cloned().unwrap_or_default()
    }

    /// Sets a mark; [`Self::flush`] writes it.
    pub fn set(&mut self, table: &str, cell: Cell, mark: CellMark) {
        if self.get(table, &cell) == Some(&mark) {
            return;
        }
        self.fresh.push((table.to_string(), cell.clone(), mark.clone()));
        self.marks.entry(table.to_string()).or_default().insert(cell, mark);
    }

    /// Whether there is anything to write.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Writes what was set since the last flush.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn flush(&mut self, root: &Root, run_seq: i64) -> Result<()> {
        let rows: Vec<_> = self
            .fresh
            .iter()
            .map(|(table, cell, mark)| {
                vec![
                    run_seq.into(),
                    table.as_str().into(),
                    cell.county.as_str().into(),
                    cell.month.as_str().into(),
                    mark.fingerprint.as_str().into(),
                    mark.digest.as_str().into(),
                    mark.rows.into(),
                ]
            })
            .collect();
        CELL.append(root, run_seq, &rows).await?;
        self.fresh.clear();
        Ok(())
    }
}
