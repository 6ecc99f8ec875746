//! Judging one received row by itself: its identity, its key, and the first reason that applies.

use std::borrow::Cow;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use sha2::{Digest, Sha256};
use yaojia_models::contract::Reason;
use yaojia_models::text::{self, Form};

use crate::bronze::Retired;
use crate::error::{Result, WarehouseError};
use crate::silver::index::{Indexes, Name, finish, name_of};
use crate::silver::plan::{CountyPlan, Kind, Plan};

/// Warnings by bit.
pub(crate) const WARNINGS: [&str; 4] = ["amount_mismatch", "unit_assumed", "unknown_product", "cleaned"];

/// The bit of `cleaned`.
const CLEANED: u8 = 8;

/// Month of a row whose month cannot be told.
pub(crate) const NO_MONTH: i32 = i32::MIN;

const DAY: i64 = 86_400_000_000;

/// What is known of one received row after it was judged.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub content: Name,
    pub key: Name,
    pub updt: i64,
    /// Order of receipt: run that first received the artifact, part of the run, row of the part.
    pub receipt: (i64, i64, i64),
    pub file: u32,
    pub position: u32,
    /// The first reason that applies; none for a valid row.
    pub verdict: Option<Reason>,
    /// Contract column the reason is about, -1 for none.
    pub column: i16,
    pub void: bool,
    pub warnings: u8,
    pub county: u16,
    /// Months since year 0, or [`NO_MONTH`].
    pub month: i32,
    /// Scaled by 10⁶; 0 where the dataset has none.
    pub convrat: i128,
}

/// A parsed value, kept only while its row is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    Null,
    Number(i128),
    Time(i64),
    Day(i32),
    Month(i32),
    Text,
    Bad,
}

pub(crate) struct Judge<'a> {
    pub plan: &'a Plan,
    pub indexes: &'a Indexes,
    /// Rows that a later parse of their artifact took the place of.
    pub retired: &'a Retired,
    pub region: u16,
}

pub(super) fn column<'a>(table: &str, batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch
        .column_by_name(name)
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or_else(|| WarehouseError::Contract { table: table.to_string(), why: format!("bronze has no text column `{name}`") })
}

/// A cell as it is compared: see [`Form::clean`].
pub(super) fn value(form: Form, array: &StringArray, row: usize) -> Option<Cow<'_, str>> {
    if array.is_null(row) { None } else { form.clean(array.value(row)).value }
}

/// A row's cells as they are compared.
#[derive(Debug, Default)]
pub(super) struct Cells<'a> {
    values: Vec<Option<Cow<'a, str>>>,
    /// Whether more than blanks was cut from any.
    dirty: bool,
}

impl<'a> Cells<'a> {
    /// Takes a row's cells; the arrays are the contract's columns.
    pub(super) fn fill(&mut self, plan: &Plan, columns: &[&'a StringArray], row: usize) {
        self.values.clear();
        self.dirty = false;
        for (of, array) in plan.columns.iter().zip(columns) {
            if array.is_null(row) {
                self.values.push(None);
                continue;
            }
            let cleaned = of.form.clean(array.value(row));
            self.dirty |= cleaned.dirty;
            self.values.push(cleaned.value);
        }
    }

    fn get(&self, at: usize) -> Option<&str> {
        self.values.get(at).and_then(Option::as_deref)
    }
}

pub(crate) fn month_number(month: &str) -> i32 {
    let mut parts = month.split('-');
    let year = parts.next().and_then(|y| y.parse::<i32>().ok());
    let of_year = parts.next().and_then(|m| m.parse::<i32>().ok());
    match (year, of_year) {
        (Some(y), Some(m)) => y * 12 + m - 1,
        _ => NO_MONTH,
    }
}

pub(crate) fn month_text(number: i32) -> String {
    if number == NO_MONTH {
        return crate::delta::UNKNOWN.to_string();
    }
    format!("{:04}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1)
}

fn month_of_day(day: i64) -> i32 {
    chrono::DateTime::from_timestamp(day * 86_400, 0).map_or(NO_MONTH, |t| {
        use chrono::Datelike as _;
        t.year() * 12 + i32::try_from(t.month0()).unwrap_or_default()
    })
}

pub(super) fn parse(kind: Kind, text: &str) -> Parsed {
    match kind {
        Kind::Text => Parsed::Text,
        Kind::Decimal { precision, scale, .. } => text::parse_decimal(text, precision, scale).map_or(Parsed::Bad, Parsed::Number),
        Kind::Timestamp => text::parse_timestamp(text).map_or(Parsed::Bad, |t| t.map_or(Parsed::Null, Parsed::Time)),
        Kind::Date => text::parse_date(text).map_or(Parsed::Bad, |d| d.map_or(Parsed::Null, Parsed::Day)),
        Kind::Month => text::parse_month(text).map_or(Parsed::Bad, |m| m.map_or(Parsed::Null, |m| Parsed::Month(month_number(&m)))),
    }
}

impl Judge<'_> {
    /// Judges every row of a bronze batch; `first` is the batch's first position in its file.
    pub(crate) fn batch(&self, batch: &RecordBatch, file: u32, first: u32, out: &mut Vec<Judged>) -> Result<()> {
        let table = format!("bronze.{}", self.plan.dataset);
        let missing = |name: &str| WarehouseError::Contract { table: table.clone(), why: format!("bronze has no column `{name}`") };
        let columns = self.plan.columns.iter().map(|c| column(&table, batch, &c.name)).collect::<Result<Vec<_>>>()?;
        let notes = column(&table, batch, "_note")?;
        let raws = column(&table, batch, "_raw")?;
        let whole = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int64Type>()).ok_or_else(|| missing(name));
        let (firsts, parts, rows) = (whole("_first_seq")?, whole("_part")?, whole("_row")?);
        let (runs, artifacts) = (whole("_run_seq")?, column(&table, batch, "_artifact")?);
        let ingested = batch
            .column_by_name("_ingested_at")
            .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(|| missing("_ingested_at"))?;
        let mut cells = Cells::default();
        let mut parsed: Vec<Parsed> = vec![Parsed::Null; columns.len()];
        for row in 0..batch.num_rows() {
            if self.retired.holds(artifacts.value(row), runs.value(row)) {
                continue;
            }
            cells.fill(self.plan, &columns, row);
            let note = if notes.is_null(row) { "" } else { notes.value(row) };
            let raw = if raws.is_null(row) { None } else { Some(raws.value(row)) };
            let mut judged = self.row(&cells, &mut parsed, note, raw, ingested.value(row));
            judged.receipt = (firsts.value(row), parts.value(row), rows.value(row));
            judged.file = file;
            judged.position = first + u32::try_from(row).unwrap_or(u32::MAX);
            out.push(judged);
        }
        Ok(())
    }

    pub(super) fn row(&self, cells: &Cells<'_>, parsed: &mut [Parsed], note: &str, raw: Option<&str>, ingested: i64) -> Judged {
        let plan = self.plan;
        let bad_row = note == "bad_row";
        let mut judged = Judged {
            content: content(&cells.values, if bad_row { raw.or(Some("")) } else { None }),
            key: 0,
            updt: i64::MIN,
            receipt: (0, 0, 0),
            file: 0,
            position: 0,
            verdict: None,
            column: -1,
            void: false,
            warnings: 0,
            county: 0,
            month: NO_MONTH,
            convrat: 0,
        };
        for (i, c) in plan.columns.iter().enumerate() {
            parsed[i] = cells.get(i).map_or(Parsed::Null, |t| parse(c.kind, t));
        }
        judged.county = self.county(cells);
        judged.month = plan.month_of.iter().map(|i| month_in(parsed[*i])).find(|m| *m != NO_MONTH).unwrap_or(NO_MONTH);
        if let Some((reason, at)) = self.reason(cells, parsed, note, ingested) {
            judged.verdict = Some(reason);
            judged.column = at.and_then(|i| i16::try_from(i).ok()).unwrap_or(-1);
            return judged;
        }
        judged.key = self.key(cells, parsed);
        if let Parsed::Time(t) = parsed[plan.updt_time] {
            judged.updt = t;
        }
        judged.void = plan.void.is_some_and(|i| cells.get(i) == Some("0"));
        judged.warnings |= if cells.dirty || note.starts_with("cleaned:") { CLEANED } else { 0 };
        self.warn(cells, parsed, &mut judged);
        judged
    }

    fn county(&self, cells: &Cells<'_>) -> u16 {
        match &self.plan.county {
            CountyPlan::Region => self.region,
            CountyPlan::Column(i) => cells.get(*i).and_then(|c| self.indexes.counties.find(c)).unwrap_or(0),
            CountyPlan::Lookup(i, index) => cells.get(*i).and_then(|v| self.indexes.keys.get(index).and_then(|k| k.get(v))).unwrap_or(0),
        }
    }

    /// The first reason that applies, and the column it is about.
    fn reason(&self, cells: &Cells<'_>, parsed: &[Parsed], note: &str, ingested: i64) -> Option<(Reason, Option<usize>)> {
        let columns = &self.plan.columns;
        if note == "bad_row" {
            return Some((Reason::BadRow, None));
        }
        let required = |i: usize| {
            columns[i].required
                || columns[i].required_when.as_ref().is_some_and(|(at, values)| cells.get(*at).is_some_and(|v| values.contains(v)))
        };
        if let Some(i) = (0..columns.len()).find(|i| cells.get(*i).is_none() && required(*i)) {
            return Some((Reason::MissingKey, Some(i)));
        }
        let first = |test: &dyn Fn(usize) -> bool| (0..columns.len()).find(|i| test(*i));
        if let Some(i) = first(&|i| matches!(columns[i].kind, Kind::Decimal { .. }) && parsed[i] == Parsed::Bad) {
            return Some((Reason::BadNumber, Some(i)));
        }
        // A value that is there but means "no date" is no date in a column that needs one.
        if let Some(i) = first(&|i| {
            columns[i].kind.is_temporal()
                && (parsed[i] == Parsed::Bad || (cells.get(i).is_some() && parsed[i] == Parsed::Null && required(i)))
        }) {
            return Some((Reason::BadDate, Some(i)));
        }
        if let Some(i) = first(&|i| columns[i].values.as_ref().is_some_and(|v| cells.get(i).is_some_and(|t| !v.contains(t)))) {
            return Some((Reason::BadEnum, Some(i)));
        }
        if let Some(i) = first(&|i| columns[i].convrat && matches!(parsed[i], Parsed::Number(n) if n <= 0)) {
            return Some((Reason::BadConvrat, Some(i)));
        }
        if let Some(names) = note.strip_prefix("lossy:") {
            let name = names.split(',').next().unwrap_or_default();
            return Some((Reason::LossyNumber, columns.iter().position(|c| c.name == name)));
        }
        if let Some(i) = first(&|i| columns[i].form == Form::Code && cells.get(i).is_some_and(text::lost_digits)) {
            return Some((Reason::LossyNumber, Some(i)));
        }
        if !self.plan.negative_ok
            && let Some(i) =
                first(&|i| matches!(columns[i].kind, Kind::Decimal { signed: true, .. }) && matches!(parsed[i], Parsed::Number(n) if n < 0))
        {
            return Some((Reason::Negative, Some(i)));
        }
        for reference in &self.plan.references {
            let Some(v) = cells.get(reference.column) else { continue };
            let known = reference.targets.iter().any(|t| self.indexes.keys.get(t).is_some_and(|k| k.get(v).is_some()));
            if !known {
                return Some((reference.reason, Some(reference.column)));
            }
        }
        for i in &self.plan.event {
            let day = match parsed[*i] {
                Parsed::Time(t) => t.div_euclid(DAY),
                Parsed::Day(d) => i64::from(d),
                _ => continue,
            };
            if day > ingested.div_euclid(DAY) + 1 {
                return Some((Reason::FutureDate, Some(*i)));
            }
            break;
        }
        None
    }

    /// The key by value, not by writing: a time is the same key however it was written.
    fn key(&self, cells: &Cells<'_>, parsed: &[Parsed]) -> Name {
        let mut hash = Sha256::new();
        for i in &self.plan.key {
            match parsed[*i] {
                Parsed::Time(t) => hash.update(t.to_be_bytes()),
                Parsed::Day(d) => hash.update(d.to_be_bytes()),
                Parsed::Month(m) => hash.update(m.to_be_bytes()),
                Parsed::Number(n) => hash.update(n.to_be_bytes()),
                _ => {
                    let text = cells.get(*i).unwrap_or_default();
                    hash.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
                    hash.update(text.as_bytes());
                }
            }
        }
        finish(hash)
    }

    fn warn(&self, cells: &Cells<'_>, parsed: &[Parsed], judged: &mut Judged) {
        if let Some((amount, count, price)) = self.plan.amount
            && let (Parsed::Number(a), Parsed::Number(c), Parsed::Number(p)) = (parsed[amount], parsed[count], parsed[price])
        {
            // amount has 2 places, count 4, price 6: compare at 10 places, unrounded.
            let off = c.checked_mul(p).zip(a.checked_mul(100_000_000)).and_then(|(product, amount)| amount.checked_sub(product));
            if off.is_none_or(|d| d.abs() > 500_000_000) {
                judged.warnings |= 1;
            }
        }
        let Some(fee) = self.plan.fee else { return };
        judged.convrat = 1_000_000;
        if cells.get(fee.list_type) == Some("201") {
            return;
        }
        let (org, own) = (cells.get(fee.org).unwrap_or_default(), cells.get(fee.own_code).unwrap_or_default());
        match self.indexes.convrat.get(&name_of([org.as_bytes(), own.as_bytes()])) {
            Some(ratio) => judged.convrat = *ratio,
            None => judged.warnings |= 2,
        }
        if let Some(code) = cells.get(fee.national_code) {
            let known = ["drug_listing.prod_code", "mcs_listing.prod_code"]
                .iter()
                .any(|t| self.indexes.keys.get(*t).is_some_and(|k| k.get(code).is_some()));
            if !known {
                judged.warnings |= 4;
            }
        }
    }
}

fn month_in(parsed: Parsed) -> i32 {
    match parsed {
        Parsed::Time(t) => month_of_day(t.div_euclid(DAY)),
        Parsed::Day(d) => month_of_day(i64::from(d)),
        Parsed::Month(m) => m,
        _ => NO_MONTH,
    }
}

/// The row's content: contract columns as cleaned text, nulls alike; a bad row by its text.
fn content(cells: &[Option<Cow<'_, str>>], raw: Option<&str>) -> Name {
    let mut hash = Sha256::new();
    if let Some(raw) = raw {
        hash.update(b"bad_row");
        hash.update(raw.as_bytes());
        return finish(hash);
    }
    for cell in cells {
        match cell {
            None => hash.update([0_u8]),
            Some(text) => {
                hash.update([1_u8]);
                hash.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
                hash.update(text.as_bytes());
            }
        }
    }
    finish(hash)
}

/// Names of the contents of a text batch's rows, as silver compares them: equal content, equal name.
///
/// # Errors
/// [`WarehouseError::Contract`] when the batch lacks a column of the dataset.
pub fn contents(dataset: &yaojia_models::contract::Dataset, batch: &RecordBatch) -> Result<Vec<u128>> {
    let table = format!("bronze.{}", dataset.name);
    let columns = dataset.columns.iter().map(|c| column(&table, batch, &c.name)).collect::<Result<Vec<_>>>()?;
    let (notes, raws) = (column(&table, batch, "_note")?, column(&table, batch, "_raw")?);
    let plan = Plan::new(dataset)?;
    let mut cells = Cells::default();
    Ok((0..batch.num_rows())
        .map(|row| {
            cells.fill(&plan, &columns, row);
            let bad = !notes.is_null(row) && notes.value(row) == "bad_row";
            let raw = (!raws.is_null(row)).then(|| raws.value(row));
            content(&cells.values, if bad { raw.or(Some("")) } else { None })
        })
        .collect())
}
