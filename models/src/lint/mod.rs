//! The determinism lint: what silver and gold SQL must not do, because the answer would depend on the day,
//! the thread count, or the order in which rows arrive.
//!
//! | code | refuses |
//! |---|---|
//! | L000 | SQL that does not parse |
//! | L001 | clocks and random numbers |
//! | L002 | approximate aggregates |
//! | L003 | `SELECT *` |
//! | L004 | casts to a float |
//! | L005 | float literals |
//! | L006 | picking rows without an order |
//! | L007 | picking rows by an order that ties |
//! | L008 | a decimal division or average without a cast |
//! | L009 | statistics that are floats inside |
//!
//! One file a rule family; a new family is a file and a line in [`lint`].

mod division;
mod floats;
mod functions;
mod order;
mod star;
#[cfg(test)]
mod tests;

use std::fmt;

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned};

use crate::sql;

/// One breach of the rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Line of the SQL text, from 1.
    pub line: u64,
    /// `L001` …
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: line {}: {} (hint: {})", self.code, self.line, self.message, self.hint)
    }
}

/// Judges a SQL text; findings by line, then code.
///
/// `grain` names the columns that make a row unique where rows are picked by an order (the grain of the
/// table, or unique columns of what it reads); empty: L007 is not judged.
#[must_use]
pub fn lint(text: &str, grain: &[String]) -> Vec<Finding> {
    let statements = match sql::parse(text) {
        Ok(statements) => statements,
        Err(error) => {
            return vec![Finding {
                line: sql::line_of(&error),
                code: "L000",
                message: format!("does not parse: {error}"),
                hint: "write one SELECT that the engine can plan",
            }];
        }
    };
    let mut findings = Vec::new();
    functions::check(&statements, &mut findings);
    star::check(&statements, &mut findings);
    floats::check(&statements, &mut findings);
    order::check(&statements, grain, &mut findings);
    division::check(&statements, &mut findings);
    findings.sort();
    findings.dedup();
    findings
}

/// The line where a part of the SQL begins; 1 where the parser does not know.
fn line(node: &impl Spanned) -> u64 {
    node.span().start.line.max(1)
}

/// The last part of a function's name, in lower case.
fn name(function: &Function) -> String {
    let last = function.name.0.last().and_then(|part| part.as_ident());
    last.map(|ident| ident.value.to_ascii_lowercase()).unwrap_or_default()
}

/// The plain arguments of a function.
fn arguments(function: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else {
        return Vec::new();
    };
    list.args
        .iter()
        .filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}
