//! Where the value of an expression comes from.

use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{Case, Expr, Subquery};
use datafusion::scalar::ScalarValue;

use super::constants::{constant, equal, truth};
use super::plan::branches;
use super::relation::{Cell, Relation};
use super::{ColumnRef, Origin, Transform};

/// The rows an expression is evaluated over: its own, then those of the queries around it, the nearest first.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// Its own rows.
    pub(super) rows: &'a Relation,
    /// The queries around.
    pub(super) outer: &'a [&'a Relation],
}

/// The column an expression gives.
pub(super) fn cell(expr: &Expr, scope: Scope<'_>) -> Cell {
    let value = constant(expr, scope.rows);
    let mut origin = origin(expr, scope);
    if value.is_some() && origin.from.is_empty() {
        return Cell { origin, constant: value };
    }
    if origin.from.is_empty() && origin.constants.is_empty() && origin.parameters.is_empty() {
        // `0 * 1`, `concat('a', 'b')`, `random()`: no column has a part.
        origin.constants.insert(expr.schema_name().to_string());
    }
    Cell { origin, constant: value }
}

/// Where the value of an expression comes from.
pub(super) fn origin(expr: &Expr, scope: Scope<'_>) -> Origin {
    match expr {
        Expr::Alias(alias) => origin(&alias.expr, scope),
        Expr::Column(column) => scope.rows.cell(column).map(|cell| cell.origin.clone()).unwrap_or_default(),
        Expr::OuterReferenceColumn(_, column) => {
            scope.outer.iter().find_map(|rows| rows.cell(column)).map(|cell| cell.origin.clone()).unwrap_or_default()
        }
        Expr::Literal(value, _) => Origin { constants: std::iter::once(shown(value)).collect(), ..Origin::default() },
        Expr::Placeholder(placeholder) => {
            Origin { parameters: std::iter::once(placeholder.id.trim_start_matches('$').to_owned()).collect(), ..Origin::default() }
        }
        Expr::Case(case) => of_case(case, scope),
        Expr::AggregateFunction(call) => of_aggregate(call, scope),
        Expr::WindowFunction(call) => of_window(call, scope),
        Expr::ScalarSubquery(query) => of_subquery(query, scope, Transform::Identity),
        Expr::InSubquery(test) => {
            let mut all = Origin::default();
            all.absorb(&origin(&test.expr, scope), Transform::Transformation);
            all.absorb(&of_subquery(&test.subquery, scope, Transform::Conditional), Transform::Identity);
            all
        }
        Expr::SetComparison(test) => {
            let mut all = Origin::default();
            all.absorb(&origin(&test.expr, scope), Transform::Transformation);
            all.absorb(&of_subquery(&test.subquery, scope, Transform::Conditional), Transform::Identity);
            all
        }
        Expr::Exists(test) => of_existence(&test.subquery, scope),
        other => {
            // Everything else is a value computed from its parts. A constant part of a computed value is no value of its own.
            let mut all = Origin::default();
            let _ = other.apply_children(|part| {
                all.absorb(&origin(part, scope), Transform::Transformation);
                Ok(TreeNodeRecursion::Continue)
            });
            if !all.from.is_empty() && !takes_over(other) {
                all.constants.clear();
            }
            all
        }
    }
}

/// Whether an expression gives one of its parts as it is, so that a constant part may be its value: COALESCE and casts.
fn takes_over(expr: &Expr) -> bool {
    match expr {
        Expr::Cast(_) | Expr::TryCast(_) => true,
        Expr::ScalarFunction(call) => matches!(call.name(), "coalesce" | "nvl" | "nvl2" | "greatest" | "least"),
        _ => false,
    }
}

/// A constant as people write it.
fn shown(value: &ScalarValue) -> String {
    match value {
        value if value.is_null() => "NULL".to_owned(),
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => format!("'{text}'"),
        other => other.to_string(),
    }
}

/// The arms give the value, the conditions decide; arms that cannot be taken are left out.
fn of_case(case: &Case, scope: Scope<'_>) -> Origin {
    let mut all = Origin::default();
    let mut decided = false;
    for (when, then) in &case.when_then_expr {
        let holds = match &case.expr {
            Some(subject) => equal(subject, when, scope.rows),
            None => truth(when, scope.rows),
        };
        if holds == Some(false) {
            continue;
        }
        if holds.is_none() {
            if let Some(subject) = &case.expr {
                all.absorb(&origin(subject, scope), Transform::Conditional);
            }
            all.absorb(&origin(when, scope), Transform::Conditional);
        }
        all.absorb(&origin(then, scope), Transform::Transformation);
        if holds == Some(true) {
            decided = true;
            break;
        }
    }
    match (&case.else_expr, decided) {
        (_, true) => {}
        (Some(other), false) => all.absorb(&origin(other, scope), Transform::Transformation),
        (None, false) => drop(all.constants.insert("NULL".to_owned())),
    }
    all
}

fn of_aggregate(call: &AggregateFunction, scope: Scope<'_>) -> Origin {
    let mut all = Origin::default();
    for argument in &call.params.args {
        all.absorb(&origin(argument, scope), Transform::Aggregation);
    }
    if !all.has_direct() {
        // COUNT(*), SUM(1): the rows themselves.
        all.absorb(&scope.rows.rows(Transform::Aggregation), Transform::Identity);
    }
    all.constants.clear();
    if let Some(filter) = &call.params.filter {
        all.absorb(&origin(filter, scope), Transform::Filter);
    }
    for sort in &call.params.order_by {
        all.absorb(&origin(&sort.expr, scope), Transform::Sort);
    }
    all
}

fn of_window(call: &WindowFunction, scope: Scope<'_>) -> Origin {
    let mut all = Origin::default();
    let params = &call.params;
    for argument in &params.args {
        all.absorb(&origin(argument, scope), Transform::Aggregation);
    }
    if !all.has_direct() {
        // ROW_NUMBER(), COUNT(*) OVER …: the rows themselves.
        all.absorb(&scope.rows.rows(Transform::Aggregation), Transform::Identity);
    }
    all.constants.clear();
    let order = params.order_by.iter().map(|sort| &sort.expr);
    for decides in params.partition_by.iter().chain(order).chain(params.filter.as_deref()) {
        all.absorb(&origin(decides, scope), Transform::Window);
    }
    all
}

/// The first column of a subquery, and what decides which rows it has.
fn of_subquery(query: &Subquery, scope: Scope<'_>, transform: Transform) -> Origin {
    let mut all = Origin::default();
    for rows in inner(query, scope) {
        if let Some(first) = rows.cells.first() {
            all.absorb(&first.origin, transform);
        }
        super::origin::add(&mut all.from, &rows.influence, Transform::Identity);
    }
    all
}

/// Whether a subquery has rows: its tables' rows, and what decides which.
fn of_existence(query: &Subquery, scope: Scope<'_>) -> Origin {
    let mut all = Origin::default();
    for rows in inner(query, scope) {
        all.absorb(&rows.rows(Transform::Conditional), Transform::Identity);
        super::origin::add(&mut all.from, &rows.influence, Transform::Identity);
    }
    all
}

fn inner(query: &Subquery, scope: Scope<'_>) -> Vec<Relation> {
    let mut outer = vec![scope.rows];
    outer.extend(scope.outer);
    branches(&query.subquery, &outer)
}

/// A column of a table.
pub(super) fn of_table(table: &str, column: &str) -> Cell {
    Cell::new(Origin::of(ColumnRef::new(table, column), Transform::Identity))
}
