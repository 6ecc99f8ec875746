//! Merging files that follow each other in a table into one: the same rows in the same order.

use arrow::record_batch::RecordBatch;

use crate::delta::{FileEntry, NewFile, Table, read_file, write_file};
use crate::error::Result;

/// Runs of small files: the longest stretches of neighbours that may be merged, each cut where the merged file would grow too large, and of
/// these only those with so many files that it is worth it.
pub(super) fn stretches<K: PartialEq>(
    files: &[FileEntry],
    key: impl Fn(&FileEntry) -> Option<K>,
    least: usize,
    bytes: u64,
) -> Vec<Vec<FileEntry>> {
    let mut all: Vec<(K, u64, Vec<FileEntry>)> = Vec::new();
    let mut open = false;
    for file in files {
        let size = u64::try_from(file.size).unwrap_or(u64::MAX);
        let Some(key) = key(file).filter(|_| size < bytes) else {
            open = false;
            continue;
        };
        match all.last_mut().filter(|(held, sum, _)| open && *held == key && sum.saturating_add(size) <= bytes) {
            Some((_, sum, stretch)) => {
                *sum += size;
                stretch.push(file.clone());
            }
            None => all.push((key, size, vec![file.clone()])),
        }
        open = true;
    }
    all.into_iter().map(|(_, _, stretch)| stretch).filter(|stretch| stretch.len() >= least.max(2)).collect()
}

/// Writes the rows of files, in their order, as one file. `None` where the files do not agree in their columns.
pub(super) async fn merge(table: &Table, files: &[FileEntry], path: &str) -> Result<Option<NewFile>> {
    let mut batches: Vec<RecordBatch> = Vec::new();
    for file in files {
        batches.extend(read_file(&table.store(), table.label(), &file.path, None).await?);
    }
    let Some(schema) = batches.first().map(RecordBatch::schema) else { return Ok(None) };
    if batches.iter().any(|batch| batch.schema().fields() != schema.fields()) {
        return Ok(None);
    }
    let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    let mut partition: Vec<(String, String)> = files
        .first()
        .map(|file| file.partition.iter().map(|(name, value)| (name.clone(), value.clone().unwrap_or_default())).collect())
        .unwrap_or_default();
    partition.sort();
    let (path, size) = write_file(&table.store(), table.label(), path, &schema, batches).await?;
    Ok(Some(NewFile { path, partition, rows, size }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: i64) -> FileEntry {
        FileEntry { path: path.to_string(), partition: Default::default(), rows: Some(1), size }
    }

    #[test]
    fn only_small_neighbours_of_one_kind_are_merged() {
        let files = [file("a1", 10), file("a2", 10), file("a3", 200), file("a4", 10), file("b1", 10), file("b2", 10), file("b3", 95)];
        let found = stretches(&files, |file| file.path.chars().next(), 2, 100);
        let names: Vec<Vec<&str>> = found.iter().map(|stretch| stretch.iter().map(|file| file.path.as_str()).collect()).collect();
        assert_eq!(names, [vec!["a1", "a2"], vec!["b1", "b2"]]);
        assert!(stretches(&files, |file| file.path.chars().next(), 3, 100).is_empty());
        assert_eq!(stretches(&files, |file| (file.path != "a2").then_some(()), 2, 100).len(), 1);
    }
}
