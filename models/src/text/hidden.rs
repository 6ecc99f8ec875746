//! Characters that nobody sees, by Unicode's general categories.

/// A plain blank: white space that people and programs put around a value.
pub(super) const fn is_blank(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{a0}' | '\u{3000}' | '\u{feff}')
}

/// Cut at the ends of every value: control (Cc) and format (Cf) characters, spaces (Zs) and separators of lines (Zl, Zp).
pub(super) const fn is_edge(c: char) -> bool {
    // letters, digits and Chinese first
    if matches!(c, '!'..='~' | '\u{4e00}'..='\u{9fff}') {
        return false;
    }
    is_control(c) || is_format(c) || is_space(c)
}

/// Whether a character is displayed as nothing: control and format characters, and the rest of them (variation selectors, fillers, the
/// blank Braille pattern). Removed from within keys and codes.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    if matches!(c, ' '..='~' | '\u{4e00}'..='\u{9fff}') {
        return false;
    }
    is_control(c) || is_format(c) || is_filler(c)
}

/// Cc.
const fn is_control(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}')
}

/// Cf, as of Unicode 16.
const fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}'
    )
}

/// Zs, Zl, Zp.
const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Displayed as nothing without being a format character: Default_Ignorable_Code_Point, and U+2800.
const fn is_filler(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2065}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}
