//! Exact numbers of the engine: 256-bit integers with 12 places.

use std::fmt;

use arrow::datatypes::i256;
use yaojia_models::card::Decimal;

use crate::functions::wide;

/// Places behind the point of every [`Exact`].
const PLACES: i32 = 12;

/// An exact decimal number. Sums of quantities keep all their places (a count has 4, a ratio 6); only what is published is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(i256);

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self(i256::ZERO);

    /// An unscaled integer with a number of places; none when it has more than 12 places that are not 0, or is too large.
    #[must_use]
    pub fn new(unscaled: i256, places: i32) -> Option<Self> {
        let exact = wide::rescale(unscaled, places, PLACES)?;
        (places <= PLACES || wide::rescale(exact, PLACES, places)? == unscaled).then_some(Self(exact))
    }

    /// A whole number.
    #[must_use]
    pub fn whole(number: i64) -> Self {
        // 63 bits times 10^12 always fit
        Self(wide::rescale(i256::from_i128(i128::from(number)), 0, PLACES).unwrap_or(i256::ZERO))
    }

    /// A decimal of a card or rule.
    #[must_use]
    pub fn of(decimal: Decimal) -> Option<Self> {
        Self::new(i256::from_i128(decimal.unscaled()), i32::from(decimal.places()))
    }

    /// A text of digits, as this type prints itself.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::of(text.parse().ok()?)
    }

    /// The number as bytes, for keeping.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_le_bytes()
    }

    /// The number of [`Exact::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(i256::from_le_bytes(bytes))
    }

    /// Whether it is above 0.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 > i256::ZERO
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.wrapping_abs())
    }

    /// The sum; none when it does not fit.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference; none when it does not fit.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The quotient, rounded half away from zero to 6 places.
    #[must_use]
    pub fn over6(self, divisor: Self) -> Option<Self> {
        let quotient = wide::scaled_div(self.0, divisor.0, 6)?;
        Self::new(quotient, 6)
    }

    /// Rounded half away from zero.
    #[must_use]
    pub fn round(self, places: i8) -> Option<Self> {
        Self::new(wide::rescale(self.0, PLACES, i32::from(places))?, i32::from(places))
    }

    /// The unscaled integer of a DECIMAL(precision, places), rounded half away from zero; none when it does not fit.
    #[must_use]
    pub fn decimal128(self, precision: u8, places: i8) -> Option<i128> {
        wide::fit(wide::rescale(self.0, PLACES, i32::from(places))?, u32::from(precision))
    }

    /// The nearest double; the one place where a number leaves the exact world.
    #[must_use]
    pub fn double(self) -> f64 {
        // parsing decimal text rounds once, correctly, and needs no floating-point arithmetic
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

/// As few digits as the number needs: `0.9`, `-12`, `0`.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>13}", self.0.wrapping_abs().to_string());
        let (whole, fraction) = digits.split_at(digits.len() - 12);
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.0.is_negative() { "-" } else { "" };
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}
