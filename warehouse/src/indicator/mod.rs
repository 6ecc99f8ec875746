//! The indicator engine: from cards, rules and SQL to values, alerts and evidence.
//!
//! ```text
//! rows.sql ─► sum per key ─┐                          ┌─► gold.indicator_value
//!                          ├─► roll up ─► judge ─► roll up amounts ─► gold.alert
//! value.sql ───────────────┘      ▲                   └─► gold.alert_evidence
//!              rules in force, months before, exemptions
//! ```
//! All asked months are computed at once ([`Ask`] registers `ask.month`, `ask.span` and `ask.calendar` for the SQL, `relations` what
//! indicators share), numbers are
//! exact until the last step ([`Exact`]), and nothing depends on the order of rows. [`judge()`] alone judges stored values again.

mod alert;
mod ask;
mod columns;
mod engine;
mod error;
mod evidence;
mod exact;
mod example;
mod gather;
mod given;
mod judge;
mod key;
mod names;
mod packed;
mod publish;
mod query;
mod read;
mod register;
mod relations;
mod rollup;
mod shape;
mod stamp;
mod stored;
mod value;

#[cfg(test)]
mod tests;

pub use ask::{Ask, AskedMonth};
pub use engine::{Engine, Kept, Outcome};
pub use error::EngineError;
pub use exact::Exact;
pub use example::check_examples;
pub use judge::judge;
pub use key::RowKey;
pub use names::Names;
pub use packed::{Packed, unpack};
pub use query::parameters;
pub use register::{Exemption, Exemptions};
pub use rollup::{amounts, sums};
pub use stamp::{stamp_alerts, stamp_values};
pub use stored::History;
pub use value::{Fold, Input, Judged, State, Value};
