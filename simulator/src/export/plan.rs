//! Which files are delivered, in which format, with which faults.

use super::file::{Charset, Content, Control, ExportFile, Ext, Verdict};
use crate::row::{Cell, Fate, Row};
use crate::schema::schema;
use crate::world::Cast;
use crate::world::parts::{
    Received, admdvs, dirty, exemptions, list_map, service_costs, service_prices, stock, surplus_assess, surplus_base, workdays,
};

/// Fee files above this many rows come in no spreadsheet.
const SHEET_ROWS: u64 = 15_000;

/// All export files, in order of path within each dataset.
pub(crate) fn plan(cast: &Cast, received: &Received) -> Vec<ExportFile> {
    let region = cast.cfg.region.clone();
    let start = cast.first.compact();
    let mut files = Vec::new();
    let at_region = |dataset: &'static str, ext: Ext, rows: Vec<Row>| {
        ExportFile::new(dataset, &region, &start, dataset, ext, dirty(cast, dataset, crate::dice::text_tag(dataset) % 1000, rows))
    };
    files.push(ExportFile { charset: Charset::Bom, ..at_region("admdvs", Ext::Csv, admdvs(cast)) });
    files.push(ExportFile { titles: true, dates: 1, ..at_region("exemption", Ext::Xlsx, exemptions(cast)) });
    files.push(ExportFile { charset: Charset::Gb18030, ..at_region("serv_pric", Ext::Csv, service_prices(cast)) });
    files.push(at_region("surplus_assess", Ext::Csv, surplus_assess(cast)));
    files.push(ExportFile { charset: Charset::Gb18030, ..at_region("surplus_base", Ext::Txt, surplus_base(cast)) });
    files.push(at_region("workday", Ext::Csv, workdays(cast)));
    for (c, county) in cast.counties.iter().enumerate() {
        let salt = 1000 + c as u64 * 40;
        let mut map = ragged(cast, list_map(cast, c), c % 3 == 1);
        map = dirty(cast, "list_map", salt, map);
        files.push(ExportFile {
            titles: c % 2 == 1,
            control: if c % 3 == 0 { Control::Short } else { Control::None },
            ..ExportFile::new(
                "list_map",
                &county.code,
                &start,
                &format!("map_{}", county.code),
                [Ext::Csv, Ext::Txt, Ext::CsvGz][c % 3],
                map,
            )
        });
        let mut cost = dirty(cast, "serv_cost", salt + 1, service_costs(cast, c));
        lossy(cast, "serv_cost", "serv_code", &mut cost, c as u64);
        files.push(ExportFile {
            titles: c % 2 == 0,
            dates: u8::try_from(c % 3).unwrap_or(0),
            ..ExportFile::new("serv_cost", &county.code, &start, &format!("cost_{}_{start}", county.code), Ext::Xlsx, cost)
        });
        stocks(cast, received, c, &mut files);
        fees(cast, c, &mut files);
    }
    files.sort_by_key(ExportFile::path);
    files
}

fn stocks(cast: &Cast, received: &Received, c: usize, files: &mut Vec<ExportFile>) {
    let code = &cast.counties[c].code;
    for ((n, month), rows) in cast.months().enumerate().zip(stock(cast, c, received)) {
        let rows = if (n + c).is_multiple_of(4) { dirty(cast, "stock_month", 5000 + (c * 130 + n) as u64, rows) } else { rows };
        if rows.is_empty() {
            continue;
        }
        let ext = [Ext::Csv, Ext::Txt, Ext::Xlsx, Ext::Csv][(n + c) % 4];
        files.push(ExportFile {
            titles: ext != Ext::Txt && (n + c) % 3 == 1,
            charset: if n % 3 == 2 { Charset::Gb18030 } else { Charset::Utf8 },
            dates: if ext == Ext::Xlsx { 0 } else { [0, 1, 3][(n + 2 * c) % 3] },
            ..ExportFile::new("stock_month", code, &month.compact(), &format!("stock_{code}_{}", month.compact()), ext, rows)
        });
    }
}

fn fees(cast: &Cast, c: usize, files: &mut Vec<ExportFile>) {
    let code = &cast.counties[c].code;
    let per_file: u64 = cast.institutions.iter().filter(|i| i.county == c).map(|i| crate::world::parts::fee_target(cast, i)).sum();
    for (n, month) in cast.months().enumerate() {
        let mut ext = [Ext::Csv, Ext::Csv, Ext::Txt, Ext::CsvGz, Ext::Xlsx, Ext::Parquet][(n + c) % 6];
        if ext == Ext::Xlsx && per_file > SHEET_ROWS {
            ext = Ext::CsvGz;
        }
        let number = u32::try_from(n).unwrap_or(0);
        let extra = extra_rows(cast, c, number, ext);
        let uneven = extra.iter().any(|r| r.ragged != 0);
        let compact = month.compact();
        let file = ExportFile {
            titles: ext != Ext::Parquet && (n + 2 * c) % 3 == 1,
            charset: [Charset::Utf8, Charset::Bom, Charset::Gb18030][(n + c) % 3],
            personal: cast.cfg.noise && ext != Ext::Parquet && (n + c).is_multiple_of(4),
            dates: if ext == Ext::Parquet { 0 } else { [0, 0, 1, 3, 2, 4][(n * 2 + c) % 6] },
            control: if uneven { Control::Rows } else { [Control::Short, Control::Long, Control::None][(n + c) % 3] },
            content: Content::Fees { county: c, month: number, late: false, extra },
            ..ExportFile::new("fee_list", code, &compact, &format!("fee_{code}_{compact}_01"), ext, Vec::new())
        };
        if cast.cfg.noise && crate::world::parts::restated(c, u64::from(number)) {
            files.extend(late(cast, c, number, &file));
        }
        if cast.cfg.noise {
            faulty(cast, c, n, &file, files);
        }
        files.push(file);
    }
}

/// The corrections of a month, in a file of their own, if there are any.
fn late(cast: &Cast, c: usize, month: u32, good: &ExportFile) -> Option<ExportFile> {
    let rows = crate::world::parts::county_month(cast, c, cast.first.plus(month.cast_signed()));
    if !rows.iter().any(|r| r.late) {
        return None;
    }
    let name = format!("{}02", good.name.trim_end_matches("01"));
    let (admdvs, folder) = (good.admdvs.as_str(), good.month.as_str());
    Some(ExportFile {
        control: Control::Long,
        content: Content::Fees { county: c, month, late: true, extra: Vec::new() },
        ..ExportFile::new("fee_list", admdvs, folder, &name, Ext::Csv, Vec::new())
    })
}

/// Files that must be refused or skipped, beside the good one.
fn faulty(cast: &Cast, c: usize, n: usize, good: &ExportFile, files: &mut Vec<ExportFile>) {
    let stem = good.name.trim_end_matches("01").to_owned();
    let Content::Fees { county, month, .. } = good.content else {
        return;
    };
    match (c, n) {
        (0, 0) | (1, 1) => {
            let rows = crate::world::parts::county_month(cast, county, cast.first.plus(month.cast_signed()))
                .into_iter()
                .take(12)
                .map(inflated)
                .collect();
            let (control, reason) = if c == 0 { (Control::LyingRows, "rows") } else { (Control::LyingSums, "sums:DET_ITEM_FEE_SUMAMT") };
            let name = format!("{stem}00");
            files.push(ExportFile {
                control,
                verdict: Verdict::Refused(reason),
                ..ExportFile::new("fee_list", &good.admdvs, &good.month, &name, Ext::Csv, rows)
            });
        }
        (0, 1) => {
            files.push(ExportFile { name: format!("{stem}01_copy"), control: Control::None, verdict: Verdict::SameContent, ..good.clone() })
        }
        (1, 0) => files.push(ExportFile {
            control: Control::None,
            verdict: Verdict::Refused("undecodable"),
            content: Content::Bytes(b"PK\x03\x04 this is no workbook".to_vec()),
            ..ExportFile::new("fee_list", &good.admdvs, &good.month, &format!("{stem}03"), Ext::Xlsx, Vec::new())
        }),
        (0, 2) => files.push(ExportFile {
            control: Control::None,
            verdict: Verdict::Refused("no_header"),
            content: Content::Bytes("统计口径说明\n本表由信息科导出\n".as_bytes().to_vec()),
            ..ExportFile::new("fee_list", &good.admdvs, &good.month, &format!("{stem}04"), Ext::Csv, Vec::new())
        }),
        _ => {}
    }
}

/// The same line, ten times as dear: if a refused file were loaded, it would show.
fn inflated(mut row: Row) -> Row {
    if let (Some(at), Row { cells, .. }) = (schema("fee_list").at("det_item_fee_sumamt"), &mut row) {
        cells[at] = Cell::Number("99999.00".to_owned());
    }
    row.ragged = 0;
    row
}

/// Rows that only some formats can hold: ragged lines, ids that lost their digits.
fn extra_rows(cast: &Cast, c: usize, month: u32, ext: Ext) -> Vec<Row> {
    if !cast.cfg.noise {
        return Vec::new();
    }
    let good: Vec<Row> = crate::world::parts::county_month(cast, c, cast.first.plus(month.cast_signed()))
        .into_iter()
        .filter(|r| r.fate == Fate::Accepted)
        .take(4)
        .collect();
    let fee = schema("fee_list");
    good.into_iter()
        .enumerate()
        .filter_map(|(i, mut row)| {
            crate::world::parts::rekey(fee, &mut row, u64::from(month) * 1000 + c as u64 * 10 + i as u64 + 50_000_000);
            match (ext, i) {
                (Ext::Csv | Ext::Txt | Ext::CsvGz, 0 | 1) if (u32::try_from(c).unwrap_or(0) + month).is_multiple_of(2) => {
                    row.ragged = if i == 0 { 1 } else { -1 };
                    Some(row.fated(Fate::Quarantined("bad_row")))
                }
                (Ext::Xlsx, 2) => {
                    if let (Some(at), Some(Cell::Text(id))) = (fee.at("bkkp_sn"), row.cells.first().cloned()) {
                        row.cells[at] = Cell::Lossy(id);
                    }
                    Some(row.fated(Fate::Quarantined("lossy_number")))
                }
                _ => None,
            }
        })
        .collect()
}

/// A cut and an overlong copy of the first row.
fn ragged(cast: &Cast, mut rows: Vec<Row>, wanted: bool) -> Vec<Row> {
    if let (true, true, Some(first)) = (cast.cfg.noise, wanted, rows.first().cloned()) {
        for r in [1, -1] {
            let mut row = first.clone().fated(Fate::Quarantined("bad_row"));
            row.ragged = r;
            rows.insert(1, row);
        }
    }
    rows
}

/// An id of more than fifteen digits that a clerk's spreadsheet took for a number.
fn lossy(cast: &Cast, dataset: &str, column: &str, rows: &mut Vec<Row>, n: u64) {
    let Some((at, good)) = schema(dataset).at(column).zip(rows.first().cloned()) else {
        return;
    };
    if cast.cfg.noise {
        let mut row = good.fated(Fate::Quarantined("lossy_number"));
        row.cells[at] = Cell::Lossy(format!("110200000000{:06}", n + 1));
        rows.push(row);
    }
}
