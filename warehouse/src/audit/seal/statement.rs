//! The in-toto statement (v1) of a seal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `_type` of every statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What the predicate says; a name, nothing lies there.
pub const PREDICATE_TYPE: &str = "urn:yaojia:month-seal:v1";

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// The gold cells of the month.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// How they came about.
    pub predicate: Predicate,
}

/// A gold cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// `gold.table/county=…/month=…`.
    pub name: String,
    /// `sha256` of the pinned file, `yaojiaCanonicalV1` of the rows.
    pub digest: BTreeMap<String, String>,
    /// `rows`.
    pub annotations: BTreeMap<String, u64>,
}

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Predicate {
    /// Number of the seal.
    pub seal: i64,
    /// The month, `yyyy-MM`.
    pub month: String,
    /// When it was sealed, Asia/Shanghai.
    pub sealed_at: String,
    /// The release.
    pub release: i64,
    /// The run that made it.
    pub run_id: String,
    /// Its number: bronze rows of runs up to it were known.
    pub run_seq: i64,
    /// Its data instant.
    pub as_of: String,
    /// Region code.
    pub region: String,
    /// SHA-256 of the manifest of SQL, cards, rules, contracts, settings and engine.
    pub bundle: String,
    /// Gold table → Merkle root over all its cells in the release, whatever their month.
    pub tables: BTreeMap<String, String>,
    /// The indicator values of the month by certificate: `complete`, `incomplete`, `undeclared`.
    pub completeness: BTreeMap<String, u64>,
    /// Bytes it stands on that no seal before has listed: SHA-256 of the list, see [`super::Object`].
    pub objects: String,
    /// Their number.
    pub object_count: u64,
    /// The seal before; none for the first.
    pub previous: Option<PreviousSeal>,
    /// The end of the record of commits (`_ops.head`) when it was sealed; seals of versions before do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<SealedHead>,
    /// The key it is signed by, PEM, so that who seals next can check it whatever key is in use then. It makes nobody trust it: who verifies
    /// brings the keys. Seals of versions before do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// The end of the record of commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedHead {
    /// Objects on record.
    pub objects: u64,
    /// Hash over all of them.
    pub sha256: String,
}

/// The seal before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousSeal {
    /// Its number.
    pub seal: i64,
    /// SHA-256 of its envelope.
    pub sha256: String,
}
