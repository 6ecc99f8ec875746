//! What a killed upload leaves on a local folder: `<name>#<number>`, which the object store does not list.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::tables::LAYERS;
use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// An unfinished upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes.
    pub bytes: u64,
    /// When it was written last, unix seconds.
    pub written: i64,
}

impl Leftover {
    pub(super) fn remove(&self) -> Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(&self.path, error)),
            _ => Ok(()),
        }
    }
}

fn failed(path: &Path, error: std::io::Error) -> WarehouseError {
    WarehouseError::Store {
        path: path.display().to_string(),
        source: object_store::Error::Generic { store: "local", source: Box::new(error) },
    }
}

/// Unfinished uploads below the warehouse; an object store keeps its own to itself.
///
/// # Errors
/// [`WarehouseError::Store`] when a folder cannot be read.
pub fn leftovers(root: &Root) -> Result<Vec<Leftover>> {
    let mut found = Vec::new();
    if let Some(folder) = root.local() {
        for layer in LAYERS.iter().chain(&["archive"]) {
            walk(&folder.join(layer), &mut found)?;
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<Leftover>) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(folder, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, error))?;
        let kind = entry.file_type().map_err(|error| failed(folder, error))?;
        if kind.is_dir() {
            walk(&entry.path(), found)?;
        } else if is_unfinished(&entry.file_name().to_string_lossy()) {
            // It may be finished by now.
            let Ok(meta) = entry.metadata() else { continue };
            let written = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_secs());
            found.push(Leftover { path: entry.path(), bytes: meta.len(), written: i64::try_from(written).unwrap_or(i64::MAX) });
        }
    }
    Ok(())
}

fn is_unfinished(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_uploads_are_told_by_their_names() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        std::fs::create_dir_all(dir.path().join("archive/ab")).unwrap();
        for name in ["ab12.zst", "ab12.zst#1", "ab12.zst#x"] {
            std::fs::write(dir.path().join("archive/ab").join(name), b"half").unwrap();
        }
        let found = leftovers(&root).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].path.ends_with("ab12.zst#1") && found[0].bytes == 4 && found[0].written > 0);
        found[0].remove().unwrap();
        assert!(leftovers(&root).unwrap().is_empty());
    }
}
