//! Silver and gold files that are gone or were changed: given up and made again, before anything reads them.

use std::collections::{BTreeMap, BTreeSet};

use yaojia_warehouse::keep::{Lost, TableName, damaged, lost, repair, repairable};
use yaojia_warehouse::ledger::{CellMarks, write_counts};
use yaojia_warehouse::silver::QUARANTINE;

use super::build;
use crate::context::{Context, LazyRun};
use crate::error::RunError;
use crate::progress::Progress;

/// The tables of these names.
///
/// # Errors
/// [`RunError::Usage`] for a name that no table of silver or gold has.
pub(crate) fn named(context: &Context<'_>, names: &[String]) -> Result<Vec<TableName>, RunError> {
    let silver = context.registry.datasets().iter().map(|dataset| format!("silver.{}", dataset.name));
    let gold = context.registry.gold().iter().map(|table| format!("gold.{}", table.name));
    // Gold first: a name that both have is the one readers see.
    let known: BTreeSet<String> = gold.chain(silver).chain([format!("silver.{QUARANTINE}")]).collect();
    let find = |name: &String| {
        repairable(name, &known).ok_or_else(|| RunError::Usage {
            what: format!("there is no table `{name}` of silver or gold"),
            hint: "`--repair gold.fact_order`, `--repair silver.shp`; bronze and the ledger are restored from a backup".to_owned(),
        })
    };
    names.iter().map(find).collect()
}

/// Looks for files in use that are gone, and in `tables` for those that are not what is on record; has them given up, and makes silver again
/// at once, which a load reads. Gold and indicators are stale then, and the build makes them. Gives the files by table.
///
/// # Errors
/// As the storage says.
pub(super) async fn mend(
    context: &Context<'_>,
    lazy: &mut LazyRun,
    tables: &[TableName],
    progress: &dyn Progress,
) -> Result<BTreeMap<String, u64>, RunError> {
    let mut all = lost(context.root).await?;
    if !tables.is_empty() {
        progress.stage("look into what is to be repaired");
        let marks = CellMarks::read(context.root).await?;
        for table in tables {
            all.extend(damaged(context.root, table, &marks).await?);
        }
    }
    let mut by_table: BTreeMap<String, u64> = BTreeMap::new();
    all.iter().for_each(|of| *by_table.entry(of.table.label()).or_default() += 1);
    if all.is_empty() {
        return Ok(by_table);
    }
    for of in &all {
        let (path, how) = (of.path(), if of.changed { "was changed" } else { "is gone" });
        tracing::warn!(path, "a file {how}; it is made again");
    }
    let stamp = lazy.open(context).await?;
    repair(context.root, &all, &stamp).await?;
    if all.iter().any(|of| of.table.layer == "silver") {
        let mut marks = CellMarks::read(context.root).await?;
        let silver = build::silver(context, None);
        let outcome = silver.build(&stamp, &mut marks, &|name| progress.step(name, 0, None)).await?;
        write_counts(context.root, stamp.seq, &outcome.counts).await?;
        marks.flush(context.root, stamp.seq).await?;
    }
    Ok(by_table)
}

/// Files that a build would make again because they are gone.
///
/// # Errors
/// As the storage says.
pub(super) async fn missing(context: &Context<'_>) -> Result<Vec<Lost>, RunError> {
    Ok(lost(context.root).await?)
}
