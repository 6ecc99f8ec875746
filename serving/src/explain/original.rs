//! The bronze row and the original bytes behind a silver row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use yaojia_warehouse::read::Reader;
use yaojia_warehouse::{Warehouse, WarehouseError};

use super::shelf::{Row, bronze_rows, load_reasons};
use crate::error::Result;

/// Cuts a row out of a landing file by its own columns: what cannot be cut out of bytes as they are (a workbook, Parquet, GB18030, a
/// quoted newline, a header under titles), or is mapped by a profile. Connectors know how.
pub trait FileRows: Send + Sync {
    /// Rows of the file `source` that feeds `dataset`, by their numbers; none of a page, and of a file nobody can read.
    fn rows(&self, dataset: &str, source: &str, bytes: &[u8], numbers: &BTreeSet<i64>) -> BTreeMap<i64, FileRow>;
}

/// A row of a landing file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Where it stands.
    pub place: FilePlace,
    /// Its cells by title, or its text where it could not be split.
    pub text: String,
}

/// Where a row stands in a file, as an editor or Excel shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilePlace {
    /// Sheet of a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Line of a text file, or row of a sheet, from 1.
    pub row: u64,
}

impl fmt::Display for FilePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sheet {
            Some(sheet) => write!(f, "sheet {sheet}, row {}", self.row),
            None => write!(f, "row {}", self.row),
        }
    }
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
    /// Row in the artifact, in the order its rows were received.
    pub row: i64,
    /// Where the row stands in its file; null of a page, and where the file cannot be opened.
    pub place: Option<FilePlace>,
    /// The profile that mapped it, as the load ledger has it; null of a file in the contract's own layout, and of a page.
    pub profile: Option<String>,
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
    let files_of: Vec<(String, String, String)> =
        wanted.iter().map(|of| (of.dataset.clone(), of.source.clone(), of.artifact.clone())).collect();
    let reasons = load_reasons(read, &files_of).await?;
    let mut by_artifact: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, of) in wanted.iter().enumerate() {
        by_artifact.entry(&of.artifact).or_default().push(at);
    }
    let mut bytes: Vec<(Option<FilePlace>, Option<String>, Option<String>)> = vec![(None, None, None); wanted.len()];
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
                Ok(bytes) => match files.rows(&of.dataset, &of.source, bytes, &BTreeSet::from([of.row])).remove(&of.row) {
                    Some(row) => (Some(row.place), Some(row.text), None),
                    None => (None, Some(cut(bytes, of.row)), None),
                },
                Err(why) => (None, None, Some(why.clone())),
            };
        }
    }
    let rows = wanted.into_iter().zip(bronze).zip(reasons).zip(bytes);
    Ok(rows
        .map(|(((of, bronze), reason), (place, bytes, why_not))| {
            let profile = reason.and_then(|reason| reason.strip_prefix("profile:").map(str::to_owned));
            let Wanted { dataset, source, artifact, row } = of;
            Original { dataset, source, artifact, row, place, profile, bronze, bytes, why_not }
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
