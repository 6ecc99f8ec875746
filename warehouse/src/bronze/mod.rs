//! Bronze: every received row, as text, appended; the source's position moves in the same commit.

mod append;
mod places;

pub use append::{Appender, Bronze};
