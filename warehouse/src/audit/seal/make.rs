//! Sealing a month.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use yaojia_models::contract::Registry;
use yaojia_models::digest::{Digest, cell_name, merkle_root, sha256_hex};
use yaojia_models::value::Month;

use super::dsse::Envelope;
use super::key::SealKey;
use super::objects::{self, Object};
use super::shelf::{self, SealMark, seals};
use super::statement::{PREDICATE_TYPE, Predicate, PreviousSeal, STATEMENT_TYPE, Statement, Subject};
use crate::audit::{Texts, basis_of};
use crate::delta::{Table, digest_in, read_file};
use crate::error::{Result, WarehouseError};
use crate::ledger::Release;
use crate::store::Root;

/// What is to be sealed.
#[derive(Debug)]
pub struct SealAsk<'a> {
    /// The month.
    pub month: Month,
    /// The release.
    pub release: &'a Release,
    /// Region code.
    pub region: &'a str,
    /// The clock's instant as text.
    pub at: &'a str,
}

/// What was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The seal.
    pub mark: SealMark,
    /// Path of the envelope.
    pub path: String,
    /// Gold cells.
    pub cells: u64,
    /// Objects listed for the first time.
    pub objects: u64,
    /// Whether this release of the month had been sealed before: nothing was written then.
    pub repeated: bool,
}

/// Seals a month of a release. Killed on the way, it leaves no seal, or one that the next run of it takes into the ledger.
///
/// # Errors
/// [`WarehouseError::Audit`] when the release has no basis or a table is gone, else as the storage says.
pub async fn seal(root: &Root, registry: &Registry, ask: &SealAsk<'_>, key: &SealKey) -> Result<Sealed> {
    let month = ask.month.to_string();
    adopt(root, key).await?;
    let held = seals(root).await?;
    if let Some(mark) = held.iter().rev().find(|mark| mark.month == month).filter(|mark| mark.release == ask.release.number) {
        let path = shelf::path(mark.number, &month);
        return Ok(Sealed { mark: mark.clone(), path, cells: 0, objects: 0, repeated: true });
    }
    let basis = basis_of(root, ask.release.number).await?.filter(|basis| basis.run_id == ask.release.run_id);
    let basis = basis.ok_or_else(|| WarehouseError::Audit {
        what: format!("release {}", ask.release.number),
        why: "it has no basis on record and cannot be sealed".to_string(),
    })?;
    let (mut subject, mut tables) = (Vec::new(), BTreeMap::new());
    for contract in registry.gold() {
        let full = format!("gold.{}", contract.name);
        let Some(version) = ask.release.tables.get(&full) else { continue };
        let table = open(root, &contract.name, *version).await?;
        let mut leaves = BTreeMap::new();
        for file in table.files()? {
            let cell = file.cell();
            let name = cell_name(&full, &cell.county, &cell.month);
            let digest = digest_in(&file.path).unwrap_or_default();
            leaves.insert(name.clone(), digest.parse::<Digest>().map_err(|error| gone(&name, &error.to_string()))?);
            if cell.month == month {
                let sha256 = pin(root, &format!("gold/{}/{}", contract.name, file.path)).await?;
                subject.push(Subject {
                    name,
                    digest: [("sha256".to_owned(), sha256), ("yaojiaCanonicalV1".to_owned(), digest.to_owned())].into(),
                    annotations: [("rows".to_owned(), file.rows.unwrap_or_default())].into(),
                });
            }
        }
        tables.insert(full, merkle_root(&leaves).hex());
    }
    let cells = subject.len() as u64;
    let listed = listed(root, &held, key).await?;
    let new = objects::fresh(root, &listed).await?;
    let list = Texts { root }.put(&objects::to_text(&new)).await?;
    let number = held.last().map_or(0, |mark| mark.number) + 1;
    let statement = Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject,
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {
            seal: number,
            month: month.clone(),
            sealed_at: ask.at.to_owned(),
            release: ask.release.number,
            run_id: basis.run_id,
            run_seq: basis.run_seq,
            as_of: basis.as_of,
            region: ask.region.to_owned(),
            bundle: basis.bundle,
            tables,
            completeness: completeness(root, ask.release, &month).await?,
            objects: list,
            object_count: new.len() as u64,
            previous: held.last().map(|mark| PreviousSeal { seal: mark.number, sha256: mark.sha256.clone() }),
        },
    };
    let payload = serde_json::to_vec(&statement).map_err(|error| gone("the statement", &error.to_string()))?;
    let text = Envelope::sign(&payload, key).text();
    let path = shelf::path(number, &month);
    let mark = SealMark { number, month, release: ask.release.number, sha256: sha256_hex(text.as_bytes()) };
    root.put(&path, text.into()).await?;
    shelf::record(root, &mark).await?;
    Ok(Sealed { mark, path, cells, objects: new.len() as u64, repeated: false })
}

fn gone(what: &str, why: &str) -> WarehouseError {
    WarehouseError::Audit { what: what.to_string(), why: why.to_string() }
}

async fn open(root: &Root, name: &str, version: i64) -> Result<Table> {
    let table = Table::open_at(root, "gold", name, Some(version)).await?;
    table.ok_or_else(|| gone(&format!("gold.{name}"), "the release names the table and it is gone"))
}

/// Takes a signed envelope into the ledger that a killed run left out of it.
async fn adopt(root: &Root, key: &SealKey) -> Result<()> {
    let held = seals(root).await?;
    for path in shelf::envelopes(root).await? {
        let Some((bytes, sha256)) = shelf::read(root, &path).await? else { continue };
        if held.iter().any(|mark| shelf::path(mark.number, &mark.month) == path) {
            continue;
        }
        let payload = Envelope::open(&bytes, &key.public()).map_err(|why| gone(&path, &why))?;
        let statement: Statement = serde_json::from_slice(&payload).map_err(|error| gone(&path, &error.to_string()))?;
        let said = statement.predicate;
        shelf::record(root, &SealMark { number: said.seal, month: said.month, release: said.release, sha256 }).await?;
    }
    Ok(())
}

/// What earlier seals listed.
async fn listed(root: &Root, held: &[SealMark], key: &SealKey) -> Result<BTreeMap<String, Object>> {
    let mut listed = BTreeMap::new();
    for mark in held {
        let path = shelf::path(mark.number, &mark.month);
        let (bytes, _) = shelf::read(root, &path).await?.ok_or_else(|| gone(&path, "the seal is on record and gone"))?;
        let payload = Envelope::open(&bytes, &key.public()).map_err(|why| gone(&path, &why))?;
        let statement: Statement = serde_json::from_slice(&payload).map_err(|error| gone(&path, &error.to_string()))?;
        let text = Texts { root }.get(&statement.predicate.objects).await?;
        let objects = objects::of_text(&text).ok_or_else(|| gone(&path, "its list of objects cannot be read"))?;
        listed.extend(objects.into_iter().map(|object| (object.path.clone(), object)));
    }
    Ok(listed)
}

/// Paths of all objects that some seal lists. Whether the seals are signed rightly is not looked at.
///
/// # Errors
/// [`WarehouseError::Audit`] when a seal or its list cannot be read.
pub async fn listed_by_seals(root: &Root) -> Result<BTreeSet<String>> {
    let mut paths = BTreeSet::new();
    for path in shelf::envelopes(root).await? {
        let Some((bytes, _)) = shelf::read(root, &path).await? else { continue };
        let payload = Envelope::peek(&bytes).map_err(|why| gone(&path, &why))?;
        let statement: Statement = serde_json::from_slice(&payload).map_err(|error| gone(&path, &error.to_string()))?;
        let text = Texts { root }.get(&statement.predicate.objects).await?;
        let objects = objects::of_text(&text).ok_or_else(|| gone(&path, "its list of objects cannot be read"))?;
        paths.extend(objects.into_iter().map(|object| object.path));
    }
    Ok(paths)
}

/// Copies a file to where no maintenance reaches, under its SHA-256.
async fn pin(root: &Root, path: &str) -> Result<String> {
    let bytes = root.get_opt(path).await?.ok_or_else(|| gone(path, "the release needs the file and it is gone"))?;
    let sha256 = sha256_hex(&bytes);
    let pinned = pinned(&sha256);
    if !root.exists(&pinned).await? {
        root.put(&pinned, bytes).await?;
    }
    Ok(sha256)
}

/// Where a pinned file lies.
pub(super) fn pinned(sha256: &str) -> String {
    format!("_ops/sealed/{}/{sha256}.parquet", sha256.get(..2).unwrap_or("00"))
}

/// The indicator values of a month by certificate.
async fn completeness(root: &Root, release: &Release, month: &str) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    let Some(version) = release.tables.get("gold.indicator_value") else { return Ok(counts) };
    let table = open(root, "indicator_value", *version).await?;
    let wanted = ["completeness".to_string()];
    for file in table.files()?.into_iter().filter(|file| file.cell().month == month) {
        for batch in read_file(&table.store(), table.label(), &file.path, Some(&wanted)).await? {
            if let Some(values) = batch.column_by_name("completeness").and_then(|column| column.as_string_opt::<i32>()) {
                values.iter().flatten().for_each(|value| *counts.entry(value.to_owned()).or_default() += 1);
            }
        }
    }
    Ok(counts)
}
