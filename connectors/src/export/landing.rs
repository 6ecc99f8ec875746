//! What lies in a landing folder.

use std::collections::BTreeSet;

/// The kind of a landing file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Comma or TAB separated text, `.csv` or `.tsv`.
    Csv,
    /// The same, `.txt`.
    Txt,
    /// An Excel workbook, `.xlsx` or `.xlsm`.
    Xlsx,
    /// An Excel workbook of before 2007; what exporters name `.xls` is often a newer one, or text.
    Xls,
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
        if [dataset, admdvs, month].iter().any(|part| part.is_empty()) || name.starts_with(['.', '~']) {
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
            control: None,
            profile: None,
        })
    }

    /// A file that a profile maps to a dataset, wherever it lies; its name tells the format unless the profile does.
    #[must_use]
    pub fn mapped(path: &str, size: u64, format: Option<Format>, dataset: &str, profile: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.starts_with(['.', '~']) {
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
        ("csv" | "tsv", _) => Some(Format::Csv),
        ("txt", _) => Some(Format::Txt),
        ("xlsx" | "xlsm", false) => Some(Format::Xlsx),
        ("xls", false) => Some(Format::Xls),
        ("parquet", false) => Some(Format::Parquet),
        _ => None,
    };
    (!stem.is_empty()).then_some((format, gzip))
}

/// Sorts paths into landing files with their control files, in path order, and strays. `mapped` gives the files of a path that a
/// profile maps, one for every dataset it feeds; none: the path itself says what it is.
pub(crate) fn sort(objects: Vec<(String, u64)>, mapped: &dyn Fn(&str, u64) -> Option<Vec<LandingFile>>) -> (Vec<LandingFile>, Vec<String>) {
    let paths: BTreeSet<&str> = objects.iter().map(|(path, _)| path.as_str()).collect();
    let (mut files, mut strays) = (Vec::new(), Vec::new());
    for (path, size) in &objects {
        if path.ends_with(".ctl.json") {
            continue;
        }
        let found = mapped(path, *size).unwrap_or_else(|| LandingFile::of(path, *size).into_iter().collect());
        if found.is_empty() {
            strays.push(path.clone());
        }
        for mut file in found {
            file.control = file.control_paths().into_iter().find(|control| paths.contains(control.as_str()));
            files.push(file);
        }
    }
    files.sort();
    strays.sort();
    (files, strays)
}

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
        let at = |name: &str| (format!("f/1/2/{name}"), 1);
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
        ];
        let (files, strays) = sort(names.iter().map(|name| at(name)).collect(), &|_, _| None);
        let controls: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.control.as_deref())).collect();
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
        assert_eq!(strays, ["f/1/2/notes.md"]);
    }
}
