//! Where a column comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A column of a table; `*` stands for the table's rows (`COUNT(*)`, `EXISTS`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnRef {
    /// `gold.fact_order`.
    pub table: String,
    /// `send_time`.
    pub column: String,
}

impl ColumnRef {
    /// A column of a table.
    #[must_use]
    pub fn new(table: impl Into<String>, column: impl Into<String>) -> Self {
        Self { table: table.into(), column: column.into() }
    }
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

/// What happens to a column on its way into another: the subtypes of OpenLineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transform {
    /// The value as it is.
    Identity,
    /// A value computed from it.
    Transformation,
    /// A value over many rows of it.
    Aggregation,
    /// It decides which of several values is taken (CASE).
    Conditional,
    /// It decides which rows meet.
    Join,
    /// It decides which rows are taken together.
    GroupBy,
    /// It decides which rows count.
    Filter,
    /// It decides which rows a window function sees, and in what order.
    Window,
    /// It decides the order.
    Sort,
}

impl Transform {
    /// Whether the value itself goes on, rather than only having a say.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        matches!(self, Self::Identity | Self::Transformation | Self::Aggregation)
    }

    /// The subtype's name in OpenLineage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY",
            Self::Transformation => "TRANSFORMATION",
            Self::Aggregation => "AGGREGATION",
            Self::Conditional => "CONDITIONAL",
            Self::Join => "JOIN",
            Self::GroupBy => "GROUP_BY",
            Self::Filter => "FILTER",
            Self::Window => "WINDOW",
            Self::Sort => "SORT",
        }
    }

    /// What becomes of a column that came in by `inner` when this is done to the result.
    #[must_use]
    pub fn after(self, inner: Self) -> Self {
        match (self, inner) {
            (Self::Identity, inner) => inner,
            (outer, _) if !outer.is_direct() => outer,
            (_, inner) if !inner.is_direct() => inner,
            (Self::Transformation, Self::Identity) => Self::Transformation,
            (Self::Transformation, inner) => inner,
            (outer, _) => outer,
        }
    }
}

/// Columns and how they have a part.
pub type Influence = BTreeMap<ColumnRef, BTreeSet<Transform>>;

/// Where one column comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The columns, and how each has a part.
    pub from: Influence,
    /// Constants of the SQL that may be its value, as text.
    pub constants: BTreeSet<String>,
    /// Parameters of the SQL that have a part in it.
    pub parameters: BTreeSet<String>,
    /// Whatever else it comes from, in words: given by the engine, the card, the run.
    pub note: Option<String>,
}

impl Origin {
    /// One column, by one transform.
    #[must_use]
    pub fn of(column: ColumnRef, transform: Transform) -> Self {
        Self::default().and(column, transform)
    }

    /// Something that is no column.
    #[must_use]
    pub fn noted(note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..Self::default() }
    }

    /// One column more.
    #[must_use]
    pub fn and(mut self, column: ColumnRef, transform: Transform) -> Self {
        self.from.entry(column).or_default().insert(transform);
        self
    }

    /// With words.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Takes in all of another, done `transform` to.
    pub(super) fn absorb(&mut self, other: &Self, transform: Transform) {
        add(&mut self.from, &other.from, transform);
        if transform.is_direct() {
            self.constants.extend(other.constants.iter().cloned());
        }
        self.parameters.extend(other.parameters.iter().cloned());
    }

    /// Takes in all of another as it is.
    pub fn merge(&mut self, other: &Self) {
        self.absorb(other, Transform::Identity);
        self.note = self.note.take().or_else(|| other.note.clone());
    }

    /// Whether it comes from anything at all.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.from.is_empty() || !self.constants.is_empty() || !self.parameters.is_empty() || self.note.is_some()
    }

    /// Whether a value of a table goes into it.
    #[must_use]
    pub fn has_direct(&self) -> bool {
        self.from.values().flatten().any(|transform| transform.is_direct())
    }
}

/// Adds columns, done `transform` to.
pub(super) fn add(to: &mut Influence, from: &Influence, transform: Transform) {
    for (column, inner) in from {
        to.entry(column.clone()).or_default().extend(inner.iter().map(|inner| transform.after(*inner)));
    }
}
