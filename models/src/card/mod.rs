//! Indicator cards and their rules: what an indicator is, when its value is a warning, and which SQL computes it.
//!
//! One indicator is one folder `sql/indicators/<ID>_<name>/` with `indicator.toml` ([`Card`]), `rules.toml` ([`Rule`]) and
//! either `rows.sql` or `value.sql` with `evidence.sql` ([`Query`]); what indicators share of SQL is a [`Relation`].
//! `README.md` beside this file describes the two TOML files.
//! Everything here is text and plain values; nothing runs SQL.

mod catalogue;
mod condition;
mod decimal;
mod describe;
mod error;
mod example;
mod indicator;
mod measure;
mod parameter;
mod reads;
mod relation;
mod rule;

#[cfg(test)]
mod tests;

pub use catalogue::Catalogue;
pub use condition::{Condition, Op, Operand};
pub use decimal::{BadDecimal, Decimal};
pub use describe::{BadSide, Card, Chain, Class, English, Kind, Source, Standing, SubjectKind};
pub use error::CardError;
pub use example::{Example, Expectation};
pub use indicator::{Files, Indicator, Query};
pub use measure::{How, Level, Measure, MeasureKind, RollUp};
pub use parameter::{Parameter, ParameterType, ParameterValue};
pub use reads::UP_TO_THE_MONTH;
pub use relation::{ASKED, BASIS, Relation};
pub use rule::{Rule, RuleLevel, RuleTag, Rules, Scope};
