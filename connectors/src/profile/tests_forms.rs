//! Forms of files that a profile maps: dates as Excel types them behind any rule, months, numbers of other programs, files without a header.

use rust_xlsxwriter::{Format as CellFormat, Workbook};

use super::tests::{column, delivery, problems, profile, read, refused, rules};
use super::*;

const DATES: &str = r#"
name = "dates"
[files]
paths = "d/*.xlsx"
[lookup.year]
values = { "2016" = "2016-01-01" }
missing = "keep"
[[target]]
dataset = "institution"
[target.columns]
org_code = "id"
org_name = { join = ["when", "clock"], separator = " " }
uscc = { from = "when", prefix = "D", optional = true }
org_type = { const = "1" }
admdvs = { const = "110101" }
updt_time = { from = "when", lookup = "year", date = ["%d/%m/%Y", "%Y-%m-%d"] }
"#;

#[test]
fn a_cell_that_excel_shows_as_a_date_is_one_behind_every_rule() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (date, time) = (CellFormat::new().set_num_format("yyyy/m/d"), CellFormat::new().set_num_format("h:mm"));
    sheet.write_row(0, 0, ["id", "when", "clock"]).unwrap();
    for (row, when) in [(1, 45_322.0), (2, 45_322.5)] {
        sheet.write(row, 0, row).unwrap();
        sheet.write_with_format(row, 1, when, &date).unwrap();
        sheet.write_with_format(row, 2, 0.75, &time).unwrap();
    }
    // a number that is no date, and words
    sheet.write(3, 0, 3).unwrap();
    sheet.write(3, 1, 2016).unwrap();
    sheet.write(3, 2, "18:00").unwrap();
    sheet.write(4, 0, 4).unwrap();
    sheet.write(4, 1, "31/01/2024").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let (_, batches) = read(&profile(DATES), "d/a.xlsx", &bytes, None).unwrap();
    assert_eq!(column(&batches[0], "updt_time"), ["2024-01-31", "2024-01-31 12:00:00", "2016-01-01", "2024-01-31"]);
    assert_eq!(column(&batches[0], "org_name"), ["2024-01-31 18:00:00", "2024-01-31 12:00:00 18:00:00", "2016 18:00", "–"]);
    assert_eq!(column(&batches[0], "uscc"), ["D2024-01-31", "D2024-01-31 12:00:00", "D2016", "D31/01/2024"]);
}

#[test]
fn a_format_without_a_day_is_of_months_only() {
    let stock = r#"
name = "m"
[files]
paths = "s/*.csv"
[[target]]
dataset = "stock_month"
[target.columns]
fixmedins_code = "id"
med_list_codg = "id"
inv_month = { from = "m", date = "%Y_%m" }
inv_end_cnt = { const = "1" }
updt_time = { const = "2024-01-31" }
"#;
    let (_, batches) = read(&profile(stock), "s/a.csv", b"id,m\n1,2017_09\n2,2017_13\n", None).unwrap();
    assert_eq!(column(&batches[0], "inv_month"), ["2017-09", "2017_13"]);
    let other = problems(&stock.replace("{ const = \"2024-01-31\" }", "{ from = \"m\", date = [\"%Y-%m-%d\", \"%Y_%m\"] }"));
    assert!(other.contains("`stock_month.updt_time`: the format `%Y_%m` has no day"), "{other}");
    let year = problems(&stock.replace("\"%Y_%m\"", "\"%Y\""));
    assert!(year.contains("has no month"), "{year}");
}

const FEES: &str = r#"
name = "r"
[files]
paths = "r/*.csv"
columns = ["机构", "批次", "", "比例", "时间"]
[[target]]
dataset = "surplus_base"
[target.columns]
btch_code = "机构"
grp_code = "批次"
pre_unit_pric = { from = "比例", number = "scientific", factor = "10" }
updt_time = "时间"
"#;

#[test]
fn files_without_a_header_and_numbers_of_r() {
    let rows = "H1,1,x,4e3,2024-01-31\nH2,2,y,1.5E-2,2024-01-31\nH3,3\nH4,4,z,2.5,2024-01-31\nH5,5,z,1e5x,2024-01-31\n";
    for delimiter in [",", ";", "\t"] {
        let text = rows.replace(',', delimiter);
        let (report, batches) = read(&profile(FEES), "r/a.csv", text.as_bytes(), Some(r#"{"rows": 5}"#)).unwrap();
        assert_eq!((report.rows, report.bad_rows), (5, 1));
        assert_eq!(column(&batches[0], "btch_code"), ["H1", "H2", "–", "H4", "H5"]);
        assert_eq!(column(&batches[0], "pre_unit_pric"), ["40000", "0.15", "–", "25", "1e5x"]);
    }
    // the first row decides how many fields there are
    assert_eq!(refused(read(&profile(FEES), "r/a.csv", b"H1,1,4e3,2024-01-31\n", None)), "no_header");
    assert_eq!(read(&profile(FEES), "r/a.csv", b"", None).unwrap().0.rows, 0);
    // workbooks likewise
    let mut book = Workbook::new();
    book.add_worksheet().write_row(0, 0, ["H1", "1", "x", "4", "2024-01-31"]).unwrap();
    book.add_worksheet().write_row(2, 0, ["H2", "2", "x", "5", "2024-01-31"]).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let (_, batches) = read(&profile(&FEES.replace("*.csv", "*.xlsx")), "r/a.xlsx", &bytes, None).unwrap();
    assert_eq!(column(&batches[0], "pre_unit_pric"), ["40", "50"]);
    for (from, to, problem) in [
        ("\"批次\", \"\"", "\"批\", \"\"", "`files.columns` does not name 批次"),
        ("columns = [\"机构\"", "header_row = 2\ncolumns = [\"机构\"", "leave `files.header_row` out"),
        ("\"批次\", \"\"", "\"批次\", \"机 构\"", "names `机 构` twice"),
        ("btch_code = \"机构\"", "btch_code = { from = \"机构\", number = \"scientific\" }", "`number` is for numbers"),
    ] {
        assert!(FEES.contains(from), "{from}");
        let found = problems(&FEES.replacen(from, to, 1));
        assert!(found.contains(problem), "{problem} is not in: {found}");
    }
}

#[test]
fn the_place_of_a_row_is_what_excel_shows() {
    let mut book = Workbook::new();
    for (name, bad) in [("A", "2024-01-31"), ("B", "x")] {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        sheet.write_row(0, 0, ["id", "when", "clock"]).unwrap();
        sheet.write_row(1, 0, ["1", "2024-01-31", "1"]).unwrap();
        // a blank row is none, and Excel numbers it all the same
        sheet.write_row(3, 0, ["2", bad, "1"]).unwrap();
    }
    let bytes = book.save_to_buffer().unwrap();
    let profile = profile(DATES);
    let mut places = Vec::new();
    let of = delivery(&profile, "d/a.xlsx", &bytes, None);
    profile
        .read(&ExportConfig::new("x"), &rules(), &of, &mut |_, mapped| {
            places.extend(mapped.places.iter().map(ToString::to_string));
            Ok(())
        })
        .unwrap();
    assert_eq!(places, ["sheet A, row 2", "sheet A, row 4", "sheet B, row 2", "sheet B, row 4"]);
}
