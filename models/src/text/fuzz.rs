//! The text rules against slow second implementations, written from sources.md and not from the code.

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{BadText, Form, clean, excel_serial_to_text, lost_digits, parse_date, parse_decimal, parse_month, parse_timestamp, trim};
use crate::fuzz::{edited, fuzz};

/// A number by its characters and by sums on its digits.
fn slow_number(text: &str, precision: usize, scale: usize) -> Result<i128, BadText> {
    let plain: String = text
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_digit(c as u32 - '０' as u32, 10).unwrap(),
            '，' => ',',
            '．' => '.',
            '－' => '-',
            other => other,
        })
        .collect();
    let (negative, plain) = plain.strip_prefix('-').map_or((false, plain.as_str()), |rest| (true, rest));
    let (whole, fraction) = plain.split_once('.').map_or((plain, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let groups: Vec<&str> = whole.split(',').collect();
    let grouped = groups.len() == 1 || (groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3));
    if !grouped || !groups.iter().all(|group| digits(group)) || !fraction.is_none_or(digits) {
        return Err(BadText::Number);
    }
    let fraction = fraction.unwrap_or("");
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(scale).collect();
    let mut sum: Vec<u32> = groups.concat().chars().chain(kept.chars()).map(|c| c.to_digit(10).unwrap()).collect();
    if fraction.chars().nth(scale).is_some_and(|c| c >= '5') {
        let mut carry = 1;
        for digit in sum.iter_mut().rev() {
            (*digit, carry) = ((*digit + carry) % 10, (*digit + carry) / 10);
        }
        sum.insert(0, carry);
    }
    let sum: Vec<u32> = sum.into_iter().skip_while(|digit| *digit == 0).collect();
    if sum.len() > precision {
        return Err(BadText::TooLarge);
    }
    let value = sum.iter().fold(0_i128, |value, digit| value * 10 + i128::from(*digit));
    Ok(if negative { -value } else { value })
}

fn numbers() -> impl Strategy<Value = String> {
    let group = "-?[0-9]{1,3}(,[0-9]{3}){0,5}(\\.[0-9]{1,9})?";
    let wide = "[－-]?[０-９0-9]{1,12}([，,][０-９0-9]{3}){0,2}([．.][０-９0-9]{1,7})?";
    let well = prop_oneof![
        3 => "-?[0-9]{1,20}(\\.[0-9]{0,9})?".boxed(),
        2 => group.boxed(),
        2 => wide.boxed(),
        1 => "-?0*[0-9]{30,42}(\\.[0-9]{0,12})?".boxed(),
        1 => "-?9{14,38}\\.9{1,8}".boxed(),
    ];
    prop_oneof![
        6 => edited(well, "0159,.-，．－０９ +e%E"),
        1 => "[0-9０-９,，.．－-]{0,12}",
        1 => any::<String>(),
    ]
}

#[test]
fn fuzz_numbers() {
    let columns = prop::sample::select(vec![(18_u8, 0_i8), (18, 2), (18, 4), (18, 6), (38, 6), (38, 0)]);
    fuzz("number", 300_000, (numbers(), columns), |(text, (precision, scale))| {
        let want = slow_number(&text, precision.into(), usize::from(scale.unsigned_abs()));
        prop_assert_eq!(parse_decimal(&text, precision, scale), want, "{:?} as decimal({}, {})", text, precision, scale);
        Ok(())
    });
}

/// The shape of a text: every digit as 9.
fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect()
}

/// Year, month, day and microseconds of the day, by the list of shapes a date may have.
fn slow_moment(text: &str) -> Option<(NaiveDate, i64)> {
    let numbers = |text: &str| -> Vec<u32> { text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect() };
    let day = |parts: &[u32]| -> Option<NaiveDate> {
        let [year, month, day] = parts else { return None };
        (*year > 0).then(|| NaiveDate::from_ymd_opt(i32::try_from(*year).ok()?, *month, *day)).flatten()
    };
    let cut = |text: &str, lengths: &[usize]| -> Vec<u32> {
        let mut at = 0;
        lengths
            .iter()
            .map(|length| {
                at += length;
                text[at - length..at].parse().unwrap()
            })
            .collect()
    };
    let whole = shape(text);
    if whole == "9".repeat(14) || whole == "9".repeat(17) {
        let parts = cut(text, if whole.len() == 14 { &[4, 2, 2, 2, 2, 2] } else { &[4, 2, 2, 2, 2, 2, 3] });
        let millis = parts.get(6).copied().unwrap_or(0);
        let time = NaiveTime::from_hms_opt(parts[3], parts[4], parts[5])?;
        return Some((day(&parts[..3])?, (time - NaiveTime::MIN).num_microseconds()? + i64::from(millis) * 1000));
    }
    let (date, time) = match text.find([' ', 'T']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut dates = vec!["9999-99-99".to_owned(), "99999999".to_owned()];
    for month in ["9", "99"] {
        for day in ["9", "99"] {
            dates.extend([format!("9999/{month}/{day}"), format!("9999.{month}.{day}"), format!("9999年{month}月{day}日")]);
        }
    }
    if !dates.contains(&shape(date)) {
        return None;
    }
    let date = day(&if shape(date) == "99999999" { cut(date, &[4, 2, 2]) } else { numbers(date) })?;
    let Some(time) = time else { return Some((date, 0)) };
    let (clock, fraction) = time.split_once('.').map_or((time, None), |(clock, fraction)| (clock, Some(fraction)));
    let micros = match (shape(clock).as_str(), fraction) {
        ("9:99" | "99:99", None) | ("9:99:99" | "99:99:99", None) => 0,
        ("9:99:99" | "99:99:99", Some(fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()) => {
            let six: String = fraction.chars().chain("000000".chars()).take(6).collect();
            six.parse().ok()?
        }
        _ => return None,
    };
    let parts = numbers(clock);
    let time = NaiveTime::from_hms_opt(parts[0], parts[1], parts.get(2).copied().unwrap_or(0))?;
    Some((date, (time - NaiveTime::MIN).num_microseconds()? + micros))
}

fn moments() -> impl Strategy<Value = String> {
    let date = prop_oneof![
        (0..3000_u32, 0..14_u32, 0..33_u32).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")),
        (1890..2110_u32, 1..13_u32, 1..32_u32).prop_map(|(y, m, d)| format!("{y:04}{m:02}{d:02}")),
        (1890..2110_u32, 1..13_u32, 1..32_u32, prop::sample::select(vec!['/', '.'])).prop_map(|(y, m, d, c)| format!("{y:04}{c}{m}{c}{d}")),
        (1890..2110_u32, 1..13_u32, 1..32_u32).prop_map(|(y, m, d)| format!("{y}年{m}月{d:02}日")),
        Just("29991231".to_owned()),
        Just("0000-00-00".to_owned()),
        (1890..2110_u32, 0..14_u32).prop_map(|(y, m)| format!("{y:04}-{m:02}")),
    ];
    let time = prop_oneof![
        Just(String::new()),
        (prop::sample::select(vec![' ', 'T']), 0..25_u32, 0..61_u32).prop_map(|(c, h, m)| format!("{c}{h}:{m:02}")),
        (prop::sample::select(vec![' ', 'T']), 0..25_u32, 0..61_u32, 0..61_u32, "(\\.[0-9]{0,9})?")
            .prop_map(|(c, h, m, s, f)| format!("{c}{h:02}:{m:02}:{s:02}{f}")),
        (0..25_u32, 0..61_u32, 0..61_u32, "([0-9]{3})?").prop_map(|(h, m, s, f)| format!("{h:02}{m:02}{s:02}{f}")),
    ];
    let well = (date, time).prop_map(|(date, time)| date + &time).boxed();
    prop_oneof![
        4 => well.clone(),
        4 => edited(well, "0129-/.年月日 T:+Z，"),
        1 => "[0-9]{0,20}",
        1 => any::<String>(),
    ]
}

#[test]
fn fuzz_dates() {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
    fuzz("date", 250_000, moments(), |text| {
        let null = text == "29991231" || text == "0000-00-00";
        let slow = slow_moment(&text);
        let days = |date: NaiveDate| i32::try_from((date - epoch).num_days()).unwrap();
        let want = |value: Option<i64>| if null { Ok(None) } else { value.map(Some).ok_or(BadText::Date) };
        let micros = slow.map(|(date, micros)| i64::from(days(date)) * 86_400_000_000 + micros);
        prop_assert_eq!(parse_timestamp(&text), want(micros), "{:?} as a timestamp", text);
        let date = parse_date(&text).map(|date| date.map(i64::from));
        prop_assert_eq!(date, want(slow.map(|(date, _)| days(date).into())), "{:?} as a date", text);
        let plain = (shape(&text) == "9999-99").then(|| slow_moment(&format!("{text}-01"))).flatten();
        let month = plain.or(slow).map(|(date, _)| format!("{:04}-{:02}", date.year(), date.month()));
        let want = if null { Ok(None) } else { month.map(Some).ok_or(BadText::Date) };
        prop_assert_eq!(parse_month(&text), want, "{:?} as a month", text);
        Ok(())
    });
}

/// A serial by sums on the digits of its fraction: × 86400, whole seconds before, the first digit behind rounds.
fn slow_serial(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').map_or((text, "0"), |parts| parts);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 5 || whole.starts_with('0') || !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut parts: Vec<u32> = fraction.bytes().map(|b| u32::from(b - b'0')).collect();
    let mut carry = 0;
    for part in parts.iter_mut().rev() {
        let product = *part * 86_400 + carry;
        (*part, carry) = (product % 10, product / 10);
    }
    let seconds = i64::from(carry) + i64::from(parts[0] >= 5);
    let day = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap().and_time(NaiveTime::MIN);
    let at = day + TimeDelta::days(whole.parse().unwrap()) + TimeDelta::seconds(seconds);
    Some(at.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[test]
fn fuzz_excel_serials() {
    let well = prop_oneof!["[0-9]{5}(\\.[0-9]{0,17})?", "4[4-6][0-9]{3}\\.(9{1,9}|0{1,9})[0-9]{1,8}", "[0-9]{1,8}(\\.[0-9]{1,3})?"];
    fuzz("excel serial", 100_000, edited(well, "0159.-e "), |text| {
        prop_assert_eq!(excel_serial_to_text(&text), slow_serial(&text), "{:?}", text);
        if let Some(time) = excel_serial_to_text(&text) {
            prop_assert!(parse_timestamp(&time).is_ok(), "{:?} gives {:?}, which is no time", text, time);
        }
        Ok(())
    });
}

#[test]
fn fuzz_blanks() {
    let blanks = "[\\t-\\r \u{a0}\u{3000}\u{feff}]{0,3}";
    let inner = prop_oneof![Just("无".to_owned()), any::<String>(), vec(any::<char>(), 0..3).prop_map(String::from_iter)];
    fuzz("blanks", 50_000, (blanks, inner, blanks), |(before, inner, after)| {
        let is_blank = |c: char| matches!(c, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{a0}' | '\u{3000}' | '\u{feff}');
        let text = format!("{before}{inner}{after}");
        let mut chars: Vec<char> = text.chars().collect();
        while chars.last().is_some_and(|c| is_blank(*c)) {
            chars.pop();
        }
        let want: String = chars.into_iter().skip_while(|c| is_blank(*c)).collect();
        prop_assert_eq!(trim(&text), &want);
        prop_assert_eq!(clean(&text), Some(want.as_str()).filter(|want| !want.is_empty() && *want != "无"));
        Ok(())
    });
}

/// Characters that nobody sees and that are no plain blank, by Unicode's own tables.
const UNSEEN: &str = "[\\p{Cc}\\p{Cf}&&[^\\t-\\r\u{feff}]]";

#[test]
fn fuzz_unseen_characters_in_codes() {
    let code = "[A-Z0-9][A-Z0-9.-]{0,10}[A-Z0-9]";
    let guards = prop::sample::select(vec![
        ("", ""),
        ("'", ""),
        ("`", ""),
        ("=\"", "\""),
        ("'", "'"),
        ("=\"'", "\""),
        (" ", "\u{3000}"),
        ("\u{2003}", "\u{a0}"),
    ]);
    fuzz(
        "unseen characters",
        120_000,
        (code, vec((any::<prop::sample::Index>(), UNSEEN), 0..4), guards),
        |(code, unseen, (before, after))| {
            let mut written: Vec<char> = format!("{before}{code}{after}").chars().collect();
            for (at, c) in &unseen {
                written.insert(at.index(written.len() + 1), c.chars().next().unwrap());
            }
            let written = String::from_iter(written);
            let guarded = !matches!(before, "" | " ");
            for form in [Form::Code, Form::Time] {
                let cleaned = form.clean(&written);
                prop_assert_eq!(cleaned.value.as_deref(), Some(code.as_str()), "{:?}", written);
                prop_assert_eq!(cleaned.dirty, guarded || !unseen.is_empty(), "{:?}", written);
            }
            Ok(())
        },
    );
}

#[test]
fn fuzz_cleaning() {
    let text = prop_oneof![
        2 => any::<String>().boxed(),
        2 => "['`=\" \u{200b}\u{feff}\u{2003}\u{fe0f}a1无药\\-\n]{0,10}".boxed(),
        1 => vec(any::<char>(), 0..5).prop_map(String::from_iter).boxed(),
    ];
    fuzz("cleaning", 150_000, text, |text| {
        for form in [Form::Prose, Form::Code, Form::Number, Form::Time] {
            let once = form.clean(&text);
            if let Some(value) = &once.value {
                let again = form.clean(value);
                prop_assert_eq!(again.value.as_ref(), Some(value), "{:?} as {:?}", text, form);
                prop_assert!(!again.dirty, "{:?} as {:?}", text, form);
            }
            // what the old rule left alone and holds nothing odd is left alone
            if text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ') {
                prop_assert_eq!(once.value.as_deref(), clean(&text));
                prop_assert!(!once.dirty);
            }
        }
        Ok(())
    });
}

#[test]
fn fuzz_lost_digits() {
    let well = ("[+-]?", "[0-9]{1,2}(\\.[0-9]{1,18})?", "[eE]", "[+-]?[0-9]{1,3}");
    fuzz("lost digits", 60_000, (well, any::<String>()), |((sign, mantissa, mark, exponent), other)| {
        let text = format!("{sign}{mantissa}{mark}{exponent}");
        if mantissa.contains('.') || exponent.starts_with(['+', '-']) {
            prop_assert!(lost_digits(&text), "{}", text);
        }
        // an id of digits and letters as they are given is none
        let code = format!("{mantissa}X");
        prop_assert!(!lost_digits(&code), "{}", code);
        let _ = lost_digits(&other);
        Ok(())
    });
}
