//! What a run that writes must not do unless it is asked to: write another region into a warehouse, publish an earlier instant over a
//! later one.

use serde::{Deserialize, Serialize};
use yaojia_warehouse::Root;
use yaojia_warehouse::audit::basis_of;
use yaojia_warehouse::ledger::current_release;

use super::bundle;
use crate::context::{Context, instant_text};
use crate::error::RunError;

/// Where a warehouse says whose it is.
const PATH: &str = "_ops/region.json";

#[derive(Debug, Serialize, Deserialize)]
struct Region {
    code: String,
}

/// The region whose warehouse this is; none where nothing was written yet.
///
/// # Errors
/// As the storage says.
pub async fn region_of(root: &Root) -> Result<Option<String>, RunError> {
    if let Some(text) = root.get_opt(PATH).await? {
        let region: Region = serde_json::from_slice(&text).map_err(|error| RunError::Report(format!("`{PATH}`: {error}")))?;
        return Ok(Some(region.code));
    }
    // One of an earlier version says it with what its release was made of.
    let Some(release) = current_release(root).await? else { return Ok(None) };
    let Some(basis) = basis_of(root, release.number).await? else { return Ok(None) };
    Ok(Some(bundle::manifest(root, &basis).await?.region))
}

/// Writes down whose warehouse this is, once.
///
/// # Errors
/// As the storage says.
pub(crate) async fn keep_region(root: &Root, code: &str) -> Result<(), RunError> {
    if !root.exists(PATH).await? {
        let text = serde_json::to_string(&Region { code: code.to_owned() }).map_err(|error| RunError::Report(error.to_string()))?;
        root.put(PATH, text.into()).await?;
    }
    Ok(())
}

/// Refuses to write rows of one region into the warehouse of another: every row of the region itself would change its county.
///
/// # Errors
/// [`RunError::Usage`].
pub(crate) async fn same_region(context: &Context<'_>) -> Result<(), RunError> {
    match region_of(context.root).await? {
        Some(held) if held != context.region => Err(RunError::Usage {
            what: format!("this warehouse is of region {held}, and the configuration says {}", context.region),
            hint: "put `region.code` back, or give the other region a warehouse of its own (`warehouse.location`)".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Refuses an instant before that of the release that readers see, unless it is asked for; then the warning to be told.
///
/// # Errors
/// [`RunError::Usage`].
pub(crate) async fn not_earlier(context: &Context<'_>) -> Result<Option<String>, RunError> {
    let now = instant_text(context.now);
    let Some(release) = current_release(context.root).await?.filter(|release| now < release.as_of) else { return Ok(None) };
    let what = format!("the instant of this run, {now}, lies before that of release {}, {}", release.number, release.as_of);
    if context.allow_earlier {
        return Ok(Some(format!("{what}: what is published now is older, as asked for")));
    }
    Err(RunError::Usage {
        what: format!("{what}: nothing was loaded or published"),
        hint:
            "put this machine's clock right; if it is, and was ahead when that release was made, run once with --allow-earlier: what was \
               published since is loaded then"
                .to_owned(),
    })
}
