//! The bronze row and the original bytes behind a silver row.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use yaojia_warehouse::read::Reader;
use yaojia_warehouse::{Warehouse, WarehouseError};

use super::shelf::{Row, bronze_rows};
use crate::error::Result;

/// Cuts a row out of a landing file by its own columns: what cannot be cut out of bytes as they are (a workbook, Parquet, GB18030, a
/// quoted newline, a header under titles), or is mapped by a profile. Connectors know how.
pub trait FileRows: Send + Sync {
    /// Row `number` of the file `source` that feeds `dataset`; none for a page, and for a file nobody can read.
    fn row(&self, dataset: &str, source: &str, bytes: &[u8], number: i64) -> Option<String>;
}

/// Original bytes of one row.
#[derive(Debug, Clone, Serialize)]
pub struct Original {
    /// Dataset.
    pub dataset: String,
    /// Page or file.
    pub source: String,
    /// SHA-256 of the archived artifact.
    pub artifact: String,
    /// Row in the artifact.
    pub row: i64,
    /// The bronze row, as received.
    pub bronze: Option<Map<String, Value>>,
    /// The bytes of the row where they can be cut out, else the artifact's beginning; null when only the auditor may open them.
    pub bytes: Option<String>,
    /// Why there are no bytes.
    pub why_not: Option<String>,
}

/// A silver row whose original is wanted.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    dataset: String,
    source: String,
    artifact: String,
    row: i64,
}

impl Wanted {
    /// What a row of a silver table says of its origin.
    pub(super) fn of(table: &str, row: &Row) -> Self {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
        Self {
            dataset: table.strip_prefix("silver.").unwrap_or(table).to_string(),
            source: text("_source"),
            artifact: text("_artifact"),
            row: text("_row").parse().unwrap_or_default(),
        }
    }
}

/// The bronze rows and original bytes behind silver rows, in their order; an artifact is fetched once.
pub(super) async fn originals(warehouse: &Warehouse, read: &Reader, files: &dyn FileRows, wanted: Vec<Wanted>) -> Result<Vec<Original>> {
    let keys: Vec<(String, String, i64)> = wanted.iter().map(|of| (of.dataset.clone(), of.artifact.clone(), of.row)).collect();
    let bronze = bronze_rows(warehouse, read, &keys).await?;
    let mut by_artifact: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, of) in wanted.iter().enumerate() {
        by_artifact.entry(&of.artifact).or_default().push(at);
    }
    let mut bytes: Vec<(Option<String>, Option<String>)> = vec![(None, None); wanted.len()];
    for (artifact, numbers) in by_artifact {
        let got = match warehouse.archive.get(artifact).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err("the artifact is not in the archive".to_string()),
            Err(error @ WarehouseError::Archive { .. }) => Err(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        for at in numbers {
            let (Some(place), Some(of)) = (bytes.get_mut(at), wanted.get(at)) else { continue };
            *place = match &got {
                Ok(bytes) => (Some(files.row(&of.dataset, &of.source, bytes, of.row).unwrap_or_else(|| cut(bytes, of.row))), None),
                Err(why) => (None, Some(why.clone())),
            };
        }
    }
    let rows = wanted.into_iter().zip(bronze).zip(bytes);
    Ok(rows
        .map(|((of, bronze), (bytes, why_not))| {
            let Wanted { dataset, source, artifact, row } = of;
            Original { dataset, source, artifact, row, bronze, bytes, why_not }
        })
        .collect())
}

/// The bytes of row `number`: an element of a page's `dataList`, or a line of a text file (its header before it).
fn cut(bytes: &[u8], number: i64) -> String {
    let at = usize::try_from(number - 1).unwrap_or_default();
    if let Ok(page) = serde_json::from_slice::<PageText<'_>>(bytes) {
        let list = page.output.data.list.get().trim();
        if let Ok(rows) = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(list)
            && let Some(row) = rows.get(at)
        {
            return row.get().to_string();
        }
        return list.to_string();
    }
    let plain = decompressed(bytes);
    let text = String::from_utf8(plain.clone()).unwrap_or_else(|_| String::from_utf8_lossy(&plain).into_owned());
    let mut lines = text.lines();
    match (lines.next(), lines.nth(at)) {
        (Some(header), Some(line)) if !text.starts_with("PK") && !text.starts_with("PAR1") => format!("{header}\n{line}"),
        _ => format!("<{} bytes>", bytes.len()),
    }
}

#[derive(serde::Deserialize)]
struct PageText<'a> {
    #[serde(borrow)]
    output: PageOutput<'a>,
}

#[derive(serde::Deserialize)]
struct PageOutput<'a> {
    #[serde(borrow)]
    data: PageData<'a>,
}

#[derive(serde::Deserialize)]
struct PageData<'a> {
    #[serde(rename = "dataList", borrow)]
    list: &'a serde_json::value::RawValue,
}

fn decompressed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut plain = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) && flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain).is_ok() {
        return plain;
    }
    bytes.to_vec()
}
