//! Gold facts and dimensions: SQL models over silver, checked before they are published.

mod build;
mod catalogue;
mod check;
mod completeness;
mod indicators;
mod session;
mod set_aside;
mod window;

pub use build::{Gold, GoldOutcome, Model, StaleCell};
pub use completeness::Completeness;
pub use indicators::{IndicatorOutcome, Indicators, StaleMonth};
pub use session::Session;
pub use set_aside::SetAside;
