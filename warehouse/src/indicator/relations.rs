//! The relations that an indicator's SQL reads beside the tables of the question: `ask.<name>` of `sql/ask/`, and `ask.basis`.
//!
//! They are views over the session's tables: planned with the indicator's parameters, inlined where they are read, so that filters and
//! columns reach through them as through a `WITH` query. Shared ones name no parameter of an indicator's own, so they could as well be
//! put here as rows that were made once for all indicators.

use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use yaojia_models::card::Indicator;

use super::ask::{SCHEMA, drop_table};
use super::{Ask, EngineError, query};

/// Registers the relations of an indicator, in place of those of another.
pub(super) async fn register(ctx: &SessionContext, ask: &Ask, indicator: &Indicator) -> Result<(), EngineError> {
    for relation in &indicator.relations {
        let failed = || EngineError::sql(indicator.id(), &relation.file);
        let frame = query::frame(ctx, ask, indicator, &relation.file, &relation.sql).await?;
        drop_table(ctx, &relation.name).map_err(failed())?;
        ctx.register_table(TableReference::partial(SCHEMA, relation.name.as_str()), frame.into_view()).map_err(failed())?;
    }
    Ok(())
}
