//! Workbooks as people and exporters make them: several sheets, the 1904 system, cells typed as dates, `.xls`.

use std::sync::OnceLock;

use proptest::prelude::*;
use rust_xlsxwriter::{Format as CellFormat, Workbook, Worksheet};

use super::fuzz::{BOOK, STRINGS, STYLES, sheet, spoilt, workbook};
use super::tests::{column, read_file, reason, some};
use super::*;
use crate::fuzz::fuzz;

const TITLES: [&str; 5] = ["定点医药机构编号", "医疗目录编码", "库存月份", "月末库存数量", "数据更新时间"];
const AT: &str = "stock_month/652801/202401/a.xlsx";

fn header(sheet: &mut Worksheet) {
    for (at, title) in TITLES.iter().enumerate() {
        sheet.write(0, u16::try_from(at).unwrap(), *title).unwrap();
    }
}

/// A row of stock: a code, its month as text, its count, its time as an Excel date.
fn stock(sheet: &mut Worksheet, row: u32, code: &str) {
    let date = CellFormat::new().set_num_format("yyyy-mm-dd hh:mm");
    sheet.write(row, 0, "H65280100001").unwrap();
    sheet.write(row, 1, code).unwrap();
    sheet.write(row, 2, "2024-01").unwrap();
    sheet.write(row, 3, 10).unwrap();
    sheet.write_with_format(row, 4, 45_322.0, &date).unwrap();
}

fn told(report: &FileReport) -> Vec<String> {
    report
        .sheets
        .iter()
        .map(|sheet| format!("{} {} {}{}", sheet.sheet, sheet.state, sheet.rows, if sheet.hidden { " hidden" } else { "" }))
        .collect()
}

#[test]
fn a_table_goes_on_on_a_sheet_without_a_header() {
    let mut book = Workbook::new();
    let first = book.add_worksheet().set_name("甲").unwrap();
    header(first);
    stock(first, 1, "X1");
    stock(first, 2, "X2");
    let second = book.add_worksheet().set_name("乙").unwrap();
    stock(second, 0, "X3");
    stock(second, 1, "X4");
    // a title above, as above a header, and nothing else
    let third = book.add_worksheet().set_name("丙").unwrap();
    third.write(0, 0, "库存（续）").unwrap();
    stock(third, 2, "X5");
    book.add_worksheet().set_name("空").unwrap();
    let notes = book.add_worksheet().set_name("说明").unwrap();
    notes.write(0, 0, "填报说明").unwrap();
    notes.write(1, 0, "1").unwrap();
    notes.write(1, 1, "按月填报").unwrap();
    let hidden = book.add_worksheet().set_name("旧").unwrap().set_hidden(true);
    header(hidden);
    stock(hidden, 1, "X6");
    let bytes = book.save_to_buffer().unwrap();
    let (report, batches) = read_file(AT, &bytes, Some(r#"{"rows": 6, "sums": {"INV_END_CNT": "60"}}"#)).unwrap();
    assert_eq!(column(&batches, "med_list_codg"), some(&["X1", "X2", "X3", "X4", "X5", "X6"]));
    assert_eq!(column(&batches, "updt_time"), vec![Some("2024-01-31 00:00:00".to_owned()); 6]);
    assert_eq!(told(&report), ["甲 read 2", "乙 continued 2", "丙 continued 2", "空 empty 0", "说明 notes 2", "旧 read 1 hidden"]);
    assert_eq!(report.bad_rows, 0);
}

#[test]
fn rows_without_a_header_that_are_not_clearly_the_tables_are_kept_apart() {
    let mut book = Workbook::new();
    // rows before any header, too: the sheet that has one comes last
    let early = book.add_worksheet().set_name("早").unwrap();
    stock(early, 0, "X9");
    let other = book.add_worksheet().set_name("别").unwrap();
    for (at, title) in ["机构", "编码", "月份", "月末库存量", "时间"].iter().enumerate() {
        other.write(0, u16::try_from(at).unwrap(), *title).unwrap();
    }
    stock(other, 1, "X7");
    let table = book.add_worksheet().set_name("表").unwrap();
    header(table);
    stock(table, 1, "X1");
    let bytes = book.save_to_buffer().unwrap();
    let (report, batches) = read_file(AT, &bytes, None).unwrap();
    assert_eq!(column(&batches, "med_list_codg"), [Some("X1".to_owned()), Some("X9".to_owned()), None, None]);
    assert_eq!(column(&batches, "_note"), [None, None, Some("bad_row".to_owned()), Some("bad_row".to_owned())]);
    assert_eq!(column(&batches, "_raw")[3].as_deref(), Some("H65280100001\tX7\t2024-01\t10\t2024-01-31"));
    assert_eq!(told(&report), ["表 read 1", "早 continued 1", "别 no_header 2"]);
    assert_eq!((report.rows, report.bad_rows), (4, 2));
    // a control file may count them or not
    for (rows, taken) in [(2, true), (4, true), (3, false)] {
        assert_eq!(read_file(AT, &bytes, Some(&format!(r#"{{"rows": {rows}}}"#))).is_ok(), taken, "{rows}");
    }
    // no table at all: the file is refused as before
    let mut book = Workbook::new();
    stock(book.add_worksheet(), 0, "X1");
    assert_eq!(reason(read_file(AT, &book.save_to_buffer().unwrap(), None)), "no_header");
}

#[test]
fn the_1904_system_is_read_right() {
    let titles: String = (0..5)
        .map(|n| format!(r#"<c r="{}1" t="inlineStr"><is><t>{}</t></is></c>"#, char::from(b'A' + u8::try_from(n).unwrap()), TITLES[n]))
        .collect();
    let rows = r#"<row r="2"><c r="A2" t="inlineStr"><is><t>H1</t></is></c><c r="B2" s="1"><v>43860</v></c><c r="C2" s="1"><v>43860</v></c><c r="D2"><v>43860</v></c><c r="E2"><v>43860.5</v></c></row>"#;
    let sheet = format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">{titles}</row>{rows}</sheetData></worksheet>"#
    );
    for (said, time, code) in [("1", "2024-01-31", "2024-01-31"), ("true", "2024-01-31", "2024-01-31"), ("0", "2020-01-30", "2020-01-30")] {
        let book = BOOK.replace(r#"date1904="0""#, &format!(r#"date1904="{said}""#));
        let (_, batches) = read_file(AT, &workbook(&sheet, STRINGS, STYLES, &book), None).unwrap();
        let row: Vec<String> = ["inv_month", "updt_time", "med_list_codg", "inv_end_cnt"]
            .iter()
            .map(|name| column(&batches, name)[0].clone().unwrap())
            .collect();
        assert_eq!(row, [format!("{time} 00:00:00"), format!("{time} 12:00:00"), code.to_owned(), "43860".to_owned()], "{said}");
    }
}

#[test]
fn cells_beyond_the_header_are_columns_without_a_name() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    header(sheet);
    stock(sheet, 1, "X1");
    sheet.write(1, 6, "退回3盒").unwrap();
    stock(sheet, 2, "X2");
    let (report, batches) = read_file(AT, &book.save_to_buffer().unwrap(), None).unwrap();
    assert_eq!((report.rows, column(&batches, "med_list_codg")), (2, some(&["X1", "X2"])));
}

/// A cell of an old workbook.
enum Old {
    Text(&'static str),
    Number(f64),
    /// Shown as a date.
    Date(f64),
}

fn record(out: &mut Vec<u8>, kind: u16, data: &[u8]) {
    out.extend(kind.to_le_bytes());
    out.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    out.extend(data);
}

fn unicode(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// An old workbook (BIFF8 in an OLE container), made by hand.
fn old_workbook(date1904: bool, sheets: &[(&str, Vec<Vec<Old>>)]) -> Vec<u8> {
    let bof = |kind: u16| [0x0600_u16.to_le_bytes(), kind.to_le_bytes(), [0; 2], [0; 2]].concat();
    let bodies: Vec<Vec<u8>> = sheets
        .iter()
        .map(|(_, rows)| {
            let mut body = Vec::new();
            record(&mut body, 0x0809, &bof(0x10));
            for (row, cells) in rows.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    let at = |format: u16| {
                        [u16::try_from(row).unwrap(), u16::try_from(column).unwrap(), format]
                            .iter()
                            .flat_map(|n| n.to_le_bytes())
                            .collect::<Vec<u8>>()
                    };
                    match cell {
                        Old::Text(text) => {
                            let length = u16::try_from(text.encode_utf16().count()).unwrap();
                            record(&mut body, 0x0204, &[at(0), length.to_le_bytes().to_vec(), vec![1], unicode(text)].concat());
                        }
                        Old::Number(number) => record(&mut body, 0x0203, &[at(0), number.to_le_bytes().to_vec()].concat()),
                        Old::Date(number) => record(&mut body, 0x0203, &[at(1), number.to_le_bytes().to_vec()].concat()),
                    }
                }
            }
            record(&mut body, 0x000a, &[]);
            body
        })
        .collect();
    let globals = |starts: &[usize]| {
        let mut out = Vec::new();
        record(&mut out, 0x0809, &bof(0x05));
        record(&mut out, 0x0022, &u16::from(date1904).to_le_bytes());
        for format in [0_u16, 14] {
            record(&mut out, 0x00e0, &[[0; 2], format.to_le_bytes()].concat().into_iter().chain([0; 16]).collect::<Vec<u8>>());
        }
        for ((name, _), start) in sheets.iter().zip(starts) {
            let length = u8::try_from(name.encode_utf16().count()).unwrap();
            let start = u32::try_from(*start).unwrap().to_le_bytes().to_vec();
            record(&mut out, 0x0085, &[start, vec![0, 0, length, 1], unicode(name)].concat());
        }
        record(&mut out, 0x000a, &[]);
        out
    };
    let mut at = globals(&vec![0; sheets.len()]).len();
    let starts: Vec<usize> = bodies
        .iter()
        .map(|body| {
            at += body.len();
            at - body.len()
        })
        .collect();
    let mut stream = globals(&starts);
    bodies.iter().for_each(|body| stream.extend(body));
    ole(&stream)
}

/// An OLE container with one stream, `Workbook`.
fn ole(stream: &[u8]) -> Vec<u8> {
    const SECTOR: usize = 512;
    let length = stream.len().max(4096);
    let sectors = length.div_ceil(SECTOR);
    let end = 0xffff_fffe_u32;
    let mut out = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    out.extend([0; 16]);
    for n in [0x3e_u16, 3, 0xfffe, 9, 6] {
        out.extend(n.to_le_bytes());
    }
    out.extend([0; 10]);
    for n in [1_u32, 1, 0, 4096, end, 0, end, 0, 0] {
        out.extend(n.to_le_bytes());
    }
    out.resize(SECTOR, 0xff);
    // sector 0 is the table of sectors, sector 1 the folder, the stream follows
    let mut table = vec![0xffff_fffd_u32, end];
    table.extend((0..sectors).map(|n| if n + 1 == sectors { end } else { u32::try_from(n + 3).unwrap() }));
    assert!(table.len() <= SECTOR / 4, "too large for one table");
    table.resize(SECTOR / 4, 0xffff_ffff);
    out.extend(table.iter().flat_map(|n| n.to_le_bytes()));
    for (name, kind, child, start, size) in [("Root Entry", 5_u8, 1_u32, end, 0), ("Workbook", 2, 0xffff_ffff, 2, length)] {
        let mut entry = unicode(name);
        entry.resize(64, 0);
        entry.extend(u16::try_from(name.len() * 2 + 2).unwrap().to_le_bytes());
        entry.extend([kind, 1]);
        entry.extend([0xff; 8]);
        entry.extend(child.to_le_bytes());
        entry.extend([0; 36]);
        entry.extend(start.to_le_bytes());
        entry.extend((size as u64).to_le_bytes());
        out.extend(entry);
    }
    out.resize(SECTOR * 3, 0);
    out.extend(stream);
    out.resize(SECTOR * (3 + sectors), 0);
    out
}

#[expect(clippy::float_arithmetic, reason = "a time in Excel is a fraction of a day")]
fn old_rows(date: f64) -> Vec<Vec<Old>> {
    let titles = TITLES.iter().map(|title| Old::Text(title)).collect();
    let row = |code| vec![Old::Text("H1"), Old::Text(code), Old::Date(date), Old::Number(10.5), Old::Date(date + 0.25)];
    vec![titles, row("X1"), row("药2")]
}

const XLS: &str = "stock_month/652801/202401/a.xls";

#[test]
fn old_workbooks_are_read() {
    for (date1904, date) in [(false, 45_322.0), (true, 43_860.0)] {
        let more = vec![old_rows(date).pop().unwrap()];
        let bytes = old_workbook(date1904, &[("库存", old_rows(date)), ("续", more)]);
        // by what it is, whatever its name says
        for name in [XLS, AT] {
            let (report, batches) = read_file(name, &bytes, Some(r#"{"rows": 3}"#)).unwrap();
            assert_eq!(column(&batches, "med_list_codg"), some(&["X1", "药2", "药2"]));
            assert_eq!(column(&batches, "inv_month")[0].as_deref(), Some("2024-01-31 00:00:00"));
            assert_eq!(column(&batches, "updt_time")[0].as_deref(), Some("2024-01-31 06:00:00"));
            assert_eq!(column(&batches, "inv_end_cnt")[0].as_deref(), Some("10.5"));
            assert_eq!(told(&report), ["库存 read 2", "续 continued 1"]);
        }
    }
}

#[test]
fn what_is_named_xls_is_read_by_what_it_is() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    header(sheet);
    stock(sheet, 1, "X1");
    assert_eq!(read_file(XLS, &book.save_to_buffer().unwrap(), None).unwrap().0.rows, 1);
    let text = format!("{}\nH1\tX1\t2024-01\t10\t2024-01-31\n", TITLES.join("\t"));
    let gb = encoding_rs::GB18030.encode(&text).0.into_owned();
    for (name, bytes) in [(XLS, gb), ("stock_month/652801/202401/a.tsv", text.into_bytes())] {
        let (_, batches) = read_file(name, &bytes, None).unwrap();
        assert_eq!(column(&batches, "med_list_codg"), some(&["X1"]), "{name}");
    }
    for page in ["<html><table><tr><td>1</td></tr></table></html>", "\u{feff}\r\n <?xml version=\"1.0\"?>", ""] {
        let reason = reason(read_file(XLS, page.as_bytes(), None));
        assert!(reason == "undecodable" || page.is_empty() && reason == "no_header", "{page}: {reason}");
    }
    assert_eq!(reason(read_file(XLS, &ole(b"no records"), None)), "undecodable");
}

#[test]
fn an_old_workbook_that_would_be_read_for_ever_is_refused() {
    let whole = old_workbook(false, &[("库存", old_rows(45_322.0))]);
    // the folder's sector follows itself
    let mut ring = whole.clone();
    ring[516..520].copy_from_slice(&1_u32.to_le_bytes());
    // its stream says that it has four gigabytes
    let mut long = whole.clone();
    let entry = 1024 + 128 + 120;
    long[entry..entry + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    for bytes in [ring, long] {
        assert_ne!(bytes, whole);
        assert_eq!(reason(read_file(XLS, &bytes, None)), "undecodable");
    }
}

#[test]
fn fuzz_old_workbooks() {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let whole = BYTES.get_or_init(|| old_workbook(false, &[("库存", old_rows(45_322.0)), ("续", vec![old_rows(45_322.0).pop().unwrap()])]));
    fuzz("xls spoilt", 20_000, spoilt(Just(whole.clone())), |bytes| {
        super::fuzz::read_file("a.xls", bytes)?.ok();
        Ok(())
    });
}

#[test]
fn fuzz_sheets_without_a_header() {
    // no row of a sheet is lost, whatever stands on it: read, kept apart, or counted as words
    let cell = prop_oneof![3 => Just(String::new()), 2 => "[A-Z0-9]{1,4}", 1 => "[药品 ]{1,4}", 1 => "[0-9]{1,3}"];
    let rows = proptest::collection::vec(proptest::collection::vec(cell, 0..7), 0..6);
    fuzz("sheets without a header", 3_000, (rows.clone(), rows), |(first, second)| {
        let mut book = Workbook::new();
        let put = |sheet: &mut Worksheet, from: u32, rows: &[Vec<String>]| {
            for (row, cells) in rows.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    sheet.write(from + u32::try_from(row).unwrap(), u16::try_from(column).unwrap(), cell).unwrap();
                }
            }
        };
        let sheet = book.add_worksheet();
        for (at, title) in ["FIXMEDINS_CODE", "MEDINS_LIST_CODG", "MED_LIST_CODG", "CONVRAT", "UPDT_TIME"].iter().enumerate() {
            sheet.write(0, u16::try_from(at).unwrap(), *title).unwrap();
        }
        put(sheet, 1, &first);
        put(book.add_worksheet(), 0, &second);
        let bytes = book.save_to_buffer().unwrap();
        let (report, _) = super::fuzz::read_file("a.xlsx", bytes)?.map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        let filled = |rows: &[Vec<String>]| {
            rows.iter().filter(|row| row.iter().any(|cell| yaojia_models::text::clean(cell).is_some())).count() as u64
        };
        let wide =
            second.iter().filter(|row| row.iter().filter(|cell| yaojia_models::text::clean(cell).is_some()).count() >= 5).count() as u64;
        prop_assert_eq!(report.sheets[0].rows, filled(&first));
        prop_assert_eq!(report.sheets[1].rows, filled(&second));
        prop_assert_eq!(report.rows, filled(&first) + wide);
        Ok(())
    });
}

#[test]
fn the_workbook_of_the_fuzz_tests_tells_its_sheet() {
    let (report, _) = super::fuzz::read_file("a.xlsx", workbook(&sheet(), STRINGS, STYLES, BOOK)).unwrap().unwrap();
    assert_eq!(told(&report), ["表 read 2"]);
}
