//! The run's OpenLineage events, beside its report.

use std::collections::BTreeMap;

use crate::error::RunError;
use crate::lineage::openlineage::{RunFacts, events};
use crate::lineage::{Inputs, Lineage, messages};
use crate::project::Project;
use crate::report::RunReport;

/// Writes `_ops/runs/<run>/openlineage.jsonl`.
pub(super) async fn write(project: &Project, run_id: &str, report: &RunReport, instant: &str, error: Option<&str>) -> Result<(), RunError> {
    let mut written: BTreeMap<String, u64> = BTreeMap::new();
    for (dataset, load) in report.load.iter().flat_map(|load| &load.datasets) {
        if load.appended > 0 {
            written.insert(format!("bronze.{dataset}"), load.appended);
        }
    }
    for (table, cells) in report.build.iter().flat_map(|build| &build.replaced) {
        written.insert(table.clone(), *cells);
    }
    let inputs = Inputs {
        definitions: &project.warehouse.definitions,
        datasets: &project.datasets,
        messages: messages(project.config.platform().as_ref())?,
    };
    let lineage = Box::pin(Lineage::of(&inputs)).await.map_err(|e| RunError::Report(e.to_string()))?;
    let as_of = if report.as_of.is_empty() { instant } else { &report.as_of };
    let facts = RunFacts { run_id, verb: &report.verb, region: &project.warehouse.region.code, instant, as_of, written: &written, error };
    let text = events(&lineage, &facts);
    Ok(project.warehouse.root.put(&format!("_ops/runs/{run_id}/openlineage.jsonl"), text.into()).await?)
}
