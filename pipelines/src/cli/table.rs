//! Aligned tables for a terminal: Chinese characters are two cells wide.

/// A table with a header.
#[derive(Debug, Clone, Default)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns.
    #[must_use]
    pub fn new<S: Into<String>>(headers: impl IntoIterator<Item = S>) -> Self {
        Self { headers: headers.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell.into())).collect());
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text, a line a row, two blanks between columns, numbers to the right.
    #[must_use]
    pub fn render(&self) -> String {
        let cell = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
        let columns: Vec<(usize, bool)> = (0..self.headers.len())
            .map(|at| {
                let cells: Vec<String> = self.rows.iter().map(|row| cell(row, at)).collect();
                let wide = cells.iter().chain([&cell(&self.headers, at)]).map(|text| width(text)).max().unwrap_or(0);
                let numbers =
                    cells.iter().any(|text| is_number(text)) && cells.iter().all(|text| text.is_empty() || text == "–" || is_number(text));
                (wide, numbers)
            })
            .collect();
        let mut out = String::new();
        for row in std::iter::once(&self.headers).chain(&self.rows) {
            let mut line = String::new();
            for (at, (wide, right)) in columns.iter().enumerate() {
                let text = cell(row, at);
                let gap = " ".repeat(wide.saturating_sub(width(&text)));
                if at > 0 {
                    line.push_str("  ");
                }
                line.push_str(&if *right { format!("{gap}{text}") } else { format!("{text}{gap}") });
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-' | b'%'))
}

/// Text as it may stand in a terminal: a control character becomes its escape.
#[must_use]
pub fn printable(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// Cells a text takes in a terminal.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0x4DBF
        | 0x4E00..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_numbers_line_up() {
        let mut table = Table::new(["区划", "name", "rate"]);
        table.push(["库尔勒市", "Korla", "98.5%"]);
        table.push(["轮台县", "Luntai\nx", "7.0%"]);
        table.push(["和静县", "", "–"]);
        let expected = "\
区划      name        rate
库尔勒市  Korla      98.5%
轮台县    Luntai\\nx   7.0%
和静县                   –
";
        assert_eq!(table.render(), expected);
    }

    #[test]
    fn nothing_a_row_holds_reaches_the_terminal_as_control() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(width("价格，12"), 8);
    }
}
