//! Every byte of a warehouse: hashes, rows, digests. One file at a time is in memory, an original not even whole.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray as _;
use yaojia_models::digest::sha256_hex;

use super::kept::kept;
use super::tables::mark_name;
use super::{Inspection, plain};
use crate::audit::TEXTS;
use crate::delta::{Cell, RowDigest, Table, digest_in, is_as_written, scan_bytes};
use crate::error::Result;
use crate::gold::blind_columns;
use crate::keep::{TableName, tables};
use crate::ledger::CellMarks;
use crate::store::{Archive, Root};

/// What a table's log and the ledger say of a file that is in use.
struct Live {
    /// Rows, as the log says.
    rows: Option<u64>,
    /// Name of its table in `_ops.cell`, and its cell.
    mark: (String, Cell),
}

/// The bytes of every Parquet file, text, seal and original: whether they are what they were written as, whether the rows of every cell digest to
/// what its name and the ledger say, and whether what bronze, releases and seals stand on is there.
///
/// # Errors
/// As the storage says.
pub async fn inspect_bytes(root: &Root, archive: &Archive) -> Result<Inspection> {
    let mut found = Inspection::default();
    let listing = root.list(&["bronze", "silver", "gold", "_ops", "archive"]).await?;
    let mut live: BTreeMap<String, Live> = BTreeMap::new();
    for table in tables(&listing).into_keys() {
        // One that does not open was told by `inspect_tables`.
        let Ok(Some(open)) = Table::open(root, &table.layer, &table.name).await else { continue };
        for file in open.files().unwrap_or_default() {
            let mark = (mark_name(&table.label(), &file), file.cell());
            live.insert(format!("{}/{}/{}", table.layer, table.name, plain(&file.path)), Live { rows: file.rows, mark });
        }
    }
    // Likewise.
    let marks = CellMarks::read(root).await.unwrap_or_default();
    let mut artifacts: BTreeSet<String> = BTreeSet::new();
    for meta in &listing {
        let path = meta.location.to_string();
        let name = path.rsplit('/').next().unwrap_or_default();
        let stem = name.split('.').next().unwrap_or_default();
        if path.starts_with("archive/") {
            original(archive, &path, stem, name.ends_with(".age"), &mut found).await;
            continue;
        }
        let by_hash = path.starts_with(TEXTS) || path.starts_with("_ops/sealed/");
        // What a repair set aside is not what it was written as: that is why it lies there.
        if (!by_hash && !name.ends_with(".parquet")) || path.starts_with("_ops/candidates/") && path.contains("/repaired/") {
            continue;
        }
        let Some(bytes) = root.get_opt(&path).await? else { continue };
        let fits = if by_hash { Some(sha256_hex(&bytes) == stem) } else { is_as_written(&path, &bytes) };
        match fits {
            Some(true) => found.hashed += 1,
            Some(false) => {
                found.find(path, "it was changed: its bytes are not those it was written with");
                continue;
            }
            None if path.contains("/_delta_log/") || path.contains("/candidates/") => continue,
            None => found.find(&path, "no file of ours has such a name"),
        }
        if let Some((table, _)) = TableName::of(&path).filter(|_| !by_hash) {
            rows(&table, &path, bytes, live.get(&path), &marks, &mut artifacts, &mut found);
        }
    }
    kept(root, &listing, &artifacts, &mut found).await?;
    Ok(found)
}

/// The rows of a table's file: their number is what the log says, and they digest to what the name and the ledger say.
fn rows(
    table: &TableName,
    path: &str,
    bytes: bytes::Bytes,
    live: Option<&Live>,
    marks: &CellMarks,
    artifacts: &mut BTreeSet<String>,
    found: &mut Inspection,
) {
    let label = table.label();
    let named = digest_in(path).filter(|_| table.layer == "silver" || table.layer == "gold");
    if live.is_none() && named.is_none() {
        return;
    }
    let mut digest = RowDigest::new(blind_columns(&label));
    let mut count = 0_u64;
    let scanned = scan_bytes(&label, path, bytes, &mut |batch| {
        count += batch.num_rows() as u64;
        if table.layer == "bronze"
            && let Some(values) = batch.column_by_name("_artifact").and_then(|column| column.as_string_opt::<i32>())
        {
            for value in values.iter().flatten() {
                if !artifacts.contains(value) {
                    artifacts.insert(value.to_string());
                }
            }
        }
        if named.is_some() { digest.update(&label, batch) } else { Ok(()) }
    });
    if let Err(error) = scanned {
        return found.find(path, error.to_string());
    }
    if let Some(said) = live.and_then(|live| live.rows).filter(|said| *said != count) {
        found.find(path, format!("it has {count} rows, the log of `{label}` says {said}"));
    }
    let Some(named) = named else { return };
    found.digested += 1;
    let (is, _) = digest.finish();
    if is != named {
        found.find(path, format!("its rows digest to {is}, and not to what its name says: they were changed"));
    }
    let Some((name, cell)) = live.map(|live| &live.mark) else { return };
    if let Some(mark) = marks.get(name, cell).filter(|mark| mark.digest != is || mark.rows != count) {
        let (said, rows) = (if mark.digest.is_empty() { "no rows" } else { mark.digest.as_str() }, mark.rows);
        found.find(
            format!("{name} {cell}"),
            format!("its {count} rows in `{path}` digest to {is}; `_ops.cell` has on record {said} of {rows} rows"),
        );
    }
}

async fn original(archive: &Archive, path: &str, sha256: &str, encrypted: bool, found: &mut Inspection) {
    if encrypted && !archive.opens_sealed() {
        found.closed += 1;
        return;
    }
    match archive.sha256(sha256, encrypted).await {
        Ok(Some(is)) if is == sha256 => found.hashed += 1,
        Ok(Some(_)) => found.find(path, "it was changed: the original's SHA-256 is not its name"),
        Ok(None) => found.find(path, "no original of ours has such a name"),
        Err(error) => found.find(path, format!("it was changed: {error}")),
    }
}
