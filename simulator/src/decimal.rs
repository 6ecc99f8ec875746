//! Exact money: integers of the smallest unit, and how they are written.

/// Writes `value` units of 10^-`scale`, e.g. `(1234, 2)` as `12.34`.
pub(crate) fn fixed(value: i64, scale: u32) -> String {
    if scale == 0 {
        return value.to_string();
    }
    let unit = 10_u64.pow(scale);
    let sign = if value < 0 { "-" } else { "" };
    let abs = value.unsigned_abs();
    format!("{sign}{}.{:0width$}", abs / unit, abs % unit, width = scale as usize)
}

/// `a ÷ b`, rounded half away from zero; 0 where `b` is 0.
pub(crate) fn div_round(a: i128, b: i128) -> i64 {
    if b == 0 {
        return 0;
    }
    let (num, den) = if b < 0 { (-a, -b) } else { (a, b) };
    let twice = num.abs() * 2 + den;
    let abs = twice / (den * 2);
    i64::try_from(if num < 0 { -abs } else { abs }).unwrap_or(i64::MAX)
}

/// The amount in cents of `count` units at a price in units of 10^-`scale` yuan.
pub(crate) fn amount_cents(count: i64, price: i64, scale: u32) -> i64 {
    let product = i128::from(count) * i128::from(price);
    if scale <= 2 {
        return i64::try_from(product * 10_i128.pow(2 - scale)).unwrap_or(i64::MAX);
    }
    div_round(product, 10_i128.pow(scale - 2))
}

/// Puts thousands commas into a plain decimal text.
pub(crate) fn with_commas(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |r| ("-", r));
    let (whole, frac) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
    let mut out = String::from(sign);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if let Some(f) = frac {
        out.push('.');
        out.push_str(f);
    }
    out
}

/// The same text in full-width digits, comma, point and minus.
pub(crate) fn full_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0'..='9' | ',' | '.' | '-' => char::from_u32(c as u32 + 0xFEE0).unwrap_or(c),
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact() {
        assert_eq!(fixed(-5, 2), "-0.05");
        assert_eq!(fixed(123_456, 4), "12.3456");
        assert_eq!(amount_cents(3, 12_345, 4), 370);
        assert_eq!(amount_cents(-1, 12_350, 4), -124);
        assert_eq!(amount_cents(7, 1597, 2), 11_179);
        assert_eq!(div_round(5, 2), 3);
        assert_eq!(div_round(-5, 2), -3);
        assert_eq!(with_commas("-1234567.50"), "-1,234,567.50");
        assert_eq!(with_commas("999"), "999");
        assert_eq!(full_width("1.5"), "１．５");
    }
}
