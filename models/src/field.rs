//! A field name means one thing: its type, title, unit and values (`fields.toml`).

use arrow_schema::{DataType, TimeUnit};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The type of a field, in every layer above bronze.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Codes, flags, names.
    Text,
    /// decimal(18,2).
    Money,
    /// decimal(38,2): a product or a sum of money, which may outgrow what a source can say of one row.
    Amount,
    /// decimal(18,6).
    UnitPrice,
    /// decimal(18,6).
    Ratio,
    /// decimal(18,4).
    Quantity,
    /// Microseconds, naive Asia/Shanghai.
    Timestamp,
    /// A calendar day.
    Date,
    /// Text `yyyy-MM`.
    Month,
    /// A 64-bit integer.
    Int,
    /// decimal(38,6): published numerators and denominators.
    Decimal38,
    /// A double: only the final value of an indicator.
    Double,
}

impl FieldType {
    /// Precision and scale, for the decimal types.
    #[must_use]
    pub const fn decimal(self) -> Option<(u8, i8)> {
        match self {
            Self::Money => Some((18, 2)),
            Self::Amount => Some((38, 2)),
            Self::UnitPrice | Self::Ratio => Some((18, 6)),
            Self::Quantity => Some((18, 4)),
            Self::Decimal38 => Some((38, 6)),
            Self::Text | Self::Timestamp | Self::Date | Self::Month | Self::Int | Self::Double => None,
        }
    }

    /// The Arrow type.
    #[must_use]
    pub const fn arrow(self) -> DataType {
        match self {
            Self::Text | Self::Month => DataType::Utf8,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Date => DataType::Date32,
            Self::Int => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Money => DataType::Decimal128(18, 2),
            Self::Amount => DataType::Decimal128(38, 2),
            Self::UnitPrice | Self::Ratio => DataType::Decimal128(18, 6),
            Self::Quantity => DataType::Decimal128(18, 4),
            Self::Decimal38 => DataType::Decimal128(38, 6),
        }
    }

    /// Money, prices and quantities: what `negative` is judged on (ratios, shares and scores are not).
    #[must_use]
    pub const fn must_not_be_negative(self) -> bool {
        matches!(self, Self::Money | Self::Amount | Self::UnitPrice | Self::Quantity)
    }
}

/// One entry of `fields.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDef {
    /// The type.
    #[serde(rename = "type")]
    pub ty: FieldType,
    /// Chinese title; exports and web pages show it.
    pub title: String,
    /// Unit, where it helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The allowed values and what they mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<IndexMap<String, String>>,
    /// A sentence more, where the title is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
}

/// All fields by name, in file order.
pub type Fields = IndexMap<String, FieldDef>;
