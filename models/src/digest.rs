//! The canonical digest of a cell and the Merkle root of a table.
//!
//! The encoding is part of what seals promise: a change needs an ADR. Per row, in grain order, per column, in
//! contract order: one byte 0 for null, or 1 and the value:
//!
//! | value | bytes |
//! |---|---|
//! | decimal | scaled integer, i128, big-endian |
//! | text | length in bytes, u32, big-endian; UTF-8 |
//! | date | day number, i32, big-endian |
//! | timestamp | microseconds, i64, big-endian |
//! | integer | i64, big-endian |
//! | boolean | one byte 0 or 1 |
//! | double | IEEE-754 bits, u64, big-endian |

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The SHA-256 of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// As 64 lower-case hex digits.
    #[must_use]
    pub fn hex(&self) -> String {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| HEX.get(usize::from(nibble)).map_or('0', |c| char::from(*c));
        self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// Text that is no SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 in hex")]
pub struct BadDigest(pub String);

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let bad = || BadDigest(text.to_owned());
        if text.len() != 64 || !text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (position, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(position * 2..position * 2 + 2).ok_or_else(bad)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

/// The SHA-256 of some bytes, hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Digest::of(bytes).hex()
}

/// How a cell is called in digests, seals and Merkle trees.
#[must_use]
pub fn cell_name(table: &str, county: &str, month: &str) -> String {
    format!("{table}/county={county}/month={month}")
}

/// What [`CellHasher::finish`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellDigest {
    /// The canonical digest.
    pub digest: Digest,
    /// Rows counted.
    pub rows: u64,
}

/// Hashes the rows of one cell. Values in contract order, [`CellHasher::end_row`] after each row.
pub struct CellHasher {
    hasher: Sha256,
    buffer: Vec<u8>,
    rows: u64,
}

/// The buffer is handed on when it is larger.
const BUFFER: usize = 32 * 1024;

impl Default for CellHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl CellHasher {
    /// A hasher for an empty cell.
    #[must_use]
    pub fn new() -> Self {
        Self { hasher: Sha256::new(), buffer: Vec::with_capacity(BUFFER + 1024), rows: 0 }
    }

    /// Null.
    pub fn null(&mut self) {
        self.buffer.push(0);
    }

    /// A decimal, as scaled integer.
    pub fn decimal(&mut self, scaled: i128) {
        self.value(&scaled.to_be_bytes());
    }

    /// Text.
    pub fn text(&mut self, text: &str) {
        // no text of 4 GiB fits a cell; were there one, its digest would still be a digest
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.buffer.push(1);
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// A day number.
    pub fn date(&mut self, days: i32) {
        self.value(&days.to_be_bytes());
    }

    /// Microseconds.
    pub fn timestamp(&mut self, micros: i64) {
        self.value(&micros.to_be_bytes());
    }

    /// An integer.
    pub fn int(&mut self, value: i64) {
        self.value(&value.to_be_bytes());
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) {
        self.value(&[u8::from(value)]);
    }

    /// A double, by its bits.
    pub fn double(&mut self, value: f64) {
        self.value(&value.to_bits().to_be_bytes());
    }

    /// Ends a row.
    pub fn end_row(&mut self) {
        self.rows += 1;
        if self.buffer.len() >= BUFFER {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
    }

    /// The digest of the rows so far.
    #[must_use]
    pub fn finish(mut self) -> CellDigest {
        self.hasher.update(&self.buffer);
        CellDigest { digest: Digest(self.hasher.finalize().into()), rows: self.rows }
    }

    fn value(&mut self, bytes: &[u8]) {
        self.buffer.push(1);
        self.buffer.extend_from_slice(bytes);
    }
}

/// The Merkle root over named leaves, in the order of their names.
///
/// A leaf is hashed as `0x00`, length of its name (u32, big-endian), name, digest; a node as `0x01`, left,
/// right; an odd one out moves up unchanged. No leaves: the SHA-256 of nothing.
#[must_use]
pub fn merkle_root(leaves: &BTreeMap<String, Digest>) -> Digest {
    let mut level: Vec<Digest> = leaves.iter().map(|(name, digest)| leaf(name, digest)).collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node(left, right),
                [one, ..] => *one,
                [] => Digest::of(b""),
            })
            .collect();
    }
    level.first().copied().unwrap_or_else(|| Digest::of(b""))
}

fn leaf(name: &str, digest: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
    hasher.update(name.as_bytes());
    hasher.update(digest.0);
    Digest(hasher.finalize().into())
}

fn node(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    Digest(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_as_promised() {
        let mut hasher = CellHasher::new();
        hasher.text("甲");
        hasher.decimal(-1);
        hasher.null();
        hasher.date(1);
        hasher.timestamp(2);
        hasher.double(1.0);
        hasher.int(3);
        hasher.boolean(true);
        hasher.end_row();
        let mut bytes = vec![1, 0, 0, 0, 3, 0xe7, 0x94, 0xb2, 1];
        bytes.extend([0xff; 16]);
        bytes.extend([0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
        bytes.extend([1, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0, 3, 1, 1]);
        assert_eq!(hasher.finish(), CellDigest { digest: Digest::of(&bytes), rows: 1 });
    }

    #[test]
    fn buffer_size_does_not_matter() {
        let mut hasher = CellHasher::new();
        let mut bytes = Vec::new();
        for n in 0..20_000_i64 {
            hasher.int(n);
            hasher.end_row();
            bytes.push(1);
            bytes.extend(n.to_be_bytes());
        }
        assert_eq!(hasher.finish(), CellDigest { digest: Digest::of(&bytes), rows: 20_000 });
    }

    #[test]
    fn hex_and_back() {
        let empty = Digest::of(b"");
        assert_eq!(empty.hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(empty.hex().parse(), Ok(empty));
        assert!("E3".parse::<Digest>().is_err());
        assert!(empty.hex().to_uppercase().parse::<Digest>().is_err());
    }

    #[test]
    fn merkle_depends_on_names_and_digests() {
        let leaves =
            |names: &[&str]| -> BTreeMap<String, Digest> { names.iter().map(|name| ((*name).to_owned(), Digest::of(b"x"))).collect() };
        assert_eq!(merkle_root(&leaves(&[])), Digest::of(b""));
        assert_eq!(merkle_root(&leaves(&["a"])), leaf("a", &Digest::of(b"x")));
        assert_eq!(merkle_root(&leaves(&["b", "a"])), merkle_root(&leaves(&["a", "b"])));
        let [a, b, c] = ["a", "b", "c"].map(|name| leaf(name, &Digest::of(b"x")));
        assert_eq!(merkle_root(&leaves(&["a", "b", "c"])), node(&node(&a, &b), &c));
        assert_ne!(merkle_root(&leaves(&["a", "c"])), merkle_root(&leaves(&["a", "b"])));
    }
}
