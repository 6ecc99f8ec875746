//! Bronze: every received row, as text, appended; the source's position moves in the same commit.

mod append;
mod held;
mod name;
mod places;
mod retired;

pub use append::{Appender, Bronze, Receipt};
pub use held::{Fold, HeldArtifact};
pub use name::FileName;
pub use places::months_of;
pub use retired::Retired;
