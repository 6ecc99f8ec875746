//! Parsing of model SQL.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Statement, Value, visit_expressions};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};

/// The statements of a file. `$name` parameters are placeholders.
pub(crate) fn parse(sql: &str) -> Result<Vec<Statement>, ParserError> {
    Parser::parse_sql(&GenericDialect {}, sql)
}

/// The parameters (`region` for `$region`) that a text names; none where it does not parse.
pub(crate) fn parameters(sql: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let _ = visit_expressions(&parse(sql).unwrap_or_default(), |expression| {
        if let Expr::Value(value) = expression
            && let Value::Placeholder(name) = &value.value
        {
            found.insert(name.trim_start_matches('$').to_owned());
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// The line a parser error names (`… at Line: 3, Column: 7`); 1 where it names none.
pub(crate) fn line_of(error: &ParserError) -> u64 {
    let text = error.to_string();
    let digits: String =
        text.rsplit_once("Line: ").map(|(_, tail)| tail.chars().take_while(char::is_ascii_digit).collect()).unwrap_or_default();
    digits.parse().unwrap_or(1)
}
