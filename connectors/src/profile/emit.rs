//! Rows of a file into text batches of the datasets a profile feeds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use indexmap::IndexMap;
use yaojia_models::contract::Dataset;
use yaojia_models::field::FieldType;
use yaojia_models::text::{self, Form};

use super::value::{Found, Missing, expand};
use super::{Condition, Profile, Rule, Target, Value};
use crate::batch::{RowText, TextBatch};
use crate::error::SourceError;
use crate::export::aside::{Asides, joined};
use crate::export::extra::Extra;
use crate::export::header::{Header, Slot};
use crate::export::read::{Checker, FileRow, Input, Kind, Visit, announced};
use crate::export::{Delivery, ExportConfig, FileReport, ReadError, RowPlace, SheetReport, SinkError};
use crate::kit::personal::PersonalRules;

/// Different words kept of those a table lacks; further ones are counted only.
const WORDS_KEPT: usize = 200;

/// What a profile made of a file.
#[derive(Debug, Clone, Default)]
pub struct MappedReport {
    /// The header's cells: name in the profile or the file, and what it is: `mapped`, `extra`, `dropped`, `blank`.
    pub header: Vec<(String, &'static str)>,
    /// Data rows of the file, bad ones included.
    pub rows: u64,
    /// Rows that are no data by the profile's own `when`.
    pub skipped: u64,
    /// Rows with another number of fields than the header; they go to the first target.
    pub bad_rows: u64,
    /// Columns the profile does not name, personal-looking ones included.
    pub unknown: Vec<String>,
    /// Personal-looking ones among them, which are dropped.
    pub dropped: Vec<String>,
    /// Whether the file carries personal data.
    pub personal: bool,
    /// By target.
    pub targets: Vec<TargetReport>,
    /// The sheets of a workbook, and what became of each.
    pub sheets: Vec<SheetReport>,
}

/// Rows mapped for a target.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// A text batch of the target's dataset.
    pub batch: RecordBatch,
    /// Where each row stands in the file.
    pub places: Vec<RowPlace>,
}

/// What a target got.
#[derive(Debug, Clone, Default)]
pub struct TargetReport {
    /// Rows handed on.
    pub rows: u64,
    /// Rows that do not concern it.
    pub filtered: u64,
    /// Values a table lacks, by contract column.
    pub unmatched: IndexMap<String, Unmatched>,
}

/// Words a table lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unmatched {
    /// The table.
    pub table: String,
    /// Values in all.
    pub count: u64,
    /// Where the first one stands.
    pub place: RowPlace,
    /// Word → how often (the first [`WORDS_KEPT`] words).
    pub words: BTreeMap<String, u64>,
}

impl MappedReport {
    /// The report of one dataset, as of a file in its own layout.
    pub(super) fn of_dataset(&self, profile: &Profile, dataset: &str) -> FileReport {
        let mut report = FileReport { personal: self.personal, ..FileReport::default() };
        for (at, (target, found)) in profile.targets.iter().zip(&self.targets).enumerate() {
            if target.dataset.name != dataset {
                continue;
            }
            report.rows += found.rows;
            report.filtered += found.filtered;
            if at == 0 {
                report.sheets.clone_from(&self.sheets);
                report.bad_rows = self.bad_rows;
                report.filtered += self.skipped;
                report.unknown = self.unknown.iter().map(|name| (name.clone(), 1)).collect();
                report.dropped = self.dropped.iter().map(|name| (name.clone(), 1)).collect();
            }
        }
        report
    }
}

/// Reads a delivery in two passes, as [`crate::export::read`] does: check the whole, then hand rows on.
pub(super) fn read(
    profile: &Profile,
    config: &ExportConfig,
    rules: &PersonalRules,
    dataset: Option<&str>,
    delivery: &Delivery,
    sink: &mut dyn FnMut(usize, Mapped) -> Result<(), SinkError>,
) -> Result<MappedReport, ReadError> {
    let input = Input::of(config, rules, &profile.layout, delivery, Some(&profile.rule));
    two_passes(profile, &input, dataset, delivery, sink).map_err(|error| input.explained(error))
}

fn two_passes(
    profile: &Profile,
    input: &Input<'_>,
    dataset: Option<&str>,
    delivery: &Delivery,
    sink: &mut dyn FnMut(usize, Mapped) -> Result<(), SinkError>,
) -> Result<MappedReport, ReadError> {
    let control = announced(input, delivery)?;
    let kind = Kind::of(input, delivery.file.format)?;
    let wanted = control.wanted_of_layout(&profile.layout);
    let mut gate = Gate { profile, inner: Checker::new(input, &wanted) };
    kind.scan(input, &mut gate)?;
    gate.inner.verdict(input, &control, &wanted)?;
    let mut mapper = Mapper::new(profile, input, dataset, sink);
    kind.scan(input, &mut mapper)?;
    mapper.finish()
}

/// Lets data rows through only.
struct Gate<'a, V> {
    profile: &'a Profile,
    inner: V,
}

impl<V: Visit> Visit for Gate<'_, V> {
    fn header(&mut self, header: &Header) -> Result<(), ReadError> {
        self.inner.header(header)
    }

    fn aside(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.inner.aside(header, row)
    }

    fn row(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        let data = row.bad.is_some() || {
            let sources = sources(self.profile.layout.columns.len(), header, &row.cells);
            hold(&self.profile.when, &sources)
        };
        if data { self.inner.row(header, row) } else { Ok(()) }
    }

    fn suspicious_quote(&mut self, line: u64) {
        self.inner.suspicious_quote(line);
    }
}

/// A row's cells by layout column; of two file columns for one, the first non-null counts.
fn sources<'c>(columns: usize, header: &Header, cells: &'c [Option<Cow<'_, str>>]) -> Vec<Option<&'c str>> {
    let mut sources = vec![None; columns];
    for (slot, cell) in header.slots.iter().zip(cells) {
        if let (Slot::Column(at), Some(cell)) = (slot, cell)
            && let Some(held @ None) = sources.get_mut(*at)
        {
            *held = text::clean(cell);
        }
    }
    sources
}

fn hold(conditions: &[Condition], sources: &[Option<&str>]) -> bool {
    conditions.iter().all(|condition| condition.holds(sources.get(condition.column).copied().flatten()))
}

/// One target on its way.
struct Out {
    at: usize,
    batch: TextBatch,
    places: Vec<RowPlace>,
    hashed: Vec<usize>,
}

struct Mapper<'a> {
    profile: &'a Profile,
    input: &'a Input<'a>,
    outs: Vec<Out>,
    /// Layout columns that feed no contract column: kept with the unknown ones.
    idle: Vec<bool>,
    asides: Asides<'a>,
    report: MappedReport,
    /// Where the row before stood.
    place: RowPlace,
    sink: &'a mut dyn FnMut(usize, Mapped) -> Result<(), SinkError>,
}

impl<'a> Mapper<'a> {
    fn new(
        profile: &'a Profile,
        input: &'a Input<'a>,
        dataset: Option<&str>,
        sink: &'a mut dyn FnMut(usize, Mapped) -> Result<(), SinkError>,
    ) -> Self {
        let targets = profile.targets.iter().enumerate();
        let outs = targets.filter(|(_, target)| dataset.is_none_or(|name| target.dataset.name == name));
        let out = |(at, target): (usize, &Target)| {
            let dataset = &target.dataset;
            Out { at, batch: TextBatch::new(dataset), places: Vec::new(), hashed: hashed(dataset) }
        };
        let outs = outs.map(out).collect();
        let mut idle = vec![true; profile.layout.columns.len()];
        let rules = profile.targets.iter().flat_map(|target| target.columns.iter().flatten());
        for column in rules.flat_map(|rule| rule.source.columns()) {
            if let Some(idle) = idle.get_mut(*column) {
                *idle = false;
            }
        }
        let report = MappedReport {
            personal: profile.is_personal(),
            targets: vec![TargetReport::default(); profile.targets.len()],
            ..MappedReport::default()
        };
        let asides = Asides::new(input.dataset, input.rules);
        Self { profile, input, outs, idle, asides, report, place: RowPlace::default(), sink }
    }

    fn finish(mut self) -> Result<MappedReport, ReadError> {
        self.flush(1)?;
        Ok(self.report)
    }

    /// Hands on the batches of at least so many rows.
    fn flush(&mut self, rows: usize) -> Result<(), ReadError> {
        let artifact = || self.input.path.to_owned();
        for out in self.outs.iter_mut().filter(|out| out.batch.len() >= rows) {
            let batch = out.batch.take().map_err(|source| SourceError::Batch { artifact: artifact(), source })?;
            let mapped = Mapped { batch, places: std::mem::take(&mut out.places) };
            (self.sink)(out.at, mapped).map_err(|source| SourceError::Sink { artifact: artifact(), source })?;
        }
        Ok(())
    }

    /// The columns nobody asked for, as a JSON object.
    fn extra(&mut self, header: &Header, row: &FileRow<'_>) -> Option<String> {
        let mut extra = Extra::default();
        for (position, cell) in row.cells.iter().enumerate() {
            let Some(cell) = cell else { continue };
            match header.slots.get(position) {
                Some(Slot::Column(at)) if self.idle.get(*at) == Some(&true) => {
                    if let Some(column) = self.profile.layout.columns.get(*at) {
                        extra.keep(&column.name, cell, self.input.rules);
                    }
                }
                _ => extra.put(header, position, cell, self.input.rules),
            }
        }
        for (found, told) in [(extra.nameless(), &mut self.report.unknown), (extra.dropped(), &mut self.report.dropped)] {
            for name in found {
                if !told.contains(name) {
                    told.push(name.clone());
                }
            }
        }
        self.report.personal |= !extra.dropped().is_empty();
        extra.text()
    }

    fn bad(&mut self, header: &Header, raw: &str, row: i64) -> Result<(), ReadError> {
        self.report.bad_rows += 1;
        let Some(out) = self.outs.first_mut().filter(|out| out.at == 0) else { return Ok(()) };
        self.report.personal |= self.input.rules.mentions_personal(raw);
        let personal = header.personal || self.report.personal || self.input.artifact.personal;
        let raw = if personal { Cow::Owned(self.input.rules.digest(raw)?) } else { Cow::Borrowed(raw) };
        out.batch.push(&RowText { note: Some("bad_row".to_owned()), raw: Some(raw), row, ..RowText::default() });
        out.places.push(self.place.clone());
        if let Some(found) = self.report.targets.first_mut() {
            found.rows += 1;
        }
        Ok(())
    }

    fn map(&mut self, header: &Header, row: &FileRow<'_>, number: u64) -> Result<(), ReadError> {
        let sources = sources(self.profile.layout.columns.len(), header, &row.cells);
        if !hold(&self.profile.when, &sources) {
            self.report.skipped += 1;
            return Ok(());
        }
        let mut kept = self.extra(header, row);
        for out in &mut self.outs {
            let (Some(target), Some(found)) = (self.profile.targets.get(out.at), self.report.targets.get_mut(out.at)) else { continue };
            if !hold(&target.when, &sources) {
                found.filtered += 1;
                continue;
            }
            found.rows += 1;
            let mut cells: Vec<Option<Cow<'_, str>>> = Vec::with_capacity(target.columns.len());
            let mut lossy: Vec<&str> = Vec::new();
            for (at, (column, rule)) in target.dataset.columns.iter().zip(&target.columns).enumerate() {
                let Some(rule) = rule else {
                    cells.push(None);
                    continue;
                };
                if column.ty == FieldType::Text && rule.source.columns().iter().any(|source| row.lossy.contains(source)) {
                    lossy.push(&column.name);
                }
                let hidden = out.hashed.contains(&at);
                let value = mapped(self.profile, rule, &sources, |table, word| {
                    let entry = found.unmatched.entry(column.name.clone()).or_default();
                    if entry.count == 0 {
                        (entry.table, entry.place) = (table.to_owned(), self.place.clone());
                    }
                    entry.count += 1;
                    if let Some(count) = entry.words.get_mut(word) {
                        *count += 1;
                    } else if !hidden && entry.words.len() < WORDS_KEPT {
                        entry.words.insert(word.to_owned(), 1);
                    }
                });
                let lost = |value: &str| Form::Code.clean(value).value.as_deref().is_some_and(text::lost_digits);
                if hidden && value.as_deref().is_some_and(lost) && !lossy.contains(&column.name.as_str()) {
                    lossy.push(&column.name);
                }
                cells.push(match value {
                    Some(value) if hidden => self.input.rules.hash(&value)?.map(Cow::Owned),
                    value => value,
                });
            }
            out.batch.push(&RowText {
                cells,
                extra: kept.take().filter(|_| out.at == 0),
                note: (!lossy.is_empty()).then(|| format!("lossy:{}", lossy.join(","))),
                raw: None,
                row: i64::try_from(number).unwrap_or(i64::MAX),
            });
            out.places.push(self.place.clone());
        }
        Ok(())
    }
}

fn hashed(dataset: &Dataset) -> Vec<usize> {
    dataset.personal_hash.iter().filter_map(|name| dataset.columns.iter().position(|column| &column.name == name)).collect()
}

/// A contract column's text; `unmatched` hears of table and word where the table lacks it.
fn mapped<'s>(
    profile: &'s Profile,
    rule: &'s Rule,
    sources: &[Option<&'s str>],
    mut unmatched: impl FnMut(&str, &str),
) -> Option<Cow<'s, str>> {
    let at = |column: &usize| sources.get(*column).copied().flatten().and_then(|value| stripped(rule, value));
    let value: Cow<'s, str> = match &rule.source {
        Value::Const(constant) => return Some(Cow::Borrowed(constant)),
        Value::First(columns) => columns.iter().find_map(at)?,
        Value::Join(columns, separator) => Cow::Owned(columns.iter().map(at).collect::<Option<Vec<_>>>()?.join(separator)),
    };
    let value = match rule.lookup.and_then(|at| profile.lookups.get(at)) {
        None => value,
        Some(lookup) => match lookup.get(&value) {
            Found::Word(word) => Cow::Borrowed(word),
            Found::Missing => {
                if lookup.missing != Missing::Keep {
                    unmatched(&lookup.name, &value);
                }
                if lookup.missing == Missing::Null {
                    return None;
                }
                value
            }
        },
    };
    let value = if rule.scientific { expand(&value).map_or(value, Cow::Owned) } else { value };
    let Some(converted) = rule.convert.apply(&value) else {
        return Some(rule.convert.refused(value));
    };
    if rule.prefix.is_empty() && rule.suffix.is_empty() {
        return Some(if converted == value { value } else { Cow::Owned(converted) });
    }
    Some(Cow::Owned(format!("{}{converted}{}", rule.prefix, rule.suffix)))
}

/// A cell without the texts that are cut out; none where it means null.
fn stripped<'s>(rule: &Rule, value: &'s str) -> Option<Cow<'s, str>> {
    if rule.null.contains(value) {
        return None;
    }
    if rule.strip.is_empty() {
        return Some(Cow::Borrowed(value));
    }
    let mut cut = value.to_owned();
    for text in &rule.strip {
        cut = cut.replace(text.as_str(), "");
    }
    let cut = text::clean(&cut)?;
    (!rule.null.contains(cut)).then(|| Cow::Owned(cut.to_owned()))
}

impl Visit for Mapper<'_> {
    fn header(&mut self, header: &Header) -> Result<(), ReadError> {
        self.report.personal |= header.personal;
        let first = self.report.header.is_empty();
        for slot in &header.slots {
            let (name, what) = match slot {
                Slot::Column(at) => (self.profile.layout.columns.get(*at).map_or("", |column| column.name.as_str()), "mapped"),
                Slot::Extra(name) => (name.as_str(), "extra"),
                Slot::Dropped(name) => (name.as_str(), "dropped"),
                Slot::Blank => ("", "blank"),
            };
            if matches!(what, "extra" | "dropped") && !self.report.unknown.iter().any(|held| held == name) {
                self.report.unknown.push(name.to_owned());
            }
            if what == "dropped" && !self.report.dropped.iter().any(|held| held == name) {
                self.report.dropped.push(name.to_owned());
            }
            if first {
                self.report.header.push((name.to_owned(), what));
            }
        }
        Ok(())
    }

    fn aside(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.row(header, row)
    }

    fn personal_aside(&mut self) {
        self.report.personal = true;
    }

    fn sheet(&mut self, sheet: SheetReport) {
        self.report.sheets.push(sheet);
    }

    fn row(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.report.rows += 1;
        self.place = RowPlace::of(&row, Some(&self.place));
        let number = self.report.rows;
        let place = i64::try_from(number).unwrap_or(i64::MAX);
        match row.bad {
            Some(raw) => self.bad(header, raw, place)?,
            None if self.asides.withholds(header, &row.cells) => self.bad(header, &joined(&row.cells), place)?,
            None => self.map(header, &row, number)?,
        }
        self.flush(self.input.batch_rows)
    }
}
