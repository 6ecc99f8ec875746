//! The bytes a seal stands on: archive, bronze, ledger, texts. All of them are only ever added to.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;
use sha2::{Digest, Sha256};
use yaojia_models::digest::Digest as Sum;

use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// Folders below the warehouse root whose objects never change once written.
const FOLDERS: [&str; 3] = ["archive", "bronze", "_ops"];
/// What does change, or is guarded by its own means.
const MOVING: [&str; 3] = ["_ops/lease.json", "_ops/seals/", "_ops/sealed/"];

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Path below the warehouse root.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

impl Object {
    fn line(&self) -> String {
        format!("{} {} {}\n", self.sha256, self.size, self.path)
    }

    fn of_line(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        Some(Self { sha256: words.next()?.to_owned(), size: words.next()?.parse().ok()?, path: words.next()?.to_owned() })
    }
}

/// A list as text, in the order of the paths: `sha256 size path`, as `sha256sum` would begin.
pub(super) fn to_text(objects: &[Object]) -> String {
    objects.iter().map(Object::line).collect()
}

/// The list again; `None` where a line is none of ours.
pub(super) fn of_text(text: &str) -> Option<Vec<Object>> {
    text.lines().map(Object::of_line).collect()
}

/// Paths of all objects that can be sealed, in order. `_last_checkpoint` is a pointer that moves.
pub(super) async fn sealable(root: &Root) -> Result<Vec<String>> {
    let paths = root.list(&FOLDERS).await?.into_iter().map(|meta| meta.location.to_string());
    let moving =
        |path: &str| MOVING.iter().any(|known| path.starts_with(known)) || path.ends_with("/_last_checkpoint") || path.contains(".tmp");
    Ok(paths.filter(|path| !moving(path)).collect())
}

/// SHA-256 of an object; `None` when it is gone.
pub(super) async fn hash(root: &Root, path: &str) -> Result<Option<(u64, String)>> {
    let failed = |source| WarehouseError::Store { path: path.to_string(), source };
    let got = match root.store().get(&ObjectPath::from(path)).await {
        Ok(got) => got,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    let mut stream = got.into_stream();
    let (mut hasher, mut size) = (Sha256::new(), 0_u64);
    while let Some(part) = stream.try_next().await.map_err(failed)? {
        size += part.len() as u64;
        hasher.update(&part);
    }
    Ok(Some((size, Sum(hasher.finalize().into()).hex())))
}

/// Hashes what no seal has listed so far.
pub(super) async fn fresh(root: &Root, listed: &BTreeMap<String, Object>) -> Result<Vec<Object>> {
    let mut new = Vec::new();
    for path in sealable(root).await? {
        if listed.contains_key(&path) {
            continue;
        }
        if let Some((size, sha256)) = hash(root, &path).await? {
            new.push(Object { path, size, sha256 });
        }
    }
    Ok(new)
}
