//! The bytes a seal stands on: archive, bronze, ledger, texts. All of them are only ever added to.

use std::collections::BTreeMap;

use crate::audit::TEXTS;
use crate::delta::hash_in;
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

/// Hashes what no seal has listed so far. Nothing is signed that is not what it was written as.
///
/// # Errors
/// [`WarehouseError::Audit`] naming the object whose bytes are not those its name tells of.
pub(super) async fn fresh(root: &Root, listed: &BTreeMap<String, Object>) -> Result<Vec<Object>> {
    let mut new = Vec::new();
    for path in sealable(root).await? {
        if listed.contains_key(&path) {
            continue;
        }
        if let Some((size, sha256)) = root.sha256(&path).await? {
            if said(&path).is_some_and(|said| !sha256.starts_with(said)) {
                let why = "it was changed: its bytes are not those it was written with; nothing that stands on it is sealed";
                return Err(WarehouseError::Audit { what: path, why: why.to_string() });
            }
            new.push(Object { path, size, sha256 });
        }
    }
    Ok(new)
}

/// What an object's name says of its bytes' SHA-256. An original's is that of the bytes before they were compressed.
fn said(path: &str) -> Option<&str> {
    if path.starts_with(TEXTS) { path.rsplit('/').next() } else { hash_in(path) }
}
