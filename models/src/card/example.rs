//! Worked examples: a row before judging and what must become of it. They run as tests.

use indexmap::IndexMap;
use serde::Deserialize;

use super::{Decimal, Level};

/// One worked example of a card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// What it shows, in English.
    #[serde(default)]
    pub title_en: Option<String>,
    /// The measure; `main` when left out.
    #[serde(default = "main")]
    pub measure: String,
    /// The level; `subject` when left out.
    #[serde(default = "subject")]
    pub level: Level,
    /// The month, yyyy-MM.
    pub month: String,
    /// Months since the first month; 12 when left out.
    #[serde(default = "a_year")]
    pub months_before: u32,
    /// The numerator.
    #[serde(default)]
    pub numerator: Option<Decimal>,
    /// The denominator.
    #[serde(default)]
    pub denominator: Option<Decimal>,
    /// The value, for measures of kind `value`.
    #[serde(default)]
    pub value: Option<Decimal>,
    /// The amount at risk.
    #[serde(default)]
    pub amount: Option<Decimal>,
    /// The number of source rows.
    #[serde(default)]
    pub sample_n: Option<i64>,
    /// The inputs, as text.
    #[serde(default)]
    pub inputs: IndexMap<String, String>,
    /// The states of the months before, the nearest first.
    #[serde(default)]
    pub before: Vec<String>,
    /// What must come out.
    pub expect: Expectation,
}

/// What an example must give.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The value, rounded to 6 places; none for `na`.
    #[serde(default)]
    pub value: Option<Decimal>,
    /// The state.
    pub state: String,
    /// The mark; none when left out.
    #[serde(default)]
    pub mark: String,
    /// The deciding rule, where the example is about that.
    #[serde(default)]
    pub rule: Option<String>,
}

/// The default measure.
fn main() -> String {
    "main".to_owned()
}

/// The default level.
fn subject() -> Level {
    Level::Subject
}

/// The default number of months before.
fn a_year() -> u32 {
    12
}
