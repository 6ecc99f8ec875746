//! Gold models: their SQL, planned over empty tables.

use datafusion::prelude::SessionContext;
use yaojia_warehouse::gold::Session;
use yaojia_warehouse::lineage::{QueryLineage, of_plan};

use super::{Inputs, Layer, TableLineage};

/// All models that have a contract.
pub(super) async fn tables(inputs: &Inputs<'_>, session: &Session, problems: &mut Vec<String>) -> Vec<TableLineage> {
    let mut all = Vec::new();
    for model in inputs.definitions.sql.models() {
        let Some(contract) = inputs.definitions.contracts.gold_table(&model.table) else { continue };
        let mut query = QueryLineage::merged(&branches(session.context(), &model.path, &model.text, problems).await);
        let mut table = TableLineage::new(Layer::Gold, format!("gold.{}", model.table), &contract.title, format!("sql/{}", model.path));
        for field in contract.arrow_schema().fields() {
            let origin = query.columns.swap_remove(field.name()).unwrap_or_default();
            let title = field.metadata().get("comment").cloned().unwrap_or_default();
            table.put(field.name(), title, field.data_type().to_string(), origin);
        }
        table.influence = query.influence;
        table.rows_of = query.tables;
        all.push(table);
    }
    all
}

/// The lineage of a SQL file, branch by branch; none where it does not plan.
pub(super) async fn branches(context: &SessionContext, file: &str, text: &str, problems: &mut Vec<String>) -> Vec<QueryLineage> {
    match context.sql(text).await {
        Ok(frame) => of_plan(frame.logical_plan()),
        Err(error) => {
            let why = error.strip_backtrace().split_whitespace().collect::<Vec<_>>().join(" ");
            problems.push(format!("`sql/{file}` does not plan: {why}"));
            Vec::new()
        }
    }
}
