//! The texts a release is made with: kept by content hash with every release, so that a replay needs no checkout.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use yaojia_models::contract::Registry;
use yaojia_models::digest::sha256_hex;
use yaojia_models::value::Month;
use yaojia_warehouse::Root;
use yaojia_warehouse::audit::{Basis, Texts, basis_of};
use yaojia_warehouse::ledger::current_release;

use crate::context::Context;
use crate::error::RunError;
use crate::project::Project;
use yaojia_models::bundle::SqlBundle;

/// The versions of every library this binary was built with.
const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));

/// The manifest of a bundle: path → SHA-256 of the text, and the settings that are part of every fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this document.
    pub schema_version: u32,
    /// Name and version of the program.
    pub engine: String,
    /// SHA-256 of its lock file.
    pub lock: String,
    /// Region code.
    pub region: String,
    /// First month, `yyyy-MM`.
    pub first_month: String,
    /// The region's own values of indicators' parameters.
    pub parameters: IndexMap<String, IndexMap<String, String>>,
    /// Contract → its digest.
    pub contracts: BTreeMap<String, String>,
    /// Path below `sql/` → SHA-256 of its text.
    pub sql: BTreeMap<String, String>,
}

impl Manifest {
    fn of(context: &Context<'_>) -> Self {
        Self {
            schema_version: 1,
            engine: concat!("yaojia ", env!("CARGO_PKG_VERSION")).to_owned(),
            lock: sha256_hex(LOCK.as_bytes()),
            region: context.region.to_owned(),
            first_month: context.first_month.to_string(),
            parameters: context.parameters.clone(),
            contracts: contracts(context.registry),
            sql: context.sql.files().iter().map(|(path, text)| (path.clone(), sha256_hex(text.as_bytes()))).collect(),
        }
    }

    fn text(&self) -> Result<String, RunError> {
        serde_json::to_string_pretty(self).map_err(|error| RunError::Report(error.to_string()))
    }
}

/// Contract → digest, as compiled in.
pub(crate) fn contracts(registry: &Registry) -> BTreeMap<String, String> {
    let bronze = registry.datasets().iter().map(|dataset| (format!("bronze.{}", dataset.name), dataset.digest()));
    let gold = registry.gold().iter().map(|table| (format!("gold.{}", table.name), table.digest()));
    bronze.chain(gold).collect()
}

/// Keeps the texts of this run; returns the SHA-256 of their manifest.
pub(crate) async fn keep(context: &Context<'_>) -> Result<String, RunError> {
    let texts = Texts { root: context.root };
    let manifest = Manifest::of(context).text()?;
    let name = sha256_hex(manifest.as_bytes());
    // The texts of the release before are there; asking for each of hundreds would be slow on an object store.
    let held = match current_release(context.root).await? {
        Some(release) => basis_of(context.root, release.number).await?.is_some_and(|basis| basis.bundle == name),
        None => false,
    };
    if !held {
        for text in context.sql.files().values() {
            texts.put(text).await?;
        }
        texts.put(LOCK).await?;
        texts.put(&manifest).await?;
    }
    Ok(name)
}

/// The manifest of a release's texts.
pub(crate) async fn manifest(root: &Root, basis: &Basis) -> Result<Manifest, RunError> {
    let text = Texts { root }.get(&basis.bundle).await?;
    serde_json::from_str(&text).map_err(|error| RunError::Report(format!("the manifest `{}`: {error}", basis.bundle)))
}

/// The project as it stood when the manifest was written: its SQL, cards, rules, region and parameters. Contracts are the program's own.
pub(crate) async fn restore(context: &Context<'_>, manifest: &Manifest, mut project: Project) -> Result<Project, RunError> {
    let texts = Texts { root: context.root };
    let mut files = BTreeMap::new();
    for (path, sha256) in &manifest.sql {
        files.insert(path.clone(), texts.get(sha256).await?);
    }
    project.warehouse.definitions.sql = SqlBundle::from_files(files).map_err(|error| RunError::Config(error.to_string()))?;
    project.warehouse.definitions.region.code.clone_from(&manifest.region);
    project.warehouse.definitions.region.first_month =
        Month::parse(&manifest.first_month).map_err(|error| RunError::Config(error.to_string()))?;
    project.warehouse.definitions.parameters.clone_from(&manifest.parameters);
    Ok(project)
}
