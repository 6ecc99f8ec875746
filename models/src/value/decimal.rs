//! Decimals as scaled integers: exact, rounded half away from zero, never through a float.
//!
//! A result is `None` where it does not fit 38 digits, or for a division by zero.

use super::wide::Wide;

const MAX_DIGITS: u32 = 38;

/// 10^n, for n up to 38.
#[must_use]
pub const fn pow10(n: u32) -> Option<i128> {
    if n > MAX_DIGITS { None } else { Some(10_i128.pow(n)) }
}

/// Whether a scaled integer has at most so many digits.
#[must_use]
pub fn fits(value: i128, precision: u8) -> bool {
    pow10(u32::from(precision)).is_some_and(|limit| value.unsigned_abs() < limit.unsigned_abs())
}

/// num ÷ den to the nearest integer, halves away from zero.
#[must_use]
pub fn div_round_half_away(num: i128, den: i128) -> Option<i128> {
    let (n, d) = (num.unsigned_abs(), den.unsigned_abs());
    let quotient = n.checked_div(d)?;
    let remainder = n % d;
    let rounded = if remainder >= d - remainder { quotient.checked_add(1)? } else { quotient };
    signed(rounded, (num < 0) != (den < 0))
}

/// The value at another scale.
#[must_use]
pub fn round_to_scale(value: i128, from: u32, to: u32) -> Option<i128> {
    if to >= from {
        let scaled = value.checked_mul(pow10(to - from)?)?;
        return fits(scaled, 38).then_some(scaled);
    }
    match pow10(from - to) {
        Some(den) => div_round_half_away(value, den),
        None => Some(0),
    }
}

/// The value at a smaller scale, the rest cut off (toward zero).
#[must_use]
pub fn trunc_to_scale(value: i128, from: u32, to: u32) -> Option<i128> {
    if to >= from {
        return round_to_scale(value, from, to);
    }
    match pow10(from - to) {
        Some(den) => value.checked_div(den),
        None => Some(0),
    }
}

/// a ÷ b at scale `out`; each pair is a scaled integer and its scale.
#[must_use]
pub fn div_scaled(a: (i128, u32), b: (i128, u32), out: u32) -> Option<i128> {
    muldiv_scaled(a, (1, 0), b, out)
}

/// a × b at scale `out`.
#[must_use]
pub fn mul_scaled(a: (i128, u32), b: (i128, u32), out: u32) -> Option<i128> {
    muldiv_scaled(a, b, (1, 0), out)
}

/// a × b ÷ c at scale `out`, rounded once.
#[must_use]
pub fn muldiv_scaled(a: (i128, u32), b: (i128, u32), c: (i128, u32), out: u32) -> Option<i128> {
    if c.0 == 0 {
        return None;
    }
    let (up, down) = (out + c.1, a.1 + b.1); // result = a·b·10^up ÷ (c·10^down)
    let (up, down) = (up.saturating_sub(down), down.saturating_sub(up));
    narrow(a.0, b.0, c.0, up, down).or_else(|| wide(a.0, b.0, c.0, up, down)).filter(|value| fits(*value, 38))
}

/// All in 128 bits, where it fits.
fn narrow(a: i128, b: i128, c: i128, up: u32, down: u32) -> Option<i128> {
    let num = a.checked_mul(b)?.checked_mul(pow10(up)?)?;
    let den = c.checked_mul(pow10(down)?)?;
    div_round_half_away(num, den)
}

fn wide(a: i128, b: i128, c: i128, up: u32, down: u32) -> Option<i128> {
    let num = scaled_up(Wide::new(a.unsigned_abs()).times(b.unsigned_abs())?, up)?;
    let den = scaled_up(Wide::new(c.unsigned_abs()), down)?;
    let negative = (a < 0) != (b < 0) && a != 0 && b != 0;
    signed(num.divided_half_up(den)?, negative != (c < 0))
}

fn scaled_up(mut value: Wide, mut places: u32) -> Option<Wide> {
    while places > 0 {
        let step = places.min(MAX_DIGITS);
        value = value.times(pow10(step)?.unsigned_abs())?;
        places -= step;
    }
    Some(value)
}

fn signed(magnitude: u128, negative: bool) -> Option<i128> {
    let value = i128::try_from(magnitude).ok()?;
    Some(if negative { -value } else { value })
}

/// The decimal as text, with all places of its scale: `(-1250, 2)` → `-12.50`.
#[must_use]
pub fn decimal_text(value: i128, scale: u32) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    let places = scale as usize;
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_away_from_zero() {
        for (num, den, want) in [
            (5, 2, 3),
            (-5, 2, -3),
            (5, -2, -3),
            (-5, -2, 3),
            (7, 3, 2),
            (8, 3, 3),
            (1, 3, 0),
            (-1, 2, -1),
            (0, 7, 0),
            (i128::MAX, 1, i128::MAX),
            (i128::MAX, i128::MAX, 1),
        ] {
            assert_eq!(div_round_half_away(num, den), Some(want), "{num} / {den}");
        }
        assert_eq!(div_round_half_away(1, 0), None);
    }

    #[test]
    fn changes_scale() {
        assert_eq!(round_to_scale(12_345, 3, 2), Some(1235));
        assert_eq!(round_to_scale(-12_345, 3, 2), Some(-1235));
        assert_eq!(round_to_scale(5, 0, 6), Some(5_000_000));
        assert_eq!(round_to_scale(i128::MAX, 0, 1), None);
        assert_eq!(round_to_scale(9, 60, 1), Some(0));
        assert_eq!(trunc_to_scale(1999, 3, 1), Some(19));
        assert_eq!(trunc_to_scale(-1999, 3, 1), Some(-19));
    }

    #[test]
    fn multiplies_and_divides() {
        // 2 ÷ 3
        assert_eq!(div_scaled((200, 2), (3, 0), 6), Some(666_667));
        assert_eq!(div_scaled((-200, 2), (3, 0), 6), Some(-666_667));
        assert_eq!(div_scaled((1, 0), (0, 6), 6), None);
        // 1.5 × 1.25 = 1.875
        assert_eq!(mul_scaled((15, 1), (125, 2), 2), Some(188));
        // 10 × 1 ÷ 4 = 2.5
        assert_eq!(muldiv_scaled((10, 0), (1, 0), (4, 0), 0), Some(3));
        // too large for any decimal
        let big = 10_i128.pow(38) - 1;
        assert_eq!(mul_scaled((big, 0), (big, 0), 0), None);
        // but not when divided again
        assert_eq!(muldiv_scaled((big, 6), (big, 6), (big, 6), 6), Some(big));
        assert_eq!(muldiv_scaled((-big, 6), (big, 6), (big, 6), 6), Some(-big));
        assert_eq!(muldiv_scaled((big, 38), (big, 38), (big, 0), 38), Some(1));
        assert_eq!(muldiv_scaled((big, 0), (big, 0), (big, 38), 0), None);
    }

    #[test]
    fn wide_agrees_with_narrow() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i128::from((state >> 24) as i64 - (1 << 39)) >> (state % 37)
        };
        for round in 0..3000 {
            let (a, b, c) = (random(), random(), random());
            if c == 0 {
                continue;
            }
            let (up, down) = (round % 7, round % 5);
            let expected = narrow(a, b, c, up, down).unwrap();
            assert_eq!(wide(a, b, c, up, down), Some(expected), "{a} {b} {c} {up} {down}");
        }
    }

    #[test]
    fn writes_text() {
        for (value, scale, want) in
            [(0, 2, "0.00"), (5, 2, "0.05"), (-5, 2, "-0.05"), (-1250, 2, "-12.50"), (7, 0, "7"), (1, 6, "0.000001")]
        {
            assert_eq!(decimal_text(value, scale), want);
        }
    }
}
