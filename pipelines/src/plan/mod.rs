//! What a build would do, and which part of it is asked for.

pub(crate) mod rules;
pub(crate) mod select;

pub use rules::edited_rules;
pub use select::PlanFilter;
