//! Excel workbooks: every sheet, the header wherever it stands.

use std::borrow::Cow;
use std::io::{BufReader, Cursor, Read, Seek};

use calamine::{DataRef, Reader, SheetType, Xlsx};
use yaojia_models::field::FieldType;
use yaojia_models::text;

use super::header::{Header, Slot};
use super::nearest::Nearest;
use super::read::{FileRow, Input, ReadError, Visit};
use super::refused::Reason;
use super::rule::FileRule;
use crate::kit::artifact::ArtifactBytes;

/// Excel's own limit.
const MAX_COLUMNS: u32 = 16_384;

/// What a cell holds.
#[derive(Debug, Clone)]
enum Cell {
    Text(String),
    /// A number, by its shortest decimal text.
    Number(String),
}

impl Cell {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }
}

/// Gives headers and rows of all sheets to the visitor.
pub(crate) fn scan(input: &Input<'_>, visit: &mut dyn Visit) -> Result<(), ReadError> {
    match &input.artifact.bytes {
        ArtifactBytes::Memory(bytes) => scan_workbook(input, Cursor::new(bytes.clone()), visit),
        ArtifactBytes::File(file) => scan_workbook(input, BufReader::new(file.reader()), visit),
    }
}

fn scan_workbook<R: Read + Seek>(input: &Input<'_>, bytes: R, visit: &mut dyn Visit) -> Result<(), ReadError> {
    let broken = |error: calamine::XlsxError| input.refuse(Reason::NotDecodable, words(&error));
    let mut workbook = Xlsx::new(bytes).map_err(broken)?;
    let sheets: Vec<String> = workbook
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && FileRule::reads_sheet(input.rule, &sheet.name))
        .map(|sheet| sheet.name.clone())
        .collect();
    let mut found = false;
    let mut nearest = Nearest::new(input.dataset, input.rules);
    for sheet in sheets {
        let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(broken)?;
        let mut header = None;
        let (mut row_number, mut row): (u32, Vec<Option<Cell>>) = (0, Vec::new());
        loop {
            let next = cells.next_cell().map_err(broken)?;
            let position = next.as_ref().map(calamine::Cell::get_position);
            if position.is_none_or(|(at, _)| at != row_number) && !row.is_empty() {
                if header.is_none() {
                    nearest
                        .see(|| format!("sheet `{sheet}`, row {}", row_number + 1), row.iter().map(|cell| cell.as_ref().map(Cell::text)));
                }
                give(input, &mut header, row_number, &row, visit)?;
                row.clear();
            }
            let (Some(cell), Some((at, column))) = (next, position) else {
                break;
            };
            row_number = at;
            if let Some(value) = value(cell.get_value())
                && column < MAX_COLUMNS
            {
                let column = column as usize;
                if row.len() <= column {
                    row.resize(column + 1, None);
                }
                if let Some(slot) = row.get_mut(column) {
                    *slot = Some(value);
                }
            }
        }
        found |= header.is_some();
    }
    if found { Ok(()) } else { Err(input.refuse(Reason::NoHeader, nearest.words())) }
}

/// What is wrong with a workbook, without any text of it.
fn words(error: &calamine::XlsxError) -> String {
    match error {
        calamine::XlsxError::CellTAttribute(_) => "a cell is of no known type".to_owned(),
        calamine::XlsxError::Unrecognized { typ, .. } => format!("an unknown {typ}"),
        other => other.to_string(),
    }
}

/// One sheet row: a title, the header, a data row, or nothing at all.
fn give(input: &Input<'_>, header: &mut Option<Header>, number: u32, row: &[Option<Cell>], visit: &mut dyn Visit) -> Result<(), ReadError> {
    let Some(header) = header else {
        let aside = row.iter().flatten().any(|cell| input.rules.mentions_personal(cell.text()));
        if FileRule::header_at_sheet(input.rule, u64::from(number) + 1) {
            *header = Header::of(input.dataset, input.rules, row.iter().map(|cell| cell.as_ref().map(Cell::text)))
                .filter(|header| FileRule::accepts(input.rule, header));
        }
        if header.is_none() && aside {
            visit.personal_aside();
        }
        return header.as_ref().map_or(Ok(()), |header| visit.header(header));
    };
    if row.iter().flatten().all(|cell| text::clean(cell.text()).is_none()) {
        return Ok(());
    }
    let mut lossy = Vec::new();
    // what stands beside the table is handed on too
    let cells = (0..header.slots.len().max(row.len()))
        .map(|position| {
            let cell = row.get(position)?.as_ref()?;
            let (Cell::Number(digits), Some(Slot::Column(column))) = (cell, header.slots.get(position)) else {
                return Some(Cow::Borrowed(cell.text()));
            };
            let ty = input.dataset.columns.get(*column)?.ty;
            if matches!(ty, FieldType::Timestamp | FieldType::Date | FieldType::Month)
                && let Some(time) = text::excel_serial_to_text(digits)
            {
                return Some(Cow::Owned(time));
            }
            if ty == FieldType::Text && whole_digits(digits) > 15 {
                lossy.push(*column);
            }
            Some(Cow::Borrowed(digits.as_str()))
        })
        .collect();
    visit.row(header, FileRow { cells, lossy, bad: None })
}

fn value(value: &DataRef<'_>) -> Option<Cell> {
    Some(match value {
        DataRef::Empty => return None,
        DataRef::Int(number) => Cell::Number(number.to_string()),
        DataRef::Float(number) => Cell::Number(shortest(*number)),
        DataRef::DateTime(time) => Cell::Number(shortest(time.as_f64())),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Bool(true) => Cell::Text("TRUE".to_owned()),
        DataRef::Bool(false) => Cell::Text("FALSE".to_owned()),
        DataRef::Error(error) => Cell::Text(error.to_string()),
    })
}

/// The shortest decimal text that gives the same double; no exponent.
pub(crate) fn shortest(number: f64) -> String {
    if number == 0.0 { "0".to_owned() } else { number.to_string() }
}

/// Digits before the point.
pub(crate) fn whole_digits(text: &str) -> usize {
    text.trim_start_matches('-').bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
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
        assert_eq!(whole_digits("4000000000001730000"), 19);
        assert_eq!(whole_digits("-12.5"), 2);
    }
}
