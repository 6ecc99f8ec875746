//! Configuration of a landing folder: the `source.toml`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::parquet_time::Int96;
use crate::error::SourceError;
use crate::kit::personal::PersonalConfig;

/// The default `source.toml`, documented key by key.
pub const SOURCE_TOML: &str = include_str!("../../export/source.toml");

/// Configuration of one landing folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportConfig {
    /// Name in messages and provenance.
    #[serde(default = "default_name")]
    pub name: String,
    /// A local folder or an object store URL.
    pub root: String,
    /// Options of the object store (region, endpoint, credentials); a value may be a reference, `env:NAME` or `file:PATH`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<String, String>,
    /// Rows of one text batch.
    #[serde(default = "default_batch_rows")]
    pub batch_rows: usize,
    /// Larger files are kept in a temporary file while they are read.
    #[serde(default = "default_memory_bytes")]
    pub memory_bytes: u64,
    /// Longest row of a CSV or TXT file; a longer one (a quote never closed) makes the file undecodable.
    #[serde(default = "default_max_row_bytes")]
    pub max_row_bytes: usize,
    /// What the timestamps of Parquet's old kind (INT96) mean, where the file's writer does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub int96: Option<Int96>,
    /// Personal data.
    #[serde(default)]
    pub personal: PersonalConfig,
}

fn default_name() -> String {
    "export".to_owned()
}

const fn default_batch_rows() -> usize {
    8192
}

const fn default_memory_bytes() -> u64 {
    16 << 20
}

const fn default_max_row_bytes() -> usize {
    16 << 20
}

impl ExportConfig {
    /// A configuration of defaults for a landing root.
    #[must_use]
    pub fn new(root: impl Into<String>) -> Self {
        Self {
            name: default_name(),
            root: root.into(),
            options: IndexMap::new(),
            batch_rows: default_batch_rows(),
            memory_bytes: default_memory_bytes(),
            max_row_bytes: default_max_row_bytes(),
            int96: None,
            personal: PersonalConfig::default(),
        }
    }

    /// Reads a `source.toml`.
    ///
    /// # Errors
    /// [`SourceError::Config`] for an unknown key or a value out of range.
    pub fn from_toml(text: &str) -> Result<Self, SourceError> {
        let config: Self = toml::from_str(text).map_err(|error| SourceError::config(default_name(), error.message()))?;
        config.check()?;
        Ok(config)
    }

    /// What the type cannot say.
    pub(crate) fn check(&self) -> Result<(), SourceError> {
        if self.batch_rows == 0 || self.max_row_bytes == 0 {
            return Err(SourceError::config(&self.name, "`batch_rows` and `max_row_bytes` must be at least 1"));
        }
        if self.root.is_empty() {
            return Err(SourceError::config(&self.name, "`root` is empty"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_holds_the_defaults() {
        let file = ExportConfig::from_toml(SOURCE_TOML).unwrap();
        let default = ExportConfig::new(file.root.clone());
        assert_eq!((file.name, file.batch_rows), (default.name, default.batch_rows));
        assert_eq!((file.memory_bytes, file.max_row_bytes), (default.memory_bytes, default.max_row_bytes));
        assert!(ExportConfig::from_toml("root = \"x\"\nfolder = \"y\"").is_err());
    }
}
