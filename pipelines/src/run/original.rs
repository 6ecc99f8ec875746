//! The bronze row and the original bytes behind a silver row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use yaojia_connectors::Artifact;
use yaojia_connectors::export::{LandingFile, Place};
use yaojia_connectors::kit::personal::{PersonalConfig, PersonalRules};
use yaojia_connectors::profile::{OriginalRow, original_rows};
use yaojia_warehouse::WarehouseError;

use super::explain::objects;
use super::{ReadSession, RunError};
use crate::project::Project;

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
    pub place: Option<RowPlace>,
    /// The profile that mapped it; null of a file in the contract's own layout, and of a page.
    pub profile: Option<String>,
    /// The bronze row, as received.
    pub bronze: Option<Map<String, Value>>,
    /// The bytes of the row where they can be cut out, else the artifact's beginning; null when only the auditor may open them.
    pub bytes: Option<String>,
    /// Why there are no bytes.
    pub why_not: Option<String>,
}

/// Where a row stands in a file, as an editor or Excel shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowPlace {
    /// Sheet of a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Line of a text file, or row of a sheet, from 1.
    pub row: u64,
}

impl RowPlace {
    /// A place as the reader has it.
    #[must_use]
    pub fn of(place: &Place) -> Self {
        Self { sheet: place.sheet.as_deref().map(str::to_owned), row: place.line }
    }
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sheet {
            Some(sheet) => write!(f, "sheet {sheet}, row {}", self.row),
            None => write!(f, "row {}", self.row),
        }
    }
}

/// The bronze row and original bytes behind a silver row.
pub(super) async fn original_of(
    project: &Project,
    read: &ReadSession,
    table: &str,
    row: &Map<String, Value>,
) -> Result<Original, RunError> {
    let dataset = table.strip_prefix("silver.").unwrap_or(table).to_string();
    let artifact = row.get("_artifact").and_then(Value::as_str).unwrap_or_default().to_string();
    let number = row.get("_row").and_then(|v| v.as_str().and_then(|t| t.parse().ok()).or_else(|| v.as_i64())).unwrap_or_default();
    let source = row.get("_source").and_then(Value::as_str).unwrap_or_default().to_string();
    let plain = artifact.bytes().all(|b| b.is_ascii_hexdigit());
    let sql = format!(
        "SELECT * FROM bronze.{dataset} AS b WHERE b._artifact = '{artifact}' AND b._row = {number} ORDER BY b._run_seq DESC LIMIT 1"
    );
    let bronze = if plain { objects(&read.rows(&sql).await?)?.into_iter().next() } else { None };
    let profile = mapped_by(read, &dataset, &source, &artifact).await?;
    let mut place = None;
    let (bytes, why_not) = match project.warehouse.archive.get(&artifact).await {
        Ok(Some(bytes)) => {
            let wanted = u64::try_from(number).unwrap_or_default();
            let found = file_rows(project, &dataset, &source, &bytes, &[wanted].into()).remove(&wanted);
            place = found.as_ref().map(|row| RowPlace::of(&row.place));
            (Some(found.map_or_else(|| cut(&bytes, number), |row| row.cells.to_string())), None)
        }
        Ok(None) => (None, Some("the artifact is not in the archive".to_string())),
        Err(error @ WarehouseError::Archive { .. }) => (None, Some(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    Ok(Original { dataset, source, artifact, row: number, place, profile, bronze, bytes, why_not })
}

/// The profile that mapped an artifact for a dataset, as the load ledger has it.
async fn mapped_by(read: &ReadSession, dataset: &str, source: &str, artifact: &str) -> Result<Option<String>, RunError> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let sql = format!(
        "SELECT l.reason FROM ops.load AS l WHERE l.state = 'loaded' AND l.dataset = {} AND l.name = {} AND l.sha256 = {} \
         ORDER BY l.run_seq DESC LIMIT 1",
        quoted(dataset),
        quoted(source),
        quoted(artifact)
    );
    let mark = objects(&read.rows(&sql).await?)?.into_iter().next();
    let reason = mark.and_then(|mark| mark.get("reason").and_then(Value::as_str).map(str::to_owned));
    Ok(reason.and_then(|reason| reason.strip_prefix("profile:").map(str::to_owned)))
}

/// Where rows of files stand, as an editor or Excel shows them: by artifact and row, of rows named by dataset, source, artifact and row.
/// What cannot be opened (an encrypted file, without the auditor's identity) is not in the answer, nor is a page.
///
/// # Errors
/// As the archive says.
pub async fn places(
    project: &Project,
    rows: &BTreeSet<(String, String, String, u64)>,
) -> Result<BTreeMap<(String, u64), RowPlace>, RunError> {
    let mut files: BTreeMap<(&str, &str, &str), BTreeSet<u64>> = BTreeMap::new();
    for (dataset, source, artifact, row) in rows.iter().filter(|(_, source, ..)| source.contains('/')) {
        files.entry((dataset, source, artifact)).or_default().insert(*row);
    }
    let mut places = BTreeMap::new();
    for ((dataset, source, artifact), rows) in files {
        let bytes = match project.warehouse.archive.get(artifact).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(WarehouseError::Archive { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let found = file_rows(project, dataset, source, &bytes, &rows);
        places.extend(found.into_iter().map(|(row, found)| ((artifact.to_owned(), row), RowPlace::of(&found.place))));
    }
    Ok(places)
}

/// Rows of a landing file, by its own columns: what cannot be cut out of bytes as they are (a workbook, Parquet, GB18030, a
/// quoted newline, a header under titles), or is mapped by a profile. None of a page, and of a file nobody can read.
fn file_rows(project: &Project, dataset: &str, source: &str, bytes: &[u8], rows: &BTreeSet<u64>) -> BTreeMap<u64, OriginalRow> {
    found_rows(project, dataset, source, bytes, rows).unwrap_or_default()
}

fn found_rows(project: &Project, dataset: &str, source: &str, bytes: &[u8], rows: &BTreeSet<u64>) -> Option<BTreeMap<u64, OriginalRow>> {
    let dataset = project.dataset(dataset)?;
    let profiles = crate::profiles::load(&project.config.profiles.paths, &project.datasets).unwrap_or_default();
    let profile = profiles.iter().find(|profile| profile.matches(source));
    let file = match profile {
        Some(profile) => profile.files(source, 0).into_iter().find(|file| file.dataset == dataset.name)?,
        None => LandingFile::of(source, 0)?,
    };
    // no hash key: nothing is hashed here, and the bytes were opened by whoever may
    let names = project.config.export().and_then(|export| export.personal.names);
    let personal = PersonalRules::new(&PersonalConfig { hash_key: None, names }).ok()?;
    let artifact = Artifact::from_bytes(source, bytes.to_vec(), true);
    Some(original_rows(dataset, profile, &personal, &file, &artifact, rows))
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
