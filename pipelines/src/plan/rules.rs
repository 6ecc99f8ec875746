//! Rules that a release has used must not be edited: refused before anything is written.

use yaojia_models::card::Indicator;
use yaojia_warehouse::Root;
use yaojia_warehouse::ledger::UsedRules;

use crate::error::RunError;

/// What indicators' rules do to those that a release of this warehouse has used, in words; empty: nothing they must not.
///
/// # Errors
/// As the storage says.
pub async fn edited_rules(root: &Root, indicators: &[Indicator]) -> Result<Vec<String>, RunError> {
    let used = UsedRules::read(root).await?;
    let found = indicators.iter().flat_map(|indicator| {
        used.violations(indicator).into_iter().map(move |why| format!("sql/indicators/{}/rules.toml: {why}", indicator.folder))
    });
    Ok(found.collect())
}

/// Refuses edited rules.
///
/// # Errors
/// [`RunError::UsedRule`].
pub(crate) async fn refuse_edited(root: &Root, indicators: &[Indicator]) -> Result<(), RunError> {
    let found = edited_rules(root, indicators).await?;
    let more = found.len().saturating_sub(1);
    match found.into_iter().next() {
        None => Ok(()),
        Some(first) if more == 0 => Err(RunError::UsedRule(first)),
        Some(first) => Err(RunError::UsedRule(format!("{first}; and {more} more"))),
    }
}
