//! A profile as written, before it is checked against the contracts.

use std::fmt;

use indexmap::IndexMap;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::export::Int96;

/// `profiles/*.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProfile {
    pub name: String,
    #[serde(default)]
    pub title: String,
    /// Words that mean null, in every column.
    #[serde(default)]
    pub null: Vec<String>,
    pub files: RawFiles,
    /// Rows that are data; other rows of the file are skipped and counted.
    #[serde(default)]
    pub when: Vec<RawCondition>,
    #[serde(default)]
    pub lookup: IndexMap<String, RawLookup>,
    pub target: Vec<RawTarget>,
}

/// Which files, and how they are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFiles {
    pub paths: OneOrMany,
    pub format: Option<RawFormat>,
    pub encoding: Option<RawEncoding>,
    pub delimiter: Option<String>,
    pub header_row: Option<u32>,
    #[serde(default)]
    pub sheets: Vec<String>,
    /// The columns by position, of files without a header.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// What INT96 times of Parquet are, where the file does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub int96: Option<Int96>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawFormat {
    Csv,
    Txt,
    Xlsx,
    Xls,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum RawEncoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "gb18030")]
    Gb18030,
}

/// A condition on a row: of one file column.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCondition {
    pub column: String,
    #[serde(rename = "in")]
    pub within: Option<Vec<String>>,
    pub not_in: Option<Vec<String>>,
    pub empty: Option<bool>,
}

/// A table of words: inline, or a CSV file beside the profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLookup {
    #[serde(default)]
    pub values: IndexMap<String, String>,
    pub file: Option<String>,
    pub key: Option<String>,
    pub value: Option<String>,
    pub default: Option<String>,
    pub missing: Option<RawMissing>,
}

/// What a word that is not in the table becomes; unless said, it stays as it is and is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawMissing {
    Keep,
    Null,
}

/// A dataset that the file's rows feed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    pub dataset: String,
    #[serde(default)]
    pub when: Vec<RawCondition>,
    #[serde(deserialize_with = "columns")]
    pub columns: IndexMap<String, RawColumn>,
}

/// How a contract column is made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawColumn {
    pub from: Option<OneOrMany>,
    pub join: Option<Vec<String>>,
    pub separator: Option<String>,
    #[serde(rename = "const")]
    pub constant: Option<String>,
    pub null: Vec<String>,
    pub strip: Vec<String>,
    pub lookup: Option<String>,
    pub date: Option<OneOrMany>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<RawNumber>,
    pub factor: Option<String>,
    pub unit: Option<String>,
    pub prefix: Option<String>,
    pub suffix: Option<String>,
    pub optional: bool,
}

/// How numbers are written, beyond what every file may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawNumber {
    /// `4e3`, `1.5E-2`.
    Scientific,
}

/// `"A"` or `["A", "B"]`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

/// `column = "Title"` is short for `column = { from = "Title" }`, a list likewise. Written as one type, so that an error names the wrong key.
mod short {
    use super::{
        Deserialize, Deserializer, MapAccess, MapAccessDeserializer, OneOrMany, RawColumn, SeqAccess, SeqAccessDeserializer, Visitor, fmt,
    };

    /// A [`RawColumn`], or its short form.
    pub(super) struct Short(pub RawColumn);

    impl<'de> Deserialize<'de> for Short {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Column;
            impl<'de> Visitor<'de> for Column {
                type Value = Short;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("the title of a file column, or a table of rules")
                }

                fn visit_str<E>(self, title: &str) -> Result<Self::Value, E> {
                    Ok(Short(RawColumn { from: Some(OneOrMany(vec![title.to_owned()])), ..RawColumn::default() }))
                }

                fn visit_seq<A: SeqAccess<'de>>(self, titles: A) -> Result<Self::Value, A::Error> {
                    let titles = Vec::deserialize(SeqAccessDeserializer::new(titles))?;
                    Ok(Short(RawColumn { from: Some(OneOrMany(titles)), ..RawColumn::default() }))
                }

                fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                    RawColumn::deserialize(MapAccessDeserializer::new(map)).map(Short)
                }
            }
            deserializer.deserialize_any(Column)
        }
    }
}

use short::Short;

fn columns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IndexMap<String, RawColumn>, D::Error> {
    let columns = IndexMap::<String, Short>::deserialize(deserializer)?;
    Ok(columns.into_iter().map(|(name, column)| (name, column.0)).collect())
}
