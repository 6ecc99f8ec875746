//! Dates, times and months.

use super::BadText;
use crate::value::{DAY_MICROS, Month, days_from_civil};

/// Microseconds since 1970-01-01, naive; `None` for the null dates `29991231` and `0000-00-00`.
///
/// # Errors
/// [`BadText::Date`] where it is none of the forms sources may write.
pub fn parse_timestamp(text: &str) -> Result<Option<i64>, BadText> {
    if is_null_date(text) {
        return Ok(None);
    }
    let moment = moment(text.as_bytes()).ok_or(BadText::Date)?;
    Ok(Some(i64::from(moment.days()) * DAY_MICROS + moment.micros))
}

/// Days since 1970-01-01; a time is cut off; `None` for the null dates.
///
/// # Errors
/// [`BadText::Date`] where it is none of the forms sources may write.
pub fn parse_date(text: &str) -> Result<Option<i32>, BadText> {
    if is_null_date(text) {
        return Ok(None);
    }
    Ok(Some(moment(text.as_bytes()).ok_or(BadText::Date)?.days()))
}

/// `yyyy-MM`, from itself or from any date or time; `None` for the null dates.
///
/// # Errors
/// [`BadText::Date`] where it is none of the forms sources may write.
pub fn parse_month(text: &str) -> Result<Option<String>, BadText> {
    if is_null_date(text) {
        return Ok(None);
    }
    if let Ok(month) = Month::parse(text) {
        return Ok(Some(month.to_string()));
    }
    let moment = moment(text.as_bytes()).ok_or(BadText::Date)?;
    Ok(Some(Month::of(moment.year, moment.month).to_string()))
}

fn is_null_date(text: &str) -> bool {
    text == "29991231" || text == "0000-00-00"
}

struct Moment {
    year: i32,
    month: u32,
    day: u32,
    micros: i64,
}

impl Moment {
    const fn days(&self) -> i32 {
        days_from_civil(self.year, self.month, self.day)
    }
}

const NIAN: &[u8] = "年".as_bytes();
const YUE: &[u8] = "月".as_bytes();
const RI: &[u8] = "日".as_bytes();

/// All forms but `yyyy-MM`.
fn moment(text: &[u8]) -> Option<Moment> {
    let mut rest = text;
    let year = fixed(&mut rest, 4)?;
    let (month, day);
    match *rest.first()? {
        b'-' => {
            rest = rest.get(1..)?;
            month = fixed(&mut rest, 2)?;
            literal(&mut rest, b"-")?;
            day = fixed(&mut rest, 2)?;
        }
        separator @ (b'/' | b'.') => {
            rest = rest.get(1..)?;
            month = one_or_two(&mut rest)?;
            literal(&mut rest, &[separator])?;
            day = one_or_two(&mut rest)?;
        }
        b'0'..=b'9' => {
            month = fixed(&mut rest, 2)?;
            day = fixed(&mut rest, 2)?;
            if rest.first().is_some_and(u8::is_ascii_digit) {
                let micros = compact_time(rest)?;
                return checked(year, month, day, micros);
            }
        }
        _ => {
            literal(&mut rest, NIAN)?;
            month = one_or_two(&mut rest)?;
            literal(&mut rest, YUE)?;
            day = one_or_two(&mut rest)?;
            literal(&mut rest, RI)?;
        }
    }
    let micros = match rest {
        [] => 0,
        [b' ' | b'T', time @ ..] => clock_time(time)?,
        _ => return None,
    };
    checked(year, month, day, micros)
}

/// `H:mm`, `H:mm:ss`, `H:mm:ss.f…`
fn clock_time(mut rest: &[u8]) -> Option<i64> {
    let hour = one_or_two(&mut rest)?;
    literal(&mut rest, b":")?;
    let minute = fixed(&mut rest, 2)?;
    if rest.is_empty() {
        return micros(hour, minute, 0, 0);
    }
    literal(&mut rest, b":")?;
    let second = fixed(&mut rest, 2)?;
    if rest.is_empty() {
        return micros(hour, minute, second, 0);
    }
    literal(&mut rest, b".")?;
    if rest.is_empty() {
        return None;
    }
    let mut fraction = 0_i64;
    for position in 0..rest.len().max(6) {
        let digit = match rest.get(position) {
            Some(c @ b'0'..=b'9') => i64::from(c - b'0'),
            Some(_) => return None,
            None => 0,
        };
        if position < 6 {
            fraction = fraction * 10 + digit;
        }
    }
    micros(hour, minute, second, fraction)
}

/// `HHmmss` or `HHmmssSSS`
fn compact_time(mut rest: &[u8]) -> Option<i64> {
    let hour = fixed(&mut rest, 2)?;
    let minute = fixed(&mut rest, 2)?;
    let second = fixed(&mut rest, 2)?;
    let millis = if rest.is_empty() { 0 } else { fixed(&mut rest, 3)? };
    if !rest.is_empty() {
        return None;
    }
    micros(hour, minute, second, i64::from(millis) * 1000)
}

fn micros(hour: u32, minute: u32, second: u32, fraction: i64) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(i64::from(hour * 3600 + minute * 60 + second) * 1_000_000 + fraction)
}

fn checked(year: u32, month: u32, day: u32, micros: i64) -> Option<Moment> {
    let year = i32::try_from(year).ok()?;
    if year == 0 || !(1..=12).contains(&month) || day == 0 || day > month_length(year, month) {
        return None;
    }
    Some(Moment { year, month, day, micros })
}

const fn month_length(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Exactly so many digits.
fn fixed(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (digits, tail) = rest.split_at_checked(count)?;
    let mut value = 0;
    for c in digits {
        if !c.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u32::from(c - b'0');
    }
    *rest = tail;
    Some(value)
}

/// One or two digits, as many as there are.
fn one_or_two(rest: &mut &[u8]) -> Option<u32> {
    match **rest {
        [b'0'..=b'9', b'0'..=b'9', ..] => fixed(rest, 2),
        _ => fixed(rest, 1),
    }
}

fn literal(rest: &mut &[u8], expected: &[u8]) -> Option<()> {
    *rest = rest.strip_prefix(expected)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate, NaiveDateTime};

    use super::*;

    fn at(text: &str) -> i64 {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap().and_utc().timestamp_micros()
    }

    #[test]
    fn reads_all_forms() {
        for (text, want) in [
            ("2024-01-05", "2024-01-05 00:00:00"),
            ("2024/1/5", "2024-01-05 00:00:00"),
            ("2024/01/05", "2024-01-05 00:00:00"),
            ("2024/12/31 8:05", "2024-12-31 08:05:00"),
            ("2024.1.5", "2024-01-05 00:00:00"),
            ("2024.11.15T23:59:59", "2024-11-15 23:59:59"),
            ("2024年1月5日", "2024-01-05 00:00:00"),
            ("2024年01月05日 13:01", "2024-01-05 13:01:00"),
            ("20240105", "2024-01-05 00:00:00"),
            ("20240105 8:05:09", "2024-01-05 08:05:09"),
            ("20240105T18:05:09.5", "2024-01-05 18:05:09.5"),
            ("20240105080509", "2024-01-05 08:05:09"),
            ("20240105080509123", "2024-01-05 08:05:09.123"),
            ("2024-02-29 0:00", "2024-02-29 00:00:00"),
            ("2000-02-29T00:00:00", "2000-02-29 00:00:00"),
            ("2024-01-05 08:05:09.1234567899", "2024-01-05 08:05:09.123456"),
            ("2024-01-05 08:05:09.9999999", "2024-01-05 08:05:09.999999"),
            ("1969-12-31 23:59:59.000001", "1969-12-31 23:59:59.000001"),
            ("0001-01-01", "0001-01-01 00:00:00"),
            ("9999-12-31", "9999-12-31 00:00:00"),
            ("2999-12-31", "2999-12-31 00:00:00"),
            ("29991231 0:00", "2999-12-31 00:00:00"),
        ] {
            assert_eq!(parse_timestamp(text), Ok(Some(at(want))), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "2024",
            "202401",
            "2024-01",
            "2024-1-5",
            "2024-01-5",
            "24-01-05",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-01-32",
            "2023-02-29",
            "1900-02-29",
            "2024-04-31",
            "2024/1-5",
            "2024-01/05",
            "2024/1.5",
            "2024/001/05",
            "2024/1/",
            "2024年1月5",
            "2024年1月",
            "2024年1月5日8:05",
            "2024-01-05 ",
            "2024-01-05T",
            "2024-01-05  8:05",
            "2024-01-05t08:05",
            "2024-01-05 24:00",
            "2024-01-05 24:00:00",
            "2024-01-05 8",
            "2024-01-05 8:5",
            "2024-01-05 8:05:9",
            "2024-01-05 008:05",
            "2024-01-05 23:60",
            "2024-01-05 23:59:60",
            "2024-01-05 8:05:09.",
            "2024-01-05 8:05:09,5",
            "2024-01-05 8:05.5",
            "2024-01-05 08:05:09Z",
            "2024-01-05 08:05:09+08:00",
            "2024-01-05 08:05:09 +0800",
            "2024-01-05 08:05 PM",
            "202401050805",
            "2024010508",
            "2024010508050",
            "2024010508050912",
            "2024010508050912345",
            "20240105240000",
            "20240105T080509",
            "２０２４-01-05",
            "0000-00-00 00:00:00",
            "00000000",
            "0000-01-01",
            "2024-01-05\u{3000}8:05",
            "45292",
            "45292.5",
            "--",
            "N/A",
            "2024-01-05x",
            "02999-12-31",
            "-2024-01-05",
            "2024-01-05 -8:05",
            "2024-01-05 08:05:09.12a",
        ] {
            assert_eq!(parse_timestamp(text), Err(BadText::Date), "{text}");
            assert_eq!(parse_date(text), Err(BadText::Date), "{text}");
            if text != "2024-01" {
                assert_eq!(parse_month(text), Err(BadText::Date), "{text}");
            }
        }
    }

    #[test]
    fn null_dates_exactly() {
        for text in ["29991231", "0000-00-00"] {
            assert_eq!(parse_timestamp(text), Ok(None));
            assert_eq!(parse_date(text), Ok(None));
            assert_eq!(parse_month(text), Ok(None));
        }
    }

    #[test]
    fn cuts_the_time_of_a_date() {
        assert_eq!(parse_date("2024-01-05 23:59:59.999"), parse_date("20240105"));
        assert_eq!(parse_date("1970-01-02"), Ok(Some(1)));
        assert_eq!(parse_date("1969/12/31 1:00"), Ok(Some(-1)));
        assert_eq!(parse_date("2024-01-05 25:00"), Err(BadText::Date));
    }

    #[test]
    fn gives_the_month() {
        for text in ["2024-01", "2024-01-31", "2024/1/31 8:00", "20240131", "20240131235959", "2024年1月1日"] {
            assert_eq!(parse_month(text), Ok(Some("2024-01".to_owned())), "{text}");
        }
        for text in ["202401", "2024-13", "2024-00", "2024-1", "2024/1", "2024年1月", "0000-01", "2024-01-"] {
            assert_eq!(parse_month(text), Err(BadText::Date), "{text}");
        }
    }

    #[test]
    fn agrees_with_the_calendar() {
        let mut day = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        while day.year() < 2110 {
            let days = i32::try_from((day - epoch).num_days()).unwrap();
            for form in ["%Y-%m-%d", "%Y%m%d", "%Y/%-m/%-d", "%Y年%-m月%-d日"] {
                assert_eq!(parse_date(&day.format(form).to_string()), Ok(Some(days)));
            }
            day = day.succ_opt().unwrap();
        }
    }
}
