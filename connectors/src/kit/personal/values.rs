//! Numbers that name a person: identity numbers and mobile numbers, wherever they stand in a text.

use yaojia_models::text::{half_width, is_invisible};

/// Fewest digits of anything looked for.
const LEAST: usize = 11;

/// Whether a text holds an identity number (18 characters: a province, a day of birth, the right check digit) or a mobile number
/// (1[3-9] and nine digits, with or without +86), alone or among other words. Blanks and hyphens within, full-width forms and
/// characters that nobody sees do not matter; a number that goes on in letters or digits is another number.
pub(super) fn holds_number_of_person(text: &str) -> bool {
    if text.len() < LEAST {
        return false;
    }
    let chars: Vec<char> = text.chars().filter(|c| !is_invisible(*c)).map(plain).collect();
    if chars.iter().filter(|c| c.is_ascii_digit()).count() < LEAST {
        return false;
    }
    let mut at = 0;
    while at < chars.len() {
        let run = Run::read(&chars, at);
        if run.holds() {
            return true;
        }
        at = run.end.max(at + 1);
    }
    false
}

fn plain(c: char) -> char {
    match half_width(c) {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// Groups of digits with nothing but blanks, hyphens, brackets and plus signs between them.
struct Run {
    groups: Vec<Group>,
    /// Whether the text is nothing but this run.
    whole: bool,
    end: usize,
}

struct Group {
    digits: String,
    /// Whether a letter, or a decimal point with more digits, stands against it.
    glued_before: bool,
    glued_after: bool,
}

impl Run {
    fn read(chars: &[char], start: usize) -> Self {
        let at = |position: usize| chars.get(position).copied();
        let mut groups = Vec::new();
        let mut end = start;
        while let Some(c) = at(end) {
            if c.is_ascii_digit() {
                let from = end;
                while at(end).is_some_and(|c| c.is_ascii_digit()) {
                    end += 1;
                }
                let mut digits: String = chars.get(from..end).unwrap_or_default().iter().collect();
                if matches!(at(end), Some('x' | 'X')) && !at(end + 1).is_some_and(|c| c.is_ascii_alphanumeric()) {
                    digits.push('X');
                    end += 1;
                }
                let before = from.checked_sub(1).and_then(at);
                let decimal = |point: Option<char>, digit: Option<char>| point == Some('.') && digit.is_some_and(|c| c.is_ascii_digit());
                groups.push(Group {
                    digits,
                    glued_before: before.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
                        || decimal(before, from.checked_sub(2).and_then(at)),
                    glued_after: at(end).is_some_and(|c| c.is_ascii_alphabetic() || c == '_') || decimal(at(end), at(end + 1)),
                });
            } else if matches!(c, ' ' | '-' | '(' | ')' | '+') {
                end += 1;
            } else {
                break;
            }
        }
        Self { groups, whole: start == 0 && end == chars.len(), end }
    }

    fn holds(&self) -> bool {
        (0..self.groups.len()).any(|from| {
            let mut joined = String::new();
            for (to, group) in self.groups.iter().enumerate().skip(from) {
                joined.push_str(&group.digits);
                if joined.len() > 19 {
                    break;
                }
                let glued = self.groups.get(from).is_some_and(|first| first.glued_before) || group.glued_after;
                if !glued && (is_identity(&joined) || (is_mobile(&joined) && self.spaced_as_number(from, to))) {
                    return true;
                }
            }
            false
        })
    }

    /// Whether people would write a telephone number so: in one, in parts of three and more, or as all there is.
    fn spaced_as_number(&self, from: usize, to: usize) -> bool {
        let groups = self.groups.get(from..=to).unwrap_or_default();
        let mut parts = groups.iter().skip(usize::from(groups.first().is_some_and(|first| matches!(first.digits.as_str(), "86" | "0086"))));
        from == to || (self.whole && from == 0 && to + 1 == self.groups.len()) || parts.all(|group| group.digits.len() >= 3)
    }
}

fn is_mobile(digits: &str) -> bool {
    let bare = match digits.len() {
        11 => digits,
        13 => digits.strip_prefix("86").unwrap_or_default(),
        15 => digits.strip_prefix("0086").unwrap_or_default(),
        _ => return false,
    };
    let mut bytes = bare.bytes();
    bytes.next() == Some(b'1') && bytes.next().is_some_and(|second| (b'3'..=b'9').contains(&second)) && bytes.all(|b| b.is_ascii_digit())
}

/// The first two digits of an identity number.
const PROVINCES: [u32; 35] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82,
    83,
];

/// GB 11643: six digits of a place, eight of a day, three in order, and a check digit (ISO 7064, MOD 11-2). A spreadsheet that took it
/// for a number has made zeros of the last three digits: place and day of birth are still there.
fn is_identity(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 18 || !bytes.iter().take(17).all(u8::is_ascii_digit) {
        return false;
    }
    let number = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let born = i32::try_from(number(6, 10)).ok().and_then(|year| chrono::NaiveDate::from_ymd_opt(year, number(10, 12), number(12, 14)));
    if !PROVINCES.contains(&number(0, 2)) || born.is_none() || !(1850..2100).contains(&number(6, 10)) {
        return false;
    }
    check_digit(bytes) == bytes.last().copied() || text.ends_with("000")
}

/// The check digit over the first seventeen.
fn check_digit(digits: &[u8]) -> Option<u8> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight).sum();
    b"10X98765432".get(usize::try_from(sum % 11).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_persons_are_found_however_they_are_written() {
        for text in [
            "11010519491231002X",
            "11010519491231002x",
            "１１０１０５１９４９１２３１００２Ｘ",
            "110105 19491231 002X",
            "110105-19491231-002X",
            "身份证11010519491231002X。",
            "1101051949123100\u{200b}2X",
            "110105194912310000",
            "13800000000",
            "+8613800000000",
            "+86 138 0000 0000",
            "0086-138-0000-0000",
            "(86)13800000000",
            "１３８００００００００",
            "138-0000-0000",
            "1 3 8 0 0 0 0 0 0 0 0",
            "电话13800000000,13900000000",
            "张三/13800000000",
            "13800000000；备注",
            "A 13800000000",
        ] {
            assert!(holds_number_of_person(text), "{text:?}");
        }
    }

    #[test]
    fn other_numbers_are_not() {
        for text in [
            "",
            "110105194912310021",
            "110105194913310025",
            "H15280100001",
            "P13800000000",
            "13800000000A",
            "23800000000",
            "12800000000",
            "138000000001",
            "13800000000.00",
            "0.13800000000",
            "2024-01-15 10:00:00",
            "0996-2023456",
            "3420240200000000128",
            "XA01AAA001A001010100001",
            "1704067200000",
            "15 20 30 10 5 50 7",
            "规格 15 20 30 10 5 50",
            "退回3盒",
            "6901234567892",
            "91652800MA00000000",
        ] {
            assert!(!holds_number_of_person(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_identity_number_is_found(
            place in prop::sample::select(PROVINCES.to_vec()), rest in 0..10_000_u32, day in 0..50_000_i64, order in 0..1000_u32,
            between in prop::sample::select(vec!["", " ", "-", "\u{2011}", "\u{3000}", "\u{200b}"]), (before, after) in (prop::sample::select(vec!["", "号", "：", "，"]), prop::sample::select(vec!["", "。", " ", "）"])),
        ) {
            let born = chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap() + chrono::TimeDelta::days(day);
            let mut number = format!("{place:02}{rest:04}{}{order:03}", born.format("%Y%m%d"));
            number.push(char::from(check_digit(number.as_bytes()).unwrap()));
            let written = format!("{before}{}{between}{}{between}{}{after}", &number[..6], &number[6..14], &number[14..]);
            prop_assert!(holds_number_of_person(&written), "{}", written);
            // one digit off is no identity number
            let wrong = format!("{}{}{}", &number[..16], (number.as_bytes()[16] - b'0' + 1) % 10, &number[17..]);
            prop_assert!(!is_identity(&wrong) || wrong.ends_with("000"), "{}", wrong);
        }

        #[test]
        fn any_mobile_number_is_found(
            second in 3..10_u32, rest in 0..1_000_000_000_u64, prefix in prop::sample::select(vec!["", "+86", "+86 ", "0086", "86-", "(+86)"]),
            between in prop::sample::select(vec!["", " ", "-", "－", "\u{a0}"]), before in prop::sample::select(vec!["", "手机", "：", "tel:"]),
        ) {
            let number = format!("1{second}{rest:09}");
            let written = format!("{before}{prefix}{}{between}{}{between}{}", &number[..3], &number[3..7], &number[7..]);
            prop_assert!(holds_number_of_person(&written), "{}", written);
        }
    }
}
