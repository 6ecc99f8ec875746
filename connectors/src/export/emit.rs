//! Rows of a file into text batches.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use yaojia_models::text;

use super::header::{Header, Slot};
use super::read::{FileReport, FileRow, Input, ReadError, SinkError, Visit};
use super::sheets::SheetReport;
use crate::batch::{RowText, TextBatch};
use crate::error::SourceError;

/// Lays rows out and hands them on in batches.
pub(crate) struct Emitter<'a> {
    input: &'a Input<'a>,
    hashed: Vec<usize>,
    batch: TextBatch,
    report: FileReport,
    sink: &'a mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
}

impl<'a> Emitter<'a> {
    pub(crate) fn new(input: &'a Input<'a>, sink: &'a mut dyn FnMut(RecordBatch) -> Result<(), SinkError>) -> Self {
        let columns = &input.dataset.columns;
        let hashed = input.dataset.personal_hash.iter().filter_map(|name| columns.iter().position(|column| &column.name == name));
        Self { input, hashed: hashed.collect(), batch: TextBatch::new(input.dataset), report: FileReport::default(), sink }
    }

    /// Hands the last rows on.
    pub(crate) fn finish(mut self) -> Result<FileReport, ReadError> {
        if self.batch.len() > 0 {
            self.flush()?;
        }
        Ok(self.report)
    }

    fn flush(&mut self) -> Result<(), ReadError> {
        let artifact = || self.input.path.to_owned();
        let batch = self.batch.take().map_err(|source| SourceError::Batch { artifact: artifact(), source })?;
        (self.sink)(batch).map_err(|source| SourceError::Sink { artifact: artifact(), source })?;
        Ok(())
    }

    /// A row that could not be split: its text, or where the file is personal a keyed hash of it.
    fn push_bad(&mut self, header: &Header, raw: &str, row: i64) -> Result<(), ReadError> {
        self.report.bad_rows += 1;
        let raw = if header.personal { Cow::Owned(self.input.rules.digest(raw)?) } else { Cow::Borrowed(raw) };
        self.batch.push(&RowText { note: Some("bad_row".to_owned()), raw: Some(raw), row, ..RowText::default() });
        Ok(())
    }

    fn push(&mut self, header: &Header, row: FileRow<'_>, number: i64) -> Result<(), ReadError> {
        let columns = &self.input.dataset.columns;
        let mut cells: Vec<Option<Cow<'_, str>>> = vec![None; columns.len()];
        let mut extra = serde_json::Map::new();
        for (slot, cell) in header.slots.iter().zip(row.cells) {
            let Some(cell) = cell else { continue };
            match slot {
                // of two file columns for one, the first non-null counts
                Slot::Column(column) => {
                    if let Some(held) = cells.get_mut(*column)
                        && held.as_deref().and_then(text::clean).is_none()
                    {
                        *held = Some(cell);
                    }
                }
                Slot::Extra(name) => {
                    extra.insert(name.clone(), cell.into_owned().into());
                }
                Slot::Dropped(_) | Slot::Blank => {}
            }
        }
        for &column in &self.hashed {
            if let Some(held) = cells.get_mut(column)
                && let Some(value) = held.take()
            {
                *held = self.input.rules.hash(&value)?.map(Cow::Owned);
            }
        }
        let lossy: Vec<&str> = row.lossy.iter().filter_map(|column| Some(columns.get(*column)?.name.as_str())).collect();
        self.batch.push(&RowText {
            cells,
            extra: (!extra.is_empty()).then(|| serde_json::Value::Object(extra).to_string()),
            note: (!lossy.is_empty()).then(|| format!("lossy:{}", lossy.join(","))),
            raw: None,
            row: number,
        });
        Ok(())
    }
}

impl Visit for Emitter<'_> {
    fn header(&mut self, header: &Header) -> Result<(), ReadError> {
        self.report.personal |= header.personal;
        for slot in &header.slots {
            if let Slot::Extra(name) | Slot::Dropped(name) = slot {
                self.report.unknown.insert(name.clone(), 1);
            }
            if let Slot::Dropped(name) = slot {
                self.report.dropped.insert(name.clone(), 1);
            }
        }
        Ok(())
    }

    fn aside(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.row(header, row)
    }

    fn sheet(&mut self, sheet: SheetReport) {
        self.report.sheets.push(sheet);
    }

    fn row(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.report.rows += 1;
        let number = i64::try_from(self.report.rows).unwrap_or(i64::MAX);
        match row.bad {
            Some(raw) => self.push_bad(header, raw, number)?,
            None => self.push(header, row, number)?,
        }
        if self.batch.len() >= self.input.batch_rows {
            self.flush()?;
        }
        Ok(())
    }
}
