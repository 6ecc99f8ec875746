//! The run's clock: the one place where the wall clock enters.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, SubsecRound};

/// Hours of Asia/Shanghai ahead of UTC; it has no summer time.
const SHANGHAI_HOURS: i64 = 8;

/// The instant of a run, naive Asia/Shanghai: the end of every window, the ingestion time of every row, the data instant of every
/// value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    instant: NaiveDateTime,
    fixed: bool,
}

impl Clock {
    /// Now in Asia/Shanghai, to the second.
    #[must_use]
    pub fn now() -> Self {
        Self { instant: (wall() + chrono::Duration::hours(SHANGHAI_HOURS)).trunc_subsecs(0), fixed: false }
    }

    /// A given instant.
    #[must_use]
    pub const fn at(instant: NaiveDateTime) -> Self {
        Self { instant, fixed: true }
    }

    /// A given instant as text (`yyyy-MM-ddTHH:mm:ss`; seconds, or the whole time, may be left out), or now.
    ///
    /// # Errors
    /// The sentence that says what is wrong with it.
    pub fn parse(text: Option<&str>) -> Result<Self, String> {
        text.map_or_else(|| Ok(Self::now()), |text| parse_instant(text).map(Self::at))
    }

    /// The instant.
    #[must_use]
    pub const fn instant(&self) -> NaiveDateTime {
        self.instant
    }

    /// The instant in microseconds, naive.
    #[must_use]
    pub fn micros(&self) -> i64 {
        self.instant.and_utc().timestamp_micros()
    }

    /// `yyyy-MM-ddTHH:mm:ss`.
    #[must_use]
    pub fn text(&self) -> String {
        self.instant.format("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// Whether the instant was given, and is not simply now.
    #[must_use]
    pub const fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// Unix seconds now, whatever the run's instant: for the lease's expiry only.
    #[must_use]
    pub fn unix_now(&self) -> i64 {
        wall().and_utc().timestamp()
    }
}

#[expect(clippy::disallowed_methods, reason = "the run's clock: the one place where time enters")]
fn wall() -> NaiveDateTime {
    chrono::Utc::now().naive_utc()
}

/// Reads `yyyy-MM-dd[THH:mm[:ss]]`, a blank for the `T` too.
///
/// # Errors
/// The sentence that says what is wrong with it.
pub fn parse_instant(text: &str) -> Result<NaiveDateTime, String> {
    let plain = text.trim().replacen(' ', "T", 1);
    ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&plain, form).ok())
        .or_else(|| NaiveDate::parse_from_str(&plain, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN)))
        .ok_or_else(|| format!("`{text}` is no instant: write yyyy-MM-ddTHH:mm:ss"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_in_four_forms() {
        let clock = Clock::parse(Some("2024-07-03T02:00:00")).unwrap();
        assert_eq!((clock.text().as_str(), clock.is_fixed()), ("2024-07-03T02:00:00", true));
        assert_eq!(clock.micros(), 1_719_972_000_000_000);
        for text in ["2024-07-03 02:00:00", "2024-07-03T02:00", " 2024-07-03T02:00:00 "] {
            assert_eq!(parse_instant(text).unwrap(), clock.instant(), "{text}");
        }
        assert_eq!(Clock::parse(Some("2024-07-03")).unwrap().text(), "2024-07-03T00:00:00");
        assert!(Clock::parse(Some("2024-07-03T02:00:00Z")).is_err());
        assert!(Clock::parse(Some("soon")).is_err());
    }

    #[test]
    fn now_is_shanghai_time_to_the_second() {
        let clock = Clock::now();
        assert_eq!(clock.micros() % 1_000_000, 0);
        let apart = clock.micros() / 1_000_000 - clock.unix_now();
        assert!((28_798..=28_800).contains(&apart), "{apart}");
    }
}
