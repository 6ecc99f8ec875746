//! CSV and TXT files.

use std::io::Write as _;
use std::path::Path;

use chrono::NaiveDateTime;

use super::file::{Charset, ExportFile, Ext};
use crate::error::SimError;
use crate::row::{Cell, Row};
use crate::schema::schema;

/// Columns no contract knows.
pub(crate) const EXTRA: [(&str, &str); 4] =
    [("PSN_NAME", "模拟人员"), ("CERTNO", "000000000000000000"), ("TEL", "00000000000"), ("RMK", "-")];

/// The bytes of a delimited file.
pub(crate) fn encode(file: &ExportFile, rows: &[Row], path: &Path) -> Result<Vec<u8>, SimError> {
    // The calendar comes as `.csv` with TABs, as such files do.
    let sep = if file.ext == Ext::Txt || file.dataset == "workday" { '\t' } else { ',' };
    let schema = schema(file.dataset);
    let mut text = String::with_capacity(rows.len() * 220 + 400);
    let mut fields: Vec<String> = schema.columns.iter().map(|c| header(file, c)).collect();
    if file.personal {
        fields.extend(EXTRA.iter().map(|(name, _)| (*name).to_owned()));
    }
    push_line(&mut text, &fields, sep);
    for row in rows {
        fields.clear();
        fields.extend(row.cells.iter().map(|c| plain(c, file.dates)));
        if file.personal {
            fields.extend(EXTRA.iter().map(|(_, value)| (*value).to_owned()));
        }
        match row.ragged {
            0 => {}
            r if r > 0 => fields.push("溢出".to_owned()),
            _ => {
                fields.pop();
            }
        }
        push_line(&mut text, &fields, sep);
    }
    let bytes = match file.charset {
        Charset::Utf8 => text.into_bytes(),
        Charset::Bom => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        Charset::Gb18030 => encoding_rs::GB18030.encode(&text).0.into_owned(),
    };
    if file.ext != Ext::CsvGz {
        return Ok(bytes);
    }
    let mut zip = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::new(6));
    zip.write_all(&bytes).map_err(SimError::io(path))?;
    zip.finish().map_err(SimError::io(path))
}

/// The header of a column: dictionary name, or Chinese title where there is one.
pub(crate) fn header(file: &ExportFile, column: &crate::schema::Column) -> String {
    if file.titles && !column.title.is_empty() { column.title.to_owned() } else { column.upper.clone() }
}

/// A value as text.
pub(crate) fn plain(cell: &Cell, dates: u8) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(t) | Cell::Number(t) | Cell::Raw(t) | Cell::Shown(_, t) | Cell::Lossy(t) => t.clone(),
        Cell::Time(at) => time_text(*at, dates),
        Cell::Date(day) => {
            day.format(["%Y-%m-%d", "%Y/%-m/%-d", "%Y.%-m.%-d", "%Y年%-m月%-d日", "%Y%m%d"][usize::from(dates) % 5]).to_string()
        }
        Cell::Month(m) if dates == 1 => m.first().format("%Y/%-m/%-d").to_string(),
        Cell::Month(m) if dates == 3 => m.first().format("%Y年%-m月%-d日").to_string(),
        Cell::Month(m) => m.dashed(),
    }
}

fn time_text(at: NaiveDateTime, dates: u8) -> String {
    at.format(
        ["%Y-%m-%d %H:%M:%S", "%Y/%-m/%-d %-H:%M:%S", "%Y.%-m.%-d %H:%M:%S", "%Y年%-m月%-d日 %H:%M:%S", "%Y%m%d%H%M%S"]
            [usize::from(dates) % 5],
    )
    .to_string()
}

fn push_line(out: &mut String, fields: &[String], sep: char) {
    for (i, field) in fields.iter().enumerate() {
        if i > 0 {
            out.push(sep);
        }
        if field.contains([sep, '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push('\n');
}
