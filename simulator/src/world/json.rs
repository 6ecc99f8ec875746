//! Writes a row as the platform's JSON, in one of its many hands.

use chrono::NaiveDateTime;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::decimal::{full_width, with_commas};
use crate::row::{Cell, Row};
use crate::schema::{Column, JSON_ALIASES, Kind, Schema};
use crate::time::stamp;

/// How one row is written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    /// Numbers as text.
    text_numbers: bool,
    /// Thousands commas in them.
    commas: bool,
    /// Full-width digits in them.
    wide: bool,
    /// Long ids as JSON integers.
    int_ids: bool,
    /// Look-alike keys.
    alias: bool,
    /// Which of the ways to write a time (0: the usual one).
    times: u8,
    /// Keys no contract knows.
    unknown: bool,
    /// Keys that name a person.
    personal: bool,
    /// How a missing value shows: 0 absent, 1 empty text, 2 null, 3 `无`.
    nulls: u8,
    /// Blanks around texts.
    blanks: bool,
}

impl Style {
    /// A style by chance.
    pub(crate) fn roll(rng: &mut ChaCha8Rng) -> Self {
        let mut one_in = |n: u32| rng.random_range(0..n) == 0;
        let text_numbers = one_in(6);
        Self {
            text_numbers,
            commas: text_numbers && one_in(8),
            wide: text_numbers && one_in(16),
            int_ids: one_in(60),
            alias: one_in(80),
            unknown: one_in(150),
            personal: one_in(250),
            blanks: one_in(120),
            times: if one_in(60) {
                if one_in(2) {
                    1
                } else if one_in(2) {
                    2
                } else {
                    3
                }
            } else {
                0
            },
            nulls: if one_in(40) {
                if one_in(2) {
                    1
                } else if one_in(2) {
                    2
                } else {
                    3
                }
            } else {
                0
            },
        }
    }
}

/// One JSON object.
pub(crate) fn line(schema: &Schema, row: &Row, style: Style) -> String {
    let mut out = String::with_capacity(512);
    for (i, (column, cell)) in schema.columns.iter().zip(&row.cells).enumerate() {
        let last = i + 1 == schema.columns.len();
        let Some(value) = value(column, cell, style, last) else {
            continue;
        };
        if last && style.unknown {
            field(&mut out, "rid", "\"R000000001\"");
            field(&mut out, "tenantId", "\"650000\"");
        }
        if last && style.personal {
            field(&mut out, "psnName", "\"模拟人员\"");
            field(&mut out, "tel", "\"00000000000\"");
        }
        let key = style.alias.then(|| JSON_ALIASES.iter().find(|(_, name)| *name == column.name)).flatten();
        field(&mut out, key.map_or(column.json.as_str(), |(alias, _)| alias), &value);
    }
    out.push('}');
    out
}

fn field(out: &mut String, key: &str, value: &str) {
    out.push(if out.is_empty() { '{' } else { ',' });
    out.push('"');
    out.push_str(key);
    out.push_str("\":");
    out.push_str(value);
}

/// The JSON of one value; none where the key is left out.
fn value(column: &Column, cell: &Cell, style: Style, last: bool) -> Option<String> {
    Some(match cell {
        Cell::Null => match style.nulls {
            1 => "\"\"".to_owned(),
            2 => "null".to_owned(),
            3 => "\"无\"".to_owned(),
            _ => return None,
        },
        Cell::Number(n) if style.text_numbers => {
            let n = if style.commas { with_commas(n) } else { n.clone() };
            quoted(&if style.wide { full_width(&n) } else { n })
        }
        Cell::Number(n) => n.clone(),
        Cell::Text(t)
            if style.int_ids
                && t.len() >= 17
                && column.kind == Kind::Text
                && t.bytes().all(|b| b.is_ascii_digit())
                && !t.starts_with('0') =>
        {
            t.clone()
        }
        Cell::Text(t) if style.blanks && column.kind == Kind::Text => quoted(&format!(" {t} ")),
        Cell::Text(t) | Cell::Raw(t) | Cell::Shown(_, t) | Cell::Lossy(t) => quoted(t),
        // A window selects on the publication time: it is always written the same way.
        Cell::Time(at) if last => quoted(&stamp(*at)),
        Cell::Time(at) => quoted(&time_text(*at, style.times)),
        Cell::Date(day) => {
            quoted(&day.format(["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日"][usize::from(style.times) % 4]).to_string())
        }
        Cell::Month(m) => quoted(&m.dashed()),
    })
}

fn time_text(at: NaiveDateTime, form: u8) -> String {
    at.format(["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S.000", "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S"][usize::from(form) % 4]).to_string()
}

/// A JSON text.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
