//! CSV and TXT files, streaming.

use std::borrow::Cow;
use std::io::{self, Read};

use csv::{Reader, ReaderBuilder, StringRecord};
use yaojia_models::text;

use super::encoding::{Encoding, decode};
use super::header::Header;
use super::read::{FileRow, Input, ReadError, Visit};
use super::refused::Reason;
use super::rule::FileRule;
use super::tee::{RowTooLong, Tee};

/// How much of a file is looked at to tell commas from TABs.
const SNIFFED: usize = 1 << 16;

/// Gives header and rows to the visitor.
pub(crate) fn scan(input: &Input<'_>, encoding: Encoding, visit: &mut dyn Visit) -> Result<(), ReadError> {
    let mut text = decode(encoding, input.open().map_err(|error| input.io(error))?).map_err(|error| input.io(error))?;
    let mut start = Vec::new();
    text.by_ref().take(SNIFFED as u64).read_to_end(&mut start).map_err(|error| input.io(error))?;
    let Some((delimiter, above, header)) = sniff(input, &start) else {
        let what = if input.rule.is_some() {
            "no row at its beginning holds all mapped columns"
        } else {
            "its first row does not hold all required columns"
        };
        return Err(input.refuse(Reason::NoHeader, what));
    };
    visit.header(&header)?;
    let mut reader = reader(Tee::new(io::Cursor::new(start).chain(text), input.max_row_bytes), delimiter);
    let mut record = StringRecord::new();
    for row in 0..=above {
        read(input, &mut reader, delimiter, &mut record)?;
        if row < above && record.iter().any(|cell| input.rules.mentions_personal(cell)) {
            visit.personal_aside();
        }
    }
    loop {
        let (from, line) = (reader.position().byte(), reader.position().line());
        if !read(input, &mut reader, delimiter, &mut record)? {
            return Ok(());
        }
        if let Some(field) = swallowing(&record, delimiter, header.slots.len()) {
            let raw = reader.get_ref().between(from, reader.position().byte());
            let blank = raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count();
            let before: usize = record.iter().take(field).map(|cell| cell.matches('\n').count()).sum();
            visit.suspicious_quote(line + (blank + before) as u64);
        }
        if record.len() == header.slots.len() {
            let cells = record.iter().map(|cell| (!cell.is_empty()).then_some(Cow::Borrowed(cell))).collect();
            visit.row(&header, FileRow { cells, ..FileRow::default() })?;
            continue;
        }
        let to = reader.position().byte();
        let raw = String::from_utf8_lossy(reader.get_ref().between(from, to));
        let raw = raw.trim_matches(['\r', '\n']);
        if !raw.trim().is_empty() {
            visit.row(&header, FileRow { bad: Some(raw), ..FileRow::default() })?;
        }
    }
}

fn reader<R: Read>(input: R, delimiter: u8) -> Reader<R> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).buffer_capacity(1 << 16).from_reader(input)
}

/// The field that holds a whole line of a table of so many columns, or whose line ends are where such lines end: its quotes were hardly
/// meant as quotes, and lines are in it that are rows.
fn swallowing(record: &StringRecord, delimiter: u8, columns: usize) -> Option<usize> {
    let separators = columns.checked_sub(1).filter(|separators| *separators > 0)?;
    record.iter().enumerate().position(|(at, field)| {
        if !field.contains(['\n', '\r']) {
            return false;
        }
        let lines = field.split(['\n', '\r']);
        let counts: Vec<usize> = lines.map(|line| line.bytes().filter(|byte| *byte == delimiter).count()).collect();
        if counts.contains(&separators) {
            return true;
        }
        // what stands before the first line end and behind the last one are, with the fields around it, lines of the table
        let first = counts.first().is_some_and(|first| at + first == separators);
        let middle = counts.get(1..counts.len() - 1).unwrap_or_default();
        first && counts.last() == Some(&at) && record.len() == columns && middle.iter().all(|count| *count == 0)
    })
}

/// Reads a record; false at the end. A record that the end of the file cuts off within quotes refuses the file.
fn read<R: Read>(input: &Input<'_>, reader: &mut Reader<Tee<R>>, delimiter: u8, record: &mut StringRecord) -> Result<bool, ReadError> {
    let (start, line) = (reader.position().byte(), reader.position().line());
    reader.get_mut().mark(start);
    let got = next(input, reader, record)?;
    if got
        && reader.get_ref().ended()
        && let Some(before) = open_quote(reader.get_ref().between(start, reader.position().byte()), delimiter)
    {
        let what = format!("a quotation mark that opens a field in line {} is never closed", line + before);
        return Err(input.refuse(Reason::OpenQuote, what));
    }
    Ok(got)
}

/// Line ends before the quotation mark that a record opens and does not close; none where all are closed.
fn open_quote(record: &[u8], delimiter: u8) -> Option<u64> {
    enum At {
        Start,
        Plain,
        Quoted(u64),
        Closed(u64),
    }
    let (mut at, mut lines) = (At::Start, 0);
    for byte in record {
        at = match (at, byte) {
            (At::Quoted(opened), b'"') => At::Closed(opened),
            (At::Quoted(opened), _) => At::Quoted(opened),
            // a doubled mark stands for one
            (At::Closed(opened), b'"') => At::Quoted(opened),
            (At::Start, b'"') => At::Quoted(lines),
            (_, byte) if *byte == delimiter || matches!(byte, b'\r' | b'\n') => At::Start,
            _ => At::Plain,
        };
        lines += u64::from(*byte == b'\n');
    }
    match at {
        At::Quoted(opened) => Some(opened),
        At::Start | At::Plain | At::Closed(_) => None,
    }
}

fn next<R: Read>(input: &Input<'_>, reader: &mut Reader<R>, record: &mut StringRecord) -> Result<bool, ReadError> {
    reader.read_record(record).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<RowTooLong>()) {
            Some(too_long) => input.refuse(Reason::NotDecodable, too_long),
            None => input.io(error),
        },
        csv::ErrorKind::Utf8 { .. } => input.refuse(Reason::NotDecodable, "it is not UTF-8"),
        other => input.refuse(Reason::NotDecodable, format!("{other:?}")),
    })
}

/// The separator with which a row is a header (the first one, unless a profile says otherwise), how many rows stand above it, and
/// that header.
fn sniff(input: &Input<'_>, start: &[u8]) -> Option<(u8, usize, Header)> {
    for delimiter in FileRule::delimiters(input.rule) {
        let mut reader = reader(start, delimiter);
        let mut record = csv::ByteRecord::new();
        let mut above = 0;
        while reader.read_byte_record(&mut record).is_ok_and(|got| got) {
            // the csv reader passes over blank lines: a row is where an editor shows it
            let row = record.position().map_or(0, csv::Position::line);
            if FileRule::header_at(input.rule, row) || (input.rule.is_none() && above == 0) {
                // a header cut off by the sniffing limit is no header
                let cells: Vec<Option<&str>> = record.iter().map(|cell| std::str::from_utf8(cell).ok().and_then(text::clean)).collect();
                if let Some(header) = Header::of(input.dataset, input.rules, cells)
                    && FileRule::accepts(input.rule, &header)
                {
                    return Some((delimiter, above, header));
                }
            }
            above += 1;
            if input.rule.is_none() || row > 1024 {
                break;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_swallow_lines() {
        let record = |fields: &[&str]| StringRecord::from(fields.to_vec());
        for (fields, columns, want) in [
            (vec!["1", "a\nb", "2"], 3, None),
            (vec!["1", "a,x,y\nb", "2"], 3, Some(1)),
            // two lines made one: 1,"a,2 and 3,b",4
            (vec!["1", "a,2\n3,b", "4"], 3, Some(1)),
            (vec!["1", "a,2\n9,9,9\n3,b", "4"], 3, Some(1)),
            (vec!["a,2,3\r\n4", "5", "6"], 3, Some(0)),
            (vec!["1", "2", "a\n4,5,b"], 3, Some(2)),
            (vec!["1", "2", "a\n4,b"], 3, None),
            (vec!["1,2\n3"], 1, None),
            (vec!["1", "a, b\nc"], 2, Some(1)),
            (vec!["1", "甲，乙\n丙"], 2, None),
        ] {
            assert_eq!(swallowing(&record(&fields), b',', columns), want, "{fields:?}");
        }
    }

    #[test]
    fn quotes_left_open() {
        for (text, want) in [
            ("a,b", None),
            ("a,\"b\"", None),
            ("a,\"b", Some(0)),
            ("a,\"b\"\"", Some(0)),
            ("a,\"b\"\"\"", None),
            ("\n\n\"a\nb\",\"c\nd", Some(3)),
            ("a,b\"", None),
            ("a,b\"c", None),
            ("a,\"b\"c\"", None),
            ("\"", Some(0)),
            ("a;\"b", None),
        ] {
            assert_eq!(open_quote(text.as_bytes(), b','), want, "{text:?}");
        }
    }
}
