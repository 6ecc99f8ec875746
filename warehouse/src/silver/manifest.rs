//! What a dataset's silver was built from and what came of it, kept so that the next build can tell what changed since.
//!
//! One text a dataset below `_cache/silver/`, named by the fingerprint that the dataset's mark in `_ops.cell` holds. It is written when
//! the tables are committed and before the mark is, so a mark never leads to a text of something else; a text whose tables have moved on
//! since (a build that was killed) says so by [`Manifest::outputs`]. It is a help and no truth: it is no part of the ledger, seals do not
//! list it, backups need not hold it, and without it everything is judged.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};
use yaojia_models::contract::Dataset;
use yaojia_models::digest::sha256_hex;

use crate::delta::{Cell, FileEntry, Table};
use crate::error::{Result, WarehouseError};
use crate::silver::compete::{CellCounts, Counts};
use crate::store::Root;

/// Folder of the texts.
const FOLDER: &str = "_cache/silver";
/// Digits of a fingerprint's hash in a name.
const NAMED: usize = 32;

/// A file of a silver table that a dataset refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct NeedFile {
    /// Below the table's folder.
    pub path: String,
    pub county: String,
    pub rows: u64,
}

impl NeedFile {
    pub(crate) fn of(file: &FileEntry) -> Self {
        Self { path: file.path.clone(), county: file.part("county"), rows: file.rows.unwrap_or_default() }
    }
}

/// Files of the silver tables a dataset refers to, by dataset, sorted by path.
pub(crate) type Needs = BTreeMap<String, Vec<NeedFile>>;

/// One build of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Fingerprint of the build.
    pub print: String,
    /// Bronze files, sorted by path.
    pub bronze: Vec<String>,
    pub needs: Needs,
    /// Hash of the names of the files that came of it: the dataset's silver cells and its part of the quarantine.
    pub outputs: String,
    pub counts: Counts,
    /// Counts by county and month.
    pub cells: Vec<(String, String, CellCounts)>,
}

impl Manifest {
    /// The text of the build with this fingerprint; `None` where there is none, or none that can be trusted.
    pub(crate) async fn read(root: &Root, dataset: &Dataset, print: &str) -> Result<Option<Self>> {
        let Some(bytes) = root.get_opt(&path(dataset, print)).await? else { return Ok(None) };
        Ok(Self::parse(&bytes).filter(|held| held.print == print))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = zstd::decode_all(bytes).ok()?;
        let at = text.iter().position(|byte| *byte == b'\n')?;
        let (sum, body) = (text.get(..at)?, text.get(at + 1..)?);
        if sum != sha256_hex(body).as_bytes() {
            return None;
        }
        serde_json::from_slice(body).ok()
    }

    fn render(&self) -> Option<Vec<u8>> {
        let body = serde_json::to_vec(self).ok()?;
        let mut text = sha256_hex(&body).into_bytes();
        text.push(b'\n');
        text.extend_from_slice(&body);
        zstd::encode_all(text.as_slice(), 1).ok()
    }

    /// Writes the text, and removes those of earlier builds but for `before`, which the mark on record still names.
    pub(crate) async fn write(&self, root: &Root, dataset: &Dataset, before: Option<&str>) -> Result<()> {
        let Some(bytes) = self.render() else { return Ok(()) };
        let own = path(dataset, &self.print);
        root.put(&own, bytes.into()).await?;
        let stays = [Some(own), before.map(|print| path(dataset, print))];
        let folder = ObjectPath::from(format!("{FOLDER}/{}", dataset.name));
        let failed = |source| WarehouseError::Store { path: folder.to_string(), source };
        let held: Vec<_> = root.store().list(Some(&folder)).try_collect().await.map_err(failed)?;
        for old in held.into_iter().filter(|meta| !stays.iter().flatten().any(|path| *path == meta.location.to_string())) {
            match root.store().delete(&old.location).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(source) => return Err(failed(source)),
            }
        }
        Ok(())
    }

    /// The counts by cell.
    pub(crate) fn by_cell(&self) -> BTreeMap<Cell, CellCounts> {
        self.cells.iter().map(|(county, month, counts)| (Cell::new(county.as_str(), month.as_str()), *counts)).collect()
    }
}

fn path(dataset: &Dataset, print: &str) -> String {
    let name = sha256_hex(print.as_bytes());
    format!("{FOLDER}/{}/{}.json.zst", dataset.name, name.get(..NAMED).unwrap_or(&name))
}

/// Hash of the names of what a dataset's build left: each begins with the digest of its rows.
pub(crate) fn outputs(dataset: &Dataset, silver: Option<&Table>, quarantine: Option<&Table>) -> Result<String> {
    let mut text = String::new();
    for file in silver.map(Table::files).transpose()?.unwrap_or_default() {
        text.push_str(&format!("silver {}\n", file.path));
    }
    for file in quarantine.map(Table::files).transpose()?.unwrap_or_default() {
        if file.part("dataset") == dataset.name {
            text.push_str(&format!("quarantine {}\n", file.path));
        }
    }
    Ok(sha256_hex(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_changed_is_none() {
        let counts = CellCounts { received: 3, accepted: 3, ..CellCounts::default() };
        let manifest = Manifest {
            print: "a:b:c".into(),
            bronze: vec!["county=1/month=2024-01/r000001.parquet".into()],
            cells: vec![("1".into(), "2024-01".into(), counts)],
            ..Manifest::default()
        };
        let bytes = manifest.render().unwrap();
        assert_eq!(Manifest::parse(&bytes).as_ref(), Some(&manifest));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            // A flip may leave the text as it was (a bit nobody reads), but never make another one.
            assert!(Manifest::parse(&other).is_none_or(|held| held == manifest), "byte {at}");
        }
    }
}
