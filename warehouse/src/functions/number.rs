//! Arrow columns of any decimal or integer type, read as exact numbers.

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Decimal256Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, i256};
use datafusion::common::plan_err;
use datafusion::error::Result;

/// A column of exact numbers.
pub(crate) enum Numbers {
    /// Decimals of up to 38 digits.
    Narrow(Decimal128Array),
    /// Decimals of up to 76 digits.
    Wide(Decimal256Array),
    /// Nothing but nulls.
    Nothing,
}

impl Numbers {
    /// Reads a column; floats and texts are refused.
    pub(crate) fn read(column: &ArrayRef) -> Result<Self> {
        let narrow = |to: DataType| -> Result<Self> { Ok(Self::Narrow(cast(column, &to)?.as_primitive::<Decimal128Type>().clone())) };
        match column.data_type() {
            DataType::Decimal128(..) => Ok(Self::Narrow(column.as_primitive::<Decimal128Type>().clone())),
            DataType::Decimal256(..) => Ok(Self::Wide(column.as_primitive::<Decimal256Type>().clone())),
            DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => narrow(DataType::Decimal128(38, *scale)),
            kind if kind.is_integer() => narrow(DataType::Decimal128(20, 0)),
            DataType::Null => Ok(Self::Nothing),
            other => plan_err!("{other} is no exact number: cast it to DECIMAL"),
        }
    }

    /// How many digits stand behind the point.
    pub(crate) fn scale(&self) -> i32 {
        match self {
            Self::Narrow(column) => i32::from(column.scale()),
            Self::Wide(column) => i32::from(column.scale()),
            Self::Nothing => 0,
        }
    }

    /// The number of a row without its point.
    pub(crate) fn get(&self, row: usize) -> Option<i256> {
        match self {
            Self::Narrow(column) => column.is_valid(row).then(|| i256::from_i128(column.value(row))),
            Self::Wide(column) => column.is_valid(row).then(|| column.value(row)),
            Self::Nothing => None,
        }
    }
}

/// The type an argument of an exact function is taken as; floats and texts are refused.
pub(crate) fn exact_type(function: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Null => Ok(DataType::Decimal128(38, 6)),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => Ok(given.clone()),
        kind if kind.is_integer() => Ok(DataType::Decimal128(20, 0)),
        other => {
            plan_err!("`{function}` takes decimals and integers, not {other}: cast it to DECIMAL")
        }
    }
}
