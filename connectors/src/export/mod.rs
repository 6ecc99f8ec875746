//! Export files in a landing folder.
//!
//! ```text
//! ExportSource::open(config)
//!   ├─ list()                     what lies there: files in path order, what is passed over, what could not be listed
//!   ├─ fetch(dataset, file)       the bytes as delivered, with their control file
//!   └─ read(dataset, delivery, …) pure, streaming: text batches, or refused as a whole
//! ```

pub(crate) mod aside;
mod book;
mod config;
pub(crate) mod control;
mod csv_text;
mod delivery;
mod emit;
pub(crate) mod encoding;
pub(crate) mod extra;
mod found;
#[cfg(test)]
mod fuzz;
pub(crate) mod header;
mod landing;
mod lines;
mod nearest;
mod ole;
mod parquet_text;
mod parquet_time;
mod passed;
mod place;
pub(crate) mod read;
mod refused;
mod row_place;
mod rule;
mod sheets;
mod spreadsheet;
mod tee;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_parquet;
#[cfg(test)]
mod tests_text;
#[cfg(test)]
mod tests_workbook;
mod walk;
mod workbook_words;

pub use config::{ExportConfig, SOURCE_TOML};
pub use control::Control;
pub use delivery::{Delivery, ExportSource};
pub use landing::{Announced, Format, Landing, LandingFile};
pub use parquet_time::Int96;
pub use passed::{Passed, PassedOver};
pub use read::{FileReport, ReadError, SinkError, read};
pub use refused::{Reason, Refused};
pub use row_place::RowPlace;
pub(crate) use rule::FileRule;
pub use sheets::{SheetReport, SheetState};
