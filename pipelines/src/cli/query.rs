//! `yaojia query SQL`: one SELECT over the current release.

use clap::Args;
use serde_json::json;
use yaojia_warehouse::read::{Parameters, Reader, Rows, check_select};

use super::{App, CliError, ExitStatus, cells};

/// Arguments of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// One SELECT over gold.*, silver.*, bronze.* and ops.*
    pub sql: String,
}

pub(super) async fn query(app: &App, args: &QueryArgs) -> Result<ExitStatus, CliError> {
    check_select(&args.sql)?;
    let project = app.reading()?;
    let reader = project.warehouse.reader().await?;
    let rows = rows(&reader, &args.sql, &Parameters::new()).await?;
    if app.json() {
        app.printer.json(
            "query",
            &json!({"release": reader.release().number, "as_of": reader.release().as_of, "columns": rows.columns, "rows": rows.objects()}),
        )?;
    } else {
        app.printer.table("", &cells::table(&rows));
        app.printer.detail(&format!("{} rows, release {}", rows.rows.len(), reader.release().number));
    }
    Ok(ExitStatus::Done)
}

/// Runs a query of ours or the user's, with values for its `$name`s.
pub(super) async fn rows(reader: &Reader, sql: &str, parameters: &Parameters) -> Result<Rows, CliError> {
    let batches = reader.rows_with(sql, parameters).await?;
    Rows::read(&batches).map_err(|error| CliError::layout(&error))
}
