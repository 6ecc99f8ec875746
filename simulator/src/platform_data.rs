//! The rows a simulated platform serves, byte for byte, indexed by when they were published.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use chrono::NaiveDateTime;

use crate::error::SimError;
use crate::schema::{JSON_ALIASES, platform_datasets, schema};

/// All rows of a platform.
#[derive(Debug, Default, Clone)]
pub struct PlatformData {
    datasets: BTreeMap<String, DatasetRows>,
    aliases: BTreeMap<String, String>,
}

/// The rows of one dataset in order of publication.
#[derive(Debug, Default, Clone)]
pub struct DatasetRows {
    published: Vec<NaiveDateTime>,
    rows: Vec<Box<[u8]>>,
    /// How many rows before position `i` are distinct by key and publication.
    distinct: Vec<u32>,
}

/// A window of a dataset: positions, and how many of them are distinct by key and publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First position.
    pub from: usize,
    /// Position after the last.
    pub to: usize,
    /// Distinct rows: what `totalRecordCount` announces.
    pub distinct: usize,
}

impl PlatformData {
    /// No rows, and the look-alike keys this crate's own worlds use.
    #[must_use]
    pub fn with_default_aliases() -> Self {
        Self { datasets: BTreeMap::new(), aliases: JSON_ALIASES.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() }
    }

    /// Adds the rows of a dataset, in order of publication.
    ///
    /// A row without a readable `updtTime` is taken to be published with the row before it, so that
    /// no row, however odd, is out of reach.
    pub fn add(&mut self, dataset: &str, lines: impl IntoIterator<Item = Vec<u8>>) {
        let mut last = NaiveDateTime::MIN;
        let mut rows: Vec<(NaiveDateTime, Box<[u8]>)> = Vec::new();
        for line in lines.into_iter().filter(|l| !l.iter().all(u8::is_ascii_whitespace)) {
            let at = published(&line).unwrap_or(last);
            last = at;
            rows.push((at, line.into_boxed_slice()));
        }
        rows.sort_by_key(|(at, _)| *at);
        let names = self.key_names(dataset);
        let set = DatasetRows::indexed(rows.into_iter().map(|(at, row)| (at, key(&names, &row), row)));
        self.datasets.insert(dataset.to_owned(), set);
    }

    /// Some rows of a dataset, written otherwise: the same order, published when they were, told apart as they were.
    pub(crate) fn view(&self, dataset: &str, takes: impl Fn(&[u8]) -> bool, write: impl Fn(&[u8]) -> Vec<u8>) -> DatasetRows {
        let names = self.key_names(dataset);
        let Some(set) = self.datasets.get(dataset) else { return DatasetRows::indexed([]) };
        let rows = set.published.iter().zip(&set.rows).filter(|(_, row)| takes(row));
        DatasetRows::indexed(rows.map(|(at, row)| (*at, key(&names, row), write(row).into_boxed_slice())))
    }

    /// The rows of a dataset.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&DatasetRows> {
        self.datasets.get(name)
    }

    /// The names of the datasets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.datasets.keys().map(String::as_str)
    }

    /// The JSON keys under which each key column may come.
    pub(crate) fn key_names(&self, dataset: &str) -> Vec<Vec<String>> {
        let aliases = |column: &str| self.aliases.iter().filter(|(_, c)| *c == column).map(|(k, _)| k.clone()).collect::<Vec<_>>();
        schema(dataset).key.iter().map(|column| [vec![crate::schema::camel(column)], aliases(column)].concat()).collect()
    }
}

/// The key of a row as a client sees it: after the alias table, blanks cut, nulls alike. A row
/// that is no JSON object is its own key.
fn key(names: &[Vec<String>], row: &[u8]) -> Vec<u8> {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(row) else {
        return row.to_vec();
    };
    let mut out = Vec::new();
    for column in names {
        let text = column.iter().filter_map(|k| object.get(k)).map(plain).find(|t| !t.is_empty()).unwrap_or_default();
        out.extend_from_slice(text.as_bytes());
        out.push(0);
    }
    out
}

impl DatasetRows {
    /// Rows in order of publication: when, what tells them apart, and the bytes.
    fn indexed(rows: impl IntoIterator<Item = (NaiveDateTime, Vec<u8>, Box<[u8]>)>) -> Self {
        let (mut seen, mut day) = (HashSet::new(), NaiveDateTime::MIN);
        let mut set = Self { distinct: vec![0], ..Self::default() };
        let mut count = 0;
        for (at, key, row) in rows {
            if at != day {
                seen.clear();
                day = at;
            }
            count += u32::from(seen.insert(key));
            set.distinct.push(count);
            set.published.push(at);
            set.rows.push(row);
        }
        set
    }

    /// The rows published from `start` to `end`, both included.
    #[must_use]
    pub fn window(&self, start: NaiveDateTime, end: NaiveDateTime) -> Window {
        let from = self.published.partition_point(|at| *at < start);
        let to = self.published.partition_point(|at| *at <= end).max(from);
        let before = |i: usize| self.distinct.get(i).copied().unwrap_or(0);
        Window { from, to, distinct: (before(to) - before(from)) as usize }
    }

    /// The row at a position, as it was given.
    #[must_use]
    pub fn row(&self, at: usize) -> Option<&[u8]> {
        self.rows.get(at).map(AsRef::as_ref)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Reads the `platform/` folder of a world. Lines are kept byte for byte. With `until`, rows
/// published later do not exist yet.
///
/// # Errors
/// If the folder, a file in it or `aliases.json` cannot be read.
pub fn load_folder(dir: &Path, until: Option<NaiveDateTime>) -> Result<PlatformData, SimError> {
    let mut data = PlatformData::with_default_aliases();
    let aliases = dir.join("aliases.json");
    if aliases.exists() {
        let text = fs::read(&aliases).map_err(SimError::io(&aliases))?;
        let value: serde_json::Value = serde_json::from_slice(&text).map_err(|source| SimError::Json { path: aliases.clone(), source })?;
        let keys = value.get("json_keys").and_then(serde_json::Value::as_object);
        data.aliases.extend(keys.into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))));
    }
    let folder = dir.join("platform");
    if !folder.is_dir() {
        return Err(SimError::Config(format!("`{}` is no folder", folder.display())));
    }
    for dataset in platform_datasets() {
        let path = folder.join(format!("{dataset}.jsonl"));
        let bytes = if path.exists() { fs::read(&path).map_err(SimError::io(&path))? } else { Vec::new() };
        let mut last = NaiveDateTime::MIN;
        let lines = bytes.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)).filter(|l| {
            last = published(l).unwrap_or(last);
            until.is_none_or(|u| last <= u)
        });
        data.add(dataset, lines.map(<[u8]>::to_vec));
    }
    Ok(data)
}

/// Reads a time in the one form windows use.
pub(crate) fn parse_time(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()
}

/// When a row was published: its `updtTime`.
fn published(row: &[u8]) -> Option<NaiveDateTime> {
    const KEY: &[u8] = b"\"updtTime\":\"";
    // Found by its bytes, so that a row that is no proper JSON is served too.
    let at = row.windows(KEY.len()).rposition(|w| w == KEY)? + KEY.len();
    parse_time(std::str::from_utf8(row.get(at..at + 19)?).ok()?)
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(s) if s.trim() == "无" => String::new(),
        serde_json::Value::String(s) => s.trim().to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_inclusive_and_count_distinct_rows() {
        let line = |id: &str, at: &str| format!("{{\"shpId\":{id},\"updtTime\":\"2024-01-01 {at}\"}}").into_bytes();
        let mut data = PlatformData::with_default_aliases();
        data.add("shp", vec![line("1", "00:00:00"), line("\"1\"", "00:00:00"), line("2", "00:00:01"), line("1", "00:00:02")]);
        let set = data.dataset("shp").unwrap();
        let t = |s: &str| parse_time(&format!("2024-01-01 00:00:0{s}")).unwrap();
        assert_eq!(set.window(t("0"), t("1")), Window { from: 0, to: 3, distinct: 2 });
        assert_eq!(set.window(t("2"), t("2")), Window { from: 3, to: 4, distinct: 1 });
        assert_eq!(set.window(t("3"), t("2")).distinct, 0);
    }

    #[test]
    fn a_folder_keeps_its_bytes_and_its_night() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("platform")).unwrap();
        let lines = "{\"appealId\":12345678901234567890, \"updtTime\":\"2024-01-02 00:00:00\"}\nnot json\n{\"x\":1,\"updtTime\":\"2024-03-01 00:00:00\"}\n";
        fs::write(dir.path().join("platform/appeal.jsonl"), lines).unwrap();
        fs::write(dir.path().join("aliases.json"), "{\"json_keys\":{\"appealld\":\"appeal_id\"}}").unwrap();
        let all = load_folder(dir.path(), None).unwrap();
        assert_eq!(all.dataset("appeal").unwrap().len(), 3);
        let night = load_folder(dir.path(), parse_time("2024-02-01 00:00:00")).unwrap();
        let set = night.dataset("appeal").unwrap();
        assert_eq!(set.len(), 2);
        assert_eq!(set.row(0).unwrap(), lines.lines().next().unwrap().as_bytes());
        assert_eq!(set.row(1).unwrap(), b"not json");
        assert!(load_folder(&dir.path().join("nothing"), None).is_err());
    }
}
