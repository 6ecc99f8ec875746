//! Reading a delivered file: check it as a whole, then hand its rows on.

use std::borrow::Cow;
use std::io::{self, Read};

use arrow::array::RecordBatch;
use flate2::read::MultiGzDecoder;
use indexmap::IndexMap;
use thiserror::Error;
use yaojia_models::contract::Dataset;
use yaojia_models::field::FieldType;
use yaojia_models::text::{self, Form};

use super::control::{Control, Target, Wanted};
use super::delivery::Delivery;
use super::emit::Emitter;
use super::encoding::{Encoding, detect, verified};
use super::found::found;
use super::header::{Header, Slot};
use super::landing::Format;
use super::ole::OLE;
use super::parquet_time::Int96;
use super::refused::{Reason, Refused};
use super::rule::FileRule;
use super::sheets::SheetReport;
use super::{csv_text, parquet_text, spreadsheet};
use crate::error::SourceError;
use crate::export::ExportConfig;
use crate::kit::artifact::Artifact;
use crate::kit::personal::PersonalRules;

/// Why the receiver of rows failed.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// What a file held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileReport {
    /// Data rows, bad ones included.
    pub rows: u64,
    /// Rows with another number of fields than the header, and rows that are none of the table and speak of a person.
    pub bad_rows: u64,
    /// Unknown columns, personal-looking ones and filled ones without a name included → 1 each.
    pub unknown: IndexMap<String, u64>,
    /// Unknown columns that were dropped for their name, or of which values were for what they hold → 1 each.
    pub dropped: IndexMap<String, u64>,
    /// Whether anything in it is personal.
    pub personal: bool,
    /// Rows of the file that do not concern the dataset; only a profile leaves any out.
    pub filtered: u64,
    /// The sheets of a workbook, and what became of each.
    pub sheets: Vec<SheetReport>,
}

/// Why a file was not read to its end.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file is refused; no row of it was handed on.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Something failed that is not the file's fault.
    #[error(transparent)]
    Failed(#[from] SourceError),
}

/// One row of a file.
#[derive(Debug, Default)]
pub(crate) struct FileRow<'a> {
    /// One cell per header slot; further ones stand beside the table.
    pub cells: Vec<Option<Cow<'a, str>>>,
    /// Contract columns whose digits a binary float (a spreadsheet's cell, a Parquet double) has lost.
    pub lossy: Vec<usize>,
    /// The text of a row that could not be split.
    pub bad: Option<&'a str>,
    /// The sheet it stands on.
    pub sheet: Option<&'a str>,
    /// Where it begins, as an editor or Excel numbers lines and rows, from 1; of Parquet its number.
    pub line: u64,
}

/// Sees a file's headers and rows.
pub(crate) trait Visit {
    fn header(&mut self, header: &Header) -> Result<(), ReadError>;
    fn row(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError>;

    /// A row like a table's on a sheet without a header, as a row that could not be split; such rows come last. `header` is that of the
    /// workbook's table.
    fn aside(&mut self, _header: &Header, _row: FileRow<'_>) -> Result<(), ReadError> {
        Ok(())
    }

    /// What became of a sheet.
    fn sheet(&mut self, _sheet: SheetReport) {}

    /// A row outside any table of ours speaks of personal data.
    fn personal_aside(&mut self) {}

    /// A quoted field of the record that begins in this line of the file (from 1) holds whole lines of it.
    fn suspicious_quote(&mut self, _line: u64) {}
}

/// A file and what is needed to read it.
pub(crate) struct Input<'a> {
    pub dataset: &'a Dataset,
    pub rules: &'a PersonalRules,
    pub path: &'a str,
    pub gzip: bool,
    pub artifact: &'a Artifact,
    pub batch_rows: usize,
    pub max_row_bytes: usize,
    /// What INT96 timestamps mean where the file does not say.
    pub int96: Option<Int96>,
    /// What a profile says of the file's writing; `dataset` then is the file's own layout.
    pub rule: Option<&'a FileRule>,
}

impl<'a> Input<'a> {
    /// A delivered file read as `dataset`; `rule` where a profile says how it is written.
    pub(crate) fn of(
        config: &ExportConfig,
        rules: &'a PersonalRules,
        dataset: &'a Dataset,
        delivery: &'a Delivery,
        rule: Option<&'a FileRule>,
    ) -> Self {
        Self {
            dataset,
            rules,
            path: &delivery.file.path,
            gzip: delivery.file.gzip,
            artifact: &delivery.artifact,
            batch_rows: config.batch_rows,
            max_row_bytes: config.max_row_bytes,
            int96: rule.and_then(|rule| rule.int96).or(config.int96),
            rule,
        }
    }

    /// The bytes, uncompressed.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let bytes = self.artifact.open()?;
        Ok(if self.gzip { Box::new(MultiGzDecoder::new(bytes)) } else { bytes })
    }

    pub(crate) fn refuse(&self, reason: Reason, detail: impl ToString) -> ReadError {
        ReadError::Refused(Refused { file: self.path.to_owned(), reason, detail: detail.to_string() })
    }

    /// A refusal that says what the file's bytes begin like, where its reader could make nothing of them.
    pub(crate) fn explained(&self, error: ReadError) -> ReadError {
        let ReadError::Refused(mut refused) = error else { return error };
        if matches!(refused.reason, Reason::NotDecodable | Reason::NoHeader) {
            let start = |input: io::Result<Box<dyn Read + Send>>| {
                let mut start = Vec::new();
                // what cannot be read to its end still has a beginning
                let _ = input.and_then(|input| input.take(512).read_to_end(&mut start));
                start
            };
            let unpacked = start(self.open());
            let start = if unpacked.is_empty() { start(self.artifact.open()) } else { unpacked };
            if let Some(words) = found(&start) {
                refused.detail = format!("its bytes begin like {words}; {}", refused.detail);
            }
        }
        ReadError::Refused(refused)
    }

    /// A failed read: the file's fault where it is compressed, else the machine's.
    pub(crate) fn io(&self, source: io::Error) -> ReadError {
        if self.gzip && matches!(source.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof) {
            return self.refuse(Reason::NotDecodable, source);
        }
        ReadError::Failed(SourceError::Io { path: self.path.to_owned(), source })
    }

    pub(crate) fn encoding(&self) -> Result<Encoding, ReadError> {
        let forced = self.rule.and_then(|rule| rule.encoding);
        let found = match forced {
            Some(encoding) => verified(encoding, &|| self.open()),
            None => detect(&|| self.open()),
        };
        match found.map_err(|error| self.io(error))? {
            Some(encoding) => Ok(encoding),
            None if forced.is_some() => Err(self.refuse(Reason::NotDecodable, "it is not in the encoding its profile names")),
            None => Err(self.refuse(Reason::NotDecodable, "it is neither UTF-8 nor GB18030")),
        }
    }
}

/// A file whose container and encoding are known.
pub(crate) enum Kind {
    Text(Encoding),
    Workbook(Format),
    Parquet,
}

impl Kind {
    pub(crate) fn of(input: &Input<'_>, format: Format) -> Result<Self, ReadError> {
        Ok(match format {
            Format::Csv | Format::Txt => Self::Text(input.encoding()?),
            Format::Xlsx => Self::Workbook(format),
            Format::Xls => Self::of_xls(input)?,
            Format::Parquet => Self::Parquet,
        })
    }

    /// What exporters name `.xls`: a workbook of either kind, or plain text.
    fn of_xls(input: &Input<'_>) -> Result<Self, ReadError> {
        let mut start = Vec::new();
        let read = input.open().and_then(|bytes| bytes.take(256).read_to_end(&mut start));
        read.map_err(|error| input.io(error))?;
        if start.starts_with(OLE) || start.starts_with(b"PK") {
            return Ok(Self::Workbook(Format::Xls));
        }
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
        if text.trim_ascii_start().starts_with(b"<") {
            return Err(
                input.refuse(Reason::NotDecodable, "it is a web page named .xls: open it in Excel and save it as a workbook (.xlsx)")
            );
        }
        Ok(Self::Text(input.encoding()?))
    }

    pub(crate) fn scan(&self, input: &Input<'_>, visit: &mut dyn Visit) -> Result<(), ReadError> {
        match self {
            Self::Text(encoding) => csv_text::scan(input, *encoding, visit),
            Self::Workbook(format) => contained(input, || spreadsheet::scan(input, *format, visit)),
            Self::Parquet => contained(input, || parquet_text::scan(input, visit)),
        }
    }
}

/// Runs the reader of a container, which is not ours: where a broken file makes it panic, the file is refused and the others go on.
fn contained(input: &Input<'_>, scan: impl FnOnce() -> Result<(), ReadError>) -> Result<(), ReadError> {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(scan));
    done.unwrap_or_else(|_| Err(input.refuse(Reason::NotDecodable, "its container breaks its reader")))
}

/// Reads a delivery in two passes: the first checks it as a whole (container, encoding, header, control file), the
/// second hands its rows to `sink`. Nothing of a refused file reaches the sink, and memory does not grow with the file.
///
/// # Errors
/// [`ReadError::Refused`] where the file is not to be loaded.
pub fn read(
    config: &ExportConfig,
    rules: &PersonalRules,
    dataset: &Dataset,
    delivery: &Delivery,
    sink: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
) -> Result<FileReport, ReadError> {
    let input = Input::of(config, rules, dataset, delivery, None);
    two_passes(&input, delivery, sink).map_err(|error| input.explained(error))
}

fn two_passes(
    input: &Input<'_>,
    delivery: &Delivery,
    sink: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
) -> Result<FileReport, ReadError> {
    let control = announced(input, delivery)?;
    let kind = Kind::of(input, delivery.file.format)?;
    let wanted = control.wanted(input.dataset);
    let mut checker = Checker::new(input, &wanted);
    kind.scan(input, &mut checker)?;
    checker.verdict(input, &control, &wanted)?;
    let mut emitter = Emitter::new(input, sink);
    kind.scan(input, &mut emitter)?;
    emitter.finish()
}

/// What the control file says; the file's own hash is compared at once.
pub(crate) fn announced(input: &Input<'_>, delivery: &Delivery) -> Result<Control, ReadError> {
    let control = match &delivery.control {
        None => Control::default(),
        Some(control) => {
            let bytes = control.read_all().map_err(|error| input.io(error))?;
            Control::parse(&bytes).map_err(|what| input.refuse(Reason::Control, what))?
        }
    };
    if let Some(sha256) = &control.sha256
        && !sha256.trim().eq_ignore_ascii_case(&delivery.artifact.sha256)
    {
        return Err(input.refuse(Reason::Sha256, format!("the file's is {}", delivery.artifact.sha256)));
    }
    Ok(control)
}

/// The first pass: counts rows, adds up columns, and looks for what makes a file's meaning uncertain.
pub(crate) struct Checker<'c> {
    dataset: &'c Dataset,
    rows: u64,
    /// Rows on sheets without a header, which a control file may count or not.
    aside: u64,
    sums: Vec<(&'c Target, i128)>,
    /// Line of the first record with a field that holds whole lines.
    suspicious: Option<u64>,
    /// What the first two columns that mean one and differ are, and where.
    double: Option<String>,
}

impl<'c> Checker<'c> {
    pub(crate) fn new(input: &Input<'c>, wanted: &'c [Wanted<'_>]) -> Self {
        let sums = wanted.iter().filter_map(|wanted| wanted.target.as_ref()).map(|target| (target, 0)).collect();
        Self { dataset: input.dataset, rows: 0, aside: 0, sums, suspicious: None, double: None }
    }

    /// Remembers the first two columns that mean one and hold different values in a row.
    fn compare(&mut self, header: &Header, row: &FileRow<'_>) {
        for double in header.doubles.iter().filter(|_| self.double.is_none()) {
            let [left, right] = double.at;
            let Some(Slot::Column(at)) = header.slots.get(left) else { continue };
            let Some(column) = self.dataset.columns.get(*at) else { continue };
            let value =
                |position: usize| row.cells.get(position).and_then(Option::as_deref).and_then(|cell| column.form().clean(cell).value);
            if let (Some(one), Some(other)) = (value(left), value(right))
                && !same(column.ty, &one, &other)
            {
                let [first, second] = &double.titles;
                let (name, row) = (&column.name, self.rows);
                self.double = Some(format!(
                    "its columns {} `{first}` and {} `{second}` both mean `{name}`, and differ in data row {row}",
                    left + 1,
                    right + 1
                ));
                return;
            }
        }
    }

    /// Compares what was found with what is announced.
    pub(crate) fn verdict(self, input: &Input<'_>, control: &Control, wanted: &[Wanted<'_>]) -> Result<(), ReadError> {
        if let Some(rows) = control.rows
            && rows != self.rows
            && rows != self.rows + self.aside
        {
            return Err(input.refuse(Reason::Rows, format!("{} rows where {rows} are announced", self.rows)));
        }
        if let Some(line) = self.suspicious
            && control.rows.is_none()
        {
            let detail =
                format!("line {line}: a quoted field holds whole lines of the file, and no control file says how many rows there are");
            return Err(input.refuse(Reason::SuspiciousQuote, detail));
        }
        if let Some(detail) = self.double {
            return Err(input.refuse(Reason::DoubleTitle, detail));
        }
        let mut sums = self.sums.into_iter();
        for wanted in wanted {
            let Some(target) = &wanted.target else {
                let detail = format!("`{}` is no column with a sum, or its sum is no number", wanted.name);
                return Err(input.refuse(Reason::Sums(wanted.name.to_owned()), detail));
            };
            let sum = sums.next().map_or(0, |(_, sum)| sum);
            if sum != target.sum {
                let text = |value| yaojia_models::value::decimal_text(value, u32::from(target.scale.unsigned_abs()));
                let detail = format!("{} where {} is announced", text(sum), text(target.sum));
                return Err(input.refuse(Reason::Sums(wanted.name.to_owned()), detail));
            }
        }
        Ok(())
    }
}

impl Visit for Checker<'_> {
    fn header(&mut self, _: &Header) -> Result<(), ReadError> {
        Ok(())
    }

    fn aside(&mut self, _: &Header, _: FileRow<'_>) -> Result<(), ReadError> {
        self.aside += 1;
        Ok(())
    }

    fn row(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.rows += 1;
        self.compare(header, &row);
        for (target, sum) in &mut self.sums {
            let slots = header.slots.iter().zip(&row.cells);
            let mut values =
                slots.filter(|(slot, _)| **slot == target.slot).filter_map(|(_, cell)| Form::Number.clean(cell.as_deref()?).value);
            if let Some(value) = values.next()
                && let Ok(value) = text::parse_decimal(&value, target.precision, target.scale)
            {
                *sum = sum.saturating_add(value);
            }
        }
        Ok(())
    }

    fn suspicious_quote(&mut self, line: u64) {
        self.suspicious.get_or_insert(line);
    }
}

/// Whether two values of a column say the same.
fn same(ty: FieldType, one: &str, other: &str) -> bool {
    let number = |text: &str| ty.decimal().and_then(|(_, scale)| text::parse_decimal(text, 38, scale).ok());
    let time = |text: &str| match ty {
        FieldType::Timestamp => text::parse_timestamp(text).ok().flatten(),
        FieldType::Date => text::parse_date(text).ok().flatten().map(i64::from),
        _ => None,
    };
    let month = |text: &str| if ty == FieldType::Month { text::parse_month(text).ok().flatten() } else { None };
    one == other
        || number(one).is_some_and(|value| number(other) == Some(value))
        || time(one).is_some_and(|value| time(other) == Some(value))
        || month(one).is_some_and(|value| month(other) == Some(value))
}
