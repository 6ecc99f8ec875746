//! `percentile6` and `percentile12`: exact percentiles of a list.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array};
use arrow::datatypes::{DataType, Float64Type, i256};
use datafusion::common::{exec_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;
use yaojia_models::card::Decimal;

use super::number::{Numbers, exact_type};
use super::wide;

/// `percentile6(list, p)` and `percentile12(list, p)`: linear interpolation between closest ranks, as `percentile_cont`.
///
/// Nulls in the list do not count; an empty list gives null. p lies in 0..=1 (a float literal is taken by its decimal text).
/// The 12-place result of numbers with 6 places is exact, so that it can still be divided; the other is for publishing.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Percentile {
    places: i8,
    signature: Signature,
}

impl Percentile {
    /// The function with 6 or 12 places.
    #[must_use]
    pub fn new(places: i8) -> Self {
        Self { places, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// The percentile of sorted numbers, without its point.
    fn of(&self, sorted: &[i256], scale: i32, p: Decimal) -> Option<i256> {
        // rank = p · (n − 1); the number between rank ⌊rank⌋ and the next, all over 10^places(p)
        let unit = i256::from_i128(10_i128.checked_pow(u32::from(p.places()))?);
        let steps = i128::try_from(sorted.len()).ok()?.checked_sub(1)?;
        let rank = i256::from_i128(p.unscaled().checked_mul(steps)?);
        let below = usize::try_from(rank.checked_div(unit)?.to_i128()?).ok()?;
        let part = rank.checked_rem(unit)?;
        let low = *sorted.get(below)?;
        let high = sorted.get(below + 1).copied().unwrap_or(low);
        let exact = wide::mul(low, unit)?.checked_add(wide::mul(high.checked_sub(low)?, part)?)?;
        wide::rescale(exact, scale + i32::from(p.places()), i32::from(self.places))
    }
}

impl ScalarUDFImpl for Percentile {
    fn name(&self) -> &str {
        if self.places == 6 { "percentile6" } else { "percentile12" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(38, self.places))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [list, p] = arg_types else {
            return plan_err!("`{}` takes a list and a share", self.name());
        };
        let list = match list {
            DataType::List(item) | DataType::LargeList(item) => DataType::new_list(exact_type(self.name(), item.data_type())?, true),
            DataType::Null => DataType::new_list(DataType::Decimal128(38, 6), true),
            other => return plan_err!("`{}` takes a list of decimals, not {other}", self.name()),
        };
        let p = match p {
            DataType::Float64 => DataType::Float64,
            other => exact_type(self.name(), other)?,
        };
        Ok(vec![list, p])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let only_scalars = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [lists, shares] = arrays.as_slice() else {
            return plan_err!("`{}` takes a list and a share", self.name());
        };
        let lists = lists.as_list::<i32>();
        let numbers = Numbers::read(lists.values())?;
        let scale = numbers.scale();
        let shares = Shares::read(shares)?;
        let mut results = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let Some(p) = shares.get(row)? else {
                results.push(None);
                continue;
            };
            let offsets = lists.value_offsets();
            let (from, to) = (offsets.get(row).copied().unwrap_or(0), offsets.get(row + 1).copied().unwrap_or(0));
            let bounds = if lists.is_valid(row) { usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0) } else { 0..0 };
            let mut sorted: Vec<i256> = bounds.filter_map(|at| numbers.get(at)).collect();
            sorted.sort_unstable();
            if sorted.is_empty() {
                results.push(None);
                continue;
            }
            let exact = self.of(&sorted, scale, p).and_then(|exact| wide::fit(exact, 38));
            results.push(Some(
                exact.ok_or_else(|| exec_datafusion_err!("`{}`: the result does not fit DECIMAL(38, {})", self.name(), self.places))?,
            ));
        }
        if only_scalars {
            return Ok(ColumnarValue::Scalar(ScalarValue::Decimal128(results.first().copied().flatten(), 38, self.places)));
        }
        Ok(ColumnarValue::Array(Arc::new(Decimal128Array::from(results).with_precision_and_scale(38, self.places)?)))
    }
}

/// The shares of a call.
enum Shares<'a> {
    /// A literal like 0.9 is a float in SQL; its shortest decimal text is what was written.
    Floats(&'a Float64Array),
    /// Decimals and whole numbers.
    Exact(Numbers),
}

impl<'a> Shares<'a> {
    /// Reads the column.
    fn read(column: &'a ArrayRef) -> Result<Self> {
        match column.as_primitive_opt::<Float64Type>() {
            Some(floats) => Ok(Self::Floats(floats)),
            None => Numbers::read(column).map(Self::Exact),
        }
    }

    /// The share of a row, between 0 and 1.
    fn get(&self, row: usize) -> Result<Option<Decimal>> {
        let (share, text) = match self {
            Self::Floats(floats) if floats.is_null(row) => return Ok(None),
            Self::Floats(floats) => {
                let text = floats.value(row).to_string();
                (text.parse::<Decimal>().ok(), text)
            }
            Self::Exact(numbers) => {
                let Some(unscaled) = numbers.get(row) else {
                    return Ok(None);
                };
                let places = u8::try_from(numbers.scale()).ok();
                let share = unscaled.to_i128().zip(places).and_then(|(unscaled, places)| Decimal::new(unscaled, places));
                (share, format!("{unscaled}e-{}", numbers.scale()))
            }
        };
        let one = |share: Decimal| 10_i128.pow(u32::from(share.places()));
        share
            .filter(|share| (0..=one(*share)).contains(&share.unscaled()))
            .map(Some)
            .ok_or_else(|| exec_datafusion_err!("the share `{text}` of a percentile does not lie between 0 and 1"))
    }
}
