//! What a reader runs: one SELECT, and nothing in it that writes, defines or sets.

use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::Statement as Sql;

use super::error::{ReadError, Result};
use crate::error::WarehouseError;

/// The one SELECT of a text.
///
/// # Errors
/// [`ReadError::Refused`] where it does not parse, is another statement, or there are none or several.
pub(super) fn one_select(text: &str) -> Result<Statement> {
    let mut statements = DFParser::parse_sql(text).map_err(|error| {
        let why = match error {
            DataFusionError::SQL(error, _) => error.to_string(),
            other => other.strip_backtrace(),
        };
        ReadError::Refused(format!("the query does not parse: {why}"))
    })?;
    let count = statements.len();
    match (statements.pop_front(), count) {
        (Some(Statement::Statement(sql)), 1) if matches!(*sql, Sql::Query(_)) => Ok(Statement::Statement(sql)),
        (Some(_), 1) => Err(writes()),
        _ => Err(ReadError::Refused(format!("one statement is run at a time, not {count}"))),
    }
}

/// Whether a text is one SELECT: asked before anything is opened for it.
///
/// # Errors
/// [`ReadError::Refused`].
pub fn check_select(text: &str) -> Result<()> {
    one_select(text).map(|_| ())
}

/// Plans it; a part of it that would write (`SELECT … INTO`) is refused by the plan, whatever it was written as.
pub(super) async fn plan(state: &SessionState, statement: Statement) -> Result<LogicalPlan> {
    let failed = |source| WarehouseError::Sql { model: "query".to_string(), source: Box::new(source) };
    let plan = state.statement_to_plan(statement).await.map_err(failed)?;
    let reads_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    reads_only.verify_plan(&plan).map_err(|_| writes())?;
    Ok(plan)
}

fn writes() -> ReadError {
    ReadError::Refused("only a SELECT is run: readers change nothing".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::SessionContext;

    async fn checked(text: &str) -> Result<()> {
        let context = SessionContext::new();
        plan(&context.state(), one_select(text)?).await.map(|_| ())
    }

    #[tokio::test]
    async fn only_one_select_passes() {
        for good in ["SELECT 1", "WITH a AS (SELECT 1 AS x) SELECT a.x FROM a UNION ALL SELECT 2", "VALUES (1)", "(SELECT 1)"] {
            assert!(checked(good).await.is_ok(), "{good}");
        }
        for bad in [
            "",
            "SELECT 1; SELECT 2",
            "DELETE FROM gold.alert",
            "UPDATE gold.alert SET level = 'x'",
            "INSERT INTO gold.alert SELECT 1",
            "DROP TABLE gold.alert",
            "CREATE TABLE x AS SELECT 1",
            "CREATE VIEW x AS SELECT 1",
            "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/tmp/x'",
            "SELECT 1 AS a INTO x",
            "COPY gold.alert TO 'x'",
            "COPY (SELECT 1 AS a) TO '/tmp/x.parquet'",
            "SET datafusion.execution.batch_size = 1",
            "PREPARE p AS SELECT 1",
            "EXPLAIN SELECT 1",
            "EXPLAIN ANALYZE SELECT 1",
            "SELEC 1",
        ] {
            assert!(matches!(checked(bad).await, Err(ReadError::Refused(_))), "{bad}: {:?}", checked(bad).await);
        }
        // A WITH part that writes is no query of the engine's at all.
        assert!(checked("WITH a AS (DELETE FROM x RETURNING 1) SELECT 1").await.is_err());
    }
}
