//! Calendar months.

use std::fmt;
use std::str::FromStr;

use super::{DAY_MICROS, civil_from_days, days_from_civil};

/// A calendar month; written `yyyy-MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32); // months since year 0

/// Text that is no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month (yyyy-MM)")]
pub struct BadMonth(pub String);

impl Month {
    /// The month of a year (1..=9999) and a month number (1..=12; others carry over).
    #[must_use]
    pub const fn of(year: i32, month: u32) -> Self {
        Self(year * 12 + month as i32 - 1)
    }

    /// Parses `yyyy-MM`, nothing else.
    ///
    /// # Errors
    /// [`BadMonth`] where it is none.
    pub fn parse(text: &str) -> Result<Self, BadMonth> {
        Self::read(text.as_bytes()).ok_or_else(|| BadMonth(text.to_owned()))
    }

    fn read(text: &[u8]) -> Option<Self> {
        let [a, b, c, d, b'-', e, f] = *text else {
            return None;
        };
        if ![a, b, c, d, e, f].iter().all(u8::is_ascii_digit) {
            return None;
        }
        let digit = |c: u8| i32::from(c - b'0');
        let year = ((digit(a) * 10 + digit(b)) * 10 + digit(c)) * 10 + digit(d);
        let month = digit(e) * 10 + digit(f);
        (year > 0 && (1..=12).contains(&month)).then_some(Self(year * 12 + month - 1))
    }

    /// The month of a day number.
    #[must_use]
    pub const fn of_days(days: i32) -> Self {
        let (year, month, _) = civil_from_days(days);
        Self::of(year, month)
    }

    /// The month of an instant in microseconds.
    #[must_use]
    pub const fn of_micros(micros: i64) -> Self {
        Self::of_days(micros.div_euclid(DAY_MICROS) as i32)
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// The month of the year, 1..=12.
    #[must_use]
    pub const fn month(self) -> u32 {
        self.0.rem_euclid(12) as u32 + 1
    }

    /// So many months later (negative: earlier).
    #[must_use]
    pub const fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    /// The month after.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// The month before.
    #[must_use]
    pub const fn prev(self) -> Self {
        self.plus(-1)
    }

    /// How many months after the other it is.
    #[must_use]
    pub const fn since(self, other: Self) -> i32 {
        self.0 - other.0
    }

    /// The day number of its first day.
    #[must_use]
    pub const fn first_day(self) -> i32 {
        days_from_civil(self.year(), self.month(), 1)
    }

    /// Its first instant, in microseconds; the end of a month is the first instant of the next.
    #[must_use]
    pub const fn first_micros(self) -> i64 {
        self.first_day() as i64 * DAY_MICROS
    }

    /// The months from this one to the last, both included; none where the last is earlier.
    #[must_use]
    pub const fn through(self, last: Self) -> Months {
        Months { next: self, last }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.month())
    }
}

impl FromStr for Month {
    type Err = BadMonth;

    fn from_str(text: &str) -> Result<Self, BadMonth> {
        Self::parse(text)
    }
}

/// A run of months.
#[derive(Clone, Debug)]
pub struct Months {
    next: Month,
    last: Month,
}

impl Iterator for Months {
    type Item = Month;

    fn next(&mut self) -> Option<Month> {
        if self.next > self.last {
            return None;
        }
        let month = self.next;
        self.next = month.next();
        Some(month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_go_round() {
        let month = Month::parse("2024-12").unwrap();
        assert_eq!(month.next().to_string(), "2025-01");
        assert_eq!(month.plus(-12).to_string(), "2023-12");
        assert_eq!(month.prev().since(month), -1);
        assert_eq!((month.year(), month.month()), (2024, 12));
        assert_eq!(Month::of_micros(month.first_micros()), month);
        assert_eq!(Month::of_micros(month.first_micros() - 1), month.prev());
        let all: Vec<String> = month.through(month.plus(2)).map(|m| m.to_string()).collect();
        assert_eq!(all, ["2024-12", "2025-01", "2025-02"]);
        assert_eq!(month.through(month.prev()).count(), 0);
        for text in ["", "2024", "2024-1", "2024-13", "2024-00", "0000-01", "2024/01", "2024-011", "２024-1"] {
            assert!(Month::parse(text).is_err(), "{text}");
        }
    }
}
