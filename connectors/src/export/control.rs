//! Control files: what a file should hold.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;
use yaojia_models::contract::Dataset;
use yaojia_models::text;

use super::header::{Slot, column_of};

/// What a file should hold; any part may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Control {
    /// Data rows.
    pub rows: Option<u64>,
    /// Column as named there → sum as text.
    pub sums: IndexMap<String, String>,
    /// SHA-256 of the file as delivered.
    pub sha256: Option<String>,
}

impl Control {
    /// Reads a control file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Raw {
            rows: Option<Value>,
            sums: Option<IndexMap<String, Value>>,
            sha256: Option<String>,
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let raw: Raw = serde_json::from_slice(bytes).map_err(|error| words(&error))?;
        let rows = match raw.rows.as_ref().and_then(written) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| "`rows` is no count".to_owned())?),
        };
        let mut sums = IndexMap::new();
        for (column, value) in raw.sums.unwrap_or_default() {
            if let Some(text) = written(&value) {
                sums.insert(column, text);
            }
        }
        Ok(Self { rows, sums, sha256: raw.sha256.filter(|text| !text.is_empty()) })
    }

    /// The sums to compare: contract column, scale, and the sum wanted; none where the column has no sum.
    pub(crate) fn wanted<'c>(&'c self, dataset: &Dataset) -> Vec<Wanted<'c>> {
        self.sums
            .iter()
            .map(|(name, sum)| {
                let column = dataset.file_column(text::trim(name));
                let decimal = column.and_then(|column| dataset.columns.get(column)).and_then(|column| column.ty.decimal());
                let target = column.zip(decimal).and_then(|(column, (precision, scale))| {
                    let sum = text::parse_decimal(text::trim(sum), 38, scale).ok()?;
                    Some(Target { slot: Slot::Column(column), precision, scale, sum })
                });
                Wanted { name, target }
            })
            .collect()
    }

    /// The sums over a foreign file's own columns, mapped or not, to as many places as they have.
    pub(crate) fn wanted_of_layout<'c>(&'c self, layout: &Dataset) -> Vec<Wanted<'c>> {
        let wanted = |(name, sum): (&'c String, &'c String)| {
            let title = text::trim(name);
            let slot = column_of(layout, title).map_or_else(|| Slot::Extra(title.to_owned()), Slot::Column);
            let sum = text::trim(sum);
            let places = sum.rsplit_once('.').map_or(0, |(_, places)| places.len()).clamp(FOREIGN_SCALE, 18);
            let target = i8::try_from(places).ok().and_then(|scale| {
                let sum = text::parse_decimal(sum, 38, scale).ok()?;
                Some(Target { slot, precision: 38, scale, sum })
            });
            Wanted { name, target }
        };
        self.sums.iter().map(wanted).collect()
    }
}

/// Places kept of a foreign column's sum, at least.
const FOREIGN_SCALE: usize = 6;

/// A sum of a control file.
#[derive(Debug)]
pub(crate) struct Wanted<'c> {
    pub name: &'c str,
    pub target: Option<Target>,
}

/// The column summed, and the sum wanted, scaled.
#[derive(Debug)]
pub(crate) struct Target {
    pub slot: Slot,
    pub precision: u8,
    pub scale: i8,
    pub sum: i128,
}

/// Where it goes wrong and how, without the text found there: whoever wrote the file may have put anything in.
fn words(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "a value is not of the type it should be",
        _ => "it is no JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

/// A JSON value's text; none for null and blank.
fn written(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_may_be_absent() {
        let control = Control::parse(br#"{"rows": 3, "sums": {"CNT": "1.50", "PRIC": 2.0, "X": null}}"#).unwrap();
        assert_eq!(control.rows, Some(3));
        assert_eq!(control.sums.get("PRIC").map(String::as_str), Some("2.0"));
        assert_eq!((control.sums.len(), control.sha256), (2, None));
        assert_eq!(Control::parse(b"{}").unwrap(), Control::default());
        assert!(Control::parse(b"{").is_err());
        assert!(Control::parse(br#"{"rows": "many"}"#).is_err());
        let error = Control::parse("{\"rows\": 1, \"sums\": \"张三\"}".as_bytes()).unwrap_err();
        assert!(error.contains("type") && !error.contains("张三"), "{error}");
    }
}
