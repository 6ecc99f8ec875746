//! A local landing folder, entry by entry. Names are what the file system gives, not text: one that is no text, a link that leads
//! nowhere or in a circle, a folder that cannot be opened hides no other entry.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::passed::{Passed, PassedOver};
use crate::error::SourceError;

/// A regular file below the landing root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Path below the root, `/` between its parts.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Size and time of change, or the store's tag: as long as it is the same, so are the bytes.
    pub stamp: String,
}

/// What was found below a root.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files.
    pub entries: Vec<Entry>,
    /// Entries that are no file to be read.
    pub passed: Vec<PassedOver>,
    /// Folders, or ends of a listing, that could not be read.
    pub failed: Vec<SourceError>,
}

/// A folder still to be read: where it lies, and its path below the root.
struct Folder {
    at: PathBuf,
    path: String,
}

/// Walks a folder to its end.
///
/// # Errors
/// [`SourceError::Landing`] when the root itself cannot be read.
pub(crate) fn walk(root: &Path) -> Result<Found, SourceError> {
    let mut found = Found::default();
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let canonical = root.canonicalize().map_err(|error| unreadable("", error))?;
    fs::read_dir(&canonical).map_err(|error| unreadable("", error))?;
    seen.insert(canonical.clone());
    // Folders before links to folders: what lies here is listed by its own path.
    let (mut folders, mut links) = (vec![Folder { at: canonical, path: String::new() }], Vec::new());
    loop {
        let folder = match folders.pop() {
            Some(folder) => folder,
            None => match links.pop() {
                None => break,
                Some(Folder { at, path }) => match at.canonicalize() {
                    Ok(real) if seen.insert(real.clone()) => Folder { at: real, path },
                    Ok(_) => {
                        found.passed.push(PassedOver::new(path, Passed::Link, "the link leads to a folder that is listed already"));
                        continue;
                    }
                    Err(error) => {
                        found.failed.push(unreadable(&path, error));
                        continue;
                    }
                },
            },
        };
        let entries = match fs::read_dir(&folder.at) {
            Ok(entries) => entries,
            Err(error) => {
                found.failed.push(unreadable(&folder.path, error));
                continue;
            }
        };
        for entry in entries {
            match entry {
                Ok(entry) => look(&folder, &entry, &mut found, &mut folders, &mut links, &mut seen),
                Err(error) => found.failed.push(unreadable(&folder.path, error)),
            }
        }
    }
    found.entries.sort();
    found.passed.sort();
    Ok(found)
}

/// Takes one entry of a folder.
fn look(
    folder: &Folder,
    entry: &DirEntry,
    found: &mut Found,
    folders: &mut Vec<Folder>,
    links: &mut Vec<Folder>,
    seen: &mut BTreeSet<PathBuf>,
) {
    let below = |name: &str| if folder.path.is_empty() { name.to_owned() } else { format!("{}/{name}", folder.path) };
    let name = match named(&entry.file_name()) {
        Ok(name) => name,
        Err((shown, detail)) => {
            found.passed.push(PassedOver::new(below(&shown), Passed::Name, detail));
            return;
        }
    };
    let (at, path) = (entry.path(), below(&name));
    let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
    match fs::metadata(&at) {
        Ok(about) if about.is_file() => {
            found.entries.push(Entry { path, size: about.len(), stamp: stamp(&about) });
        }
        Ok(about) if about.is_dir() && is_link => links.push(Folder { at, path }),
        Ok(about) if about.is_dir() => {
            seen.insert(at.clone());
            folders.push(Folder { at, path });
        }
        Ok(about) => found.passed.push(PassedOver::new(path, Passed::Special, format!("it is {}, not a file", kind(about.file_type())))),
        Err(error) if is_link => {
            let what = match error.kind() {
                io::ErrorKind::NotFound => "the link's target is not there".to_owned(),
                io::ErrorKind::PermissionDenied => "the link's target may not be looked at".to_owned(),
                _ => format!("the link leads nowhere: {error}"),
            };
            found.passed.push(PassedOver::new(path, Passed::Link, what));
        }
        // taken away while we looked
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => found.failed.push(unreadable(&path, error)),
    }
}

fn stamp(about: &Metadata) -> String {
    let changed = about.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    match changed {
        Some(since) => format!("{}:{}", about.len(), since.as_nanos()),
        // without a time nothing says that the bytes are the same
        None => String::new(),
    }
}

/// A name that can be written down; else how it is shown and what is wrong with it.
fn named(name: &OsStr) -> Result<String, (String, String)> {
    let Some(text) = name.to_str() else {
        let bytes = name.as_encoded_bytes();
        let read = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes);
        let as_gb = read.filter(|text| !text.chars().any(char::is_control)).map(|text| format!("; read as GB18030 it is `{text}`"));
        return Err((bytes.escape_ascii().to_string(), format!("its name is not UTF-8{}", as_gb.unwrap_or_default())));
    };
    if text.chars().any(char::is_control) {
        return Err((text.escape_debug().to_string(), "its name holds a control character".to_owned()));
    }
    Ok(text.to_owned())
}

#[cfg(unix)]
fn kind(of: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if of.is_fifo() {
        "a named pipe"
    } else if of.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind(_: FileType) -> &'static str {
    "something special"
}

fn unreadable(path: &str, error: io::Error) -> SourceError {
    let source = object_store::Error::Generic { store: "landing", source: Box::new(error) };
    SourceError::Landing { path: if path.is_empty() { ".".to_owned() } else { path.to_owned() }, source }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    /// Lays one odd entry into a folder, under a name that no plain file of the test has; gives the reason it is passed over for.
    fn odd(kind: usize, folder: &Path, root: &Path) -> &'static str {
        match kind {
            0 => {
                fs::write(folder.join(OsStr::from_bytes(b"\xd2\xbb\xd4\xc2.csv")), "x").unwrap();
                "name"
            }
            1 => {
                fs::write(folder.join("a\tb.csv"), "x").unwrap();
                "name"
            }
            2 => {
                symlink(root, folder.join("round")).unwrap();
                "link"
            }
            3 => {
                symlink(folder.join("to-itself.csv"), folder.join("to-itself.csv")).unwrap();
                "link"
            }
            4 => {
                symlink("not-there.csv", folder.join("dangling.csv")).unwrap();
                "link"
            }
            5 => {
                std::os::unix::net::UnixListener::bind(folder.join("a-socket.csv")).unwrap();
                "special"
            }
            6 => {
                fs::create_dir(folder.join(OsStr::from_bytes(b"\xff\xfe"))).unwrap();
                "name"
            }
            _ => {
                fs::write(folder.join("line\nbreak.xlsx"), "x").unwrap();
                "name"
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Any set of files, any one odd entry among them, wherever it lies: all files are found and the odd one is named.
        #[test]
        fn an_odd_entry_hides_no_other(names in prop::collection::btree_set("[a-z0-9]{1,6}", 1..8), at in 0_usize..8, kind in 0_usize..8) {
            let root = tempfile::tempdir().unwrap();
            let folders: Vec<PathBuf> = ["", "d", "d/1", "d/1/2"].iter().map(|path| root.path().join(path)).collect();
            fs::create_dir_all(folders.last().unwrap()).unwrap();
            let mut wanted = Vec::new();
            for (n, name) in names.iter().enumerate() {
                let folder = folders.get(n % folders.len()).unwrap();
                fs::write(folder.join(format!("{name}.csv")), "x").unwrap();
                wanted.push(folder.join(format!("{name}.csv")).strip_prefix(root.path()).unwrap().display().to_string());
            }
            wanted.sort();
            let reason = odd(kind, folders.get(at % folders.len()).unwrap(), root.path());
            let found = walk(root.path()).unwrap();
            let paths: Vec<String> = found.entries.iter().map(|entry| entry.path.clone()).collect();
            prop_assert_eq!(paths, wanted);
            let passed: Vec<String> = found.passed.iter().map(|of| of.reason.to_string()).collect();
            prop_assert_eq!(passed, vec![reason.to_owned()]);
            prop_assert!(found.failed.is_empty());
        }
    }

    #[test]
    fn links_to_files_and_folders_elsewhere_are_followed_once() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("a.csv"), "abc").unwrap();
        symlink(elsewhere.path(), root.path().join("one")).unwrap();
        symlink(elsewhere.path(), root.path().join("two")).unwrap();
        symlink(elsewhere.path().join("a.csv"), root.path().join("b.csv")).unwrap();
        let found = walk(root.path()).unwrap();
        assert_eq!((found.entries.len(), found.passed.len()), (2, 1));
        assert!(found.entries.iter().all(|entry| entry.size == 3 && entry.stamp.starts_with("3:")));
        assert!(walk(&root.path().join("no")).is_err());
    }

    #[test]
    fn a_name_of_another_encoding_is_shown_as_it_was_meant() {
        let (shown, detail) = named(OsStr::from_bytes(b"\xd2\xbb\xd4\xc2.csv")).unwrap_err();
        assert_eq!(shown, r"\xd2\xbb\xd4\xc2.csv");
        assert!(detail.contains("一月.csv"), "{detail}");
        assert_eq!(named(OsStr::new("a\u{7}")).unwrap_err().0, "a\\u{7}");
        assert_eq!(named(OsStr::new("库存 #1%20.csv")).unwrap(), "库存 #1%20.csv");
    }
}
