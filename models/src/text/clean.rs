//! What is cut from a value before anything is compared: sources.md "Cleaned".

use std::borrow::Cow;

use super::hidden::{is_blank, is_edge, is_invisible};

/// What a column's text is, which decides how much of it is cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Names and sentences: only their ends are cut.
    Prose,
    /// Keys and codes.
    Code,
    /// Decimal numbers.
    Number,
    /// Dates, times and months.
    Time,
}

/// A value as it is compared: cleaned, none where it is null; and whether more went than blanks at its ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned<'a> {
    /// The value; none is null.
    pub value: Option<Cow<'a, str>>,
    /// Whether anything was cut that is no plain blank (blank, tab, line end, U+3000, no-break space, byte order mark).
    pub dirty: bool,
}

impl Form {
    /// Cleans a value of this form. What comes out is clean: cleaned again it stays what it is.
    #[must_use]
    pub fn clean(self, text: &str) -> Cleaned<'_> {
        if self == Self::Prose {
            let cut = text.trim_matches(is_edge);
            return Cleaned { value: value(Cow::Borrowed(cut)), dirty: text.trim_matches(is_blank).len() != cut.len() };
        }
        if is_plain(text) {
            return Cleaned { value: value(Cow::Borrowed(text)), dirty: false };
        }
        let trimmed = text.trim_matches(is_blank);
        let hidden = |c: char| self.hides(c);
        let (mut cut, mut dirty) = if trimmed.contains(hidden) {
            (Cow::Owned(trimmed.chars().filter(|c| !hidden(*c)).collect()), true)
        } else {
            (Cow::Borrowed(trimmed), false)
        };
        loop {
            let (start, end) = self.bare(&cut);
            if (start, end) == (0, cut.len()) {
                return Cleaned { value: value(cut), dirty };
            }
            let went = [cut.get(..start), cut.get(end..)];
            dirty |= went.into_iter().flatten().any(|part| part.contains(|c| !is_blank(c)));
            cut = match cut {
                Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end).unwrap_or_default()),
                Cow::Owned(text) => Cow::Owned(text.get(start..end).unwrap_or_default().to_owned()),
            };
        }
    }

    /// Whether a character within a value is removed. A line end between two numbers parts them: it stays, and they are no number.
    fn hides(self, c: char) -> bool {
        is_invisible(c) && !(self == Self::Number && matches!(c, '\t'..='\r'))
    }

    /// Where the value begins and ends without one layer of blanks or guards.
    fn bare(self, text: &str) -> (usize, usize) {
        let start = text.len() - text.trim_start_matches(is_edge).len();
        let end = text.trim_end_matches(is_edge).len().max(start);
        if (start, end) != (0, text.len()) {
            return (start, end);
        }
        // ="…": a formula that says nothing but a text
        if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'))
            && !inner.contains('"')
        {
            return (2, 2 + inner.len());
        }
        // ' and `: "take it as text"
        let mut chars = text.chars();
        if let (Some(guard @ ('\'' | '`')), Some(next)) = (chars.next(), chars.next())
            && (next.is_alphanumeric() || (self == Self::Number && matches!(next, '-' | '－')))
        {
            let pair = text.len() > 2 && text.ends_with(guard);
            return (1, text.len() - usize::from(pair));
        }
        (0, text.len())
    }
}

/// The common case, told by bytes: nothing to cut anywhere.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    !matches!(bytes.first(), None | Some(b' ' | b'\'' | b'`' | b'='))
        && bytes.last() != Some(&b' ')
        && bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn value(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if text.is_empty() || text == "无" { None } else { Some(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(form: Form, text: &str) -> (Option<String>, bool) {
        let cleaned = form.clean(text);
        (cleaned.value.map(Cow::into_owned), cleaned.dirty)
    }

    #[test]
    fn guards_and_what_nobody_sees_are_cut() {
        for text in [
            "\u{1f}F1",
            "F1\u{200b}",
            "\u{200e}F1",
            "\u{2060}F1",
            "F\u{ad}1",
            "\0F1",
            "`F1",
            "'F1",
            "=\"F1\"",
            "'F1'",
            "\u{feff}\u{200b} F1",
            "=\"'F1\"",
            "F\u{fe0f}1",
            "\u{3164}F1",
            "F\n1",
            "\u{2003}F1",
            "=\" F1 \"",
            "\u{1d173}F1",
        ] {
            let (value, dirty) = clean(Form::Code, text);
            assert_eq!((value.as_deref(), dirty), (Some("F1"), text != "F1"), "{text:?}");
        }
        for text in [" F1", "F1\u{3000}", "\u{feff}F1\r\n", "\tF1\u{a0}", "F1"] {
            assert_eq!(clean(Form::Code, text), (Some("F1".to_owned()), false), "{text:?}");
        }
    }

    #[test]
    fn what_belongs_to_a_value_stays() {
        for (form, text) in [
            (Form::Code, "F 1"),
            (Form::Code, "F\u{a0}1"),
            (Form::Code, "国药准字 H2024"),
            (Form::Code, "'-1"),
            (Form::Code, "=1"),
            (Form::Code, "=\"a\"&\"b\""),
            (Form::Prose, "'甲'药"),
            (Form::Prose, "=\"甲药\""),
            (Form::Prose, "甲\u{200b}药"),
            (Form::Prose, "葛\u{e0100}"),
            (Form::Number, "1\n2"),
        ] {
            assert_eq!(clean(form, text), (Some(text.to_owned()), false), "{text:?}");
        }
        assert_eq!(clean(Form::Prose, "\u{200b}甲药\u{2028}"), (Some("甲药".to_owned()), true));
        assert_eq!(clean(Form::Number, "'-1.5"), (Some("-1.5".to_owned()), true));
        assert_eq!(clean(Form::Number, "1\u{200b}2"), (Some("12".to_owned()), true));
        assert_eq!(clean(Form::Time, "=\"2024-01-05\""), (Some("2024-01-05".to_owned()), true));
    }

    #[test]
    fn nothing_left_is_null() {
        for form in [Form::Prose, Form::Code, Form::Number, Form::Time] {
            assert_eq!(clean(form, ""), (None, false));
            assert_eq!(clean(form, " \u{3000}无\t"), (None, false));
            assert_eq!(clean(form, "\u{200b}"), (None, true));
            assert_eq!(clean(form, "无\u{1}"), (None, true));
        }
        assert_eq!(clean(Form::Code, "=\"\""), (None, true));
    }
}
