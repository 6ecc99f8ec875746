//! Which received rows an artifact's later parse has retired.

use std::collections::HashMap;

use arrow::array::AsArray;

use crate::bronze::name::FileName;
use crate::delta::{FileEntry, Table, read_file};
use crate::error::Result;
use crate::silver::name_of;

/// By artifact, the run that parsed it last anew: rows of the artifact from before it are retired. They stay in bronze, so that what was
/// known at an earlier run can be told; give only that run's files for it.
#[derive(Debug, Default, Clone)]
pub struct Retired {
    last: HashMap<u128, i64>,
}

impl Retired {
    /// Reads the files that hold second parses; where there is none, nothing is read.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn read(table: &Table, files: &[FileEntry]) -> Result<Self> {
        let mut new = Self::default();
        let wanted = ["_artifact".to_string()];
        for file in files {
            let Some(name) = FileName::of(&file.path).filter(|name| name.again) else { continue };
            for batch in read_file(&table.store(), table.label(), &file.path, Some(&wanted)).await? {
                let Some(artifacts) = batch.column_by_name("_artifact").and_then(|c| c.as_string_opt::<i32>()) else { continue };
                let mut before = "";
                for artifact in artifacts.iter().flatten() {
                    if artifact != before {
                        new.add(artifact, name.run);
                        before = artifact;
                    }
                }
            }
        }
        Ok(new)
    }

    pub(crate) fn add(&mut self, artifact: &str, run: i64) {
        let last = self.last.entry(name_of([artifact.as_bytes()])).or_insert(run);
        *last = (*last).max(run);
    }

    /// Whether nothing is retired.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// Whether a row of an artifact, parsed by a run, is retired.
    #[must_use]
    pub fn holds(&self, artifact: &str, run: i64) -> bool {
        !self.last.is_empty() && self.last.get(&name_of([artifact.as_bytes()])).is_some_and(|last| run < *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_parse_retires_the_earlier_rows_of_its_artifact() {
        let mut retired = Retired::default();
        assert!(!retired.holds("a", 1));
        retired.add("a", 3);
        retired.add("a", 2);
        assert!(retired.holds("a", 1) && retired.holds("a", 2) && !retired.holds("a", 3) && !retired.holds("b", 1));
    }
}
