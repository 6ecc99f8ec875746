//! L008 a decimal division or average whose scale nobody has said.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, DataType, Expr, Query, Statement, Visit, Visitor};

use super::{Finding, line, name};

pub(super) fn check(statements: &[Statement], findings: &mut Vec<Finding>) {
    let mut visitor = Divisions { around: Vec::new(), findings };
    let _ = statements.iter().try_for_each(|statement| statement.visit(&mut visitor));
}

/// What an expression does to the scale of what is in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    /// Says it.
    Cast,
    /// Hands it on.
    Through,
    /// Works on with whatever it is.
    Uses,
}

struct Divisions<'a> {
    around: Vec<Around>,
    findings: &'a mut Vec<Finding>,
}

impl Visitor for Divisions<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.around.push(Around::Uses);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.around.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let what = match expr {
            Expr::BinaryOp { op: BinaryOperator::Divide, .. } => Some("a division"),
            Expr::Function(function) if matches!(name(function).as_str(), "avg" | "mean") => Some("an average"),
            _ => None,
        };
        let said = self.around.iter().rev().find(|around| **around != Around::Through);
        if let Some(what) = what
            && said != Some(&Around::Cast)
        {
            self.findings.push(Finding {
                line: line(expr),
                code: "L008",
                message: format!("{what} without a cast around it: `{expr}`"),
                hint: "use div6(a, b), or CAST(a / b AS DECIMAL(38, 6)) around the division itself",
            });
        }
        self.around.push(around(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.around.pop();
        ControlFlow::Continue(())
    }
}

fn around(expr: &Expr) -> Around {
    match expr {
        Expr::Cast { data_type, .. } if is_exact(data_type) => Around::Cast,
        Expr::Nested(_) | Expr::UnaryOp { .. } | Expr::Case { .. } => Around::Through,
        Expr::Function(function) if matches!(name(function).as_str(), "coalesce" | "nullif") => Around::Through,
        _ => Around::Uses,
    }
}

fn is_exact(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Decimal(_)
            | DataType::Numeric(_)
            | DataType::Dec(_)
            | DataType::Int(_)
            | DataType::Integer(_)
            | DataType::BigInt(_)
            | DataType::SmallInt(_)
    )
}
