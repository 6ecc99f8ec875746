//! Rows that are none of a table: what people write below it or beside it. Such a row that speaks of a person is withheld.

use std::borrow::Cow;

use yaojia_models::contract::Dataset;
use yaojia_models::field::FieldType;
use yaojia_models::text;

use super::header::{Header, Slot};
use super::read::{FileRow, Input, ReadError, Visit};
use crate::error::SourceError;
use crate::kit::personal::PersonalRules;

/// Tells rows of a table from what stands aside.
pub(crate) struct Asides<'a> {
    rules: &'a PersonalRules,
    /// Columns of the key that are text.
    key: Vec<usize>,
    required: Vec<usize>,
    /// Which columns a row fills.
    filled: Vec<bool>,
}

impl<'a> Asides<'a> {
    pub(crate) fn new(dataset: &Dataset, rules: &'a PersonalRules) -> Self {
        let columns = &dataset.columns;
        let key = dataset.key.iter().filter_map(|name| columns.iter().position(|c| &c.name == name && c.ty == FieldType::Text));
        let required = columns.iter().enumerate().filter(|(_, column)| column.required).map(|(at, _)| at);
        Self { rules, key: key.collect(), required: required.collect(), filled: vec![false; columns.len()] }
    }

    /// Whether a row is none of the table and speaks of a person: then no word of it may be kept.
    pub(crate) fn withholds(&mut self, header: &Header, cells: &[Option<Cow<'_, str>>]) -> bool {
        !self.is_data(header, cells) && cells.iter().flatten().any(|cell| self.rules.mentions_personal(cell))
    }

    /// A row of the table has a key of codes, and at least half of what is required. It may be wrong in other ways; what it says in the
    /// contract's columns is what they are for.
    fn is_data(&mut self, header: &Header, cells: &[Option<Cow<'_, str>>]) -> bool {
        self.filled.fill(false);
        for (slot, cell) in header.slots.iter().zip(cells) {
            if let (Slot::Column(column), Some(cell)) = (slot, cell)
                && let Some(filled) = self.filled.get_mut(*column)
                && let Some(value) = text::clean(cell)
            {
                if self.key.contains(column) && !is_code(value) {
                    return false;
                }
                *filled = true;
            }
        }
        let filled = |column: &&usize| self.filled.get(**column) == Some(&true);
        let count = self.required.iter().filter(filled).count();
        self.key.iter().all(|column| filled(&column)) && count * 2 >= self.required.len()
    }
}

/// A row's cells in one text, as its hash is taken of.
pub(crate) fn joined(cells: &[Option<Cow<'_, str>>]) -> String {
    cells.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect::<Vec<_>>().join("\t")
}

/// Whether a text may be a code: no Chinese, no colon.
fn is_code(text: &str) -> bool {
    !text.chars().any(|c| matches!(c, ':' | '：' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}'))
}

/// Finds out whether a file carries anything personal, and reads no further once it does.
pub(crate) struct PersonalScan<'a> {
    rules: &'a PersonalRules,
    asides: Asides<'a>,
    pub personal: bool,
}

impl<'a> PersonalScan<'a> {
    pub(crate) fn new(input: &Input<'a>) -> Self {
        Self { rules: input.rules, asides: Asides::new(input.dataset, input.rules), personal: false }
    }

    fn verdict(&self) -> Result<(), ReadError> {
        // an early end is an error on purpose: the rest of the file is not read
        if self.personal { Err(SourceError::config("export", "enough was read").into()) } else { Ok(()) }
    }
}

impl Visit for PersonalScan<'_> {
    fn header(&mut self, header: &Header) -> Result<(), ReadError> {
        self.personal |= header.personal;
        self.verdict()
    }

    fn row(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.personal |= match row.bad {
            Some(raw) => self.rules.mentions_personal(raw),
            None => {
                let unknown =
                    row.cells.iter().enumerate().filter(|(position, _)| !matches!(header.slots.get(*position), Some(Slot::Column(_))));
                unknown.filter_map(|(_, cell)| cell.as_deref()).any(|value| self.rules.is_personal_value(value))
                    || self.asides.withholds(header, &row.cells)
            }
        };
        self.verdict()
    }

    fn aside(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.row(header, row)
    }

    fn personal_aside(&mut self) {
        self.personal = true;
    }
}
