//! What is certain without any row: constants, and conditions over them. `CASE pick.measure WHEN 'index' …` has one live arm in the
//! branch of the UNION that gives `'index'`.

use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

use super::relation::Relation;

/// The value of an expression, where all rows have the same one.
pub(super) fn constant(expr: &Expr, rows: &Relation) -> Option<ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value.clone()),
        Expr::Alias(alias) => constant(&alias.expr, rows),
        Expr::Column(column) => rows.cell(column)?.constant.clone(),
        Expr::Cast(cast) => constant(&cast.expr, rows).filter(|value| text(value).is_some()),
        _ => None,
    }
}

/// Whether a condition holds for all rows, or for none.
pub(super) fn truth(expr: &Expr, rows: &Relation) -> Option<bool> {
    match expr {
        Expr::Literal(ScalarValue::Boolean(value), _) => *value,
        Expr::Alias(alias) => truth(&alias.expr, rows),
        Expr::Not(inner) => truth(inner, rows).map(|holds| !holds),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => match (truth(left, rows), truth(right, rows)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => match (truth(left, rows), truth(right, rows)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => equal(left, right, rows),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::NotEq, right }) => equal(left, right, rows).map(|same| !same),
        Expr::InList(list) => {
            let found: Option<Vec<bool>> = list.list.iter().map(|item| equal(&list.expr, item, rows)).collect();
            found.map(|found| found.contains(&true) != list.negated)
        }
        _ => None,
    }
}

/// Whether two expressions are equal texts in all rows, or in none. Only texts: numbers of two types may be equal all the same.
pub(super) fn equal(left: &Expr, right: &Expr, rows: &Relation) -> Option<bool> {
    let (left, right) = (constant(left, rows)?, constant(right, rows)?);
    Some(text(&left)? == text(&right)?)
}

/// The text of a text.
pub(super) fn text(value: &ScalarValue) -> Option<&str> {
    match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => Some(text),
        _ => None,
    }
}
