//! How a file is written, where somebody said so; by default it is found out.

use super::encoding::Encoding;
use super::header::{Header, Slot};
use super::parquet_time::Int96;
use super::read::Input;

/// How far down a header is looked for in a text file of a profile; titles and notes stand above it.
const HEADER_WITHIN: u64 = 64;

/// What a profile says of a file's writing.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileRule {
    /// The only encoding tried.
    pub encoding: Option<Encoding>,
    /// The only separator tried.
    pub delimiter: Option<u8>,
    /// The header's row, from 1.
    pub header_row: Option<u64>,
    /// The sheets that are read; empty: all.
    pub sheets: Vec<String>,
    /// The columns by position, of files without a header; empty: a header is looked for.
    pub columns: Vec<String>,
    /// What INT96 timestamps of Parquet mean where the file does not say.
    pub int96: Option<Int96>,
    /// Alternatives: of each the header must have one column at least.
    pub groups: Vec<Vec<usize>>,
}

impl FileRule {
    /// Whether a row with all required columns is the header: a profile's needs a mapped column, and one of each alternative.
    pub(crate) fn accepts(rule: Option<&Self>, header: &Header) -> bool {
        rule.is_none_or(|rule| {
            header.slots.iter().any(|slot| matches!(slot, Slot::Column(_)))
                && rule.groups.iter().all(|group| group.iter().any(|at| header.slots.contains(&Slot::Column(*at))))
        })
    }

    /// The header of a file that has none: a profile names its columns by position.
    pub(crate) fn positional(input: &Input<'_>) -> Option<Header> {
        let columns = &input.rule.filter(|rule| !rule.columns.is_empty())?.columns;
        Header::of(input.dataset, input.rules, columns.iter().map(|name| Some(name.as_str())))
    }

    /// Whether the header may stand in this row of a text file.
    pub(crate) fn header_at(rule: Option<&Self>, row: u64) -> bool {
        match rule.map(|rule| rule.header_row) {
            None => row == 1,
            Some(None) => row <= HEADER_WITHIN,
            Some(Some(wanted)) => row == wanted,
        }
    }

    /// Whether the header may stand in this row of a sheet.
    pub(crate) fn header_at_sheet(rule: Option<&Self>, row: u64) -> bool {
        rule.and_then(|rule| rule.header_row).is_none_or(|wanted| wanted == row)
    }

    /// The separators to try.
    pub(crate) fn delimiters(rule: Option<&Self>) -> Vec<u8> {
        match rule.and_then(|rule| rule.delimiter) {
            Some(delimiter) => vec![delimiter],
            None if rule.is_some() => vec![b',', b'\t', b';', b'|'],
            None => vec![b',', b'\t'],
        }
    }

    /// Whether a sheet is read.
    pub(crate) fn reads_sheet(rule: Option<&Self>, name: &str) -> bool {
        rule.is_none_or(|rule| rule.sheets.is_empty() || rule.sheets.iter().any(|sheet| sheet == name))
    }
}
