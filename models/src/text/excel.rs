//! Excel serials.

use crate::value::{civil_from_days, days_from_civil};

const DAY_SECONDS: u128 = 86_400;

/// Days from the first day of the 1900 system to that of the 1904 system.
const DAYS_TO_1904: i32 = 1462;

/// A numeric cell of a date, time or month column, by its shortest decimal text → `yyyy-MM-dd HH:mm:ss`.
///
/// The 1900 system; exactly five digits before the point; the fraction is the time, rounded to the second.
/// `None` where the text is no such serial: it then is what it is, text.
#[must_use]
pub fn excel_serial_to_text(digits: &str) -> Option<String> {
    excel_serial_to_text_of(digits, false)
}

/// [`excel_serial_to_text`] of a workbook whose days are counted from 1904 (older Excel for Mac, and templates made with it), or of one of
/// the 1900 system.
#[must_use]
pub fn excel_serial_to_text_of(digits: &str, date1904: bool) -> Option<String> {
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (digits, ""),
    };
    let all_digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    if whole.len() != 5 || whole.starts_with('0') || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let serial: i32 = whole.parse().ok()?;
    // thirty places are far more than a double or a file has; the rest can't move a second
    let kept = fraction.get(..30).unwrap_or(fraction);
    let (mut part, mut one) = (0_u128, 1_u128);
    for c in kept.bytes() {
        part = part * 10 + u128::from(c - b'0');
        one *= 10;
    }
    let seconds = (part * DAY_SECONDS * 2 + one) / (one * 2);
    let seconds = i32::try_from(seconds).ok()?;
    let (extra_day, seconds) = (seconds / 86_400, seconds % 86_400);
    let days = days_from_civil(1899, 12, 30) + serial + extra_day + if date1904 { DAYS_TO_1904 } else { 0 };
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_serials() {
        for (digits, want) in [
            ("45292", "2024-01-01 00:00:00"),
            ("45292.5", "2024-01-01 12:00:00"),
            ("45351", "2024-02-29 00:00:00"),
            ("45292.33333333333", "2024-01-01 08:00:00"),
            ("45292.999999", "2024-01-02 00:00:00"),
            ("45657.99999", "2024-12-31 23:59:59"),
            ("45292.00000578703", "2024-01-01 00:00:00"),
            ("45292.00000578704", "2024-01-01 00:00:01"),
            ("10000", "1927-05-18 00:00:00"),
            ("99999", "2173-10-13 00:00:00"),
            ("45292.000000000000000000000000000000000000000001", "2024-01-01 00:00:00"),
        ] {
            assert_eq!(excel_serial_to_text(digits).as_deref(), Some(want), "{digits}");
        }
    }

    #[test]
    fn reads_serials_from_1904() {
        for (digits, want) in [
            ("43860", "2024-01-31 00:00:00"),
            ("43860.5", "2024-01-31 12:00:00"),
            ("43889", "2024-02-29 00:00:00"),
            ("10000", "1931-05-19 00:00:00"),
        ] {
            assert_eq!(excel_serial_to_text_of(digits, true).as_deref(), Some(want), "{digits}");
        }
        assert_eq!(excel_serial_to_text_of("9999", true), None);
    }

    #[test]
    fn refuses_the_rest() {
        for digits in ["", "1", "9999", "100000", "20240105", "-45292", "45292.", ".5", "045292", "4.5292e4", "01234"] {
            assert_eq!(excel_serial_to_text(digits), None, "{digits}");
        }
    }
}
