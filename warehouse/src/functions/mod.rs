//! The SQL functions we add to `DataFusion`: exact decimal arithmetic, rounded half away from zero.
//!
//! | function | gives |
//! |---|---|
//! | `div6(a, b)` | round(a ÷ b, 6); null where b is null or 0 |
//! | `mul2(a, b)`, `mul6(a, b)` | round(a · b, 2 or 6) |
//! | `muldiv2(a, b, c)`, `muldiv6(a, b, c)` | round(a · b ÷ c, 2 or 6), rounded once; null where c is null or 0 |
//! | `round2(a)`, `round6(a)` | a rounded |
//! | `trunc1(a)` | a cut (towards zero) after one place |
//! | `percentile6(list, p)`, `percentile12(list, p)` | linear interpolation between closest ranks, 0 ≤ p ≤ 1; the 12-place one is exact |
//! | `chain_index(s1, s0) OVER (PARTITION BY … ORDER BY month)` | 100 in the first row, then round(index · s1 ÷ s0, 6), carried on where there is no link |
//!
//! Arguments are any decimal or integer type; null in, null out; binary floats are refused. Intermediate results have 76
//! digits; what does not fit into DECIMAL(38, …) is an error, never a wrong number.

mod arithmetic;
mod chain_index;
mod number;
mod percentile;
pub(crate) mod wide;

#[cfg(test)]
mod tests;

use datafusion::logical_expr::{ScalarUDF, WindowUDF};
use datafusion::prelude::SessionContext;

pub use arithmetic::{Arithmetic, Operation};
pub use chain_index::ChainIndex;
pub(crate) use number::Numbers;
pub use percentile::Percentile;

/// Registers all functions of this module with a session.
pub fn register_all(ctx: &SessionContext) {
    for operation in Operation::ALL {
        ctx.register_udf(ScalarUDF::from(Arithmetic::new(operation)));
    }
    for places in [6, 12] {
        ctx.register_udf(ScalarUDF::from(Percentile::new(places)));
    }
    ctx.register_udwf(WindowUDF::from(ChainIndex::new()));
}
