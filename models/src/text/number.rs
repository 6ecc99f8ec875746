//! Decimal numbers.

use super::BadText;
use crate::value::pow10;

/// Whether a number has digits other than 0 beyond this scale, so that parsing rounds it; false of what is no number.
#[must_use]
pub fn has_more_decimals(text: &str, scale: i8) -> bool {
    let kept = usize::try_from(scale).unwrap_or(0);
    let Some((_, fraction)) = text.split_once(['.', '．']) else { return false };
    fraction.chars().skip(kept).any(|digit| matches!(digit, '1'..='9' | '１'..='９')) && parse_decimal(text, 38, 0).is_ok()
}

/// Parses a number into a decimal of this precision and scale (its scaled integer).
///
/// Full-width digits, comma, point and minus are read as ASCII; a minus may lead; a digit on both sides of
/// the point; commas only in correct groups of three. What is beyond the scale is rounded half away from zero.
///
/// # Errors
/// [`BadText::Number`] where it is no such number, [`BadText::TooLarge`] where it does not fit the precision.
pub fn parse_decimal(text: &str, precision: u8, scale: i8) -> Result<i128, BadText> {
    let scale = u32::try_from(scale).unwrap_or(0);
    let mut symbols = Symbols { rest: text.as_bytes() };
    let mut symbol = symbols.next();
    let negative = symbol == Some(b'-');
    if negative {
        symbol = symbols.next();
    }

    let mut sum = Sum { value: 0, overflow: false };
    let mut run = 0_u32; // digits since the last comma
    let mut grouped = false;
    while let Some(c) = symbol {
        match c {
            b'0'..=b'9' => {
                sum.push(c);
                run = run.saturating_add(1);
            }
            b',' if run == 3 || (!grouped && (run == 1 || run == 2)) => {
                grouped = true;
                run = 0;
            }
            b'.' => break,
            _ => return Err(BadText::Number),
        }
        symbol = symbols.next();
    }
    if run == 0 || (grouped && run != 3) {
        return Err(BadText::Number);
    }

    let mut places = 0_u32;
    let mut round_up = false;
    if symbol.is_some() {
        let mut seen = false;
        for c in symbols {
            if !c.is_ascii_digit() {
                return Err(BadText::Number);
            }
            if places < scale {
                sum.push(c);
                places += 1;
            } else if places == scale {
                round_up = c >= b'5';
                places += 1; // later digits no longer matter
            }
            seen = true;
        }
        if !seen {
            return Err(BadText::Number);
        }
    }
    for _ in places..scale {
        sum.push(b'0');
    }
    if round_up {
        sum.value += 1;
    }
    let limit = pow10(u32::from(precision.min(38))).ok_or(BadText::TooLarge)?;
    if sum.overflow || sum.value >= limit {
        return Err(BadText::TooLarge);
    }
    Ok(if negative { -sum.value } else { sum.value })
}

/// One more digit would be the 39th.
const CEILING: i128 = 10_i128.pow(37);

struct Sum {
    value: i128,
    overflow: bool,
}

impl Sum {
    fn push(&mut self, digit: u8) {
        if self.value >= CEILING {
            self.overflow = true;
        } else {
            self.value = self.value * 10 + i128::from(digit - b'0');
        }
    }
}

/// The bytes of a number, full-width forms as ASCII; anything else stays what it is and is refused.
struct Symbols<'a> {
    rest: &'a [u8],
}

impl Iterator for Symbols<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let (symbol, rest) = match self.rest {
            [] => return None,
            // U+FF0C ，  U+FF0D －  U+FF0E ．  U+FF10..U+FF19 ０..９
            [0xef, 0xbc, 0x8c, rest @ ..] => (b',', rest),
            [0xef, 0xbc, 0x8d, rest @ ..] => (b'-', rest),
            [0xef, 0xbc, 0x8e, rest @ ..] => (b'.', rest),
            [0xef, 0xbc, digit @ 0x90..=0x99, rest @ ..] => (b'0' + (digit - 0x90), rest),
            [first, rest @ ..] => (*first, rest),
        };
        self.rest = rest;
        Some(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::decimal_text;

    fn money(text: &str) -> Result<i128, BadText> {
        parse_decimal(text, 18, 2)
    }

    #[test]
    fn reads_numbers() {
        for (text, want) in [
            ("0", 0),
            ("-0", 0),
            ("-0.00", 0),
            ("007", 700),
            ("12", 1200),
            ("12.3", 1230),
            ("12.34", 1234),
            ("-12.34", -1234),
            ("12.344999999999999999999999999999999999999", 1234),
            ("12.345", 1235),
            ("-12.345", -1235),
            ("0.005", 1),
            ("-0.004", 0),
            ("9.995", 1000),
            ("1,234", 123_400),
            ("12,500", 1_250_000),
            ("1,234,567.89", 123_456_789),
            ("-1,234", -123_400),
            ("0,123", 12_300),
            ("１２，５００．５", 1_250_050),
            ("－1２.5", -1250),
            ("1，234", 123_400),
            ("0000000000000000000000000000000000000000000001", 100),
            ("9999999999999999.99", 999_999_999_999_999_999),
            ("9999999999999999.994", 999_999_999_999_999_999),
        ] {
            assert_eq!(money(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in [
            "",
            "-",
            ".",
            "--",
            "N/A",
            "+1",
            "＋1",
            ".5",
            "5.",
            "-.5",
            "1e3",
            "1E3",
            "5%",
            "¥5",
            "1,23",
            "12,34",
            "1234,567",
            "1,2345",
            ",123",
            "123,",
            "1,,234",
            "1,234,56",
            "1.234,567",
            "1 234",
            " 1",
            "1 ",
            "--1",
            "1-",
            "- 1",
            "1.2.3",
            "1..2",
            "1_000",
            "１。５",
            "−1",
            "一",
            "0x10",
            "inf",
            "NaN",
            "1,234.",
            "1\u{0}",
            "1\u{ff1a}",
            "٣",
        ] {
            assert_eq!(money(text), Err(BadText::Number), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_too_large() {
        for text in [
            "10000000000000000",
            "9999999999999999.995",
            "-9999999999999999.995",
            "99999999999999999999999999999999999999999999999999",
            "170141183460469231731687303715884105728",
        ] {
            assert_eq!(money(text), Err(BadText::TooLarge), "{text}");
        }
        // bad beats large
        assert_eq!(money("99999999999999999999999999999999999999999999999999x"), Err(BadText::Number));
    }

    #[test]
    fn holds_38_digits() {
        let nines = "9".repeat(32) + "." + &"9".repeat(6);
        assert_eq!(parse_decimal(&nines, 38, 6), Ok(10_i128.pow(38) - 1));
        assert_eq!(parse_decimal(&(nines + "5"), 38, 6), Err(BadText::TooLarge));
        assert_eq!(parse_decimal(&"9".repeat(38), 38, 0), Ok(10_i128.pow(38) - 1));
        assert_eq!(parse_decimal("2.5", 18, 0), Ok(3));
        assert_eq!(parse_decimal("2.4", 18, 0), Ok(2));
    }

    #[test]
    fn text_and_back() {
        let mut state = 7_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = i128::from((state as i64) % 1_000_000_000_000_000_000) >> (state % 50);
            for scale in [0_i8, 2, 4, 6] {
                let text = decimal_text(value, scale.unsigned_abs().into());
                assert_eq!(parse_decimal(&text, 18, scale), Ok(value), "{text}");
            }
        }
    }
}
