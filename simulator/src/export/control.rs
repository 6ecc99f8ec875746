//! Control files: what the sender says is in the file beside.

use std::fmt::Write as _;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::file::{Control, ExportFile, Ext};
use crate::decimal::fixed;
use crate::row::{Cell, Row};
use crate::schema::schema;

/// Lower-case hex SHA-256.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(64);
    for b in Sha256::digest(bytes) {
        let _ = write!(out, "{b:02x}");
    }
    out
}

/// Name and text of the control file, if there is one.
pub(crate) fn control(file: &ExportFile, rows: &[Row], bytes: &[u8]) -> Option<(PathBuf, String)> {
    let count = rows.len();
    let summed = (file.dataset == "fee_list").then(|| sum_cents(rows)).flatten();
    let sums = |cents: i64| format!(", \"sums\": {{\"DET_ITEM_FEE_SUMAMT\": \"{}\"}}", fixed(cents, 2));
    let body = match file.control {
        Control::None => return None,
        Control::Rows => format!("\"rows\": {count}"),
        Control::LyingRows => format!("\"rows\": {}", count + 3),
        Control::LyingSums => format!("\"rows\": {count}{}", sums(summed.unwrap_or(0) + 10_000)),
        Control::Short | Control::Long => {
            format!("\"rows\": {count}{}, \"sha256\": \"{}\"", summed.map_or(String::new(), sums), sha256_hex(bytes))
        }
    };
    let long = matches!(file.control, Control::Long);
    let ext = if file.ext == Ext::CsvGz { "csv" } else { file.ext.text() };
    let name = if long { format!("{}.{ext}.ctl.json", file.name) } else { format!("{}.ctl.json", file.name) };
    Some((PathBuf::from(format!("exports/{}/{}/{}/{name}", file.dataset, file.admdvs, file.month)), format!("{{{body}}}")))
}

/// The sum of the fee amounts that parse, in cents; none where a row has another number of fields
/// than its header, because what its amount is depends on who reads it.
fn sum_cents(rows: &[Row]) -> Option<i64> {
    let at = schema("fee_list").at("det_item_fee_sumamt")?;
    if rows.iter().any(|r| r.ragged != 0) {
        return None;
    }
    let cents = |cell: &Cell| match cell {
        Cell::Number(n) | Cell::Shown(n, _) => n.replace('.', "").parse::<i64>().ok(),
        _ => None,
    };
    Some(rows.iter().filter_map(|r| r.cells.get(at).and_then(cents)).sum())
}
