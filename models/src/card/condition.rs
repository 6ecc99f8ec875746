//! Conditions on a value: `<operand> <op> <limit>`.

use std::fmt;

use serde::{Deserialize, Deserializer};

use super::Decimal;

/// What a condition looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operand {
    /// The value, rounded to 6 places.
    #[default]
    Value,
    /// The numerator.
    Numerator,
    /// The denominator.
    Denominator,
    /// The amount at risk.
    Amount,
    /// The number of source rows counted.
    SampleN,
    /// The number of months between the first month and this one.
    MonthsBefore,
    /// An input column of the SQL (`max_x`, `sum_x` or `in_x`), named without its prefix.
    Input(String),
}

impl Operand {
    /// The names that no input may have.
    pub const RESERVED: [&'static str; 9] =
        ["value", "numerator", "denominator", "amount", "sample_n", "months_before", "na", "insufficient", "row_mark"];

    /// The operand of a name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "value" => Self::Value,
            "numerator" => Self::Numerator,
            "denominator" => Self::Denominator,
            "amount" => Self::Amount,
            "sample_n" => Self::SampleN,
            "months_before" => Self::MonthsBefore,
            input => Self::Input(input.to_owned()),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "value",
            Self::Numerator => "numerator",
            Self::Denominator => "denominator",
            Self::Amount => "amount",
            Self::SampleN => "sample_n",
            Self::MonthsBefore => "months_before",
            Self::Input(name) => name,
        })
    }
}

impl<'de> Deserialize<'de> for Operand {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let name = String::deserialize(reader)?;
        if matches!(name.as_str(), "na" | "insufficient" | "row_mark") || !is_name(&name) {
            return Err(serde::de::Error::custom(format!(
                "`{name}` is no operand: value, numerator, denominator, amount, sample_n, months_before or an input"
            )));
        }
        Ok(Self::named(&name))
    }
}

/// Whether a text is a lower-case name: letters, digits, `_`, first a letter.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// How operand and limit are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Op {
    /// Less than.
    #[serde(rename = "<")]
    Less,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// Greater than.
    #[serde(rename = ">")]
    Greater,
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// Equal.
    #[serde(rename = "=")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
    /// The operand without its sign is greater than.
    #[serde(rename = "abs>")]
    AbsGreater,
    /// The operand without its sign is at least.
    #[serde(rename = "abs>=")]
    AbsAtLeast,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::AbsGreater => "abs>",
            Self::AbsAtLeast => "abs>=",
        })
    }
}

/// One condition; an operand without a value never fulfils it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is looked at; the value when left out.
    #[serde(default)]
    pub on: Operand,
    /// The comparison.
    pub op: Op,
    /// The limit, a decimal as text.
    pub limit: Decimal,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { on, op, limit } = self;
        match op {
            Op::AbsGreater => write!(f, "|{on}| > {limit}"),
            Op::AbsAtLeast => write!(f, "|{on}| >= {limit}"),
            _ => write!(f, "{on} {op} {limit}"),
        }
    }
}
