//! What came of a month of an indicator, kept by county: the values, so that a change in one county asks nothing of the others, and the
//! digest of the published rows, so that a county whose rows come out as they were costs no reading of them.
//!
//! One file an indicator and month below `_cache/indicators/`. It names the fingerprint of the month it was written for: only while the
//! month's mark in `_ops.cell` holds that very print are the published rows those that these values gave. It is a help and no truth: no
//! part of the ledger, no seal lists it, backups need not hold it, and without it all counties are computed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use yaojia_models::digest::sha256_hex;

use crate::error::Result;
use crate::store::Root;

/// Folder of the files.
const FOLDER: &str = "_cache/indicators";

/// A county's values before roll-ups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct County {
    /// What they follow from besides what all counties share.
    pub print: String,
    /// The values, packed.
    pub values: Vec<u8>,
}

/// What was computed for a month of an indicator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeptMonth {
    /// The month's fingerprint.
    pub print: String,
    /// Digests of the published rows, by county; the region's roll-ups are its rows.
    pub rows: BTreeMap<String, String>,
    /// What the values of all counties follow from.
    pub shared: String,
    /// Values by county, the region's own among them.
    pub counties: BTreeMap<String, County>,
}

/// A file to be written once the tables hold the rows it tells of, and before the month's mark says so: a build that ends in between leaves
/// either an old file or a mark that names none.
#[derive(Debug)]
pub(super) struct KeptFile {
    path: String,
    bytes: Vec<u8>,
}

impl KeptFile {
    /// Writes it.
    pub(super) async fn write(self, root: &Root) -> Result<()> {
        root.put(&self.path, self.bytes.into()).await
    }
}

/// What a file begins with.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    print: String,
    rows: BTreeMap<String, String>,
    shared: String,
    /// County, print, bytes.
    counties: Vec<(String, String, usize)>,
}

impl KeptMonth {
    /// What is kept of a month; `None` where there is nothing, or nothing that can be trusted.
    pub(super) async fn read(root: &Root, indicator: &str, month: &str) -> Result<Option<Self>> {
        let bytes = root.get_opt(&path(indicator, month)).await?;
        Ok(bytes.and_then(|bytes| Self::parse(&bytes)))
    }

    /// The file that keeps a month, in place of what was kept of it.
    pub(super) fn file(&self, indicator: &str, month: &str) -> Option<KeptFile> {
        self.render().map(|bytes| KeptFile { path: path(indicator, month), bytes })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = zstd::decode_all(bytes).ok()?;
        let (sum, body) = split_line(&text)?;
        if sum != sha256_hex(body).as_bytes() {
            return None;
        }
        let (head, mut rest) = split_line(body)?;
        let head: Head = serde_json::from_slice(head).ok()?;
        let mut counties = BTreeMap::new();
        for (county, print, count) in head.counties {
            let (values, after) = rest.split_at_checked(count)?;
            rest = after;
            counties.insert(county, County { print, values: values.to_vec() });
        }
        Some(Self { print: head.print, rows: head.rows, shared: head.shared, counties })
    }

    fn render(&self) -> Option<Vec<u8>> {
        let counties = self.counties.iter().map(|(county, of)| (county.clone(), of.print.clone(), of.values.len())).collect();
        let mut body =
            serde_json::to_vec(&Head { print: self.print.clone(), rows: self.rows.clone(), shared: self.shared.clone(), counties }).ok()?;
        body.push(b'\n');
        self.counties.values().for_each(|of| body.extend_from_slice(&of.values));
        let mut text = sha256_hex(&body).into_bytes();
        text.push(b'\n');
        text.extend_from_slice(&body);
        zstd::encode_all(text.as_slice(), 1).ok()
    }
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

fn path(indicator: &str, month: &str) -> String {
    format!("{FOLDER}/{indicator}/{month}.zst")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_nothing() {
        let county = |print: &str, values: &[u8]| County { print: print.into(), values: values.to_vec() };
        let counties = BTreeMap::from([("652801".to_string(), county("p", b"abc\ndef")), ("652822".to_string(), county("q", b""))]);
        let kept = KeptMonth {
            print: "a:b:c".into(),
            rows: BTreeMap::from([("652800".to_string(), "d".to_string())]),
            shared: "s".into(),
            counties,
        };
        let bytes = kept.render().unwrap();
        assert_eq!(KeptMonth::parse(&bytes).as_ref(), Some(&kept));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            // A flip may leave the text as it was (a bit nobody reads), but never make another one.
            assert!(KeptMonth::parse(&other).is_none_or(|held| held == kept), "byte {at}");
        }
        assert!((0..bytes.len()).all(|end| KeptMonth::parse(&bytes[..end]).is_none()));
    }
}
