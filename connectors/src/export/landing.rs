//! What lies in a landing folder.

use std::collections::BTreeSet;

use super::passed::{PassedOver, is_temporary};
use super::walk::{Entry, Found};
use crate::error::SourceError;

/// The kind of a landing file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Comma or TAB separated text, `.csv`.
    Csv,
    /// The same, `.txt`.
    Txt,
    /// An Excel workbook.
    Xlsx,
    /// Parquet.
    Parquet,
}

/// One file of a landing folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LandingFile {
    /// Path below the landing root, `/` between its parts. Files are ordered by it.
    pub path: String,
    /// The first folder: the dataset.
    pub dataset: String,
    /// The second folder.
    pub admdvs: String,
    /// The third folder, `yyyyMM`.
    pub month: String,
    /// File name.
    pub name: String,
    /// Kind.
    pub format: Format,
    /// Compressed with gzip.
    pub gzip: bool,
    /// Size as delivered.
    pub size: u64,
    /// Size and time of change (or the store's tag) of it and of its control file, as listed: as long as it is the same, so are the
    /// bytes. Empty: nothing is known.
    pub stamp: String,
    /// Path of its control file below the landing root.
    pub control: Option<String>,
    /// The profile that maps it; its path then says nothing.
    pub profile: Option<String>,
}

impl LandingFile {
    /// Reads `{dataset}/{admdvs}/{yyyymm}/{name}.{ext}`; none for any other path.
    #[must_use]
    pub fn of(path: &str, size: u64) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        let [dataset, admdvs, month, name] = parts.as_slice() else {
            return None;
        };
        if [dataset, admdvs, month].iter().any(|part| part.is_empty()) || is_temporary(name) {
            return None;
        }
        let (format, gzip) = format_of(name)?;
        let format = format?;
        Some(Self {
            path: path.to_owned(),
            dataset: (*dataset).to_owned(),
            admdvs: (*admdvs).to_owned(),
            month: (*month).to_owned(),
            name: (*name).to_owned(),
            format,
            gzip,
            size,
            stamp: String::new(),
            control: None,
            profile: None,
        })
    }

    /// A file that a profile maps to a dataset, wherever it lies; its name tells the format unless the profile does.
    #[must_use]
    pub fn mapped(path: &str, size: u64, format: Option<Format>, dataset: &str, profile: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if is_temporary(name) {
            return None;
        }
        let (found, gzip) = format_of(name)?;
        Some(Self {
            path: path.to_owned(),
            dataset: dataset.to_owned(),
            admdvs: String::new(),
            month: String::new(),
            name: name.to_owned(),
            format: format.or(found)?,
            gzip,
            size,
            stamp: String::new(),
            control: None,
            profile: Some(profile.to_owned()),
        })
    }

    /// Where its control file may lie, the most specific name first: `x.csv.ctl.json` is meant for `x.csv` alone,
    /// `x.ctl.json` for any `x.*` that has none of its own.
    #[must_use]
    pub fn control_paths(&self) -> Vec<String> {
        let mut base = self.path.as_str();
        let mut paths = vec![format!("{base}.ctl.json")];
        if self.gzip {
            base = base.get(..base.len() - 3).unwrap_or(base);
            paths.push(format!("{base}.ctl.json"));
        }
        if let Some((stem, _)) = base.rsplit_once('.') {
            paths.push(format!("{stem}.ctl.json"));
        }
        paths
    }
}

/// Format (none: another extension) and compression by a file's name; none where it has no name or no extension.
fn format_of(name: &str) -> Option<(Option<Format>, bool)> {
    let lower = name.to_ascii_lowercase();
    let (stem, gzip) = lower.strip_suffix(".gz").map_or((lower.as_str(), false), |stem| (stem, true));
    let (stem, extension) = stem.rsplit_once('.')?;
    let format = match (extension, gzip) {
        ("csv", _) => Some(Format::Csv),
        ("txt", _) => Some(Format::Txt),
        ("xlsx", false) => Some(Format::Xlsx),
        ("parquet", false) => Some(Format::Parquet),
        _ => None,
    };
    (!stem.is_empty()).then_some((format, gzip))
}

/// Whether a file of this name is read, wherever it lies.
pub(crate) fn is_read(name: &str) -> bool {
    matches!(format_of(name), Some((Some(_), _)))
}

/// A control file that announces a file which is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Announced {
    /// Path of the control file below the landing root.
    pub path: String,
    /// As [`LandingFile::stamp`].
    pub stamp: String,
}

/// What lies in a landing folder.
#[derive(Debug, Default)]
pub struct Landing {
    /// Files to be loaded, with their control files, in path order. A file that a profile maps comes once for each dataset it feeds.
    pub files: Vec<LandingFile>,
    /// What is passed over, in path order.
    pub passed: Vec<PassedOver>,
    /// Control files at the place of a landing file that announce one which is not there.
    pub announced: Vec<Announced>,
    /// Folders, or ends of a listing, that could not be read: what lies there is not known.
    pub failed: Vec<SourceError>,
}

/// Sorts what was found into landing files with their control files, and all else. `mapped` gives the files of a path that a profile
/// maps, one for every dataset it feeds; none: the path itself says what it is.
pub(crate) fn sort(found: Found, mapped: &dyn Fn(&str, u64) -> Option<Vec<LandingFile>>) -> Landing {
    let Found { entries, passed, failed } = found;
    let mut landing = Landing { passed, failed, ..Landing::default() };
    let (controls, entries): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.path.ends_with(CONTROL));
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for Entry { path, size, stamp } in entries {
        let found = mapped(path, *size).unwrap_or_else(|| LandingFile::of(path, *size).into_iter().collect());
        if found.is_empty() {
            landing.passed.push(PassedOver::of(path));
        }
        for mut file in found {
            let wanted = file.control_paths();
            let control = wanted.iter().find_map(|path| controls.iter().find(|control| control.path == *path));
            // every control file that is named for it serves it, whichever is read
            used.extend(controls.iter().filter(|control| wanted.contains(&control.path)).map(|control| control.path.as_str()));
            file.stamp.clone_from(stamp);
            if let Some(control) = control {
                file.control = Some(control.path.clone());
                if !stamp.is_empty() {
                    file.stamp = format!("{stamp} {}", control.stamp);
                }
            }
            landing.files.push(file);
        }
    }
    for Entry { path, stamp, .. } in controls.into_iter().filter(|control| !used.contains(control.path.as_str())) {
        let name = path.rsplit('/').next().unwrap_or(path);
        match path.matches('/').count() {
            _ if is_temporary(name) => landing.passed.push(PassedOver::of(path)),
            3 => landing.announced.push(Announced { path: path.clone(), stamp: stamp.clone() }),
            _ => landing.passed.push(PassedOver::of_control(path)),
        }
    }
    landing.files.sort();
    landing.passed.sort();
    landing.announced.sort();
    landing
}

/// How a control file's name ends.
const CONTROL: &str = ".ctl.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_what_a_file_is() {
        let file = LandingFile::of("fee_list/652801/202401/a.b.CSV.gz", 3).unwrap();
        assert_eq!((file.dataset.as_str(), file.format, file.gzip), ("fee_list", Format::Csv, true));
        for path in
            ["fee_list/652801/a.csv", "fee_list/652801/202401/x/a.csv", "f/1/2/a.pdf", "f/1/2/~$a.xlsx", "f/1/2/.csv", "f/1/2/a.xlsx.gz"]
        {
            assert!(LandingFile::of(path, 0).is_none(), "{path}");
        }
    }

    #[test]
    fn the_control_file_named_for_the_file_itself_wins() {
        let at = |name: &str| Entry { path: format!("f/1/2/{name}"), size: 1, stamp: format!("1:{name}") };
        let names = [
            "b.txt.gz",
            "a.csv",
            "a.xlsx",
            "a.ctl.json",
            "a.csv.ctl.json",
            "b.txt.ctl.json",
            "c.csv.gz",
            "c.ctl.json",
            "d.csv",
            "notes.md",
            "lost.csv.ctl.json",
        ];
        let entries = names.iter().map(|name| at(name)).chain([Entry { path: "f/up.csv.ctl.json".to_owned(), ..at("x") }]).collect();
        let landing = sort(Found { entries, ..Found::default() }, &|_, _| None);
        let controls: Vec<_> = landing.files.iter().map(|file| (file.name.as_str(), file.control.as_deref())).collect();
        assert_eq!(
            controls,
            [
                ("a.csv", Some("f/1/2/a.csv.ctl.json")),
                ("a.xlsx", Some("f/1/2/a.ctl.json")),
                ("b.txt.gz", Some("f/1/2/b.txt.ctl.json")),
                ("c.csv.gz", Some("f/1/2/c.ctl.json")),
                ("d.csv", None),
            ]
        );
        let passed: Vec<_> = landing.passed.iter().map(|of| (of.path.as_str(), of.reason.to_string())).collect();
        assert_eq!(passed, [("f/1/2/notes.md", "format".to_owned()), ("f/up.csv.ctl.json", "control".to_owned())]);
        assert_eq!(landing.announced.iter().map(|of| of.path.as_str()).collect::<Vec<_>>(), ["f/1/2/lost.csv.ctl.json"]);
        let stamps: Vec<_> = landing.files.iter().map(|file| file.stamp.as_str()).collect();
        assert_eq!(stamps.first(), Some(&"1:a.csv 1:a.csv.ctl.json"));
        assert_eq!(stamps.last(), Some(&"1:d.csv"));
    }
}
