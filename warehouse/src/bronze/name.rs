//! Names of bronze files: they tell which run parsed the rows, by which rules, and whether it was the first time.
//!
//! `r000001-v000001-p0123456789ab-0000.parquet`: run, table version, `p` parsed as received or `x` parsed again, the beginning of the
//! rules' fingerprint, a number. So what is to be parsed again is told from the table's log alone, and what a parse retires from the
//! names of the files: both are atomic with the rows.
//!
//! A file that `maintain` merged from several runs' files of one cell and parser is `r000001_000030-…`: first and last run.

/// Digits of the fingerprint in a name.
const DIGITS: usize = 12;

/// What a bronze file's name says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName {
    /// Number of the last run whose rows are in it.
    pub run: i64,
    /// Number of the first one: another than [`Self::run`] only where files were merged.
    pub first_run: i64,
    /// The beginning of the fingerprint of the rules its rows were parsed by.
    pub parser: String,
    /// Whether older parses of its artifacts are retired by it.
    pub again: bool,
}

impl FileName {
    pub(crate) fn new(run: i64, parser: &str, again: bool) -> Self {
        Self { run, first_run: run, parser: short(parser).to_string(), again }
    }

    /// The name of what files are merged into; `None` where they do not agree in what readers take from a name.
    pub(crate) fn merged(names: &[Self]) -> Option<Self> {
        let first = names.first()?;
        let agree = names.iter().all(|name| name.parser == first.parser && !name.again);
        let (low, high) = (names.iter().map(|name| name.first_run).min()?, names.iter().map(|name| name.run).max()?);
        agree.then(|| Self { run: high, first_run: low, parser: first.parser.clone(), again: false })
    }

    pub(crate) fn render(&self, version: i64, number: usize) -> String {
        let kind = if self.again { 'x' } else { 'p' };
        let runs = if self.first_run == self.run { format!("{:06}", self.run) } else { format!("{:06}_{:06}", self.first_run, self.run) };
        format!("r{runs}-v{version:06}-{kind}{}-{number:04}.parquet", self.parser)
    }

    /// Reads a file's path; none where it is not named like this.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.rsplit('/').next()?.split('-');
        let runs = parts.next()?.strip_prefix('r')?;
        let (first, last) = runs.split_once('_').unwrap_or((runs, runs));
        let (first_run, run) = (first.parse().ok()?, last.parse().ok()?);
        parts.next()?.strip_prefix('v')?;
        let parser = parts.next()?;
        let again = parser.starts_with('x');
        let parser = parser.strip_prefix(['p', 'x'])?;
        Some(Self { run, first_run, parser: parser.to_string(), again })
    }

    /// Whether the rows were parsed by these rules.
    #[must_use]
    pub fn is_of(&self, parser: &str) -> bool {
        self.parser == short(parser)
    }
}

fn short(parser: &str) -> &str {
    parser.get(..DIGITS).unwrap_or(parser)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_it_was_made_of() {
        let name = FileName::new(3, "0123456789abcdef0123", true);
        let path = format!("county=1/month=2024-01/{}", name.render(7, 2));
        assert_eq!(path, "county=1/month=2024-01/r000003-v000007-x0123456789ab-0002.parquet");
        assert_eq!(FileName::of(&path), Some(name.clone()));
        assert!(name.is_of("0123456789ab77777") && !name.is_of("0123456789ac"));
        assert_eq!(FileName::of("county=1/part-0.parquet"), None);
    }

    #[test]
    fn merged_files_say_from_which_runs_they_are() {
        let one = |run, again| FileName::new(run, "0123456789abcdef0123", again);
        let merged = FileName::merged(&[one(2, false), one(5, false)]).unwrap();
        assert_eq!((merged.first_run, merged.run), (2, 5));
        let path = merged.render(9, 0);
        assert_eq!(path, "r000002_000005-v000009-p0123456789ab-0000.parquet");
        assert_eq!(FileName::of(&path), Some(merged.clone()));
        assert_eq!(FileName::merged(&[merged, one(7, false)]).map(|name| (name.first_run, name.run)), Some((2, 7)));
        assert_eq!(FileName::merged(&[one(2, false), one(5, true)]), None);
        assert_eq!(FileName::merged(&[one(2, false), FileName::new(3, "f", false)]), None);
    }
}
