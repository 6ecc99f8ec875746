//! The scalar functions: division, multiplication and rounding of decimals.

use arrow::array::Decimal128Array;
use arrow::datatypes::{DataType, i256};
use datafusion::common::{exec_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

use super::number::{Numbers, exact_type};
use super::wide;

/// What a function of this file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `div6(a, b)` = round(a ÷ b, 6); null where b is 0.
    Div6,
    /// `mul2(a, b)` = round(a · b, 2).
    Mul2,
    /// `mul6(a, b)` = round(a · b, 6).
    Mul6,
    /// `muldiv2(a, b, c)` = round(a · b ÷ c, 2); null where c is 0.
    MulDiv2,
    /// `muldiv6(a, b, c)` = round(a · b ÷ c, 6); null where c is 0.
    MulDiv6,
    /// `round2(a)`: a rounded to the cent.
    Round2,
    /// `round6(a)`: a rounded to 6 places.
    Round6,
    /// `trunc1(a)`: a cut towards zero after one place.
    Trunc1,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 8] = [Self::Div6, Self::Mul2, Self::Mul6, Self::MulDiv2, Self::MulDiv6, Self::Round2, Self::Round6, Self::Trunc1];

    /// The name in SQL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Div6 => "div6",
            Self::Mul2 => "mul2",
            Self::Mul6 => "mul6",
            Self::MulDiv2 => "muldiv2",
            Self::MulDiv6 => "muldiv6",
            Self::Round2 => "round2",
            Self::Round6 => "round6",
            Self::Trunc1 => "trunc1",
        }
    }

    /// How many arguments it takes.
    fn arity(self) -> usize {
        match self {
            Self::Round2 | Self::Round6 | Self::Trunc1 => 1,
            Self::Div6 | Self::Mul2 | Self::Mul6 => 2,
            Self::MulDiv2 | Self::MulDiv6 => 3,
        }
    }

    /// The places of its result.
    fn places(self) -> i8 {
        match self {
            Self::Mul2 | Self::MulDiv2 | Self::Round2 => 2,
            Self::Div6 | Self::Mul6 | Self::MulDiv6 | Self::Round6 => 6,
            Self::Trunc1 => 1,
        }
    }

    /// Whether its last argument divides, so that 0 there gives null.
    fn divides(self) -> bool {
        matches!(self, Self::Div6 | Self::MulDiv2 | Self::MulDiv6)
    }

    /// The result of one row; `scales` are the arguments' places. None: it does not fit.
    fn apply(self, args: [i256; 3], scales: [i32; 3]) -> Option<i256> {
        let [a, b, c] = args;
        let [sa, sb, sc] = scales;
        let places = i32::from(self.places());
        match self {
            Self::Div6 => wide::scaled_div(a, b, places + sb - sa),
            Self::Mul2 | Self::Mul6 => wide::rescale(wide::mul(a, b)?, sa + sb, places),
            Self::MulDiv2 | Self::MulDiv6 => wide::scaled_div(wide::mul(a, b)?, c, places + sc - sa - sb),
            Self::Trunc1 if sa > places => a.checked_div(wide::pow10(sa.abs_diff(places))?),
            Self::Round2 | Self::Round6 | Self::Trunc1 => wide::rescale(a, sa, places),
        }
    }
}

/// One of the exact scalar functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Arithmetic {
    operation: Operation,
    signature: Signature,
}

impl Arithmetic {
    /// The function of an operation.
    #[must_use]
    pub fn new(operation: Operation) -> Self {
        Self { operation, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        self.operation.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(38, self.operation.places()))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if arg_types.len() != self.operation.arity() {
            return plan_err!("`{}` takes {} arguments, not {}", self.name(), self.operation.arity(), arg_types.len());
        }
        arg_types.iter().map(|given| exact_type(self.name(), given)).collect()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let operation = self.operation;
        let only_scalars = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let rows = arrays.first().map_or(0, |array| array.len());
        let columns = arrays.iter().map(Numbers::read).collect::<Result<Vec<_>>>()?;
        let mut scales = [0; 3];
        for (scale, column) in scales.iter_mut().zip(&columns) {
            *scale = column.scale();
        }
        let one =
            |row: usize| -> Result<Option<i128>> {
                let mut numbers = [i256::ZERO; 3];
                for (number, column) in numbers.iter_mut().zip(&columns) {
                    match column.get(row) {
                        Some(given) => *number = given,
                        None => return Ok(None),
                    }
                }
                let divisor = columns.len().checked_sub(1).and_then(|last| numbers.get(last));
                if operation.divides() && divisor == Some(&i256::ZERO) {
                    return Ok(None);
                }
                operation.apply(numbers, scales).and_then(|exact| wide::fit(exact, 38)).map(Some).ok_or_else(|| {
                    exec_datafusion_err!("`{}`: the result does not fit DECIMAL(38, {})", operation.name(), operation.places())
                })
            };
        let results = (0..rows).map(one).collect::<Result<Vec<Option<i128>>>>()?;
        if only_scalars {
            return Ok(ColumnarValue::Scalar(ScalarValue::Decimal128(results.first().copied().flatten(), 38, operation.places())));
        }
        Ok(ColumnarValue::Array(Arc::new(Decimal128Array::from(results).with_precision_and_scale(38, operation.places())?)))
    }
}
