//! Full-width forms, as Chinese input methods write letters, digits and signs.

/// The ASCII character that a full-width form stands for; any other as it is.
#[must_use]
pub fn half_width(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::half_width;

    #[test]
    fn full_width_forms_are_ascii_and_nothing_else_moves() {
        let ascii: String = ('！'..='～').map(half_width).collect();
        assert_eq!(ascii, ('!'..='~').collect::<String>());
        for c in ['a', '药', '、', '\u{3000}', '｟'] {
            assert_eq!(half_width(c), c);
        }
    }
}
