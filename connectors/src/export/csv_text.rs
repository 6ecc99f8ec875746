//! CSV and TXT files, streaming.

use std::borrow::Cow;
use std::io::{self, Read};

use csv::{Reader, ReaderBuilder, StringRecord};
use yaojia_models::text;

use super::encoding::{Encoding, decode};
use super::header::Header;
use super::lines::Lines;
use super::nearest::Nearest;
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
    let (delimiter, above, header) = sniff(input, &start).map_err(|nearest| input.refuse(Reason::NoHeader, nearest))?;
    visit.header(&header)?;
    let mut reader = reader(Tee::new(io::Cursor::new(start).chain(text), input.max_row_bytes), delimiter);
    let mut record = StringRecord::new();
    let mut lines = Lines::new();
    for row in 1..=above {
        let from = reader.position().byte();
        read(input, &mut reader, delimiter, &mut record)?;
        lines.record(reader.get_ref().between(from, reader.position().byte()));
        // the last of them is the header
        if row < above && record.iter().any(|cell| input.rules.mentions_personal(cell)) {
            visit.personal_aside();
        }
    }
    loop {
        let (from, start) = (reader.position().byte(), reader.position().line());
        if !read(input, &mut reader, delimiter, &mut record)? {
            return Ok(());
        }
        let to = reader.position().byte();
        let line = lines.record(reader.get_ref().between(from, to));
        if record.as_slice().contains(['\n', '\r']) {
            let raw = reader.get_ref().between(from, to);
            if let Some(before) = swallows(&record, raw, delimiter, header.slots.len()) {
                visit.suspicious_quote(start + before);
            }
        }
        if record.len() == header.slots.len() {
            let cells = record.iter().map(|cell| (!cell.is_empty()).then_some(Cow::Borrowed(cell))).collect();
            visit.row(&header, FileRow { cells, line, ..FileRow::default() })?;
            continue;
        }
        let raw = String::from_utf8_lossy(reader.get_ref().between(from, to));
        let raw = raw.trim_matches(['\r', '\n']);
        if !raw.trim().is_empty() {
            visit.row(&header, FileRow { bad: Some(raw), line, ..FileRow::default() })?;
        }
    }
}

fn reader<R: Read>(input: R, delimiter: u8) -> Reader<R> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).buffer_capacity(1 << 16).from_reader(input)
}

/// Line ends before the field that swallows lines of a table of so many columns; none where none does. Such a field holds a line with as
/// many separators as the header; or the first and the last line of the record have as many, so that each was a row of its own. Its
/// quotes were hardly meant as quotes.
fn swallows(record: &StringRecord, raw: &[u8], delimiter: u8, columns: usize) -> Option<u64> {
    let separators = columns.checked_sub(1).filter(|separators| *separators > 0)?;
    let whole = |line: &[u8]| line.iter().filter(|byte| **byte == delimiter).count() == separators;
    let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let blank = raw.iter().take_while(|byte| ends(byte)).count();
    let rows = raw.get(blank..).unwrap_or_default();
    let mut lines = rows.split(ends).filter(|line| !line.is_empty());
    let split = lines.next().is_some_and(whole) && lines.next_back().is_some_and(whole);
    let swallowing =
        record.iter().position(|field| field.as_bytes().split(ends).count() > 1 && (split || field.as_bytes().split(ends).any(whole)))?;
    let counted = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let before: u64 = record.iter().take(swallowing).map(|field| counted(field.as_bytes())).sum();
    Some(before + counted(raw.get(..blank).unwrap_or_default()))
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

/// The separator with which a row is a header (the first one, unless a profile says otherwise), how many rows are no data (those above
/// it and itself), and that header; else what the row that comes nearest lacks.
fn sniff(input: &Input<'_>, start: &[u8]) -> Result<(u8, usize, Header), String> {
    if let Some(header) = FileRule::positional(input) {
        let fits = |delimiter: &u8| {
            let mut record = csv::ByteRecord::new();
            reader(start, *delimiter).read_byte_record(&mut record).is_ok_and(|got| !got || record.len() == header.slots.len())
        };
        let found = FileRule::delimiters(input.rule).into_iter().find(fits);
        let fields = header.slots.len();
        return found
            .map(|delimiter| (delimiter, 0, header))
            .ok_or_else(|| format!("its first row has not the {fields} fields that its profile names"));
    }
    let mut nearest = Nearest::new(input.dataset, input.rules);
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
                nearest.see(|| format!("line {row}"), cells.iter().copied());
                if let Some(header) = Header::of(input.dataset, input.rules, cells)
                    && FileRule::accepts(input.rule, &header)
                {
                    return Ok((delimiter, above + 1, header));
                }
            }
            above += 1;
            if input.rule.is_none() || row > 1024 {
                break;
            }
        }
    }
    Err(nearest.words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_swallow_lines() {
        for (text, columns, want) in [
            ("1,\"a\nb\",2\n", 3, None),
            ("1,\"a,x,y\nb\",2\n", 3, Some(0)),
            // two lines made one
            ("1,\"a,2\n3,b\",4\n", 3, Some(0)),
            ("1,\"a,2\n9,9,9\n3,b\",4\n", 3, Some(0)),
            ("\r\n\"a,2,3\r\n4\",5,6", 3, Some(1)),
            ("1,2,\"a\n4,5,b\"\n", 3, Some(0)),
            ("1,2,\"a\n4,b\"\n", 3, None),
            ("\"1,2\n3\"", 1, None),
            ("1,\"a, b\nc\"", 2, Some(0)),
            ("1,\"甲，乙\n丙\"", 2, None),
            ("0,\",,1,t\n\"0,\",\",1,t\n", 5, Some(0)),
            ("0,\",,1,t\nA\",\",\",1,t\n", 5, Some(0)),
            ("1,\"x\ny\",\"a\nb,c,d\"", 3, Some(1)),
        ] {
            let mut record = StringRecord::new();
            assert!(reader(text.as_bytes(), b',').read_record(&mut record).unwrap());
            assert_eq!(swallows(&record, text.as_bytes(), b',', columns), want, "{text:?}");
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
