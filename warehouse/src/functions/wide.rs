//! Exact integer arithmetic on 256 bits, the base of all decimal results.

use arrow::datatypes::i256;

/// 10 to the power of `exponent`; none above 10^76.
pub(crate) fn pow10(exponent: u32) -> Option<i256> {
    if exponent <= 38 { Some(i256::from_i128(10_i128.checked_pow(exponent)?)) } else { i256::from_i128(10).checked_pow(exponent) }
}

/// n ÷ d rounded half away from zero; none when d is 0.
pub(crate) fn div_half_away(n: i256, d: i256) -> Option<i256> {
    if let (Some(n), Some(d)) = (n.to_i128(), d.to_i128()) {
        return div_half_away_128(n, d).map(i256::from_i128);
    }
    let quotient = n.checked_div(d)?;
    let rest = n.checked_rem(d)?.checked_abs()?;
    let whole = d.checked_abs()?;
    if rest >= whole.checked_sub(rest)? {
        let away = if n.is_negative() == d.is_negative() { i256::ONE } else { i256::MINUS_ONE };
        return quotient.checked_add(away);
    }
    Some(quotient)
}

/// The same on 128 bits, where most numbers are.
fn div_half_away_128(n: i128, d: i128) -> Option<i128> {
    let quotient = n.checked_div(d)?;
    let rest = n.checked_rem(d)?.unsigned_abs();
    if rest >= d.unsigned_abs() - rest {
        return quotient.checked_add(if (n < 0) == (d < 0) { 1 } else { -1 });
    }
    Some(quotient)
}

/// a · b; none when it needs more than 255 bits.
pub(crate) fn mul(a: i256, b: i256) -> Option<i256> {
    if let (Some(a), Some(b)) = (a.to_i128(), b.to_i128())
        && let Some(product) = a.checked_mul(b)
    {
        return Some(i256::from_i128(product));
    }
    a.checked_mul(b)
}

/// `value` with `from` places brought to `to` places, rounded half away from zero.
pub(crate) fn rescale(value: i256, from: i32, to: i32) -> Option<i256> {
    let shift = pow10(from.abs_diff(to))?;
    if to >= from { mul(value, shift) } else { div_half_away(value, shift) }
}

/// n · 10^exponent ÷ d rounded half away from zero, for an exponent of either sign.
pub(crate) fn scaled_div(n: i256, d: i256, exponent: i32) -> Option<i256> {
    let shift = pow10(exponent.unsigned_abs())?;
    if exponent >= 0 { div_half_away(mul(n, shift)?, d) } else { div_half_away(n, mul(d, shift)?) }
}

/// The number as 128 bits if it has at most `digits` digits.
pub(crate) fn fit(value: i256, digits: u32) -> Option<i128> {
    let value = value.to_i128()?;
    (value.unsigned_abs() < 10_u128.checked_pow(digits)?).then_some(value)
}
