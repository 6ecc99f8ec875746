//! Marks of datasets whose bronze rows were only put into other files.

use std::collections::BTreeSet;

use crate::delta::Cell;
use crate::error::Result;
use crate::ledger::{CellMark, CellMarks};
use crate::silver::build::{Silver, WHOLE};

impl Silver<'_> {
    /// Marks datasets as built from the bronze files they have now. Only for those that were fresh and whose files were merged since: the rows
    /// are the same.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn remark(&self, datasets: &BTreeSet<String>, marks: &mut CellMarks) -> Result<()> {
        for dataset in self.registry.datasets().iter().filter(|dataset| datasets.contains(&dataset.name)) {
            if let Some(print) = self.fingerprint(dataset).await? {
                marks.set(
                    &format!("silver.{}", dataset.name),
                    Cell::new(WHOLE, WHOLE),
                    CellMark { fingerprint: print, ..CellMark::default() },
                );
            }
        }
        Ok(())
    }
}
