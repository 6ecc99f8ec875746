//! How far a table reads into another: the months the planner inverts.

use serde::Serialize;

/// The months of another table that a cell reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Months {
    /// Months relative to the cell's own, both ends included; `None` is open.
    Relative {
        /// First month.
        from: Option<i32>,
        /// Last month.
        to: Option<i32>,
    },
    /// The months of the batches concerned.
    Agreement,
    /// The current version, whatever month it lies in.
    Latest,
}

/// A parsed `reads` entry: `"0"`, `"-11..0"`, `"0..*"`, `"*"`, `"latest"`, `"agreement"`, `"all_counties"`,
/// or months and `all_counties` together (`"-11..0 all_counties"`; alone it means month 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReadWindow {
    /// Which months.
    pub months: Months,
    /// Whether all counties are read, not only the cell's own.
    pub all_counties: bool,
}

impl ReadWindow {
    /// Parses the text of a contract; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut months = None;
        let mut all_counties = false;
        for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
            if word == "all_counties" {
                if all_counties {
                    return None;
                }
                all_counties = true;
            } else if months.is_some() {
                return None;
            } else {
                months = Some(parse_months(word)?);
            }
        }
        match (months, all_counties) {
            (Some(months), _) => Some(Self { months, all_counties }),
            (None, true) => Some(Self { months: Months::Relative { from: Some(0), to: Some(0) }, all_counties }),
            (None, false) => None,
        }
    }
}

fn parse_months(word: &str) -> Option<Months> {
    match word {
        "agreement" => return Some(Months::Agreement),
        "latest" => return Some(Months::Latest),
        "*" => {
            return Some(Months::Relative { from: None, to: None });
        }
        _ => {}
    }
    let bound = |text: &str| match text {
        "*" => Some(None),
        _ => text.parse::<i32>().ok().map(Some),
    };
    match word.split_once("..") {
        Some((from, to)) => {
            let (from, to) = (bound(from)?, bound(to)?);
            if let (Some(from), Some(to)) = (from, to)
                && from > to
            {
                return None;
            }
            Some(Months::Relative { from, to })
        }
        None => {
            let month = word.parse::<i32>().ok()?;
            Some(Months::Relative { from: Some(month), to: Some(month) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_texts() {
        let rel = |from, to| Months::Relative { from, to };
        for (text, months, all) in [
            ("0", rel(Some(0), Some(0)), false),
            ("-11..0", rel(Some(-11), Some(0)), false),
            ("0..*", rel(Some(0), None), false),
            ("*..0", rel(None, Some(0)), false),
            ("*", rel(None, None), false),
            ("all_counties", rel(Some(0), Some(0)), true),
            ("-2..0 all_counties", rel(Some(-2), Some(0)), true),
            ("agreement", Months::Agreement, false),
            ("latest", Months::Latest, false),
        ] {
            let want = ReadWindow { months, all_counties: all };
            assert_eq!(ReadWindow::parse(text), Some(want), "{text}");
        }
        for text in ["", "1..0", "x", "0 1", "0...1", "all_counties all_counties", ".."] {
            assert_eq!(ReadWindow::parse(text), None, "{text}");
        }
    }
}
