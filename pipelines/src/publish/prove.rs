//! Proving models: run again in other ways over the current release, compared with each other and with what is published.

use std::collections::BTreeSet;

use yaojia_warehouse::delta::Cell;
use yaojia_warehouse::gold::{Gold, Proof, Prover, SetAside, Stale};
use yaojia_warehouse::ledger::{CellMarks, current_release};

use crate::context::Context;
use crate::error::RunError;
use crate::progress::Progress;
use crate::project::Project;
use crate::run::build::{completeness, gold, indicators, silver};

/// Proves dimensions, facts and indicators by name (`fact_receipt`, `gold.fact_receipt`, `D05`); all of them where none is named. A
/// quick proof runs each in two ways only.
///
/// # Errors
/// [`RunError::NotFound`] when nothing was published yet or a name is unknown. That a model is not deterministic is no error.
pub async fn prove(project: &Project, names: &[String], quick: bool, progress: &dyn Progress) -> Result<Vec<Proof>, RunError> {
    let context = Context::of(project);
    let release = current_release(context.root)
        .await?
        .ok_or_else(|| RunError::NotFound("nothing was published yet: run `yaojia nightly`".to_string()))?;
    // What the release shows is as of its own instant.
    let at = yaojia_models::text::parse_timestamp(&release.as_of).ok().flatten().unwrap_or(context.now);
    let completeness = completeness(&context, at).await?;
    let set_aside = SetAside::read(context.root, context.region).await?;
    let (gold, indicators) = (gold(&context, None), indicators(&context, at, &completeness, &set_aside, None));
    let order = gold.order()?;
    let known = |name: &str| {
        let bare = name.strip_prefix("gold.").unwrap_or(name);
        let model = order.iter().map(|(model, ..)| model.table.as_str()).find(|model| *model == bare);
        model.or_else(|| context.indicators.iter().map(|i| i.id()).find(|id| id.eq_ignore_ascii_case(name)))
    };
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    for name in names {
        let found = known(name).ok_or_else(|| {
            RunError::NotFound(format!("`{name}` is no dimension or fact with SQL below `sql/` and no indicator (`yaojia indicator list`)"))
        })?;
        wanted.insert(found);
    }
    let wants = |name: &str| names.is_empty() || wanted.contains(name);

    let stale = stale(&context, &gold, &indicators).await?;
    let mut prover = Prover::new(context.warehouse, &release, quick);
    let mut proofs = Vec::new();
    progress.stage("prove");
    for (model, ..) in order.iter().filter(|(model, ..)| wants(&model.table)) {
        context.go_on()?;
        progress.step(&model.table, 0, None);
        proofs.push(prover.model(&gold, model, &stale).await?);
    }
    for indicator in context.indicators.iter().filter(|indicator| wants(indicator.id())) {
        context.go_on()?;
        progress.step(indicator.id(), 0, None);
        proofs.push(prover.indicator(&indicators, indicator, &stale).await?);
    }
    Ok(proofs)
}

/// What a build would replace: it is not expected to equal what is published.
async fn stale(context: &Context<'_>, gold: &Gold<'_>, indicators: &yaojia_warehouse::gold::Indicators<'_>) -> Result<Stale, RunError> {
    let marks = CellMarks::read(context.root).await?;
    let mut stale = Stale::default();
    for cell in gold.plan(&marks).await? {
        stale.cells.entry(cell.table).or_default().insert(Cell::new(cell.county, cell.month));
    }
    for month in indicators.plan(&marks).await? {
        stale.cells.entry(month.indicator).or_default().insert(Cell::new("*", month.month));
    }
    // Rows that no build has judged yet make everything above them stale, whatever the prints say.
    if !silver(context, None).stale(&marks).await?.is_empty() {
        let models = context.warehouse.sql.models().map(|model| format!("gold.{}", model.table));
        let all = models.chain(context.indicators.iter().map(|indicator| indicator.id().to_string()));
        for name in all {
            stale.cells.entry(name).or_default().insert(Cell::new("*", "*"));
        }
    }
    Ok(stale)
}
