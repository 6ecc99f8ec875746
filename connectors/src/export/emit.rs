//! Rows of a file into text batches.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use yaojia_models::text::{self, Form};

use super::aside::{Asides, joined};
use super::extra::Extra;
use super::header::{Header, Slot};
use super::read::{FileReport, FileRow, Input, ReadError, SinkError, Visit};
use super::sheets::SheetReport;
use crate::batch::{RowText, TextBatch};
use crate::error::SourceError;

/// Lays rows out and hands them on in batches.
pub(crate) struct Emitter<'a> {
    input: &'a Input<'a>,
    hashed: Vec<usize>,
    asides: Asides<'a>,
    batch: TextBatch,
    report: FileReport,
    sink: &'a mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
}

impl<'a> Emitter<'a> {
    pub(crate) fn new(input: &'a Input<'a>, sink: &'a mut dyn FnMut(RecordBatch) -> Result<(), SinkError>) -> Self {
        let columns = &input.dataset.columns;
        let hashed = input.dataset.personal_hash.iter().filter_map(|name| columns.iter().position(|column| &column.name == name));
        let (asides, batch) = (Asides::new(input.dataset, input.rules), TextBatch::new(input.dataset));
        Self { input, hashed: hashed.collect(), asides, batch, report: FileReport::default(), sink }
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

    /// A row that could not be split: its text, or where it or the file is personal a keyed hash of it.
    fn push_bad(&mut self, header: &Header, raw: &str, row: i64) -> Result<(), ReadError> {
        self.report.bad_rows += 1;
        self.report.personal |= self.input.rules.mentions_personal(raw);
        let hidden = header.personal || self.report.personal || self.input.artifact.personal;
        let raw = if hidden { Cow::Owned(self.input.rules.digest(raw)?) } else { Cow::Borrowed(raw) };
        self.batch.push(&RowText { note: Some("bad_row".to_owned()), raw: Some(raw), row, ..RowText::default() });
        Ok(())
    }

    fn push(&mut self, header: &Header, row: FileRow<'_>, number: i64) -> Result<(), ReadError> {
        let columns = &self.input.dataset.columns;
        let mut cells: Vec<Option<Cow<'_, str>>> = vec![None; columns.len()];
        let mut extra = Extra::default();
        for (position, cell) in row.cells.into_iter().enumerate() {
            let Some(cell) = cell else { continue };
            let Some(Slot::Column(column)) = header.slots.get(position) else {
                extra.put(header, position, &cell, self.input.rules);
                continue;
            };
            // of two file columns for one, the first non-null counts
            if let (Some(held), Some(of)) = (cells.get_mut(*column), columns.get(*column))
                && held.as_deref().and_then(|held| of.form().clean(held).value).is_none()
            {
                *held = Some(cell);
            }
        }
        let mut lossy: Vec<&str> = row.lossy.iter().filter_map(|column| Some(columns.get(*column)?.name.as_str())).collect();
        let mut cleaned: Vec<&str> = Vec::new();
        for &column in &self.hashed {
            if let (Some(held), Some(of)) = (cells.get_mut(column), columns.get(column))
                && let Some(text) = held.take()
            {
                // silver sees the hash only: what it would have said of the value is said here
                let found = Form::Code.clean(&text);
                if found.dirty {
                    cleaned.push(&of.name);
                }
                if found.value.as_deref().is_some_and(text::lost_digits) && !lossy.contains(&of.name.as_str()) {
                    lossy.push(&of.name);
                }
                *held = self.input.rules.hash(&text)?.map(Cow::Owned);
            }
        }
        let note = match (lossy.as_slice(), cleaned.as_slice()) {
            ([], []) => None,
            ([], cleaned) => Some(format!("cleaned:{}", cleaned.join(","))),
            (lossy, _) => Some(format!("lossy:{}", lossy.join(","))),
        };
        extra.tell(&mut self.report);
        self.batch.push(&RowText { cells, extra: extra.text(), note, raw: None, row: number });
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

    fn personal_aside(&mut self) {
        self.report.personal = true;
    }

    fn sheet(&mut self, sheet: SheetReport) {
        self.report.sheets.push(sheet);
    }

    fn row(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.report.rows += 1;
        let number = i64::try_from(self.report.rows).unwrap_or(i64::MAX);
        match row.bad {
            Some(raw) => self.push_bad(header, raw, number)?,
            None if self.asides.withholds(header, &row.cells) => self.push_bad(header, &joined(&row.cells), number)?,
            None => self.push(header, row, number)?,
        }
        if self.batch.len() >= self.input.batch_rows {
            self.flush()?;
        }
        Ok(())
    }
}
