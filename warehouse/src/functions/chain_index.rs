//! `chain_index`: a chained price index over the months of a partition.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array};
use arrow::datatypes::{DataType, Field, FieldRef, i256};
use datafusion::common::{exec_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use super::number::{Numbers, exact_type};
use super::wide;

/// `chain_index(s1, s0) OVER (PARTITION BY area, category ORDER BY month)`.
///
/// The first row of a partition is 100 (its own s1 and s0 do not count), every further one round(index · s1 ÷ s0, 6);
/// where s1 or s0 is null or s0 is 0 there is no link and the index is carried on. The months must follow each other
/// without a gap, from the first one that has a price; DECIMAL(38, 6).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ChainIndex {
    signature: Signature,
}

impl ChainIndex {
    /// The function.
    #[must_use]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl Default for ChainIndex {
    fn default() -> Self {
        Self::new()
    }
}

impl WindowUDFImpl for ChainIndex {
    fn name(&self) -> &'static str {
        "chain_index"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if arg_types.len() != 2 {
            return plan_err!("`chain_index` takes 2 arguments, not {}", arg_types.len());
        }
        arg_types.iter().map(|given| exact_type("chain_index", given)).collect()
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Decimal128(38, 6), true)))
    }

    fn partition_evaluator(&self, _args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Chain))
    }
}

/// Evaluates one partition, in the order of its months.
#[derive(Debug)]
struct Chain;

impl PartitionEvaluator for Chain {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let [s1, s0] = values else {
            return plan_err!("`chain_index` takes 2 arguments");
        };
        let (s1, s0) = (Numbers::read(s1)?, Numbers::read(s0)?);
        let exponent = s0.scale() - s1.scale();
        let mut index = i256::from_i128(100_000_000);
        let mut results = Vec::with_capacity(rows);
        for row in 0..rows {
            if let (true, Some(s1), Some(s0)) = (row > 0, s1.get(row), s0.get(row))
                && s0 != i256::ZERO
            {
                index = wide::mul(index, s1)
                    .and_then(|product| wide::scaled_div(product, s0, exponent))
                    .ok_or_else(|| exec_datafusion_err!("`chain_index`: the index does not fit DECIMAL(38, 6)"))?;
            }
            results.push(wide::fit(index, 38).ok_or_else(|| exec_datafusion_err!("`chain_index`: the index does not fit DECIMAL(38, 6)"))?);
        }
        Ok(Arc::new(Decimal128Array::from(results).with_precision_and_scale(38, 6)?))
    }
}
