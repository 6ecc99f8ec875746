//! Compaction: the many small files of the ledger and of bronze, merged.
//!
//! Ledger readers take rows in the order of the files' names (run, version); a merged file is named by the last of those it replaces, so
//! that the order of rows stays exactly what it was. Bronze readers take run, parser and kind from the name: only neighbours of one cell
//! that agree in parser and hold first parses are merged, and the name says from which run to which (see [`crate::bronze::FileName`]).
//! Silver and gold have one file a cell: there is nothing to merge.

use std::collections::BTreeSet;

use super::merge::{merge, stretches};
use super::pinned::Pinned;
use super::policy::Keep;
use super::tables::{TableName, tables};
use crate::bronze::FileName;
use crate::delta::{Change, FileEntry, NewFile, Table};
use crate::error::Result;
use crate::ledger::RunStamp;
use crate::store::Root;

/// What would be merged in a table.
#[derive(Debug, Clone)]
pub struct Merges {
    /// The table.
    pub table: TableName,
    /// Files by the file they become.
    pub stretches: Vec<Vec<FileEntry>>,
}

impl Merges {
    /// Files before.
    #[must_use]
    pub fn files(&self) -> usize {
        self.stretches.iter().map(Vec::len).sum()
    }
}

/// Merges small files.
#[derive(Debug)]
pub struct Compaction<'a> {
    /// Warehouse root.
    pub root: &'a Root,
    /// What is kept.
    pub keep: &'a Keep,
    /// Bronze files that seals list are left: both they and the merged ones would have to be kept.
    pub pinned: &'a Pinned,
}

impl Compaction<'_> {
    /// Tables with enough small files.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn plan(&self) -> Result<Vec<Merges>> {
        let mut due = Vec::new();
        for table in tables(&self.root.list(&["_ops", "bronze"]).await?).into_keys() {
            let Some(open) = Table::open(self.root, &table.layer, &table.name).await? else { continue };
            let files = open.files()?;
            let (least, bytes) = (self.keep.files_of(&table.label()), self.keep.bytes);
            let found = if table.layer == "_ops" {
                stretches(&files, |file| ledger_name(&file.path), least, bytes)
            } else {
                stretches(&files, |file| self.bronze_key(&table, file), least, bytes)
            };
            if !found.is_empty() {
                due.push(Merges { table, stretches: found });
            }
        }
        Ok(due)
    }

    /// Cell and parser of a bronze file that may be merged.
    fn bronze_key(&self, table: &TableName, file: &FileEntry) -> Option<(String, String)> {
        let name = FileName::of(&file.path).filter(|name| !name.again)?;
        let path = file.path.replace("%3D", "=");
        let sealed = self.pinned.paths.contains(&format!("bronze/{}/{path}", table.name));
        (!sealed).then(|| (file.cell().to_string(), name.parser))
    }

    /// Merges the files of a table in one commit; returns how many files there are in their place.
    ///
    /// # Errors
    /// As the storage says; nothing has changed then.
    pub async fn run(&self, due: &Merges, stamp: &RunStamp) -> Result<usize> {
        let Some(mut table) = Table::open(self.root, &due.table.layer, &due.table.name).await? else { return Ok(0) };
        let held: BTreeSet<String> = table.files()?.into_iter().map(|file| file.path).collect();
        let (mut add, mut remove): (Vec<NewFile>, Vec<String>) = (Vec::new(), Vec::new());
        for stretch in &due.stretches {
            if !stretch.iter().all(|file| held.contains(&file.path)) {
                continue;
            }
            let path = if due.table.layer == "_ops" {
                stretch.last().and_then(|last| ledger_path(&last.path, table.version() + 1))
            } else {
                bronze_path(stretch, table.version() + 1, add.len())
            };
            let Some(path) = path else { continue };
            if let Some(file) = merge(&table, stretch, &path).await? {
                add.push(file);
                remove.extend(stretch.iter().map(|file| file.path.clone()));
            }
        }
        let made = add.len();
        if made > 0 {
            let info = vec![("yaojia.run".to_string(), stamp.id.clone())];
            table.rearrange(Change { add, remove, info, ..Change::default() }).await?;
        }
        Ok(made)
    }
}

/// Ledger files of ours; all of a table follow each other.
fn ledger_name(path: &str) -> Option<()> {
    path.strip_prefix("part-").filter(|rest| rest.ends_with(".parquet") && !rest.contains('/')).map(|_| ())
}

/// The name of the ledger file that takes the place of others up to `last`: sorted where that one was.
fn ledger_path(last: &str, version: i64) -> Option<String> {
    let mut parts = last.strip_prefix("part-")?.split('-');
    let (run, at) = (parts.next()?, parts.next()?);
    Some(format!("part-{run}-{at}-c{version:06}.parquet"))
}

fn bronze_path(stretch: &[FileEntry], version: i64, number: usize) -> Option<String> {
    let names = stretch.iter().map(|file| FileName::of(&file.path)).collect::<Option<Vec<_>>>()?;
    let folder = stretch.first()?.path.rsplit_once('/').map(|(folder, _)| folder.replace("%3D", "="))?;
    Some(format!("{folder}/{}", FileName::merged(&names)?.render(version, number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merged_ledger_file_lies_where_the_last_one_was() {
        let merged = ledger_path("part-000005-000012-0123456789abcdef.parquet", 20).unwrap();
        assert_eq!(merged, "part-000005-000012-c000020.parquet");
        let again = ledger_path("part-000005-000012-c000020-0123456789abcdef.parquet", 31).unwrap();
        assert_eq!(again, "part-000005-000012-c000031.parquet");
        assert!(merged.as_str() > "part-000005-000011-ffffffffffffffff.parquet");
        assert!(merged.as_str() < "part-000005-000013-0000000000000000.parquet");
    }
}
