//! Ids that went through a binary float and were written down as text.

use super::half_width;

/// Whether an id as text shows that its digits are lost: scientific notation (`1.23457E+17`, `1e+05`, `1e17`), or more than 15 digits
/// with a point behind them (`342024020000000128.0`). Full-width forms are read as ASCII.
///
/// `12E3` stays a code: no program writes the number so.
#[must_use]
pub fn lost_digits(text: &str) -> bool {
    // whoever begins otherwise is no number; most ids end here or are digits to their end
    match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-') => text.bytes().any(|byte| !byte.is_ascii_digit()) && is_lost(text),
        Some(0xef) => is_lost(text),
        _ => false,
    }
}

fn is_lost(text: &str) -> bool {
    let mut chars = text.chars().map(half_width).peekable();
    let sign = |c: &char| matches!(c, '+' | '-');
    chars.next_if(sign);
    let mut whole = 0_usize;
    while chars.next_if(char::is_ascii_digit).is_some() {
        whole += 1;
    }
    let point = chars.next_if_eq(&'.').is_some();
    let mut fraction = 0_usize;
    while point && chars.next_if(char::is_ascii_digit).is_some() {
        fraction += 1;
    }
    if whole == 0 {
        return false;
    }
    if chars.next_if(|c| matches!(c, 'e' | 'E')).is_none() {
        return chars.peek().is_none() && point && fraction > 0 && whole > 15;
    }
    let signed = chars.next_if(sign).is_some();
    let mut exponent = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        exponent.push(digit);
    }
    if exponent.is_empty() || chars.peek().is_some() {
        return false;
    }
    // without point and sign it is written so by few (MySQL: 1e17), and only where the number is long
    let long = whole == 1 && exponent.parse::<u32>().is_ok_and(|exponent| (15..=308).contains(&exponent));
    point || signed || long
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_a_float_wrote() {
        for text in [
            "1.23457E+17",
            "1E+17",
            "1e+05",
            "1.0E17",
            "3.42024020000000128e17",
            "1e17",
            "-1.5E+3",
            "１．２３Ｅ＋１７",
            "1.2e-7",
            "342024020000000128.0",
            "1234567890123456.0",
        ] {
            assert!(lost_digits(text), "{text}");
        }
        for text in [
            "",
            "1",
            "342024020000000128",
            "12E3",
            "1E5",
            "E+17",
            "1E",
            "1E+",
            "1.5",
            "123456789012345.0",
            "1E+17X",
            "XE+17",
            "1.2.3E+4",
            "2024-01",
            "+",
            "0x1E+17",
            "1E400",
            "H1E+17",
            "药1E+17",
        ] {
            assert!(!lost_digits(text), "{text}");
        }
    }
}
