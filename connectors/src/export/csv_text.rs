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
    for _ in 0..above {
        let from = reader.position().byte();
        reader.get_mut().mark(from);
        read(input, &mut reader, &mut record)?;
        lines.record(reader.get_ref().between(from, reader.position().byte()));
    }
    loop {
        let from = reader.position().byte();
        reader.get_mut().mark(from);
        if !read(input, &mut reader, &mut record)? {
            return Ok(());
        }
        let to = reader.position().byte();
        let line = lines.record(reader.get_ref().between(from, to));
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

/// Reads a record; false at the end.
fn read<R: Read>(input: &Input<'_>, reader: &mut Reader<R>, record: &mut StringRecord) -> Result<bool, ReadError> {
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
