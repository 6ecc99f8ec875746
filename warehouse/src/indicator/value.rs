//! A value before and after judging.

use std::collections::BTreeMap;
use std::fmt;

use super::{Exact, RowKey};

/// How an input joins others when rows are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// `sum_x`: added.
    Sum,
    /// `max_x`: the greatest.
    Max,
    /// `in_x` and stored ones: not taken along into roll-ups.
    None,
}

/// The content of an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// A number.
    Number(Exact),
    /// Anything else, as text.
    Text(String),
}

impl Input {
    /// A stored or written input: a number where it is written as this type writes numbers.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        // `007` and `1.50` stay texts: they are codes, or would not come back as they were
        Exact::parse(text).filter(|number| number.to_string() == text).map_or_else(|| Self::Text(text.to_owned()), Self::Number)
    }

    /// The content as a number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<Exact> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => Exact::parse(text),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// One row before judging: everything that its state depends on, but for history and exemptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The row's key.
    pub key: RowKey,
    /// The exact numerator.
    pub numerator: Option<Exact>,
    /// The exact denominator.
    pub denominator: Option<Exact>,
    /// The given value, for measures of kind `value`.
    pub given: Option<Exact>,
    /// The amount at risk.
    pub amount: Option<Exact>,
    /// How many source rows were counted.
    pub sample_n: Option<i64>,
    /// The mark of the source rows, or blank.
    pub mark: String,
    /// Inputs by name.
    pub inputs: BTreeMap<String, (Fold, Input)>,
    /// The SQL says that there is no value.
    pub na: bool,
    /// The SQL says that the sample is too small.
    pub insufficient: bool,
}

impl Value {
    /// An empty row.
    #[must_use]
    pub fn new(key: RowKey) -> Self {
        Self {
            key,
            numerator: None,
            denominator: None,
            given: None,
            amount: None,
            sample_n: None,
            mark: String::new(),
            inputs: BTreeMap::new(),
            na: false,
            insufficient: false,
        }
    }
}

/// The state of a value; the order is that of gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// There is no value.
    Na,
    /// The sample is too small.
    Insufficient,
    /// Nothing to say.
    Normal,
    /// Shown.
    Watch,
    /// Would be warn or verify, but is registered as exempt.
    Exempt,
    /// 预警.
    Warn,
    /// 核实.
    Verify,
}

impl State {
    /// The name in `gold.indicator_value.state`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Na => "na",
            Self::Insufficient => "insufficient",
            Self::Normal => "normal",
            Self::Watch => "watch",
            Self::Exempt => "exempt",
            Self::Warn => "warn",
            Self::Verify => "verify",
        }
    }

    /// Whether a row in this state has an alert, and counts for persistence (which looks at states before exemption).
    #[must_use]
    pub fn is_alert(self) -> bool {
        matches!(self, Self::Exempt | Self::Warn | Self::Verify)
    }
}

/// A value and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The row as it was computed.
    pub value: Value,
    /// The published value, 6 places.
    pub result: Option<Exact>,
    /// The state.
    pub state: State,
    /// The mark, or blank.
    pub mark: String,
    /// What decided, in words.
    pub threshold: Option<String>,
    /// Id and first month of the rule that decided.
    pub rule_version: Option<String>,
    /// The rule's message.
    pub message: Option<String>,
    /// The row of the exemption register that covers it.
    pub exempt_id: Option<String>,
}
