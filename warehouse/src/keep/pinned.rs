//! What seals stand on: no maintenance removes it.

use std::collections::BTreeSet;

use crate::audit::seal::{listed_by_seals, seals};
use crate::error::Result;
use crate::store::Root;

/// What seals stand on.
#[derive(Debug, Clone, Default)]
pub struct Pinned {
    /// Objects below the warehouse root that some seal lists.
    pub paths: BTreeSet<String>,
    /// Releases of which a month is sealed.
    pub releases: BTreeSet<i64>,
}

/// Reads all seals. Whether they are signed rightly is not asked: what one lists is kept.
///
/// # Errors
/// [`crate::WarehouseError::Audit`] when a seal or its list of objects cannot be read: then nobody knows what it stands on.
pub async fn pinned(root: &Root) -> Result<Pinned> {
    let releases = seals(root).await?.into_iter().map(|mark| mark.release).collect();
    Ok(Pinned { paths: listed_by_seals(root).await?, releases })
}
