//! `yaojia query SQL`: one SELECT over the current release.

use clap::Args;
use serde_json::json;
use sqlparser::ast::{SetExpr, Statement};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::cells::Rows;
use super::{App, CliError, ExitStatus};

/// Arguments of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// One SELECT over gold.*, silver.*, bronze.* and ops.*
    pub sql: String,
}

pub(super) async fn query(app: &App, args: &QueryArgs) -> Result<ExitStatus, CliError> {
    only_select(&args.sql)?;
    let project = app.project()?;
    let session = crate::run::session(&project).await?;
    let rows = rows(&session, &args.sql).await?;
    if app.json() {
        app.printer.json("query", &json!({"release": session.release().number, "as_of": session.release().as_of, "columns": rows.columns, "rows": rows.objects()}))?;
    } else {
        app.printer.table("", &rows.table());
        app.printer.detail(&format!("{} rows, release {}", rows.rows.len(), session.release().number));
    }
    Ok(ExitStatus::Done)
}

/// Runs a query of ours or the user's.
pub(super) async fn rows(session: &crate::run::ReadSession, sql: &str) -> Result<Rows, CliError> {
    let batches = session.rows(sql).await?;
    Rows::read(&batches).map_err(|error| CliError::layout(&error))
}

/// Refuses everything but one SELECT.
fn only_select(sql: &str) -> Result<(), CliError> {
    let refuse =
        |why: String| Err(CliError::usage(why, "give one SELECT, for example \"SELECT v.month, v.value FROM gold.indicator_value AS v\""));
    let statements = match Parser::parse_sql(&GenericDialect {}, sql) {
        Ok(statements) => statements,
        Err(error) => return refuse(format!("the query does not parse: {error}")),
    };
    match statements.as_slice() {
        [Statement::Query(query)]
            if !writes(&query.body) && query.with.iter().flat_map(|with| &with.cte_tables).all(|cte| !writes(&cte.query.body)) =>
        {
            Ok(())
        }
        [_] => refuse("only a SELECT is run: readers change nothing".to_owned()),
        many => refuse(format!("one statement is run at a time, not {}", many.len())),
    }
}

fn writes(body: &SetExpr) -> bool {
    match body {
        SetExpr::Query(query) => writes(&query.body),
        SetExpr::SetOperation { left, right, .. } => writes(left) || writes(right),
        SetExpr::Select(select) => select.into.is_some(),
        SetExpr::Values(_) | SetExpr::Table(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_select_passes() {
        for good in ["SELECT 1", "WITH a AS (SELECT 1 AS x) SELECT a.x FROM a UNION ALL SELECT 2", "VALUES (1)"] {
            assert!(only_select(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "SELECT 1; SELECT 2",
            "DELETE FROM gold.alert",
            "INSERT INTO gold.alert SELECT 1",
            "DROP TABLE gold.alert",
            "SELECT 1 INTO x",
            "COPY gold.alert TO 'x'",
            "SELEC 1",
        ] {
            assert_eq!(only_select(bad).unwrap_err().exit, ExitStatus::Usage, "{bad}");
        }
    }
}
