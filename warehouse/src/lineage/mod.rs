//! Which columns of which tables a query's columns come from, read off its logical plan.
//!
//! The plan is taken as the planner makes it of the SQL, before any rewriting: names are resolved there (aliases, `WITH` queries,
//! subqueries with outer references), and nothing is optimised away. Direct value ([`Transform::is_direct`]) and influence (filter,
//! join, grouping, conditions) are told apart as in OpenLineage's column lineage.

mod constants;
mod expression;
mod origin;
mod plan;
mod relation;
#[cfg(test)]
mod tests;

pub use origin::{ColumnRef, Influence, Origin, Transform};
pub use plan::{QueryLineage, of_plan};
