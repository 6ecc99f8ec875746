//! Bronze: every received row, as text, appended; the source's position moves in the same commit.

mod append;
mod places;

pub(crate) use append::run_in;
pub use append::{Appender, Bronze};
