//! Spreadsheets as people make them: a title above the header, a second sheet, numbers as numbers.

use std::path::Path;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::delimited::{EXTRA, header, plain};
use super::file::ExportFile;
use crate::error::SimError;
use crate::row::{Cell, Row};
use crate::schema::schema;

/// The bytes of a spreadsheet.
pub(crate) fn encode(file: &ExportFile, rows: &[Row], path: &Path) -> Result<Vec<u8>, SimError> {
    build(file, rows).map_err(|source| SimError::Xlsx { path: path.to_path_buf(), source: Box::new(source) })
}

fn build(file: &ExportFile, rows: &[Row]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // The library would put the machine's clock into the file.
    let created = ExcelDateTime::from_ymd(2024, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&created));
    let note = book.add_worksheet();
    note.set_name("填报说明")?;
    note.write_string(0, 0, "请勿修改表头")?;
    let sheet = book.add_worksheet();
    sheet.set_name("数据")?;
    let schema = schema(file.dataset);
    let last = u16::try_from(schema.columns.len()).unwrap_or(2).saturating_sub(1).max(1);
    sheet.merge_range(0, 0, 0, last, "巴州医药采购数据导出", &Format::new())?;
    sheet.write_string(1, 0, "单位：元")?;
    let mut headers: Vec<String> = schema.columns.iter().map(|c| header(file, c)).collect();
    if file.personal {
        headers.extend(EXTRA.iter().map(|(name, _)| (*name).to_owned()));
    }
    for (c, title) in headers.iter().enumerate() {
        sheet.write_string(3, col(c), title)?;
    }
    let dated = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    for (r, row) in rows.iter().enumerate() {
        let line = u32::try_from(r).unwrap_or(u32::MAX - 4) + 4;
        for (c, cell) in row.cells.iter().enumerate() {
            write(sheet, line, col(c), cell, file.dates, &dated)?;
        }
        if file.personal {
            for (n, (_, value)) in EXTRA.iter().enumerate() {
                sheet.write_string(line, col(row.cells.len() + n), *value)?;
            }
        }
    }
    book.save_to_buffer()
}

fn col(c: usize) -> u16 {
    u16::try_from(c).unwrap_or(u16::MAX)
}

fn write(sheet: &mut Worksheet, row: u32, col: u16, cell: &Cell, dates: u8, dated: &Format) -> Result<(), XlsxError> {
    let as_dates = dates.is_multiple_of(2);
    let at = match cell {
        Cell::Null => return Ok(()),
        Cell::Number(n) | Cell::Lossy(n) => {
            if let Ok(value) = n.parse::<f64>() {
                sheet.write_number(row, col, value)?;
                return Ok(());
            }
            None
        }
        Cell::Time(at) => Some(*at),
        Cell::Date(day) => Some(day.and_time(NaiveTime::MIN)),
        Cell::Month(m) => Some(m.start()),
        _ => None,
    };
    match at.filter(|_| as_dates) {
        Some(at) => sheet.write_number_with_format(row, col, serial(at), dated)?,
        None => sheet.write_string(row, col, plain(cell, dates))?,
    };
    Ok(())
}

/// The Excel serial of a time: days since 1899-12-30 and the share of the day, to ten places.
fn serial(at: NaiveDateTime) -> f64 {
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or(NaiveDate::MIN);
    let days = (at.date() - epoch).num_days();
    let share = (u64::from(at.time().num_seconds_from_midnight()) * 10_000_000_000 + 43_200) / 86_400;
    format!("{days}.{share:010}").parse().unwrap_or(0.0)
}
