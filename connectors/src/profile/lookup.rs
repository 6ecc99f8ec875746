//! Tables of words: inline in the profile, or a CSV file beside it.

use std::collections::BTreeMap;
use std::path::Path;

use encoding_rs::GB18030;
use yaojia_models::text;

use super::raw::{RawLookup, RawMissing};
use super::value::{Lookup, Missing};

/// The table; problems go to `problems`.
pub(super) fn lookup(folder: &Path, name: &str, raw: &RawLookup, problems: &mut Vec<String>) -> Lookup {
    let mut words = BTreeMap::new();
    match (&raw.file, &raw.key, &raw.value) {
        (Some(file), Some(key), Some(value)) => {
            if let Err(problem) = read(&folder.join(file), key, value, &mut words) {
                problems.push(format!("lookup `{name}`: {problem}"));
            }
        }
        (None, None, None) => {}
        _ => problems.push(format!("lookup `{name}`: give `file`, `key` and `value` together")),
    }
    for (key, value) in &raw.values {
        words.insert(text::trim(key).to_owned(), text::trim(value).to_owned());
    }
    if words.is_empty() {
        problems.push(format!("lookup `{name}` is empty"));
    }
    if raw.default.is_some() && raw.missing.is_some() {
        problems.push(format!("lookup `{name}`: give either `default` or `missing`"));
    }
    let missing = match (&raw.default, raw.missing) {
        (Some(default), _) => Missing::Default(default.clone()),
        (None, None) => Missing::Tell,
        (None, Some(RawMissing::Keep)) => Missing::Keep,
        (None, Some(RawMissing::Null)) => Missing::Null,
    };
    Lookup { name: name.to_owned(), words, missing }
}

fn read(path: &Path, key: &str, value: &str, words: &mut BTreeMap<String, String>) -> Result<(), String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => GB18030
            .decode_without_bom_handling_and_without_replacement(bytes)
            .ok_or_else(|| format!("`{shown}` is neither UTF-8 nor GB18030"))?
            .into_owned(),
    };
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| format!("`{shown}`: {error}"))?.clone();
    let at = |title: &str| {
        let found = header.iter().position(|cell| text::trim(cell) == title);
        found.ok_or_else(|| format!("`{shown}` has no column `{title}`"))
    };
    let (key, value) = (at(key)?, at(value)?);
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|error| format!("`{shown}`: {error}"))?;
        let (Some(word), Some(found)) = (record.get(key).and_then(text::clean), record.get(value).and_then(text::clean)) else {
            continue;
        };
        let before = words.insert(word.to_owned(), found.to_owned());
        if before.is_some_and(|before| before != found) {
            return Err(format!("`{shown}`, row {}: `{word}` stands there twice with different values", row + 2));
        }
    }
    Ok(())
}
