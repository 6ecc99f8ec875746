//! Export files in a landing folder.
//!
//! ```text
//! ExportSource::open(config)
//!   ├─ list()                     landing files, in path order
//!   ├─ fetch(dataset, file)       the bytes as delivered, with their control file
//!   └─ read(dataset, delivery, …) pure, streaming: text batches, or refused as a whole
//! ```

pub(crate) mod aside;
mod config;
pub(crate) mod control;
mod csv_text;
mod delivery;
mod emit;
pub(crate) mod encoding;
pub(crate) mod extra;
#[cfg(test)]
mod fuzz;
pub(crate) mod header;
mod landing;
mod parquet_text;
pub(crate) mod read;
mod refused;
mod rule;
mod spreadsheet;
mod tee;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_text;
mod workbook_words;

pub use config::{ExportConfig, SOURCE_TOML};
pub use control::Control;
pub use delivery::{Delivery, ExportSource};
pub use landing::{Format, LandingFile};
pub use read::{FileReport, ReadError, SinkError, read};
pub use refused::{Reason, Refused};
pub(crate) use rule::FileRule;
