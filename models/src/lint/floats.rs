//! L004 casts to a float, L005 float literals.

use std::ops::ControlFlow;

use sqlparser::ast::{DataType, Expr, Function, Statement, Value, ValueWithSpan, Visit, Visitor};

use super::{Finding, arguments, line, name};

const HINT: &str = "stay in DECIMAL; the engine makes the one double there is, the final value";

pub(super) fn check(statements: &[Statement], findings: &mut Vec<Finding>) {
    let _ = statements.iter().try_for_each(|statement| statement.visit(&mut Floats { findings }));
}

struct Floats<'a> {
    findings: &'a mut Vec<Finding>,
}

impl Visitor for Floats<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let target = match expr {
            Expr::Cast { data_type, .. } if is_float(data_type) => Some(data_type.to_string()),
            Expr::TypedString(typed) if is_float(&typed.data_type) => Some(typed.data_type.to_string()),
            Expr::Function(function) => arrow_float(function),
            _ => None,
        };
        if let Some(target) = target {
            self.findings.push(Finding {
                line: line(expr),
                code: "L004",
                message: format!("a cast to `{target}`: sums of floats depend on their order"),
                hint: HINT,
            });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        if let Value::Number(digits, _) = &value.value
            && digits.contains(['e', 'E'])
        {
            self.findings.push(Finding {
                line: line(value),
                code: "L005",
                message: format!("`{digits}` is a float"),
                hint: "write the number without an exponent",
            });
        }
        ControlFlow::Continue(())
    }
}

fn is_float(data_type: &DataType) -> bool {
    match data_type {
        DataType::Float(_)
        | DataType::FloatUnsigned(_)
        | DataType::Float4
        | DataType::Float8
        | DataType::Float32
        | DataType::Float64
        | DataType::Real
        | DataType::RealUnsigned
        | DataType::Double(_)
        | DataType::DoubleUnsigned(_)
        | DataType::DoublePrecision
        | DataType::DoublePrecisionUnsigned => true,
        DataType::Array(_) | DataType::Custom(..) => {
            let text = data_type.to_string().to_ascii_lowercase();
            text.contains("float") || text.contains("double")
        }
        _ => false,
    }
}

/// `arrow_cast(x, 'Float64')`
fn arrow_float(function: &Function) -> Option<String> {
    if !matches!(name(function).as_str(), "arrow_cast" | "arrow_try_cast") {
        return None;
    }
    match arguments(function).get(1)? {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(target), .. }) if target.to_ascii_lowercase().contains("float") => {
            Some(target.clone())
        }
        _ => None,
    }
}
