//! From a file's words to the contract's: dates of listed formats, exact factors, tables of words.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, Timelike};
use yaojia_models::field::FieldType;
use yaojia_models::text;
use yaojia_models::value::decimal_text;

/// A date format, as `strftime` writes it.
#[derive(Debug, Clone)]
pub(super) struct DateFormat(Vec<Item<'static>>);

impl DateFormat {
    /// None where it is no format.
    pub(super) fn new(text: &str) -> Option<Self> {
        let items: Vec<Item<'static>> = StrftimeItems::new(text).map(|item| item.to_owned()).collect();
        (!items.is_empty() && !items.iter().any(|item| matches!(item, Item::Error))).then_some(Self(items))
    }

    /// The date or time in the contract's form; none where the text is not of this format.
    fn read(&self, text: &str, ty: FieldType) -> Option<String> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.0.iter()).ok()?;
        if ty == FieldType::Month && parsed.day().is_none() {
            parsed.set_day(1).ok()?;
        }
        let date = parsed.to_naive_date().ok()?;
        // `%Y` also takes "14" from 8/27/14; nobody means the year 14
        let early = NaiveDate::from_ymd_opt(1000, 1, 1).is_some_and(|first| date < first);
        if early || date > NaiveDate::from_ymd_opt(9999, 12, 31)? {
            return None;
        }
        if ty == FieldType::Month {
            return Some(date.format("%Y-%m").to_string());
        }
        let day = date.format("%Y-%m-%d").to_string();
        Some(match parsed.to_naive_time() {
            Ok(time) if time.nanosecond() == 0 => format!("{day} {}", time.format("%H:%M:%S")),
            Ok(time) => format!("{day} {}", time.format("%H:%M:%S%.6f")),
            Err(_) => day,
        })
    }
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
