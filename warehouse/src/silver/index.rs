//! Indexes over accepted rows: which keys exist, in which county, and the conversion ratios of `list_map`.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

/// A 128-bit name of a value or a row: the first half of its SHA-256.
pub(crate) type Name = u128;

/// Names the parts of a key; each part is length-prefixed, so ("ab","c") and ("a","bc") differ.
pub(crate) fn name_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Name {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(part);
    }
    finish(hash)
}

pub(crate) fn finish(hash: Sha256) -> Name {
    let bytes = hash.finalize();
    let mut half = [0_u8; 16];
    half.copy_from_slice(&bytes[..16]);
    u128::from_be_bytes(half)
}

/// Accepted values of one column with the county of the row that holds them.
#[derive(Debug, Default, Clone)]
pub(crate) struct KeyIndex {
    by_value: HashMap<Name, u16>,
}

impl KeyIndex {
    pub(crate) fn insert(&mut self, value: &str, county: u16) {
        self.by_value.insert(name_of([value.as_bytes()]), county);
    }

    pub(crate) fn get(&self, value: &str) -> Option<u16> {
        self.by_value.get(&name_of([value.as_bytes()])).copied()
    }
}

/// County codes by small numbers; number 0 is `unknown`.
#[derive(Debug, Clone)]
pub(crate) struct Counties {
    codes: Vec<String>,
    by_code: BTreeMap<String, u16>,
}

impl Default for Counties {
    fn default() -> Self {
        let mut new = Self { codes: Vec::new(), by_code: BTreeMap::new() };
        new.number(crate::delta::UNKNOWN);
        new
    }
}

impl Counties {
    /// The number of a code; a new code gets the next one, a code that is not plain ASCII digits is unknown.
    pub(crate) fn number(&mut self, code: &str) -> u16 {
        if let Some(n) = self.by_code.get(code) {
            return *n;
        }
        let plain = code == crate::delta::UNKNOWN || (!code.is_empty() && code.len() <= 12 && code.bytes().all(|b| b.is_ascii_digit()));
        match u16::try_from(self.codes.len()) {
            Ok(n) if plain => {
                self.codes.push(code.to_string());
                self.by_code.insert(code.to_string(), n);
                n
            }
            _ => 0,
        }
    }

    pub(crate) fn code(&self, number: u16) -> &str {
        self.codes.get(usize::from(number)).map_or(crate::delta::UNKNOWN, String::as_str)
    }

    pub(crate) fn find(&self, code: &str) -> Option<u16> {
        self.by_code.get(code).copied()
    }
}

/// All indexes a dataset may need, by `dataset.column`.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    pub keys: BTreeMap<String, KeyIndex>,
    /// (institution, own code) → conversion ratio, scaled by 10⁶.
    pub convrat: HashMap<Name, i128>,
    pub counties: Counties,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(name_of([b"ab".as_slice(), b"c"]), name_of([b"a".as_slice(), b"bc"]));
    }

    #[test]
    fn odd_counties_are_unknown() {
        let mut counties = Counties::default();
        assert_eq!(counties.number("652801"), 1);
        assert_eq!(counties.number("库尔勒"), 0);
        assert_eq!(counties.code(1), "652801");
        assert_eq!(counties.code(0), "unknown");
    }
}
