//! Sealing a month.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use yaojia_models::contract::Registry;
use yaojia_models::digest::{Digest, cell_name, merkle_root, sha256_hex};
use yaojia_models::value::Month;

use super::dsse::Envelope;
use super::key::{SealKey, SealPublicKey};
use super::keys::{Trust, open_known};
use super::objects::{self, Object};
use super::shelf::{self, SealMark, seals};
use super::statement::{PREDICATE_TYPE, Predicate, PreviousSeal, STATEMENT_TYPE, SealedHead, Statement, Subject};
use crate::audit::{Texts, basis_of, check_heads, put_on_record};
use crate::delta::{FileEntry, RowDigest, Table, digest_in, is_as_written, read_file, scan_bytes};
use crate::error::{Result, WarehouseError};
use crate::gold::blind_columns;
use crate::ledger::{CellMark, CellMarks, Release};
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
    /// Id of the key that the seal before is signed by, where it is another and has not handed over to this one.
    pub other_key: Option<String>,
}

/// Seals a month of a release with `key`; `known` are the public keys of earlier seals. Killed on the way, it leaves no seal, or one that the next
/// run of it takes into the ledger. Nothing is signed that is not what is on record: commits, objects, and every cell's rows.
///
/// # Errors
/// [`WarehouseError::Audit`] when the release has no basis, a table is gone, or something does not fit what is on record of it;
/// [`WarehouseError::Key`] when an earlier seal is signed by a key that is not at hand, or this one was handed over; else as the storage says.
pub async fn seal(root: &Root, registry: &Registry, ask: &SealAsk<'_>, key: &SealKey, known: &[SealPublicKey]) -> Result<Sealed> {
    let (month, own) = (ask.month.to_string(), key.public());
    put_on_record(root).await?;
    // Also the keys that earlier seals name themselves: what those were handed over to is known whether or not they are configured still.
    let trust = Trust::of(root, &[known, std::slice::from_ref(&own), &named_keys(root).await?].concat()).await?;
    if let Some((after, to)) = trust.successor(&own.id()) {
        return Err(WarehouseError::Key {
            what: format!("the key `{}` cannot seal any more", own.id()),
            why: format!("it was handed over to `{to}` after seal {after}"),
        });
    }
    adopt(root, &trust).await?;
    let held = seals(root).await?;
    if let Some(mark) = held.iter().rev().find(|mark| mark.month == month).filter(|mark| mark.release == ask.release.number) {
        let path = mark.path();
        return Ok(Sealed { mark: mark.clone(), path, cells: 0, objects: 0, repeated: true, other_key: None });
    }
    let record = check_heads(root).await?;
    if let Some(finding) = record.findings.first() {
        return Err(gone(&finding.what, &format!("{}; nothing is sealed before that is mended", finding.why)));
    }
    let basis = basis_of(root, ask.release.number).await?.filter(|basis| basis.run_id == ask.release.run_id);
    let basis = basis.ok_or_else(|| WarehouseError::Audit {
        what: format!("release {}", ask.release.number),
        why: "it has no basis on record and cannot be sealed".to_string(),
    })?;
    let marks = CellMarks::read(root).await?;
    let (mut subject, mut tables) = (Vec::new(), BTreeMap::new());
    for contract in registry.gold() {
        let full = format!("gold.{}", contract.name);
        let Some(version) = ask.release.tables.get(&full) else { continue };
        let table = open(root, &contract.name, *version).await?;
        let newest = Table::open(root, "gold", &contract.name).await?.is_some_and(|newest| newest.version() == *version);
        let mut leaves = BTreeMap::new();
        for file in table.files()? {
            let cell = file.cell();
            let name = cell_name(&full, &cell.county, &cell.month);
            let mark = marks.get(&full, &cell).filter(|_| newest);
            let (bytes, digest, rows) = as_on_record(root, &full, &file, mark).await?;
            leaves.insert(name.clone(), digest.parse::<Digest>().map_err(|error| gone(&name, &error.to_string()))?);
            if cell.month == month {
                let sha256 = pin(root, bytes).await?;
                subject.push(Subject {
                    name,
                    digest: [("sha256".to_owned(), sha256), ("yaojiaCanonicalV1".to_owned(), digest)].into(),
                    annotations: [("rows".to_owned(), rows)].into(),
                });
            }
        }
        tables.insert(full, merkle_root(&leaves).hex());
    }
    let cells = subject.len() as u64;
    let (listed, before) = listed(root, &held, &trust).await?;
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
            head: Some(SealedHead { objects: record.objects, sha256: record.head }),
            public_key: Some(own.to_pem()?),
        },
    };
    let payload = serde_json::to_vec(&statement).map_err(|error| gone("the statement", &error.to_string()))?;
    let text = Envelope::sign(&payload, key).text();
    let path = shelf::path(number, &month);
    let mark = SealMark { number, month, release: ask.release.number, sha256: sha256_hex(text.as_bytes()) };
    root.put(&path, text.into()).await?;
    shelf::record(root, &mark).await?;
    let handed = |before: &String| trust.successor(before).is_some_and(|(_, to)| to == own.id());
    let other_key = before.filter(|before| *before != own.id() && !handed(before));
    Ok(Sealed { mark, path, cells, objects: new.len() as u64, repeated: false, other_key })
}

/// A cell's bytes, digest and rows, after they were compared with the file's name, the log and the ledger.
async fn as_on_record(root: &Root, full: &str, file: &FileEntry, mark: Option<&CellMark>) -> Result<(bytes::Bytes, String, u64)> {
    let path = format!("{}/{}", full.replacen('.', "/", 1), file.path);
    let bytes = root.get_opt(&path).await?.ok_or_else(|| gone(&path, "the release needs the file and it is gone"))?;
    let refused = |why: String| gone(&format!("{full} {}", file.cell()), &format!("{why} (`{path}`); it is not sealed"));
    if is_as_written(&path, &bytes) != Some(true) {
        return Err(refused("its file's bytes are not those it was written with".to_string()));
    }
    let mut rows = RowDigest::new(blind_columns(full));
    scan_bytes(full, &path, bytes.clone(), &mut |batch| rows.update(full, batch))?;
    let (digest, rows) = rows.finish();
    if digest_in(&path) != Some(digest.as_str()) {
        return Err(refused(format!("its rows digest to {digest}, and not to what its file's name says")));
    }
    if file.rows.is_some_and(|said| said != rows) {
        return Err(refused(format!("it has {rows} rows, and the log says {}", file.rows.unwrap_or_default())));
    }
    if mark.is_some_and(|mark| mark.digest != digest || mark.rows != rows) {
        return Err(refused(format!("its {rows} rows digest to {digest}, and not to what `_ops.cell` has on record")));
    }
    Ok((bytes, digest, rows))
}

fn gone(what: &str, why: &str) -> WarehouseError {
    WarehouseError::Audit { what: what.to_string(), why: why.to_string() }
}

async fn open(root: &Root, name: &str, version: i64) -> Result<Table> {
    let table = Table::open_at(root, "gold", name, Some(version)).await?;
    table.ok_or_else(|| gone(&format!("gold.{name}"), "the release names the table and it is gone"))
}

/// The public keys that seals name as theirs. Whether they are to be trusted is for who verifies to say.
async fn named_keys(root: &Root) -> Result<Vec<SealPublicKey>> {
    let mut keys: Vec<SealPublicKey> = Vec::new();
    for path in shelf::envelopes(root).await? {
        let Some((bytes, _)) = shelf::read(root, &path).await? else { continue };
        let statement: Option<Statement> = Envelope::peek(&bytes).ok().and_then(|payload| serde_json::from_slice(&payload).ok());
        let key = statement.and_then(|said| said.predicate.public_key).and_then(|pem| SealPublicKey::from_pem(&pem).ok());
        keys.extend(key.filter(|key| !keys.contains(key)));
    }
    Ok(keys)
}

/// Takes a signed envelope into the ledger that a killed run left out of it.
async fn adopt(root: &Root, trust: &Trust) -> Result<()> {
    let held = seals(root).await?;
    for path in shelf::envelopes(root).await? {
        let Some((bytes, sha256)) = shelf::read(root, &path).await? else { continue };
        if held.iter().any(|mark| shelf::path(mark.number, &mark.month) == path) {
            continue;
        }
        let said = open_known(&path, &bytes, trust)?.predicate;
        shelf::record(root, &SealMark { number: said.seal, month: said.month, release: said.release, sha256 }).await?;
    }
    Ok(())
}

/// What earlier seals listed, and the id of the key that the last of them is signed by.
async fn listed(root: &Root, held: &[SealMark], trust: &Trust) -> Result<(BTreeMap<String, Object>, Option<String>)> {
    let (mut listed, mut signer) = (BTreeMap::new(), None);
    for mark in held {
        let path = mark.path();
        let (bytes, _) = shelf::read(root, &path).await?.ok_or_else(|| gone(&path, "the seal is on record and gone"))?;
        let statement = open_known(&path, &bytes, trust)?;
        signer = Envelope::signer(&bytes).ok();
        let text = Texts { root }.get(&statement.predicate.objects).await?;
        let objects = objects::of_text(&text).ok_or_else(|| gone(&path, "its list of objects cannot be read"))?;
        listed.extend(objects.into_iter().map(|object| (object.path.clone(), object)));
    }
    Ok((listed, signer))
}

/// The gold cells that seals have in them, each with the path of its pinned file. Whether the seals are signed rightly is not looked at.
///
/// # Errors
/// [`WarehouseError::Audit`] when a seal cannot be read.
pub async fn pinned_by_seals(root: &Root) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for path in shelf::envelopes(root).await? {
        let Some((bytes, _)) = shelf::read(root, &path).await? else { continue };
        let payload = Envelope::peek(&bytes).map_err(|why| gone(&path, &why))?;
        let statement: Statement = serde_json::from_slice(&payload).map_err(|error| gone(&path, &error.to_string()))?;
        all.extend(statement.subject.into_iter().map(|cell| {
            let sha256 = cell.digest.get("sha256").cloned().unwrap_or_default();
            (cell.name, pinned(&sha256))
        }));
    }
    Ok(all)
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

/// Copies a file's bytes to where no maintenance reaches, under their SHA-256.
async fn pin(root: &Root, bytes: bytes::Bytes) -> Result<String> {
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
