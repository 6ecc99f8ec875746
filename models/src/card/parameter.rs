//! Parameters of the SQL: `$name` stands for the value the card gives, or the region's own.

use serde::Deserialize;

use super::{CardError, Decimal};

/// The type a parameter has in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterType {
    /// DECIMAL(18, 6).
    Decimal,
    /// DECIMAL(18, 2).
    Money,
    /// BIGINT.
    Int,
    /// Text.
    Text,
    /// A date, written yyyy-MM-dd.
    Date,
    /// A month, written yyyy-MM; text in SQL.
    Month,
}

/// One parameter: its type, its default value as text, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The type in SQL.
    #[serde(rename = "type")]
    pub ty: ParameterType,
    /// The value as text.
    pub value: String,
    /// What it means, in Chinese.
    pub title: String,
    /// What it means, in English.
    #[serde(default)]
    pub title_en: Option<String>,
}

/// A parsed parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterValue {
    /// Unscaled integer of a DECIMAL(18, scale).
    Decimal {
        /// The number without its point.
        unscaled: i128,
        /// 6 or 2.
        scale: i8,
    },
    /// A whole number.
    Int(i64),
    /// Text (also months).
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
}

impl Parameter {
    /// Reads a value of this parameter's type: the card's own, or one that a region's configuration gives instead.
    ///
    /// # Errors
    /// When the text does not fit the type.
    pub fn parse(&self, text: &str) -> Result<ParameterValue, String> {
        match self.ty {
            ParameterType::Decimal => decimal(text, 6),
            ParameterType::Money => decimal(text, 2),
            ParameterType::Int => text.parse().map(ParameterValue::Int).map_err(|_| format!("`{text}` is no whole number")),
            ParameterType::Text => Ok(ParameterValue::Text(text.to_owned())),
            ParameterType::Month => {
                is_month(text).then(|| ParameterValue::Text(text.to_owned())).ok_or_else(|| format!("`{text}` is no month yyyy-MM"))
            }
            ParameterType::Date => days(text).map(ParameterValue::Date).ok_or_else(|| format!("`{text}` is no date yyyy-MM-dd")),
        }
    }

    /// Checks the card's own value.
    pub(super) fn check(&self, file: &str, name: &str) -> Result<(), CardError> {
        self.parse(&self.value).map(drop).map_err(|why| CardError::invalid(file, format!("parameters.{name}.value"), why))
    }
}

/// A DECIMAL(18, scale).
fn decimal(text: &str, scale: u8) -> Result<ParameterValue, String> {
    let number: Decimal = text.parse().map_err(|e: super::BadDecimal| e.to_string())?;
    number
        .at_places(scale)
        .filter(|unscaled| unscaled.unsigned_abs() < 10_u128.pow(18))
        .map(|unscaled| ParameterValue::Decimal { unscaled, scale: if scale == 2 { 2 } else { 6 } })
        .ok_or_else(|| format!("`{text}` has more than {scale} places or is too large"))
}

/// Whether a text is a month yyyy-MM.
pub(super) fn is_month(text: &str) -> bool {
    text.len() == 7 && days(&format!("{text}-01")).is_some()
}

/// Days since 1970-01-01 of a date yyyy-MM-dd.
pub(super) fn days(text: &str) -> Option<i32> {
    if text.len() != 10 {
        return None;
    }
    let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1)?;
    i32::try_from((date - epoch).num_days()).ok()
}
