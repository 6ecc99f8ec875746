//! Rows that must be quarantined, one reason each, made from good ones.

use chrono::{Duration, NaiveDate};

use super::platform::Platform;
use crate::decimal::{full_width, with_commas};
use crate::row::{Cell, Fate, Row};
use crate::schema::{Kind, Schema, schema};
use crate::time::at_hour;
use chrono::NaiveDateTime;

/// The reasons that a row of any dataset may be given.
pub(crate) const REASONS: [&str; 10] = [
    "missing_key",
    "bad_number",
    "bad_date",
    "bad_enum",
    "bad_convrat",
    "negative",
    "unknown_org",
    "unknown_listing",
    "orphan",
    "future_date",
];

const BAD_NUMBERS: [&str; 6] = ["abc", "12,50", "1e5", "￥12.50", "--", "+3"];
const BAD_DATES: [&str; 4] = ["昨天", "2024-02-30", "2024-01-01 25:61:00", "N/A"];

/// Makes a row that must be quarantined for `reason`, if its dataset can have such a row.
/// With an odd `n` it has a key of its own, else it is a newer and worse version of `good`.
pub(crate) fn spoil(schema: &Schema, good: &Row, reason: &'static str, n: u64, horizon: NaiveDateTime) -> Option<Row> {
    let mut row = good.clone().fated(Fate::Quarantined(reason));
    let pick = |fits: &dyn Fn(usize) -> bool| {
        let all: Vec<usize> = (0..schema.columns.len() - 1).filter(|i| fits(*i)).collect();
        all.get(n as usize % all.len().max(1)).copied()
    };
    let kind = |i: usize| schema.columns.get(i).map(|c| &c.kind);
    let name = |i: usize| schema.columns.get(i).map_or("", |c| c.name);
    let at = match reason {
        "missing_key" => {
            let at = pick(&|i| schema.columns[i].required && !schema.key.contains(&name(i)))?;
            row.cells[at] = Cell::Null;
            at
        }
        "bad_number" => {
            let at = pick(&|i| matches!(kind(i), Some(Kind::Number(_))))?;
            row.cells[at] = Cell::Raw(BAD_NUMBERS[n as usize % BAD_NUMBERS.len()].to_owned());
            at
        }
        "bad_date" => {
            let at = pick(&|i| matches!(kind(i), Some(Kind::Time | Kind::Date | Kind::Month)))?;
            row.cells[at] = Cell::Raw(BAD_DATES[n as usize % BAD_DATES.len()].to_owned());
            at
        }
        "bad_enum" => {
            let at = pick(&|i| matches!(kind(i), Some(Kind::Choice(_))))?;
            row.cells[at] = Cell::Raw(["X", "是", "7"][n as usize % 3].to_owned());
            at
        }
        "bad_convrat" => {
            let at = pick(&|i| name(i).ends_with("convrat") && row.cells[i] != Cell::Null)?;
            row.cells[at] = Cell::Number(["0", "-1", "0.00"][n as usize % 3].to_owned());
            at
        }
        "negative" if schema.dataset != "fee_list" => {
            let signed = |c: &str| ["convrat", "_ratio", "_share", "score"].iter().any(|s| c.ends_with(s));
            let at = pick(&|i| matches!(kind(i), Some(Kind::Number(_))) && !signed(name(i)))?;
            row.cells[at] = Cell::Number("-3.50".to_owned());
            at
        }
        "unknown_org" => replace(&mut row, schema.at(schema.org?)?, &format!("H65289999{:03}", n % 1000)),
        "unknown_listing" if schema.dataset == "ord_detl" => replace(&mut row, schema.at("pubonln_rslt_id")?, "10999999999999999"),
        "orphan" => {
            let parent = schema.parents.get(n as usize % schema.parents.len().max(1))?;
            replace(&mut row, schema.at(parent)?, &format!("39{:017}", 90_000_000_000_000_000_u64 + n))
        }
        "future_date" => return future(schema, row, n),
        _ => return None,
    };
    // A newer version, unless that would lie beyond the end of the world.
    let newer = good.updt + Duration::seconds(3600 + (n % 1800).cast_signed());
    let fresh = n % 2 == 1 && !schema.parents.iter().any(|p| schema.at(p) == Some(at));
    if !(fresh && rekey(schema, &mut row, n)) && newer < horizon {
        row = row.published(newer);
    }
    Some(row)
}

fn replace(row: &mut Row, at: usize, text: &str) -> usize {
    row.cells[at] = Cell::Text(text.to_owned());
    at
}

/// An event in 2099; where the event is the publication, only files can have such a row.
fn future(schema: &Schema, mut row: Row, n: u64) -> Option<Row> {
    let then = at_hour(NaiveDate::from_ymd_opt(2099, 1, 5 + u32::try_from(n % 20).unwrap_or(0))?, 9);
    match schema.event.first() {
        Some(event) => row.cells[schema.at(event)?] = Cell::Time(then),
        None if crate::schema::platform_datasets().any(|d| d == schema.dataset) => return None,
        None => return Some(row.published(then)),
    }
    rekey(schema, &mut row, n);
    Some(row)
}

/// Gives a row an id of its own, where the key is one id.
pub(crate) fn rekey(schema: &Schema, row: &mut Row, n: u64) -> bool {
    let [key] = schema.key[..] else { return false };
    let Some(at) = schema.at(key).filter(|_| key.ends_with("_id") || key.ends_with("_sn")) else {
        return false;
    };
    row.cells[at] = Cell::Text(format!("8{n:018}"));
    true
}

/// Shows some numbers of a row with commas or in full-width digits.
pub(crate) fn disguise(row: &mut Row, wide: bool) {
    for cell in &mut row.cells {
        if let Cell::Number(n) = cell {
            let shown = if wide { full_width(n) } else { with_commas(n) };
            *cell = Cell::Shown(n.clone(), shown);
        }
    }
}

/// Publishes bad rows of every reason for every dataset of the platform.
pub(crate) fn dirty_platform(platform: &mut Platform, horizon: NaiveDateTime) {
    let samples = std::mem::take(&mut platform.samples);
    let mut n = 1;
    for (dataset, rows) in &samples {
        let schema = schema(dataset);
        let each = (rows.len() / 12).clamp(1, 8);
        for (r, reason) in REASONS.iter().enumerate() {
            for k in 0..each {
                n += 1;
                let Some(good) = rows.get((r * 7 + k * 11) % rows.len()) else {
                    continue;
                };
                if let Some(row) = spoil(schema, good, reason, n, horizon) {
                    platform.push(dataset, row);
                }
            }
        }
        // An order line whose amount is not count × price is taken, with a warning.
        if let ("ord_detl", Some(good)) = (*dataset, rows.last()) {
            let mut row = good.clone();
            if let (true, Some(at)) = (rekey(schema, &mut row, 900_000), schema.at("purc_amt")) {
                row.cells[at] = Cell::Number("1.00".to_owned());
                row.warned.amount_mismatch = true;
                platform.push(dataset, row);
            }
        }
    }
}
