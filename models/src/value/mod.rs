//! Small exact values: months, days, counties and decimals as scaled integers.

mod calendar;
mod county;
mod decimal;
mod month;
mod wide;

pub use calendar::{DAY_MICROS, civil_from_days, days_from_civil};
pub use county::{County, UNKNOWN};
pub use decimal::{decimal_text, div_round_half_away, div_scaled, fits, mul_scaled, muldiv_scaled, pow10, round_to_scale, trunc_to_scale};
pub use month::{BadMonth, Month, Months};
