//! What bronze, releases and seals stand on is there: originals, texts, envelopes, pinned cells.

use std::collections::{BTreeMap, BTreeSet};

use object_store::ObjectMeta;

use super::Inspection;
use crate::audit::seal::{pinned_by_seals, seals};
use crate::audit::{Texts, all_bases};
use crate::error::Result;
use crate::ledger::{loads, releases};
use crate::store::Root;

/// Looks for what should be there. `artifacts` are those that rows of bronze came from.
pub(super) async fn kept(root: &Root, listing: &[ObjectMeta], artifacts: &BTreeSet<String>, found: &mut Inspection) -> Result<()> {
    let paths: BTreeSet<&str> = listing.iter().map(|meta| meta.location.as_ref()).collect();
    originals(root, &paths, artifacts, found).await;
    texts(root, &paths, found).await;
    let marks = match seals(root).await {
        Ok(marks) => marks,
        Err(error) => {
            found.find("_ops.seal", format!("the ledger of seals cannot be read: {error}"));
            return Ok(());
        }
    };
    for mark in marks {
        let path = mark.path();
        match root.sha256(&path).await? {
            None => found.find(path, "the seal is on record and gone"),
            Some((_, sha256)) if sha256 != mark.sha256 => found.find(path, "it is not the seal on record in `_ops.seal`"),
            Some(_) => {}
        }
    }
    match pinned_by_seals(root).await {
        Ok(pinned) => {
            for (cell, path) in pinned.into_iter().filter(|(_, path)| !paths.contains(path.as_str())) {
                found.find(path, format!("it is gone; a seal has the cell {cell} in it"));
            }
        }
        Err(error) => found.find("_ops/seals", error.to_string()),
    }
    Ok(())
}

/// Every file that was loaded, and every original that a row came from, is in the archive.
async fn originals(root: &Root, paths: &BTreeSet<&str>, artifacts: &BTreeSet<String>, found: &mut Inspection) {
    let held: BTreeSet<&str> =
        paths.iter().filter(|path| path.starts_with("archive/")).filter_map(|path| path.rsplit('/').next()?.split('.').next()).collect();
    let mut wanted: BTreeMap<&str, String> = artifacts.iter().map(|sha256| (sha256.as_str(), "rows of bronze".to_string())).collect();
    let loaded = match loads(root).await {
        Ok(loaded) => loaded,
        Err(error) => {
            found.find("_ops.load", format!("the ledger cannot be read: {error}"));
            Vec::new()
        }
    };
    for mark in loaded.iter().filter(|mark| mark.state == "loaded" && !mark.sha256.is_empty()) {
        wanted.insert(&mark.sha256, format!("`{}` of {}", mark.name, mark.dataset));
    }
    for (sha256, of) in wanted.into_iter().filter(|(sha256, _)| !sha256.is_empty() && !held.contains(sha256)) {
        found.find(format!("archive/{}/{sha256}", sha256.get(..2).unwrap_or("00")), format!("the original of {of} is gone"));
    }
}

/// Every release has its basis, and every text it was made with is there.
async fn texts(root: &Root, paths: &BTreeSet<&str>, found: &mut Inspection) {
    let (bases, releases) = match (all_bases(root).await, releases(root).await) {
        (Ok(bases), Ok(releases)) => (bases, releases),
        (Err(error), _) | (_, Err(error)) => return found.find("_ops.basis", format!("the ledger cannot be read: {error}")),
    };
    let texts = Texts { root };
    let bundles: BTreeMap<&str, i64> = bases.iter().map(|basis| (basis.bundle.as_str(), basis.release)).collect();
    for (bundle, release) in bundles {
        match texts.get(bundle).await {
            Err(error) => found.find(Texts::path(bundle), format!("release {release} was made with it: {error}")),
            Ok(manifest) => {
                for (path, sha256) in Texts::named(&manifest) {
                    if !paths.contains(Texts::path(&sha256).as_str()) {
                        found.find(Texts::path(&sha256), format!("`sql/{path}` of release {release} is gone"));
                    }
                }
            }
        }
    }
    for (at, release) in releases.iter().enumerate() {
        if release.number != i64::try_from(at).unwrap_or_default() + 1 {
            found.find("_ops.release", format!("release {} follows, and release {} is gone", release.number, at + 1));
            break;
        }
    }
}
