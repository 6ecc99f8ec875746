//! Excel workbooks: every sheet, the header wherever it stands.
//!
//! A sheet without a header is told. Where its rows clearly go on with the table before it (exporters that split after N rows write such
//! sheets) they are read under that table's header; where they are as wide as a table's but not clearly its rows they are handed on last,
//! each as a row that could not be split; notes, lists of codes and empty sheets are told only.

use std::borrow::Cow;
use std::io::{BufReader, Cursor, Read, Seek};

use yaojia_models::field::FieldType;
use yaojia_models::text;

use super::book::{Book, Cell, Sheet};
use super::header::{Header, Slot};
use super::landing::Format;
use super::nearest::Nearest;
use super::read::{FileRow, Input, ReadError, Visit};
use super::refused::Reason;
use super::rule::FileRule;
use super::sheets::{Judge, Likeness, SheetReport, SheetState};
use crate::kit::artifact::ArtifactBytes;

pub(crate) use super::book::shortest;

/// Gives headers and rows of all sheets to the visitor.
pub(crate) fn scan(input: &Input<'_>, format: Format, visit: &mut dyn Visit) -> Result<(), ReadError> {
    match &input.artifact.bytes {
        ArtifactBytes::Memory(bytes) => scan_workbook(input, format, Cursor::new(bytes.clone()), visit),
        ArtifactBytes::File(file) => scan_workbook(input, format, BufReader::new(file.reader()), visit),
    }
}

fn scan_workbook<R: Read + Seek>(input: &Input<'_>, format: Format, bytes: R, visit: &mut dyn Visit) -> Result<(), ReadError> {
    let broken = |what: String| input.refuse(Reason::NotDecodable, what);
    let mut book = Book::open(format, bytes).map_err(broken)?;
    let mut scan = Scan { input, date1904: book.date1904(), broken: &broken, nearest: Nearest::new(input.dataset, input.rules), visit };
    let mut table: Option<Likeness> = None;
    let mut later: Vec<Sheet> = Vec::new();
    for sheet in book.sheets() {
        if !FileRule::reads_sheet(input.rule, &sheet.name) {
            scan.tell(&sheet, SheetState::NotAsked, 0);
            continue;
        }
        let read = scan.sheet(&mut book, &sheet, table.as_ref())?;
        match (read.table, &table) {
            (Some(found), _) => {
                scan.tell(&sheet, SheetState::Read, read.judge.rows);
                table = Some(found);
            }
            (None, Some(_)) if read.judge.verdict() != SheetState::NoHeader => {
                scan.headless(&mut book, &sheet, table.as_ref(), &read.judge)?;
            }
            // what is not clearly a row of the table comes last, so that the rows of tables keep their numbers
            (None, _) => later.push(sheet),
        }
    }
    let Some(table) = table else {
        return Err(input.refuse(Reason::NoHeader, scan.nearest.words()));
    };
    for sheet in later {
        let judge = scan.judge(&mut book, &sheet, &table)?;
        scan.headless(&mut book, &sheet, Some(&table), &judge)?;
    }
    Ok(())
}

/// What one pass over a sheet found.
struct SheetRead {
    /// Its table, where it has a header.
    table: Option<Likeness>,
    /// Its rows: below the header, or as those of the table before it.
    judge: Judge,
}

struct Scan<'s, 'i> {
    input: &'s Input<'i>,
    date1904: bool,
    broken: &'s dyn Fn(String) -> ReadError,
    /// The row that comes nearest to a header.
    nearest: Nearest<'i>,
    visit: &'s mut dyn Visit,
}

impl Scan<'_, '_> {
    fn tell(&mut self, sheet: &Sheet, state: SheetState, rows: u64) {
        self.visit.sheet(SheetReport { sheet: sheet.name.clone(), state, rows, hidden: sheet.hidden });
    }

    /// Gives header and rows of a sheet that has a header; looks at the rows of one that has none.
    fn sheet<R: Read + Seek>(&mut self, book: &mut Book<R>, sheet: &Sheet, before: Option<&Likeness>) -> Result<SheetRead, ReadError> {
        let mut read = SheetRead { table: None, judge: Judge::default() };
        if let Some(header) = FileRule::positional(self.input) {
            self.visit.header(&header)?;
            read.table = Some(Likeness::of(self.input.dataset, &header));
        }
        let nobody = Likeness::of(self.input.dataset, &Header { slots: Vec::new(), personal: false, doubles: Vec::new() });
        book.rows(&sheet.name, self.broken, &mut |number, row| {
            if let Some(table) = &mut read.table {
                if give(self.input, self.date1904, &mut table.header, &sheet.name, number, row, self.visit)? {
                    read.judge.rows += 1;
                    table.learn(row);
                }
                return Ok(true);
            }
            read.table = header(self.input, number, row, self.visit)?;
            if read.table.is_none() {
                let place = || format!("sheet `{}`, row {}", sheet.name, u64::from(number) + 1);
                self.nearest.see(place, row.iter().map(|cell| cell.as_ref().map(Cell::text)));
            }
            match &read.table {
                Some(table) => {
                    self.visit.header(&table.header)?;
                    read.judge = Judge::default();
                }
                None => read.judge.see(before.unwrap_or(&nobody), row),
            }
            Ok(true)
        })?;
        Ok(read)
    }

    fn judge<R: Read + Seek>(&mut self, book: &mut Book<R>, sheet: &Sheet, table: &Likeness) -> Result<Judge, ReadError> {
        let mut judge = Judge::default();
        book.rows(&sheet.name, self.broken, &mut |_, row| {
            judge.see(table, row);
            Ok(true)
        })?;
        Ok(judge)
    }

    /// A sheet without a header, beside a table.
    fn headless<R: Read + Seek>(
        &mut self,
        book: &mut Book<R>,
        sheet: &Sheet,
        table: Option<&Likeness>,
        judge: &Judge,
    ) -> Result<(), ReadError> {
        let state = judge.verdict();
        self.tell(sheet, state, judge.rows);
        let Some(table) = table.filter(|_| state.alarms()) else { return Ok(()) };
        let mut header = table.header.clone();
        book.rows(&sheet.name, self.broken, &mut |number, row| {
            if !table.is_tabular(row) {
                return Ok(true);
            }
            if state == SheetState::Continued {
                give(self.input, self.date1904, &mut header, &sheet.name, number, row, self.visit)?;
                return Ok(true);
            }
            let cells: Vec<&str> = row.iter().map(|cell| cell.as_ref().map_or("", Cell::text)).collect();
            let line = u64::from(number) + 1;
            self.visit.aside(&header, FileRow { bad: Some(&cells.join("\t")), sheet: Some(&sheet.name), line, ..FileRow::default() })?;
            Ok(true)
        })
    }
}

/// The header, if the row is one; words above it may make the file personal.
fn header(input: &Input<'_>, number: u32, row: &[Option<Cell>], visit: &mut dyn Visit) -> Result<Option<Likeness>, ReadError> {
    let aside = row.iter().flatten().any(|cell| input.rules.mentions_personal(cell.text()));
    let mut found = None;
    if FileRule::header_at_sheet(input.rule, u64::from(number) + 1) {
        found = Header::of(input.dataset, input.rules, row.iter().map(|cell| cell.as_ref().map(Cell::text)))
            .filter(|header| FileRule::accepts(input.rule, header));
    }
    if found.is_none() && aside {
        visit.personal_aside();
    }
    Ok(found.map(|header| Likeness::of(input.dataset, &header)))
}

/// Gives a row of a table, false where nothing stands in it; a row wider than its header widens it by columns without a name.
fn give(
    input: &Input<'_>,
    date1904: bool,
    header: &mut Header,
    sheet: &str,
    number: u32,
    row: &[Option<Cell>],
    visit: &mut dyn Visit,
) -> Result<bool, ReadError> {
    if row.iter().flatten().all(|cell| text::clean(cell.text()).is_none()) {
        return Ok(false);
    }
    if row.len() > header.slots.len() {
        header.slots.resize(row.len(), Slot::Blank);
    }
    let mut lossy = Vec::new();
    // what stands beside the table is handed on too
    let cells = (0..header.slots.len().max(row.len()))
        .map(|position| {
            let cell = row.get(position)?.as_ref()?;
            let (digits, shown) = match cell {
                Cell::Text(text) => return Some(Cow::Borrowed(text.as_str())),
                Cell::Number(digits) => (digits, digits),
                Cell::Date(digits, shown) => (digits, shown),
            };
            let Some(Slot::Column(column)) = header.slots.get(position) else { return Some(Cow::Borrowed(shown.as_str())) };
            let column = *column;
            Some(match input.dataset.columns.get(column)?.ty {
                FieldType::Timestamp | FieldType::Date | FieldType::Month => match text::excel_serial_to_text_of(digits, date1904) {
                    Some(time) => Cow::Owned(time),
                    None => Cow::Borrowed(digits.as_str()),
                },
                FieldType::Text => {
                    if shown == digits && whole_digits(digits) > 15 {
                        lossy.push(column);
                    }
                    Cow::Borrowed(shown.as_str())
                }
                _ => Cow::Borrowed(digits.as_str()),
            })
        })
        .collect();
    visit.row(header, FileRow { cells, lossy, sheet: Some(sheet), line: u64::from(number) + 1, ..FileRow::default() })?;
    Ok(true)
}

/// Digits before the point.
pub(crate) fn whole_digits(text: &str) -> usize {
    text.trim_start_matches('-').bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_before_the_point() {
        assert_eq!(whole_digits("4000000000001730000"), 19);
        assert_eq!(whole_digits("-12.5"), 2);
    }
}
