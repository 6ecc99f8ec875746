//! Files refused as a whole.

use std::fmt;

use thiserror::Error;

/// Why a file is refused; its `Display` is the word that run reports use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The bytes are not those the control file names.
    Sha256,
    /// The file is neither UTF-8 nor GB18030, or its container is broken.
    NotDecodable,
    /// Times of which nobody says whether they are UTC or local.
    AmbiguousTime,
    /// No header row with all required columns.
    NoHeader,
    /// Another number of data rows than the control file says.
    Rows,
    /// Another sum than the control file says, of the column it names.
    Sums(String),
    /// The control file itself cannot be read.
    Control,
    /// Two columns that mean one column of the contract, and differ in a row.
    DoubleTitle,
    /// A quoted field that holds whole lines of the file: its quote was hardly meant as one.
    SuspiciousQuote,
    /// The file ends inside a quoted field.
    OpenQuote,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256 => f.write_str("sha256"),
            Self::NotDecodable => f.write_str("undecodable"),
            Self::AmbiguousTime => f.write_str("ambiguous_time"),
            Self::NoHeader => f.write_str("no_header"),
            Self::Rows => f.write_str("rows"),
            Self::Sums(column) => write!(f, "sums:{column}"),
            Self::Control => f.write_str("control"),
            Self::DoubleTitle => f.write_str("double_title"),
            Self::SuspiciousQuote => f.write_str("suspicious_quote"),
            Self::OpenQuote => f.write_str("open_quote"),
        }
    }
}

/// A file refused as a whole: it is kept and reported, and its rows do not count as received.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("file `{file}` is refused, {reason}: {detail}")]
pub struct Refused {
    /// Path below the landing root.
    pub file: String,
    /// The word of the report.
    pub reason: Reason,
    /// What was found; never a value of a row.
    pub detail: String,
}

impl Refused {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "E-SRC-020"
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self.reason {
            Reason::Sha256 | Reason::Rows | Reason::Sums(_) => "have the file and its control file delivered again",
            Reason::Control => "have the control file delivered again",
            Reason::DoubleTitle => "rename or remove one of the two columns, and deliver the file again",
            Reason::SuspiciousQuote => {
                "double or remove the quotation mark, and deliver the file again; or announce its rows in a control file, where the field is meant so"
            }
            Reason::OpenQuote => "close, double or remove the quotation mark, and deliver the file again",
            Reason::NotDecodable => "have the file delivered again as UTF-8 or GB18030, or as an intact container",
            Reason::AmbiguousTime => {
                "say what its INT96 times are: `int96 = \"utc\"` or `\"local\"` under `[export]`, or under `[files]` of its profile"
            }
            Reason::NoHeader => "have the columns delivered under their titles, or map the titles found by `[aliases.file_titles.DATASET]`",
        }
    }
}
