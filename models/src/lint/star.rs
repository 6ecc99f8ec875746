//! L003 `SELECT *`: a new column upstream must not change a table silently.

use std::ops::ControlFlow;

use sqlparser::ast::{Select, SelectItem, Statement, Visit, Visitor};

use super::{Finding, line};

pub(super) fn check(statements: &[Statement], findings: &mut Vec<Finding>) {
    let _ = statements.iter().try_for_each(|statement| statement.visit(&mut Stars { findings }));
}

struct Stars<'a> {
    findings: &'a mut Vec<Finding>,
}

impl Visitor for Stars<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)) {
                self.findings.push(Finding {
                    line: line(item),
                    code: "L003",
                    message: format!("`{item}` takes whatever columns there are"),
                    hint: "name the columns (in EXISTS: SELECT 1)",
                });
            }
        }
        ControlFlow::Continue(())
    }
}
