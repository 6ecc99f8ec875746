//! L006 picking rows without an order, L007 by an order in which rows may tie.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Distinct, Expr, Function, FunctionArgumentClause, FunctionArguments, LimitClause, NamedWindowDefinition, NamedWindowExpr, OrderByExpr,
    OrderByKind, Query, Select, SetExpr, Statement, Visit, Visitor, WindowFrameUnits, WindowSpec, WindowType,
};

use super::{Finding, arguments, line, name};

/// They give one row of several: which one depends on the order.
const POSITIONS: [&str; 4] = ["row_number", "ntile", "lag", "lead"];
/// They give a value, or a list: rows that tie in it give the same.
const VALUES: [&str; 7] = ["first_value", "last_value", "nth_value", "array_agg", "string_agg", "listagg", "group_concat"];
/// Rows that tie get the same rank; only the order itself is needed.
const RANKS: [&str; 4] = ["rank", "dense_rank", "percent_rank", "cume_dist"];

const HINT_ORDER: &str = "add ORDER BY, down to a column that makes the row unique";
const HINT_GRAIN: &str = "end the ORDER BY with a column of the grain";

pub(super) fn check(statements: &[Statement], grain: &[String], findings: &mut Vec<Finding>) {
    let mut visitor = Orders { grain, windows: BTreeMap::new(), findings };
    let _ = statements.iter().try_for_each(|statement| statement.visit(&mut visitor));
}

struct Orders<'a> {
    grain: &'a [String],
    /// `WINDOW name AS (…)`
    windows: BTreeMap<String, NamedWindowExpr>,
    findings: &'a mut Vec<Finding>,
}

impl Visitor for Orders<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let limit = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                limit.as_ref().or(offset.as_ref().map(|offset| &offset.value)).map(line)
            }
            Some(LimitClause::OffsetCommaLimit { limit, .. }) => Some(line(limit)),
            None => None,
        };
        let fetch = query.fetch.as_ref().map(|_| line(query));
        let distinct_on = match query.body.as_ref() {
            SetExpr::Select(select) => match &select.distinct {
                Some(Distinct::On(_)) => Some(line(query)),
                _ => None,
            },
            _ => None,
        };
        let keys: Option<Vec<&Expr>> = query.order_by.as_ref().map(|order| match &order.kind {
            OrderByKind::Expressions(keys) => keys.iter().map(|key| &key.expr).collect(),
            OrderByKind::All(_) => Vec::new(),
        });
        for (what, at) in [("LIMIT", limit.or(fetch)), ("DISTINCT ON", distinct_on)] {
            let Some(at) = at else { continue };
            match &keys {
                None => self.unordered(at, what),
                Some(keys) if !self.total(keys) => self.tied(at, what),
                Some(_) => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for NamedWindowDefinition(ident, window) in &select.named_window {
            self.windows.insert(ident.value.to_ascii_lowercase(), window.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            self.function(function);
        }
        ControlFlow::Continue(())
    }
}

impl Orders<'_> {
    fn function(&mut self, function: &Function) {
        let called = name(function);
        let at = line(&function.name);
        let position = POSITIONS.contains(&called.as_str());
        let value = VALUES.contains(&called.as_str());
        let rank = RANKS.contains(&called.as_str());
        let windows: Vec<WindowSpec> = self.window(function.over.as_ref());
        let rows_frame = windows.iter().any(|window| window.window_frame.as_ref().is_some_and(|f| f.units == WindowFrameUnits::Rows));
        if called == "any_value" {
            self.unordered(at, &called);
            return;
        }
        if !(position || value || rank || rows_frame) {
            return;
        }
        let keys: Vec<&Expr> =
            inner_order(function).into_iter().chain(windows.iter().flat_map(|window| &window.order_by)).map(|key| &key.expr).collect();
        if keys.is_empty() {
            self.unordered(at, &called);
            return;
        }
        let same =
            value && arguments(function).first().is_some_and(|argument| keys.iter().any(|key| key.to_string() == argument.to_string()));
        if !rank && !same && !self.total(&keys) {
            self.tied(at, &called);
        }
    }

    /// The window of a call and the named windows it is built on.
    fn window(&self, over: Option<&WindowType>) -> Vec<WindowSpec> {
        let mut specs = Vec::new();
        let mut next = match over {
            Some(WindowType::WindowSpec(spec)) => {
                specs.push(spec.clone());
                spec.window_name.clone()
            }
            Some(WindowType::NamedWindow(ident)) => Some(ident.clone()),
            None => None,
        };
        while let Some(ident) = next.take() {
            if specs.len() > self.windows.len() {
                break; // windows that name each other
            }
            match self.windows.get(&ident.value.to_ascii_lowercase()) {
                Some(NamedWindowExpr::WindowSpec(spec)) => {
                    specs.push(spec.clone());
                    next.clone_from(&spec.window_name);
                }
                Some(NamedWindowExpr::NamedWindow(ident)) => next = Some(ident.clone()),
                None => {}
            }
        }
        specs
    }

    /// Whether the keys hold a column of the grain.
    fn total(&self, keys: &[&Expr]) -> bool {
        self.grain.is_empty()
            || keys.iter().filter_map(|key| column(key)).any(|column| self.grain.iter().any(|unique| unique.eq_ignore_ascii_case(column)))
    }

    fn unordered(&mut self, line: u64, what: &str) {
        let message = format!("`{what}` without ORDER BY picks whatever row comes first");
        self.findings.push(Finding { line, code: "L006", message, hint: HINT_ORDER });
    }

    fn tied(&mut self, line: u64, what: &str) {
        let grain = self.grain.join("`, `");
        let message = format!("the order of `{what}` may tie: it holds none of `{grain}`");
        self.findings.push(Finding { line, code: "L007", message, hint: HINT_GRAIN });
    }
}

/// `array_agg(x ORDER BY y)`, `… WITHIN GROUP (ORDER BY y)`
fn inner_order(function: &Function) -> Vec<&OrderByExpr> {
    let mut keys: Vec<&OrderByExpr> = function.within_group.iter().collect();
    if let FunctionArguments::List(list) = &function.args {
        for clause in &list.clauses {
            if let FunctionArgumentClause::OrderBy(order) = clause {
                keys.extend(order);
            }
        }
    }
    keys
}

/// The column a key is, without its table.
fn column(key: &Expr) -> Option<&str> {
    match key {
        Expr::Identifier(ident) => Some(&ident.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|ident| ident.value.as_str()),
        Expr::Nested(inner) => column(inner),
        _ => None,
    }
}
