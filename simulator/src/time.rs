//! Months, days and the calendar of workdays.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month(i32);

impl Month {
    /// Reads `yyyy-MM`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (y, m) = text.split_once('-')?;
        let (year, month) = (y.parse::<i32>().ok()?, m.parse::<i32>().ok()?);
        ((1990..2090).contains(&year) && (1..=12).contains(&month) && text.len() == 7).then_some(Self(year * 12 + month - 1))
    }

    /// The month `n` later (or earlier, if negative).
    pub(crate) fn plus(self, n: i32) -> Self {
        Self(self.0 + n)
    }

    /// Months from `other` to this one.
    pub(crate) fn since(self, other: Self) -> i32 {
        self.0 - other.0
    }

    /// `yyyy-MM`.
    pub(crate) fn dashed(self) -> String {
        format!("{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }

    /// `yyyyMM`.
    pub(crate) fn compact(self) -> String {
        format!("{:04}{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }

    /// The first day.
    pub(crate) fn first(self) -> NaiveDate {
        let month = u32::try_from(self.0.rem_euclid(12) + 1).unwrap_or(1);
        NaiveDate::from_ymd_opt(self.0.div_euclid(12), month, 1).unwrap_or(NaiveDate::MIN)
    }

    /// The last day.
    pub(crate) fn last(self) -> NaiveDate {
        self.plus(1).first() - Duration::days(1)
    }

    /// The first instant.
    pub(crate) fn start(self) -> NaiveDateTime {
        self.first().and_time(NaiveTime::MIN)
    }

    /// How many days it has.
    pub(crate) fn days(self) -> i64 {
        (self.plus(1).first() - self.first()).num_days()
    }
}

/// A fixed hour of a day.
pub(crate) fn at_hour(day: NaiveDate, hour: u32) -> NaiveDateTime {
    day.and_hms_opt(hour, 0, 0).unwrap_or_else(|| day.and_time(NaiveTime::MIN))
}

/// Whether a day is worked: Monday to Friday, less the fixed-date holidays.
pub(crate) fn is_workday(day: NaiveDate) -> bool {
    let holiday = matches!((day.month(), day.day()), (1, 1) | (5, 1..=3) | (10, 1..=7));
    !holiday && !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// `yyyy-MM-dd HH:mm:ss`.
pub(crate) fn stamp(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}
