//! The project's mapping profiles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use yaojia_connectors::profile::{Profile, ProfileError, path_matches};
use yaojia_models::contract::Dataset;

/// Folders deeper than this below a pattern's fixed part are not looked into.
const DEPTH: usize = 8;

/// Loads the profiles of these paths, in path order.
///
/// # Errors
/// [`ProfileError`] of the first one that cannot be used.
pub fn load(paths: &[String], datasets: &[Dataset]) -> Result<Vec<Profile>, ProfileError> {
    files(paths)?.iter().map(|path| Profile::load(path, datasets)).collect()
}

/// The files of these paths, in path order, each once. A pattern may match none; a file named as it is must be there.
///
/// # Errors
/// [`ProfileError::Read`].
pub fn files(paths: &[String]) -> Result<Vec<PathBuf>, ProfileError> {
    let mut found = BTreeSet::new();
    for pattern in paths {
        match pattern.find(['*', '?']) {
            None => {
                found.insert(PathBuf::from(pattern));
            }
            Some(at) => {
                let fixed = pattern.get(..at).unwrap_or_default();
                let base = fixed.rfind('/').map_or(".", |slash| fixed.get(..slash.max(1)).unwrap_or("."));
                walk(Path::new(base), pattern, DEPTH, &mut found)?;
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn walk(folder: &Path, pattern: &str, depth: usize, found: &mut BTreeSet<PathBuf>) -> Result<(), ProfileError> {
    let failed = |source| ProfileError::Read { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            if depth > 0 && pattern_goes_below(pattern, folder) {
                walk(&path, pattern, depth - 1, found)?;
            }
        } else if path.to_str().is_some_and(|text| path_matches(pattern, text)) {
            found.insert(path);
        }
    }
    Ok(())
}

/// Whether a pattern has folders below this one: `**`, or more parts than it.
fn pattern_goes_below(pattern: &str, folder: &Path) -> bool {
    pattern.contains("**") || pattern.split('/').count() > folder.components().count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_plain_files() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["profiles/b.toml", "profiles/a.toml", "profiles/a.csv", "profiles/deep/c.toml"] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let at = |path: &str| dir.path().join(path).to_string_lossy().into_owned();
        let names = |paths: &[String]| -> Vec<String> {
            files(paths).unwrap().iter().map(|path| path.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(&[at("profiles/*.toml")]), ["profiles/a.toml", "profiles/b.toml"]);
        assert_eq!(names(&[at("profiles/**/*.toml")]), ["profiles/a.toml", "profiles/b.toml", "profiles/deep/c.toml"]);
        assert_eq!(names(&[at("none/*.toml"), at("profiles/a.toml"), at("profiles/a.toml")]), ["profiles/a.toml"]);
        assert!(load(&[at("profiles/none.toml")], &[]).is_err());
    }
}
