//! L001 clocks and random numbers, L002 approximations, L009 float statistics: all told by the name.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Statement, Visit, Visitor};

use super::{Finding, line, name};

const CLOCKS: [&str; 16] = [
    "now",
    "today",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "getdate",
    "sysdate",
    "random",
    "rand",
    "uuid",
    "gen_random_uuid",
];

const STATISTICS: [&str; 13] = [
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "var",
    "var_pop",
    "var_samp",
    "variance",
    "var_population",
    "var_sample",
    "corr",
    "covar",
    "covar_pop",
    "covar_samp",
];

pub(super) fn check(statements: &[Statement], findings: &mut Vec<Finding>) {
    let _ = statements.iter().try_for_each(|statement| statement.visit(&mut Names { findings }));
}

struct Names<'a> {
    findings: &'a mut Vec<Finding>,
}

impl Visitor for Names<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        let called = name(function);
        let rule = if CLOCKS.contains(&called.as_str()) {
            Some(("L001", "gives another answer on every run", "use `$as_of`, a column of `ask.month` or a key"))
        } else if called.starts_with("approx_") {
            Some(("L002", "is approximate", "use count(DISTINCT …), median or percentile6(list, p)"))
        } else if STATISTICS.contains(&called.as_str()) || called.starts_with("regr_") {
            Some(("L009", "is a float inside", "add up decimals and divide once with div6"))
        } else if called == "percentile_cont" {
            Some(("L009", "interpolates in floats", "use percentile6(list, p)"))
        } else {
            None
        };
        if let Some((code, why, hint)) = rule {
            let message = format!("`{called}` {why}");
            self.findings.push(Finding { line: line(&function.name), code, message, hint });
        }
        ControlFlow::Continue(())
    }
}
