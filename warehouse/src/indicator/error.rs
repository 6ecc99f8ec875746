//! What can go wrong while an indicator is computed.

use std::borrow::Cow;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use yaojia_models::fault::{Fault, FaultKind};

/// An indicator that could not be computed; names the indicator and, where SQL is the cause, its file.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The question itself is wrong: months, region or parameters.
    #[error("cannot ask for indicators: {0}")]
    Ask(String),
    /// The engine's own tables could not be registered.
    #[error("cannot register the tables of the question: {0}")]
    Register(Box<DataFusionError>),
    /// A query of the indicator failed.
    #[error("indicator `{indicator}`, `{file}`: {source}")]
    Sql {
        /// The indicator.
        indicator: String,
        /// The SQL file.
        file: String,
        /// What the engine says.
        source: Box<DataFusionError>,
    },
    /// A query's columns or rows are not what the engine needs.
    #[error("indicator `{indicator}`, `{file}`: {why}")]
    Shape {
        /// The indicator.
        indicator: String,
        /// The SQL file.
        file: String,
        /// What does not fit.
        why: String,
    },
    /// A number does not fit its published type.
    #[error("indicator `{indicator}`: `{what}` of `{row}` does not fit its type")]
    TooLarge {
        /// The indicator.
        indicator: String,
        /// Which number.
        what: &'static str,
        /// The key of the row.
        row: String,
    },
    /// A parameter's value does not fit its type.
    #[error("indicator `{indicator}`: parameter `{name}`: {why}")]
    Parameter {
        /// The indicator.
        indicator: String,
        /// The parameter.
        name: String,
        /// What does not fit.
        why: String,
    },
    /// A table given to the engine (exemptions, stored values, names) has not the columns it needs.
    #[error("`{table}`: {why}")]
    Table {
        /// The table.
        table: String,
        /// What does not fit.
        why: String,
    },
    /// A result batch could not be built.
    #[error("indicator `{indicator}`: cannot build its rows: {source}")]
    Build {
        /// The indicator.
        indicator: String,
        /// What Arrow says.
        source: ArrowError,
    },
    /// A worked example of the card does not come out.
    #[error("indicator `{indicator}`: example `{title}`: {why}")]
    Example {
        /// The indicator.
        indicator: String,
        /// The example.
        title: String,
        /// What came out instead.
        why: String,
    },
}

impl EngineError {
    /// A failed query.
    pub(super) fn sql(indicator: &str, file: &str) -> impl FnOnce(DataFusionError) -> Self {
        let (indicator, file) = (indicator.to_owned(), file.to_owned());
        move |source| Self::Sql { indicator, file, source: Box::new(source) }
    }

    /// A query whose result does not fit.
    pub(super) fn shape(indicator: &str, file: &str, why: impl Into<String>) -> Self {
        Self::Shape { indicator: indicator.to_owned(), file: file.to_owned(), why: why.into() }
    }

    /// A given table that does not fit.
    pub(super) fn table(table: &str, why: impl std::fmt::Display) -> Self {
        Self::Table { table: table.to_owned(), why: why.to_string() }
    }
}

impl Fault for EngineError {
    fn code(&self) -> &'static str {
        "E-IND-001"
    }

    fn kind(&self) -> FaultKind {
        FaultKind::Usage
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some("run `yaojia check` to plan every SQL without data; `yaojia indicator check` for one indicator".into())
    }
}
