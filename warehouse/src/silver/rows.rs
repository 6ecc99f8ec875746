//! Bronze rows to be decided: whole files, or the rows of them that are concerned.

use crate::delta::{Table, read_file};
use crate::error::Result;
use arrow::record_batch::RecordBatch;

/// Rows of one bronze file.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// All of them, read when they are needed and not held.
    File(String),
    /// Some of them, held.
    Held(Vec<RecordBatch>),
}

/// Rows by bronze file; a judged row names its part and its position in the part.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub parts: Vec<Part>,
}

impl Rows {
    /// The rows of a part.
    pub(crate) async fn batches(&self, bronze: &Table, part: u32) -> Result<Vec<RecordBatch>> {
        match self.parts.get(part as usize) {
            Some(Part::File(path)) => read_file(&bronze.store(), bronze.label(), path, None).await,
            Some(Part::Held(batches)) => Ok(batches.clone()),
            None => Ok(Vec::new()),
        }
    }

    /// The rows that are held.
    pub(crate) fn held(&self) -> impl Iterator<Item = &RecordBatch> {
        self.parts.iter().flat_map(|part| match part {
            Part::File(_) => [].iter(),
            Part::Held(batches) => batches.iter(),
        })
    }
}
