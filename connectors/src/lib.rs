//! Sources: where rows come from.
//!
//! A connector moves bytes and never judges them. It yields [`Artifact`]s (the bytes as delivered, addressed by
//! SHA-256) and *text batches*: Arrow record batches with the dataset's columns as text exactly as received.
//! The warehouse keeps both; nothing here knows how.
//!
//! - [`platform`]: the provincial procurement platform API (dialects `tps` and `zj`);
//! - [`export`]: files laid down in a landing folder (CSV, TXT, XLSX, Parquet);
//! - [`profile`]: files of other layouts, mapped to contracts by a TOML profile;
//! - [`kit`]: what every source needs: HTTP client, retry, rate limit, secrets, artifacts, personal data.

pub mod batch;
pub mod error;
pub mod export;
#[cfg(test)]
#[path = "../../models/src/fuzz.rs"]
mod fuzz;
pub mod kit;
pub mod platform;
pub mod profile;

pub use batch::{EXTRA, NOTE, RAW, ROW, text_schema};
pub use error::{At, SourceError};
pub use kit::artifact::{Artifact, ArtifactBytes};
