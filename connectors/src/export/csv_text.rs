//! CSV and TXT files, streaming.

use std::borrow::Cow;
use std::io::{self, Read};

use csv::{Reader, ReaderBuilder, StringRecord};
use yaojia_models::text;

use super::encoding::{Encoding, decode};
use super::header::Header;
use super::read::{FileRow, Input, ReadError, Visit};
use super::refused::Reason;
use super::tee::{RowTooLong, Tee};

/// How much of a file is looked at to tell commas from TABs.
const SNIFFED: usize = 1 << 16;

/// Gives header and rows to the visitor.
pub(crate) fn scan(input: &Input<'_>, encoding: Encoding, visit: &mut dyn Visit) -> Result<(), ReadError> {
    let mut text = decode(encoding, input.open().map_err(|error| input.io(error))?).map_err(|error| input.io(error))?;
    let mut start = Vec::new();
    text.by_ref().take(SNIFFED as u64).read_to_end(&mut start).map_err(|error| input.io(error))?;
    let Some((delimiter, header)) = sniff(input, &start)? else {
        return Err(input.refuse(Reason::NoHeader, "its first row does not hold all required columns"));
    };
    visit.header(&header)?;
    let mut reader = reader(Tee::new(io::Cursor::new(start).chain(text), input.max_row_bytes), delimiter);
    let mut record = StringRecord::new();
    read(input, &mut reader, &mut record)?;
    loop {
        let from = reader.position().byte();
        reader.get_mut().mark(from);
        if !read(input, &mut reader, &mut record)? {
            return Ok(());
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

/// The separator with which the first row is a header, and that header.
fn sniff(input: &Input<'_>, start: &[u8]) -> Result<Option<(u8, Header)>, ReadError> {
    for delimiter in [b',', b'\t'] {
        let mut reader = reader(start, delimiter);
        let mut record = csv::ByteRecord::new();
        let got = reader.read_byte_record(&mut record);
        if !got.is_ok_and(|got| got) {
            continue;
        }
        // a header cut off by the sniffing limit is no header
        let cells: Vec<Option<&str>> = record.iter().map(|cell| std::str::from_utf8(cell).ok().and_then(text::clean)).collect();
        if let Some(header) = Header::of(input.dataset, input.rules, cells) {
            return Ok(Some((delimiter, header)));
        }
    }
    Ok(None)
}
