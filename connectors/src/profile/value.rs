//! From a file's words to the contract's: dates of listed formats, exact factors, tables of words.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::format::{Fixed, Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveTime, TimeDelta, Timelike};
use yaojia_models::field::FieldType;
use yaojia_models::text;
use yaojia_models::value::decimal_text;

/// Seconds from UTC to Asia/Shanghai.
const SHANGHAI: i32 = 8 * 3600;

/// A date format, as `strftime` writes it.
#[derive(Debug, Clone)]
pub(super) struct DateFormat(Vec<Item<'static>>);

impl DateFormat {
    /// None where it is no format.
    pub(super) fn new(text: &str) -> Option<Self> {
        let items: Vec<Item<'static>> = StrftimeItems::new(text).map(|item| item.to_owned()).collect();
        (!items.is_empty() && !items.iter().any(|item| matches!(item, Item::Error))).then_some(Self(items))
    }

    /// What a date of this format lacks to be a value of this type: a year, a month, a day; none: it is whole.
    pub(super) fn lacks(&self, ty: FieldType) -> Option<&'static str> {
        if self.0.iter().any(|item| matches!(item, Item::Fixed(Fixed::TimezoneName))) {
            return Some("zone that can be told by its name");
        }
        // a moment written and read again says what the format carries
        let sample = NaiveDate::from_ymd_opt(2017, 9, 13)?.and_hms_opt(10, 11, 12)?.and_utc();
        let mut text = String::new();
        let written = write!(text, "{}", sample.format_with_items(self.0.iter()));
        let mut parsed = Parsed::new();
        if written.is_err() || parse(&mut parsed, &text, self.0.iter()).is_err() {
            return Some("form that can be read");
        }
        if moment(&parsed).is_some() {
            return None;
        }
        if parsed.set_day(1).is_ok() && parsed.to_naive_date().is_ok() {
            return (ty != FieldType::Month).then_some("day");
        }
        let year = parsed.year().is_some() || parsed.year_mod_100().is_some();
        Some(if year { "month" } else { "year" })
    }

    /// The date or time in the contract's form; none where the text is not of this format.
    fn read(&self, text: &str, ty: FieldType) -> Option<String> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.0.iter()).ok()?;
        if ty == FieldType::Month && parsed.day().is_none() && parsed.timestamp().is_none() {
            parsed.set_day(1).ok()?;
        }
        let (date, time) = moment(&parsed)?;
        // `%Y` also takes "14" from 8/27/14; nobody means the year 14
        let early = NaiveDate::from_ymd_opt(1000, 1, 1).is_some_and(|first| date < first);
        if early || date > NaiveDate::from_ymd_opt(9999, 12, 31)? {
            return None;
        }
        if ty == FieldType::Month {
            return Some(date.format("%Y-%m").to_string());
        }
        let day = date.format("%Y-%m-%d").to_string();
        Some(match time {
            Some(time) if time.nanosecond() == 0 => format!("{day} {}", time.format("%H:%M:%S")),
            Some(time) => format!("{day} {}", time.format("%H:%M:%S%.6f")),
            None => day,
        })
    }
}

/// Date and time on the clock of Asia/Shanghai: a zone (`%z`) or an instant (`%s`) in the text moves them there. An hour alone is a time.
fn moment(parsed: &Parsed) -> Option<(NaiveDate, Option<NaiveTime>)> {
    if parsed.timestamp().is_some() {
        let at = parsed.to_naive_datetime_with_offset(SHANGHAI).ok()?;
        return Some((at.date(), Some(at.time())));
    }
    let mut parsed = parsed.clone();
    if parsed.hour_mod_12().is_some() && parsed.minute().is_none() {
        parsed.set_minute(0).ok()?;
    }
    let (date, time) = (parsed.to_naive_date().ok()?, parsed.to_naive_time().ok());
    let (Some(offset), Some(clock)) = (parsed.offset(), time) else { return Some((date, time)) };
    let at = date.and_time(clock).checked_add_signed(TimeDelta::seconds(i64::from(SHANGHAI - offset)))?;
    Some((at.date(), Some(at.time())))
}

/// A number in scientific notation without it, exactly: `4e3` is `4000`, `1.5E-2` is `0.015`; none of any other text.
pub(super) fn expand(text: &str) -> Option<String> {
    // further powers of ten are none of a price or a count
    const FAR: i32 = 60;
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |mantissa| (true, mantissa));
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if whole.is_empty() || !digits(whole) || !digits(fraction) || power.is_empty() || power.len() > 4 || !digits(power) {
        return None;
    }
    let power: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok().filter(|power: &i32| power.abs() <= FAR)?;
    let all = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).ok()? + power;
    let (before, behind) = match usize::try_from(point) {
        Ok(point) if point >= all.len() => (format!("{all}{}", "0".repeat(point - all.len())), String::new()),
        Ok(point) => (all.get(..point)?.to_owned(), all.get(point..)?.to_owned()),
        Err(_) => (String::new(), format!("{}{all}", "0".repeat(usize::try_from(-point).ok()?))),
    };
    let (before, behind) = (before.trim_start_matches('0'), behind.trim_end_matches('0'));
    let sign = if negative { "-" } else { "" };
    let before = if before.is_empty() { "0" } else { before };
    Some(if behind.is_empty() { format!("{sign}{before}") } else { format!("{sign}{before}.{behind}") })
}

/// What is done with a value once it is found.
#[derive(Debug, Clone)]
pub(super) enum Convert {
    /// Nothing.
    AsIs,
    /// The first format that fits.
    Date(Vec<DateFormat>, FieldType),
    /// Multiplied by a decimal: scaled integer and scale.
    Factor(i128, u32),
}

impl Convert {
    /// The value in the contract's form; none where it cannot be converted.
    pub(super) fn apply(&self, value: &str) -> Option<String> {
        match self {
            Self::AsIs => Some(value.to_owned()),
            Self::Date(formats, ty) => formats.iter().find_map(|format| format.read(value, *ty)).or_else(|| {
                // what is in the contract's own forms already (an Excel date, a null date) needs no format
                let fits = if *ty == FieldType::Month { text::parse_month(value).is_ok() } else { text::parse_timestamp(value).is_ok() };
                fits.then(|| value.to_owned())
            }),
            Self::Factor(factor, scale) => multiply(value, *factor, *scale),
        }
    }
}

impl Convert {
    /// What is passed on of a value that cannot be converted: the value as it was written, so that silver says what is wrong with it.
    /// A number that is too long to be multiplied must not pass for the product.
    pub(super) fn refused<'v>(&self, value: Cow<'v, str>) -> Cow<'v, str> {
        match self {
            Self::Factor(factor, scale) if text::parse_decimal(&value, 38, 0).is_ok() => {
                Cow::Owned(format!("{value} × {}", decimal_text(*factor, *scale)))
            }
            _ => value,
        }
    }
}

/// The units a profile may name: what one of them is in the contract's unit (yuan).
pub(super) fn unit(name: &str) -> Option<&'static str> {
    Some(match name {
        "元" => "1",
        "角" => "0.1",
        "分" => "0.01",
        "千元" => "1000",
        "万元" => "10000",
        "百万元" => "1000000",
        "亿元" => "100000000",
        _ => return None,
    })
}

/// A decimal exactly as written: scaled integer and scale; none where it is none or does not fit.
pub(super) fn exact(text: &str) -> Option<(i128, u32)> {
    let places = text.rsplit_once(['.', '．']).map_or(0, |(_, places)| places.chars().count());
    let scale = u32::try_from(places).ok().filter(|scale| *scale <= 38)?;
    Some((text::parse_decimal(text, 38, i8::try_from(scale).ok()?).ok()?, scale))
}

fn multiply(value: &str, factor: i128, factor_scale: u32) -> Option<String> {
    let (value, scale) = exact(value)?;
    let (mut product, mut scale) = (value.checked_mul(factor)?, scale + factor_scale);
    while scale > 0 && product % 10 == 0 {
        product /= 10;
        scale -= 1;
    }
    (scale <= 38).then(|| decimal_text(product, scale))
}

/// What becomes of a word that a table lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missing {
    /// It stays as it is, and is told.
    Tell,
    /// It stays as it is, on purpose: the table names exceptions.
    Keep,
    /// It is null, and is told.
    Null,
    /// It becomes this, and counts as found.
    Default(String),
}

/// A table of words.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    pub name: String,
    pub words: BTreeMap<String, String>,
    pub missing: Missing,
}

/// A word looked up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Word(&'a str),
    Missing,
}

impl Lookup {
    pub(super) fn get(&self, word: &str) -> Found<'_> {
        match (self.words.get(word), &self.missing) {
            (Some(found), _) | (None, Missing::Default(found)) => Found::Word(found),
            (None, _) => Found::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(formats: &[&str], ty: FieldType, text: &str) -> Option<String> {
        let formats = formats.iter().map(|format| DateFormat::new(format).unwrap()).collect();
        Convert::Date(formats, ty).apply(text)
    }

    #[test]
    fn dates_of_several_formats() {
        let scms = ["%d-%b-%y", "%m/%d/%Y", "%m/%d/%y"];
        for (text, want) in [
            ("2-Jun-06", Some("2006-06-02")),
            ("14-Nov-06", Some("2006-11-14")),
            ("11/13/06", Some("2006-11-13")),
            ("8/27/2014", Some("2014-08-27")),
            ("2014-08-27 10:00:00", Some("2014-08-27 10:00:00")),
            ("29991231", Some("29991231")),
            ("Date Not Captured", None),
            ("N/A - From RDC", None),
            ("31-Feb-06", None),
            ("2-Jun-06 x", None),
        ] {
            assert_eq!(date(&scms, FieldType::Timestamp, text).as_deref(), want, "{text}");
        }
        assert_eq!(date(&["%d.%m.%Y %H:%M"], FieldType::Timestamp, "03.02.2024 7:05").as_deref(), Some("2024-02-03 07:05:00"));
        assert_eq!(date(&["%Y年%m月"], FieldType::Month, "2024年2月").as_deref(), Some("2024-02"));
        assert_eq!(date(&["%y%m"], FieldType::Month, "2402").as_deref(), Some("2024-02"));
        assert!(DateFormat::new("%Q").is_none());
        // an hour alone, a zone, an instant: nothing is moved
        assert_eq!(date(&["%Y-%m-%d %H时"], FieldType::Timestamp, "2024-01-31 23时").as_deref(), Some("2024-01-31 23:00:00"));
        assert_eq!(
            date(&["%Y-%m-%dT%H:%M:%S%z"], FieldType::Timestamp, "2024-01-31T16:30:00+0000").as_deref(),
            Some("2024-02-01 00:30:00")
        );
        assert_eq!(date(&["%Y-%m-%dT%H:%M:%S%:z"], FieldType::Month, "2024-01-31T16:30:00+00:00").as_deref(), Some("2024-02"));
        assert_eq!(date(&["%s"], FieldType::Timestamp, "1706718600").as_deref(), Some("2024-02-01 00:30:00"));
    }

    #[test]
    fn what_a_format_lacks() {
        let lacks = |format: &str, ty| DateFormat::new(format).unwrap().lacks(ty);
        for whole in [
            "%Y-%m-%d",
            "%d-%b-%y",
            "%m/%d/%Y %I:%M %p",
            "%Y年%m月%d日 %H:%M",
            "%F",
            "%Y%m%d%H%M%S",
            "%Y-%j",
            "%s",
            "%FT%T%z",
            "%e.%m.%Y",
            "%D",
            "%c",
        ] {
            assert_eq!(lacks(whole, FieldType::Timestamp), None, "{whole}");
            assert_eq!(lacks(whole, FieldType::Month), None, "{whole}");
        }
        for month in ["%Y_%m", "%y%m", "%b %Y", "%Y年%m月", "%Y-%m %H:%M"] {
            assert_eq!(lacks(month, FieldType::Month), None, "{month}");
            assert_eq!(lacks(month, FieldType::Date), Some("day"), "{month}");
            assert_eq!(lacks(month, FieldType::Timestamp), Some("day"), "{month}");
        }
        assert_eq!(lacks("%d/%m", FieldType::Date), Some("year"));
        assert_eq!(lacks("%Y", FieldType::Month), Some("month"));
        assert_eq!(lacks("%H:%M", FieldType::Timestamp), Some("year"));
        assert!(lacks("%F %T %Z", FieldType::Timestamp).is_some());
    }

    #[test]
    fn scientific_numbers_are_exact() {
        for (text, want) in [
            ("4e3", Some("4000")),
            ("4E+3", Some("4000")),
            ("1.5e-2", Some("0.015")),
            ("-1.2345E2", Some("-123.45")),
            ("1.23457e17", Some("123457000000000000")),
            ("9.99999999999999999999e5", Some("999999.999999999999999")),
            ("1.50e1", Some("15")),
            ("0e0", Some("0")),
            ("0.5e0", Some("0.5")),
            ("1e-1", Some("0.1")),
            ("1e61", None),
            ("1e99999", None),
            ("e5", None),
            (".5e1", None),
            ("5.e1", None),
            ("1e", None),
            ("1e+", None),
            ("1e1.5", None),
            ("+1e5", None),
            ("4000", None),
            ("1e5 ", None),
        ] {
            assert_eq!(expand(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn factors_are_exact() {
        let times = |factor: &str, text: &str| {
            let (factor, scale) = exact(factor).unwrap();
            Convert::Factor(factor, scale).apply(text)
        };
        assert_eq!(times("10000", "0.1").as_deref(), Some("1000"));
        assert_eq!(times("10000", "1,234.56785").as_deref(), Some("12345678.5"));
        assert_eq!(times("0.01", "-7").as_deref(), Some("-0.07"));
        assert_eq!(times("0.01", "１２").as_deref(), Some("0.12"));
        assert_eq!(times("3", "0.1").as_deref(), Some("0.3"));
        assert_eq!(times("10", "see DN-304"), None);
        assert_eq!(times("10", "1e5"), None);
        let (long, tiny) = ("99999999999999999999999999999999999999", format!("1.{}", "0".repeat(60)));
        assert_eq!(times("100000000", long), None);
        assert_eq!(times("10", &tiny), None);
        assert_eq!(Convert::Factor(10, 0).refused(Cow::Borrowed(&tiny)), format!("{tiny} × 10"));
        assert_eq!(Convert::Factor(10, 0).refused(Cow::Borrowed("see DN-304")), "see DN-304");
        assert_eq!(unit("万元"), Some("10000"));
    }
}
