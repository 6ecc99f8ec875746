//! The shape of `yaojia.toml`. `yaojia.toml` in this folder is its documentation, key by key.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use yaojia_connectors::export::ExportConfig;
use yaojia_connectors::kit::personal::PersonalConfig;
use yaojia_connectors::kit::secret::SecretRef;
use yaojia_connectors::platform::PlatformConfig;

/// A project's configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// JSON file of further aliases, `{"json_keys": {…}, "file_titles": {"dataset": {…}}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aliases_file: Option<String>,
    /// The region.
    pub region: RegionConfig,
    /// Where the tables lie.
    #[serde(default)]
    pub warehouse: WarehouseConfig,
    /// The procurement platform; without it nothing is asked there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformConfig>,
    /// The landing folder; without it no files are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportConfig>,
    /// Mapping profiles: files of other layouts.
    #[serde(default)]
    pub profiles: ProfilesConfig,
    /// Personal data, for both sources.
    #[serde(default)]
    pub personal: PersonalConfig,
    /// The auditor's keys.
    #[serde(default)]
    pub audit: AuditConfig,
    /// Look-alike names beyond those of the contracts.
    #[serde(default)]
    pub aliases: Aliases,
    /// Model and indicator SQL.
    #[serde(default)]
    pub sql: SqlConfig,
    /// What `maintain` keeps.
    #[serde(default)]
    pub maintain: super::MaintainConfig,
    /// Indicator id → parameter → the region's own value.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub parameters: IndexMap<String, IndexMap<String, String>>,
}

/// The region.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionConfig {
    /// Six-digit code of the prefecture.
    pub code: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The first month of which the region has all sources, `yyyy-MM`.
    pub first_month: String,
    /// Its counties; empty: learned from the dataset `admdvs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counties: Vec<CountyConfig>,
}

/// A county.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountyConfig {
    /// Six-digit code.
    pub code: String,
    /// Name.
    pub name: String,
}

/// Where the tables lie.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarehouseConfig {
    /// A folder (relative to the project), or an object store URL.
    #[serde(default = "default_location")]
    pub location: String,
    /// Options of the object store; credentials as `env:NAME` or `file:PATH`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<String, String>,
}

fn default_location() -> String {
    "warehouse".to_owned()
}

impl Default for WarehouseConfig {
    fn default() -> Self {
        Self { location: default_location(), options: IndexMap::new() }
    }
}

/// Mapping profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProfilesConfig {
    /// Files, or paths with `*`, below the project.
    pub paths: Vec<String>,
}

impl Default for ProfilesConfig {
    fn default() -> Self {
        Self { paths: vec!["profiles/*.toml".to_owned()] }
    }
}

/// The auditor's keys: `age` for files with personal columns, ed25519 for seals.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// Public recipient, `age1…` or a reference to it: files with personal columns are archived encrypted to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Secret identity: needed only to open such a file again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<SecretRef>,
    /// Secret key that seals months: ed25519, PKCS#8 PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal_key: Option<SecretRef>,
    /// Its public half, PEM: all that verifying needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal_public_key: Option<SecretRef>,
}

/// Look-alike names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Aliases {
    /// JSON key → column, for every dataset of the platform that has the column.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub json_keys: IndexMap<String, String>,
    /// Dataset → title in a file → column.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub file_titles: IndexMap<String, IndexMap<String, String>>,
}

/// Model and indicator SQL.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SqlConfig {
    /// Folders laid out as `sql/`, over the built-in one and the project's, the later first.
    pub paths: Vec<String>,
}
