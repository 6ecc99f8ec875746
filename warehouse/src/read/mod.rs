//! Reading a release: the one door through which queries, explanations and pages see the tables.
//!
//! A [`Reader`] is bound to one release. Its SQL names `gold.*` and `silver.*` as the release has them, `bronze.*` and `ops.*` as they were
//! when the reader first named them. A table is opened once a reader, however many queries name it. Nothing is ever written: a reader
//! runs one SELECT at a time, values come in as named parameters, and where the root was opened by [`crate::Root::existing`] the storage
//! refuses whoever tries.

mod catalog;
mod error;
mod reader;
mod rows;
mod statement;
#[cfg(test)]
mod tests;

pub use error::ReadError;
pub use reader::{Parameters, Reader, parameters};
pub use rows::{Rows, plain, texts};
pub use statement::check_select;
