//! Workbook containers (XLSX, XLS): rows of cells, whatever the container.

use std::io::{self, Read, Seek, SeekFrom};

use calamine::{Data, DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xls, Xlsx};
use yaojia_models::text;

use super::landing::Format;
use super::ole::{OLE, is_sound};
use super::read::ReadError;

/// Excel's own limit.
const MAX_COLUMNS: u32 = 16_384;

/// What a cell holds.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Text(String),
    /// A number, by its shortest decimal text.
    Number(String),
    /// A number that the workbook shows as a date or a time: its digits, and the moment in the contract's form (`yyyy-MM-dd HH:mm:ss`,
    /// `yyyy-MM-dd` at midnight, `HH:mm:ss` without a day).
    Date(String, String),
}

impl Cell {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) | Self::Date(_, text) => text,
        }
    }
}

/// A sheet as the workbook lists it.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    pub name: String,
    pub hidden: bool,
}

/// Told of every row with a cell: number (from 0) and cells; false: enough.
pub(super) type Each<'e> = dyn FnMut(u32, &[Option<Cell>]) -> Result<bool, ReadError> + 'e;

/// An open workbook.
pub(super) enum Book<R: Read + Seek> {
    Xlsx(Xlsx<R>),
    /// Held in memory as a whole: its reader knows no other way.
    Xls(Xls<R>),
}

impl<R: Read + Seek> Book<R> {
    /// Opens a workbook by what it is, whatever its name says; the error is what is wrong with it, without any text of it.
    pub(super) fn open(format: Format, mut bytes: R) -> Result<Self, String> {
        let mut start = [0_u8; OLE.len()];
        let failed = |error: io::Error| error.to_string();
        let is_ole = bytes.read_exact(&mut start).is_ok() && start == OLE;
        bytes.seek(SeekFrom::Start(0)).map_err(failed)?;
        if is_ole {
            let mut whole = Vec::new();
            bytes.read_to_end(&mut whole).and_then(|_| bytes.seek(SeekFrom::Start(0))).map_err(failed)?;
            if !is_sound(&whole) {
                return Err("what it says of its own parts cannot be".to_owned());
            }
            drop(whole);
            return Xls::new(bytes).map(Self::Xls).map_err(|error| match error {
                calamine::XlsError::Password => "it is protected by a password".to_owned(),
                other if format == Format::Xls => other.to_string(),
                other => format!("it is an old workbook, or one protected by a password: {other}"),
            });
        }
        Xlsx::new(bytes).map(Self::Xlsx).map_err(|error| words(&error))
    }

    /// Worksheets, in the workbook's order.
    pub(super) fn sheets(&self) -> Vec<Sheet> {
        let sheets = match self {
            Self::Xlsx(book) => book.sheets_metadata(),
            Self::Xls(book) => book.sheets_metadata(),
        };
        let sheets = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        sheets.map(|sheet| Sheet { name: sheet.name.clone(), hidden: sheet.visible != SheetVisible::Visible }).collect()
    }

    /// Whether its days are counted from 1904.
    pub(super) fn date1904(&self) -> bool {
        match self {
            Self::Xlsx(book) => book.has_1904_epoch(),
            Self::Xls(book) => book.has_1904_epoch(),
        }
    }

    /// Gives the rows of a sheet; `broken` words a container that ends early.
    pub(super) fn rows(&mut self, sheet: &str, broken: &dyn Fn(String) -> ReadError, each: &mut Each<'_>) -> Result<(), ReadError> {
        let date1904 = self.date1904();
        let mut row = Row::default();
        match self {
            Self::Xlsx(book) => {
                let failed = |error: calamine::XlsxError| broken(words(&error));
                let mut cells = book.worksheet_cells_reader(sheet).map_err(failed)?;
                while let Some(cell) = cells.next_cell().map_err(failed)? {
                    if !row.put(cell.get_position(), value(cell.get_value(), date1904), each)? {
                        return Ok(());
                    }
                }
            }
            Self::Xls(book) => {
                let range = book.worksheet_range(sheet).map_err(|error| broken(error.to_string()))?;
                let (top, left) = range.start().unwrap_or_default();
                let place = |from: u32, by: usize| from.saturating_add(u32::try_from(by).unwrap_or(u32::MAX));
                for (at, column, data) in range.used_cells() {
                    if !row.put((place(top, at), place(left, column)), datum(data, date1904), each)? {
                        return Ok(());
                    }
                }
            }
        }
        row.end(each)
    }
}

/// A row on its way: cells come one by one.
#[derive(Default)]
struct Row {
    number: u32,
    cells: Vec<Option<Cell>>,
}

impl Row {
    /// Takes a cell; a cell of another row ends the row before it. False: enough was read.
    fn put(&mut self, (row, column): (u32, u32), cell: Option<Cell>, each: &mut Each<'_>) -> Result<bool, ReadError> {
        let mut on = true;
        if row != self.number && !self.cells.is_empty() {
            on = each(self.number, &self.cells)?;
            self.cells.clear();
        }
        self.number = row;
        let (Some(cell), true) = (cell, column < MAX_COLUMNS) else { return Ok(on) };
        let column = column as usize;
        if self.cells.len() <= column {
            self.cells.resize(column + 1, None);
        }
        if let Some(slot) = self.cells.get_mut(column) {
            *slot = Some(cell);
        }
        Ok(on)
    }

    fn end(&mut self, each: &mut Each<'_>) -> Result<(), ReadError> {
        if !self.cells.is_empty() {
            each(self.number, &self.cells)?;
        }
        Ok(())
    }
}

/// What is wrong with a workbook, without any text of it.
fn words(error: &calamine::XlsxError) -> String {
    match error {
        calamine::XlsxError::CellTAttribute(_) => "a cell is of no known type".to_owned(),
        calamine::XlsxError::Unrecognized { typ, .. } => format!("an unknown {typ}"),
        other => other.to_string(),
    }
}

fn value(value: &DataRef<'_>, date1904: bool) -> Option<Cell> {
    Some(match value {
        DataRef::Empty => return None,
        DataRef::Int(number) => Cell::Number(number.to_string()),
        DataRef::Float(number) => Cell::Number(shortest(*number)),
        DataRef::DateTime(time) => moment(time, date1904),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Bool(yes) => truth(*yes),
        DataRef::Error(error) => Cell::Text(error.to_string()),
    })
}

fn datum(value: &Data, date1904: bool) -> Option<Cell> {
    Some(match value {
        Data::Empty => return None,
        Data::Int(number) => Cell::Number(number.to_string()),
        Data::Float(number) => Cell::Number(shortest(*number)),
        Data::DateTime(time) => moment(time, date1904),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => Cell::Text(text.clone()),
        Data::Bool(yes) => truth(*yes),
        Data::Error(error) => Cell::Text(error.to_string()),
    })
}

fn truth(yes: bool) -> Cell {
    Cell::Text(if yes { "TRUE" } else { "FALSE" }.to_owned())
}

/// A number shown as a date or time; a duration, and a number that is no date of ours, stays a number.
fn moment(time: &ExcelDateTime, date1904: bool) -> Cell {
    let digits = shortest(time.as_f64());
    if time.is_duration() {
        return Cell::Number(digits);
    }
    let text = match text::excel_serial_to_text_of(&digits, date1904) {
        Some(full) => full.strip_suffix(" 00:00:00").map(str::to_owned).unwrap_or(full),
        None => match time_of_day(&digits) {
            Some(time) => time,
            None => return Cell::Number(digits),
        },
    };
    Cell::Date(digits, text)
}

/// A time without a day: a serial below 1.
fn time_of_day(digits: &str) -> Option<String> {
    let fraction = digits.strip_prefix("0.")?;
    let full = text::excel_serial_to_text_of(&format!("10000.{fraction}"), false)?;
    // a fraction that rounds up to midnight is a day, not a time
    full.strip_prefix("1927-05-18 ").map(str::to_owned)
}

/// The shortest decimal text that gives the same double; no exponent.
pub(crate) fn shortest(number: f64) -> String {
    if number == 0.0 { "0".to_owned() } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn numbers_by_their_shortest_text() {
        for (number, text) in [
            (15.97, "15.97"),
            (9.71 - 0.0, "9.71"),
            (-0.0, "0"),
            (1e21, "1000000000000000000000"),
            (0.000_001, "0.000001"),
            (45_292.375, "45292.375"),
        ] {
            assert_eq!(shortest(number), text);
        }
    }

    #[test]
    fn cells_typed_as_dates() {
        let cell = |number: f64, kind, date1904| moment(&ExcelDateTime::new(number, kind, date1904), date1904).text().to_owned();
        let date = ExcelDateTimeType::DateTime;
        for (number, date1904, text) in [
            (45_322.0, false, "2024-01-31"),
            (43_860.0, true, "2024-01-31"),
            (45_322.5, false, "2024-01-31 12:00:00"),
            (0.5, false, "12:00:00"),
            (0.5, true, "12:00:00"),
            (0.999_999_9, false, "0.9999999"),
            (5.0, false, "5"),
            (-1.5, false, "-1.5"),
        ] {
            assert_eq!(cell(number, date, date1904), text, "{number}");
        }
        // 36 hours are no moment, in either system
        assert_eq!(cell(1.5, ExcelDateTimeType::TimeDelta, true), "1.5");
        assert_eq!(cell(45_322.0, ExcelDateTimeType::TimeDelta, false), "45322");
    }
}
