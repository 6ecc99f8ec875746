//! The measures of an indicator: how a value arises and how it rolls up.

use std::fmt;

use serde::Deserialize;

use super::{Condition, SubjectKind};

/// How the value arises from numerator and denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureKind {
    /// numerator ÷ denominator.
    Ratio,
    /// numerator ÷ denominator − 1, rounded once.
    RatioMinusOne,
    /// 1 − numerator ÷ denominator, rounded once.
    OneMinusRatio,
    /// numerator − denominator; a missing one is 0 and there is no `na`.
    Difference,
    /// An amount: the value is the numerator, there is no denominator.
    Sum,
    /// A count: the value is the numerator, there is no denominator.
    Count,
    /// The `value` column of value.sql.
    Value,
}

impl MeasureKind {
    /// Whether a denominator that is missing or not above 0 makes the row `na`.
    #[must_use]
    pub fn is_quotient(self) -> bool {
        matches!(self, Self::Ratio | Self::RatioMinusOne | Self::OneMinusRatio)
    }

    /// Whether the value is the numerator alone.
    #[must_use]
    pub fn is_plain(self) -> bool {
        matches!(self, Self::Sum | Self::Count)
    }
}

/// At which height a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// One subject.
    Subject,
    /// One county, over its subjects.
    County,
    /// The region, over its counties.
    Region,
}

impl Level {
    /// The name in `gold.indicator_value.level`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::County => "county",
            Self::Region => "region",
        }
    }

    /// The level of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Subject, Self::County, Self::Region].into_iter().find(|level| level.as_str() == name)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a roll-up adds up, and whether it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Numerators, denominators and amounts of all subjects; judged like them.
    Sum,
    /// The same sums, but only shown: `normal` or `na`, without a mark (where any hit counts).
    Shown,
    /// The amounts at risk of the subjects in warn or verify; one row an area, after judging.
    Amount,
    /// The numerators of all subjects; one row an area, without an amount.
    AmountNumerator,
    /// value.sql gives the county and region rows itself.
    Own,
    /// No roll-up.
    None,
}

/// The roll-up of a measure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollUp {
    /// Up to which levels (`county`, `region`).
    pub levels: Vec<Level>,
    /// What is added up.
    pub how: How,
    /// Codes that the roll-up does not keep: `product_code`, `batch_code`, `group_code`.
    #[serde(default)]
    pub drop: Vec<String>,
}

impl Default for RollUp {
    fn default() -> Self {
        Self { levels: Vec::new(), how: How::None, drop: Vec::new() }
    }
}

/// One published number of an indicator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// The name in `gold.indicator_value.measure`; `main` is the indicator's own.
    pub name: String,
    /// What the SQL calls it, where that is another name: one SQL, two cards.
    #[serde(default)]
    pub sql_name: Option<String>,
    /// The Chinese title.
    pub title_zh: String,
    /// The English title.
    #[serde(default)]
    pub title_en: Option<String>,
    /// How the value arises.
    pub kind: MeasureKind,
    /// The unit where it is not the card's.
    #[serde(default)]
    pub unit: Option<String>,
    /// The kind of subject where it is not the card's.
    #[serde(default)]
    pub subject_kind: Option<SubjectKind>,
    /// Whether the subjects' own rows are published (`false`: they only feed the roll-up).
    #[serde(default = "yes")]
    pub subject: bool,
    /// Whether states beyond `normal` and `na` exist.
    #[serde(default = "yes")]
    pub judged: bool,
    /// The roll-up; none when left out.
    #[serde(default)]
    pub rollup: RollUp,
    /// Too small a sample: any of these makes the row `insufficient`.
    #[serde(default)]
    pub sample: Vec<Condition>,
}

impl Measure {
    /// The name of its rows in the SQL.
    #[must_use]
    pub fn in_sql(&self) -> &str {
        self.sql_name.as_deref().unwrap_or(&self.name)
    }
}

/// The default of the two switches.
fn yes() -> bool {
    true
}
