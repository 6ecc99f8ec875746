//! One row before it is written down, and what must become of it.

use chrono::{NaiveDate, NaiveDateTime};

use crate::time::Month;

/// The value of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing.
    Null,
    /// Text, an id or a listed value.
    Text(String),
    /// A number as plain decimal text.
    Number(String),
    /// A point in time.
    Time(NaiveDateTime),
    /// A day.
    Date(NaiveDate),
    /// A month.
    Month(Month),
    /// Written exactly so, whatever the column holds.
    Raw(String),
    /// A number as plain decimal text, and how it shows: commas, full-width digits.
    Shown(String, String),
    /// An id that a spreadsheet holds as a number.
    Lossy(String),
}

impl Cell {
    /// An optional point in time.
    pub(crate) fn maybe(at: Option<NaiveDateTime>) -> Self {
        at.map_or(Self::Null, Self::Time)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::Text(text.to_owned()) }
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Text(if flag { "1" } else { "0" }.to_owned())
    }
}

impl From<NaiveDateTime> for Cell {
    fn from(at: NaiveDateTime) -> Self {
        Self::Time(at)
    }
}

impl From<NaiveDate> for Cell {
    fn from(day: NaiveDate) -> Self {
        Self::Date(day)
    }
}

/// A whole number.
pub(crate) fn int(n: i64) -> Cell {
    Cell::Number(n.to_string())
}

/// A number of 10^-`scale` units.
pub(crate) fn dec(n: i64, scale: u32) -> Cell {
    Cell::Number(crate::decimal::fixed(n, scale))
}

/// What silver must make of a row once everything has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// The current version of its key.
    Accepted,
    /// An older version.
    Superseded,
    /// A version that removes its key.
    Void,
    /// Put aside, for this reason.
    Quarantined(&'static str),
    /// The same content again: counts no further.
    Repeated,
}

/// Warnings an accepted row carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Warned {
    /// Amount is not count × price.
    pub amount_mismatch: bool,
    /// No catalogue mapping.
    pub unit_assumed: bool,
    /// A code no listing has.
    pub unknown_product: bool,
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The values, in the order of the schema's columns.
    pub cells: Vec<Cell>,
    /// When the row was published.
    pub updt: NaiveDateTime,
    /// What must become of it.
    pub fate: Fate,
    /// The warnings it carries if accepted.
    pub warned: Warned,
    /// The text of a line with the wrong number of fields is cut or grown by this many.
    pub ragged: i8,
    /// Delivered afterwards, in a file of its own.
    pub late: bool,
}

impl Row {
    /// A row to be accepted; `updt` is appended as the last column.
    pub(crate) fn new(mut cells: Vec<Cell>, updt: NaiveDateTime) -> Self {
        cells.push(Cell::Time(updt));
        Self { cells, updt, fate: Fate::Accepted, warned: Warned::default(), ragged: 0, late: false }
    }

    /// The same row with another fate.
    pub(crate) fn fated(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }

    /// The same row published at another time.
    pub(crate) fn published(mut self, updt: NaiveDateTime) -> Self {
        self.updt = updt;
        if let Some(last) = self.cells.last_mut() {
            *last = Cell::Time(updt);
        }
        self
    }
}
