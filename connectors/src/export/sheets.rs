//! What became of each sheet of a workbook, and whether a sheet without a header goes on with the table before it.

use std::fmt;

use serde::Serialize;
use yaojia_models::contract::Dataset;
use yaojia_models::text;

use super::book::Cell;
use super::header::{Header, Slot};

/// Rows of a table that are looked at to know its columns.
const LEARNT: usize = 1000;

/// What became of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SheetState {
    /// It has a header; its rows were read.
    Read,
    /// It has no header, and its rows look like those of the table before it: they were read under that header.
    Continued,
    /// It has rows like a table's and no header: each is kept as a `bad_row`.
    NoHeader,
    /// It has words only: notes, a list of codes.
    Notes,
    /// Nothing stands on it.
    Empty,
    /// The profile does not name it.
    NotAsked,
}

impl SheetState {
    /// The word of reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Continued => "continued",
            Self::NoHeader => "no_header",
            Self::Notes => "notes",
            Self::Empty => "empty",
            Self::NotAsked => "not_asked",
        }
    }

    /// Whether somebody should look at the sheet.
    #[must_use]
    pub fn alarms(self) -> bool {
        matches!(self, Self::Continued | Self::NoHeader)
    }
}

impl fmt::Display for SheetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SheetReport {
    /// Its name.
    pub sheet: String,
    /// What became of it.
    pub state: SheetState,
    /// Rows that are not blank: of a read sheet those below its header, of another all of them; 0 of one that was not asked for.
    pub rows: u64,
    /// Excel does not show it.
    pub hidden: bool,
}

impl fmt::Display for SheetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sheet `{}`: {}, {} rows{}", self.sheet, self.state, self.rows, if self.hidden { ", hidden" } else { "" })
    }
}

/// The signs of a cell: number, date, and which kinds of characters its text has.
fn signs(cell: &Cell) -> u8 {
    match cell {
        Cell::Number(_) => 1,
        Cell::Date(..) => 2,
        Cell::Text(text) => text::trim(text).chars().fold(4, |signs, c| {
            signs
                | match c {
                    '0'..='9' => 8,
                    'a'..='z' | 'A'..='Z' => 16,
                    c if c.is_alphabetic() => 32,
                    _ => 64,
                }
        }),
    }
}

fn filled(row: &[Option<Cell>]) -> usize {
    row.iter().flatten().filter(|cell| text::clean(cell.text()).is_some()).count()
}

/// A table's header, and how its columns look.
#[derive(Debug, Clone)]
pub(super) struct Likeness {
    pub header: Header,
    /// Signs seen by column.
    seen: Vec<u8>,
    rows: usize,
    /// Columns that every row of the table fills: the required ones, or all that have a name where none is.
    needed: Vec<usize>,
}

impl Likeness {
    pub(super) fn of(dataset: &Dataset, header: &Header) -> Self {
        let slots = header.slots.iter().enumerate();
        let column = |slot: &Slot| match slot {
            Slot::Column(at) => dataset.columns.get(*at),
            _ => None,
        };
        let required: Vec<usize> =
            slots.clone().filter(|(_, slot)| column(slot).is_some_and(|column| column.required)).map(|(at, _)| at).collect();
        let named = slots.filter(|(_, slot)| column(slot).is_some()).map(|(at, _)| at);
        let needed = if required.is_empty() { named.collect() } else { required };
        Self { seen: vec![0; header.slots.len()], header: header.clone(), rows: 0, needed }
    }

    pub(super) fn learn(&mut self, row: &[Option<Cell>]) {
        if self.rows >= LEARNT {
            return;
        }
        self.rows += 1;
        if self.seen.len() < row.len() {
            self.seen.resize(row.len(), 0);
        }
        for (seen, cell) in self.seen.iter_mut().zip(row) {
            *seen |= cell.as_ref().map_or(0, signs);
        }
    }

    /// Whether a row is as wide as this table's: words are not.
    pub(super) fn is_tabular(&self, row: &[Option<Cell>]) -> bool {
        let named = self.header.slots.iter().filter(|slot| **slot != Slot::Blank).count();
        filled(row) >= self.needed.len().max(named.div_ceil(2)).max(1)
    }

    /// Whether a row clearly is one of this table: nothing beyond its columns, all needed ones filled, each with signs seen in it before.
    fn takes(&self, row: &[Option<Cell>]) -> bool {
        let at = |position: usize| row.get(position).and_then(Option::as_ref).filter(|cell| text::clean(cell.text()).is_some());
        let within = row.iter().skip(self.seen.len()).flatten().all(|cell| text::clean(cell.text()).is_none());
        let known = |position: &usize| {
            let seen = self.seen.get(*position).copied().unwrap_or_default();
            at(*position).is_some_and(|cell| signs(cell) & !seen == 0)
        };
        self.rows > 0 && within && self.needed.iter().all(known)
    }
}

/// Looks at the rows of a sheet without a header.
#[derive(Debug, Default)]
pub(super) struct Judge {
    pub rows: u64,
    tabular: u64,
    taken: u64,
    /// Whether the first row like a table's is one of the table.
    first: Option<bool>,
}

impl Judge {
    pub(super) fn see(&mut self, like: &Likeness, row: &[Option<Cell>]) {
        if filled(row) == 0 {
            return;
        }
        self.rows += 1;
        if like.is_tabular(row) {
            let taken = like.takes(row);
            self.tabular += 1;
            self.taken += u64::from(taken);
            self.first.get_or_insert(taken);
        }
    }

    /// What the sheet is beside the table: nine rows in ten that are its rows, the first one among them, go on with it.
    pub(super) fn verdict(&self) -> SheetState {
        match self {
            Self { rows: 0, .. } => SheetState::Empty,
            Self { tabular: 0, .. } => SheetState::Notes,
            Self { first: Some(true), .. } if self.taken * 10 >= self.tabular * 9 => SheetState::Continued,
            _ => SheetState::NoHeader,
        }
    }
}
