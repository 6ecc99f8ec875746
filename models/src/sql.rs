//! Parsing of model SQL.

use sqlparser::ast::Statement;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};

/// The statements of a file. `$name` parameters are placeholders.
pub(crate) fn parse(sql: &str) -> Result<Vec<Statement>, ParserError> {
    Parser::parse_sql(&GenericDialect {}, sql)
}

/// The line a parser error names (`… at Line: 3, Column: 7`); 1 where it names none.
pub(crate) fn line_of(error: &ParserError) -> u64 {
    let text = error.to_string();
    let digits: String =
        text.rsplit_once("Line: ").map(|(_, tail)| tail.chars().take_while(char::is_ascii_digit).collect()).unwrap_or_default();
    digits.parse().unwrap_or(1)
}
