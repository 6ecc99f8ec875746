//! Gold facts and dimensions: SQL models over silver, checked before they are published.

mod build;
mod catalogue;
mod check;
mod completeness;
mod indicators;
mod print;
mod prove;
mod session;
mod set_aside;
mod window;

pub use build::{Gold, GoldOutcome, StaleCell};
pub use completeness::Completeness;
pub use indicators::{IndicatorOutcome, Indicators, MonthCounts, StaleMonth};
pub(crate) use print::replacing;
pub use print::{Fingerprint, part};
pub use prove::{Order, Proof, Prover, Ran, Stale, VARIANTS, Variant};
pub use session::Session;
pub(crate) use session::{place, plain};
pub use set_aside::SetAside;
