//! Text as sources write it → exact values: the rules of sources.md "Nulls", "Numbers", "Dates and times".
//!
//! Everything here takes text that [`Form::clean`] has cut; none of it goes through a binary float.

mod clean;
mod excel;
#[cfg(test)]
mod fuzz;
mod hidden;
mod number;
mod scientific;
mod time;
mod width;

pub use clean::{Cleaned, Form};
pub use excel::{excel_serial_to_text, excel_serial_to_text_of};
pub use hidden::is_invisible;
pub use number::{has_more_decimals, parse_decimal};
pub use scientific::lost_digits;
pub use time::{parse_date, parse_month, parse_timestamp};
pub use width::half_width;

/// Text that is no value of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Not a number as sources may write it.
    #[error("not a number")]
    Number,
    /// A number with more digits before the point than the column holds.
    #[error("too large a number")]
    TooLarge,
    /// Not a date, time or month as sources may write it.
    #[error("not a date")]
    Date,
}

/// Cuts plain blanks on both sides; `""` and `无` are null. Where values of a contract are compared, [`Form::clean`] is the rule.
///
/// Blanks are ASCII white space, U+3000, the no-break space and the byte order mark.
#[must_use]
pub fn clean(text: &str) -> Option<&str> {
    let cut = trim(text);
    if cut.is_empty() || cut == "无" { None } else { Some(cut) }
}

/// Cuts blanks on both sides.
#[must_use]
pub fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        // the common case: nothing to cut
        (Some(first), Some(last)) if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim_matches(hidden::is_blank),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_blanks_and_nulls() {
        for (text, want) in [
            ("", None),
            (" \t\r\n", None),
            ("\u{3000}", None),
            ("无", None),
            ("\u{feff}无\u{a0}", None),
            ("无 无", Some("无 无")),
            ("--", Some("--")),
            ("N/A", Some("N/A")),
            ("null", Some("null")),
            (" a b ", Some("a b")),
            ("\u{3000}甲\u{3000}", Some("甲")),
            ("x\u{b}", Some("x")),
            ("x\u{feff}", Some("x")),
        ] {
            assert_eq!(clean(text), want, "{text:?}");
        }
    }
}
