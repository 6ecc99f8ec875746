//! Decimals written as text, so that no limit or parameter ever passes through a binary float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// An exact decimal number as an unscaled integer and a number of places: `"0.90"` is 90 with 2 places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    unscaled: i128,
    places: u8,
}

/// Text that is no decimal number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no decimal number: write digits, at most one point and an optional minus, as text")]
pub struct BadDecimal(pub String);

impl Decimal {
    /// An unscaled integer with a number of places; none above 12 places or 37 digits.
    #[must_use]
    pub fn new(unscaled: i128, places: u8) -> Option<Self> {
        (places <= 12 && unscaled.unsigned_abs() < 10_u128.pow(37)).then_some(Self { unscaled, places })
    }

    /// The number without its point.
    #[must_use]
    pub fn unscaled(&self) -> i128 {
        self.unscaled
    }

    /// How many digits stand behind the point.
    #[must_use]
    pub fn places(&self) -> u8 {
        self.places
    }

    /// The unscaled integer at another number of places; none when digits would be lost or it does not fit.
    #[must_use]
    pub fn at_places(&self, places: u8) -> Option<i128> {
        if places >= self.places {
            let factor = 10_i128.checked_pow(u32::from(places - self.places))?;
            self.unscaled.checked_mul(factor)
        } else {
            let factor = 10_i128.checked_pow(u32::from(self.places - places))?;
            (self.unscaled % factor == 0).then_some(self.unscaled / factor)
        }
    }
}

impl FromStr for Decimal {
    type Err = BadDecimal;

    fn from_str(text: &str) -> Result<Self, BadDecimal> {
        let bad = || BadDecimal(text.to_owned());
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(bad());
        }
        let fraction = if digits.contains('.') { fraction } else { "" };
        let places = u8::try_from(fraction.len()).map_err(|_| bad())?;
        let unscaled: i128 = format!("{whole}{fraction}").parse().map_err(|_| bad())?;
        Self::new(if text.starts_with('-') { -unscaled } else { unscaled }, places).ok_or_else(bad)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.unscaled.unsigned_abs(), width = usize::from(self.places) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.places));
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        String::deserialize(reader)?.parse().map_err(serde::de::Error::custom)
    }
}
