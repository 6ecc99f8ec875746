//! What lies in a landing folder and is no file to be loaded: named, with why and what to do.

use std::fmt;

/// Why an entry is passed over; its `Display` is the word that run reports use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Passed {
    /// Its name cannot be written down.
    Name,
    /// A link that leads nowhere, or to what is listed already.
    Link,
    /// A pipe, a socket, a device.
    Special,
    /// Left by a program on its way, or hidden.
    Temporary,
    /// No format that is read.
    Format,
    /// Not `{dataset}/{admdvs}/{yyyymm}/NAME`.
    Depth,
    /// Its first folder is no dataset that files feed.
    Dataset,
    /// A control file beside no file.
    Control,
}

impl Passed {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Name, "name"),
        (Self::Link, "link"),
        (Self::Special, "special"),
        (Self::Temporary, "temporary"),
        (Self::Format, "format"),
        (Self::Depth, "depth"),
        (Self::Dataset, "dataset"),
        (Self::Control, "control"),
    ];
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(of, _)| of == self).map_or("", |(_, word)| word))
    }
}

/// An entry that is passed over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PassedOver {
    /// Path below the landing root, as it can be shown.
    pub path: String,
    /// The word of the report.
    pub reason: Passed,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
}

/// How files are laid out.
const LAYOUT: &str = "{dataset}/{admdvs}/{yyyymm}/NAME";

/// Workbooks that are not read.
const WORKBOOKS: [&str; 9] = ["xls", "xlsm", "xlsb", "xltx", "et", "ett", "ods", "numbers", "wps"];
/// Archives.
const ARCHIVES: [&str; 11] = ["zip", "rar", "7z", "tar", "tgz", "gz", "zst", "bz2", "xz", "z", "lz4"];
/// Documents and pictures.
const DOCUMENTS: [&str; 13] = ["pdf", "doc", "docx", "rtf", "ofd", "ppt", "pptx", "jpg", "jpeg", "png", "tif", "tiff", "htm"];
/// What programs leave on their way.
const TEMPORARY: [&str; 9] = ["tmp", "temp", "part", "partial", "filepart", "crdownload", "download", "swp", "bak"];

impl PassedOver {
    pub(crate) fn new(path: impl Into<String>, reason: Passed, detail: impl Into<String>) -> Self {
        let hint = match reason {
            Passed::Name => "have it renamed (unpack archives with the encoding of their names); it is not read under this name",
            Passed::Link => "lay the file itself there, or remove the link",
            Passed::Special => "lay a file there, or remove it",
            Passed::Temporary => "nothing, if another file took its place; else have it delivered under its own name",
            Passed::Format => "have it delivered as csv, txt, csv.gz, xlsx or parquet",
            Passed::Depth => "move it to {dataset}/{admdvs}/{yyyymm}/, or map its place by a profile (docs/profiles.md)",
            Passed::Dataset => "rename its first folder to a dataset, or map its place by a profile (docs/profiles.md)",
            Passed::Control => "lay it beside its file, with the file's own name before `.ctl.json`",
        };
        Self { path: path.into(), reason, detail: detail.into(), hint: hint.to_owned() }
    }

    /// A path that is no landing file: which part of it is wrong.
    pub(crate) fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        if is_temporary(name) {
            return Self::new(path, Passed::Temporary, "a temporary or hidden file");
        }
        if !super::landing::is_read(name) {
            return Self::of_format(path, name);
        }
        let folders = path.matches('/').count();
        let (n, way) = if folders < 3 { (3 - folders, "high") } else { (folders - 3, "deep") };
        let many = if n == 1 { "1 folder".to_owned() } else { format!("{n} folders") };
        if n == 0 {
            return Self::new(path, Passed::Depth, format!("a part of its path is empty; files lie at {LAYOUT}"));
        }
        Self::new(path, Passed::Depth, format!("it lies {many} too {way}: files lie at {LAYOUT}"))
    }

    fn of_format(path: &str, name: &str) -> Self {
        let lower = name.to_lowercase();
        let extension = lower.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
        let (detail, hint) = if extension.is_empty() {
            ("its name has no extension that says what it is".to_owned(), None)
        } else if WORKBOOKS.contains(&extension) {
            (format!("workbooks of the format .{extension} are not read"), Some("open it and save it as .xlsx, then deliver that"))
        } else if ARCHIVES.contains(&extension) {
            (format!("archives (.{extension}) are not unpacked"), Some("unpack it and deliver the files in it"))
        } else if DOCUMENTS.contains(&extension) {
            (format!(".{extension} holds no table"), Some("have the data delivered as csv or xlsx"))
        } else {
            (format!("files of the format .{extension} are not read"), None)
        };
        let passed = Self::new(path, Passed::Format, detail);
        Self { hint: hint.map_or(passed.hint, str::to_owned), ..passed }
    }

    /// A file whose first folder is none of the datasets that files feed.
    #[must_use]
    pub fn of_dataset(path: &str, folder: &str, datasets: &[&str]) -> Self {
        let near = datasets.iter().map(|name| (strsim::normalized_damerau_levenshtein(folder, name), *name));
        let near = near.filter(|(alike, _)| *alike >= 0.6).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)));
        let guess = near.map(|(_, name)| format!("; `{name}` is one")).unwrap_or_default();
        Self::new(path, Passed::Dataset, format!("`{folder}` is no dataset that files feed{guess}"))
    }

    /// A control file that lies beside no file.
    pub(crate) fn of_control(path: &str) -> Self {
        Self::new(path, Passed::Control, format!("a control file beside no file of its name, and not at {LAYOUT}"))
    }
}

/// Whether a program left a file of this name on its way, or hides it.
pub(crate) fn is_temporary(name: &str) -> bool {
    let lower = name.to_lowercase();
    let extension = lower.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
    name.starts_with(['.', '~']) || name.ends_with('~') || TEMPORARY.contains(&extension) || ["thumbs.db", "desktop.ini"].contains(&&*lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stray_says_what_is_wrong_and_what_to_do() {
        let at = "stock_month/652801/202401";
        for (name, reason, words, hint) in [
            ("库存.et", "format", ".et", "save it as .xlsx"),
            ("stock.XLSM", "format", ".xlsm", "save it as .xlsx"),
            ("stock.csv.zip", "format", ".zip", "unpack"),
            ("stock.xlsx.gz", "format", ".gz", "unpack"),
            ("说明.pdf", "format", ".pdf", "csv or xlsx"),
            ("notes.md", "format", ".md", "csv"),
            ("README", "format", "no extension", "csv"),
            ("~$stock.xlsx", "temporary", "temporary", "own name"),
            (".~lock.stock.xlsx#", "temporary", "temporary", "own name"),
            ("stock.csv.part", "temporary", "temporary", "own name"),
            ("Thumbs.db", "temporary", "temporary", "own name"),
            ("sub/deep.csv", "depth", "1 folder too deep", "move it"),
            ("a/b/deep.csv", "depth", "2 folders too deep", "move it"),
        ] {
            let of = PassedOver::of(&format!("{at}/{name}"));
            assert_eq!(of.reason.to_string(), reason, "{name}");
            assert!(of.detail.contains(words) && of.hint.contains(hint), "{name}: {of:?}");
        }
        assert!(PassedOver::of("stock_month/652801/high.csv").detail.contains("1 folder too high"));
        assert!(PassedOver::of("high.csv").detail.contains("3 folders too high"));
        let known = ["stock_month", "fee_list"];
        assert!(PassedOver::of_dataset("stock_mouth/1/2/a.csv", "stock_mouth", &known).detail.contains("`stock_month` is one"));
        assert!(!PassedOver::of_dataset("x/1/2/a.csv", "x", &known).detail.contains("is one"));
    }
}
