//! The files as written, before they are checked against each other.

use indexmap::IndexMap;
use serde::Deserialize;

use super::Reason;
use super::checks::Reconcile;
use super::dataset::{AmountCheck, CountyRule, SourceKind, When};
use crate::field::FieldType;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDataset {
    pub name: String,
    pub title: String,
    pub source: SourceKind,
    pub key: Vec<String>,
    pub event: Vec<String>,
    #[serde(default)]
    pub month_of: Vec<String>,
    pub county: RawCounty,
    pub void: Option<String>,
    #[serde(default)]
    pub references: Vec<RawReference>,
    #[serde(default)]
    pub rename: IndexMap<String, String>,
    /// Columns that silver adds, by field name.
    #[serde(default)]
    pub derived: Vec<String>,
    /// Datasets that must be built before, beyond references and county.
    #[serde(default)]
    pub after: Vec<String>,
    #[serde(default)]
    pub warnings: Vec<String>,
    pub amount_check: Option<AmountCheck>,
    #[serde(default)]
    pub personal_hash: Vec<String>,
    #[serde(default)]
    pub negative_ok: bool,
    pub columns: IndexMap<String, RawColumn>,
    #[serde(default)]
    pub json_aliases: IndexMap<String, String>,
    #[serde(default)]
    pub file_titles: IndexMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCounty {
    org: Option<String>,
    parent: Option<String>,
    via: Option<String>,
    column: Option<String>,
    region: Option<bool>,
}

impl RawCounty {
    /// Exactly one of the four forms.
    pub(super) fn rule(self) -> Option<CountyRule> {
        match (self.org, self.parent, self.via, self.column, self.region) {
            (Some(org), None, None, None, None) => Some(CountyRule::Org(org)),
            (None, Some(dataset), Some(via), None, None) => Some(CountyRule::Parent { dataset, via }),
            (None, None, None, Some(column), None) => Some(CountyRule::Column(column)),
            (None, None, None, None, Some(true)) => Some(CountyRule::Region),
            _ => None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReference {
    pub columns: Vec<String>,
    pub to: Vec<String>,
    pub reason: Reason,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawColumn {
    #[serde(default)]
    pub required: bool,
    pub required_when: Option<When>,
    pub values: Option<IndexMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTable {
    pub name: String,
    pub title: String,
    pub grain: Vec<String>,
    #[serde(default)]
    pub partition: Option<Vec<String>>,
    #[serde(default)]
    pub month_of: Option<OneOrMany>,
    #[serde(default)]
    pub reads: IndexMap<String, String>,
    pub columns: IndexMap<String, RawTableColumn>,
    /// Numbers that must be those of a table it is made from.
    #[serde(default)]
    pub reconcile: Vec<Reconcile>,
}

/// `"send_time"` or `["shpp_time", "shp_time"]`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTableColumn {
    #[serde(rename = "type")]
    pub ty: Option<FieldType>,
    pub title: Option<String>,
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub unknown: Option<String>,
    pub null: Option<String>,
    pub min: Option<String>,
    pub max: Option<String>,
    pub unit: Option<String>,
    pub values: Option<IndexMap<String, String>>,
    pub meaning: Option<String>,
}
