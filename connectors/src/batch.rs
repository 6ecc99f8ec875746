//! Text batches: rows as text, exactly as received.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use yaojia_models::contract::Dataset;

/// Column of unknown keys or file columns: a JSON object of texts.
pub const EXTRA: &str = "_extra";
/// Column of notes about a row: `bad_row`, `lossy:col,col`, or `cleaned:col` (a hashed column's value was cleaned).
pub const NOTE: &str = "_note";
/// Column of the text of a `bad_row`.
pub const RAW: &str = "_raw";
/// Column of the 1-based row number within the artifact.
pub const ROW: &str = "_row";

/// The Arrow schema of a dataset's text batches.
#[must_use]
pub fn text_schema(dataset: &Dataset) -> SchemaRef {
    Arc::new(dataset.batch_schema())
}

/// One row on its way into a batch.
#[derive(Debug, Default)]
pub(crate) struct RowText<'a> {
    /// One cell per contract column; empty for a row that could not be split.
    pub cells: Vec<Option<Cow<'a, str>>>,
    /// See [`EXTRA`].
    pub extra: Option<String>,
    /// See [`NOTE`].
    pub note: Option<String>,
    /// See [`RAW`].
    pub raw: Option<Cow<'a, str>>,
    /// See [`ROW`].
    pub row: i64,
}

/// Collects rows into a text batch.
pub(crate) struct TextBatch {
    schema: SchemaRef,
    columns: Vec<StringBuilder>,
    extra: StringBuilder,
    note: StringBuilder,
    raw: StringBuilder,
    row: Int64Builder,
    len: usize,
}

impl TextBatch {
    pub(crate) fn new(dataset: &Dataset) -> Self {
        Self {
            schema: text_schema(dataset),
            columns: dataset.columns.iter().map(|_| StringBuilder::new()).collect(),
            extra: StringBuilder::new(),
            note: StringBuilder::new(),
            raw: StringBuilder::new(),
            row: Int64Builder::new(),
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, row: &RowText<'_>) {
        for (index, builder) in self.columns.iter_mut().enumerate() {
            builder.append_option(row.cells.get(index).and_then(Option::as_deref));
        }
        self.extra.append_option(row.extra.as_deref());
        self.note.append_option(row.note.as_deref());
        self.raw.append_option(row.raw.as_deref());
        self.row.append_value(row.row);
        self.len += 1;
    }

    /// The rows so far; the builder is empty afterwards.
    pub(crate) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len() + 4);
        for builder in &mut self.columns {
            arrays.push(Arc::new(builder.finish()));
        }
        arrays.push(Arc::new(self.extra.finish()));
        arrays.push(Arc::new(self.note.finish()));
        arrays.push(Arc::new(self.raw.finish()));
        arrays.push(Arc::new(self.row.finish()));
        self.len = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }
}
