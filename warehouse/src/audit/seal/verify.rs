//! Verifying seals with public keys alone: signature → chain → texts and objects → pinned cells → record, bronze and published tables.
//!
//! That the cells follow from the bytes (recomputing them) is the replay's part, which the caller runs on the same release.

use std::collections::BTreeMap;

use yaojia_models::contract::Registry;
use yaojia_models::digest::sha256_hex;

use super::key::SealPublicKey;
use super::keys::Trust;
use super::make::pinned;
use super::objects;
use super::published;
use super::shelf::{self, seals};
use super::statement::{PREDICATE_TYPE, STATEMENT_TYPE, Statement, Subject};
use crate::audit::Texts;
use crate::delta::{RowDigest, scan_bytes};
use crate::error::Result;
use crate::gold::blind_columns;
use crate::store::Root;

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The object, cell or seal.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

/// What verifying found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The statements whose signature holds, oldest first.
    pub statements: Vec<Statement>,
    /// Objects hashed.
    pub objects: u64,
    /// Pinned cells read and digested.
    pub cells: u64,
    /// Published cells compared with them.
    pub published: u64,
    /// Sealed cells that a later release shows otherwise.
    pub restated: Vec<String>,
    /// All that does not fit.
    pub findings: Vec<Finding>,
}

impl Verdict {
    pub(super) fn find(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.findings.push(Finding { what: what.into(), why: why.into() });
    }
}

/// Verifies all seals with the keys given and those they handed over to; `month` restricts the cells that are read, never the chain.
///
/// # Errors
/// As the storage says; what does not fit is a finding, not an error.
pub async fn verify(root: &Root, registry: &Registry, keys: &[SealPublicKey], month: Option<&str>) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let marks = match seals(root).await {
        Ok(marks) => marks,
        Err(error) => {
            verdict.find("_ops.seal", format!("the ledger of seals cannot be read: {error}"));
            Vec::new()
        }
    };
    let present = shelf::envelopes(root).await?;
    for mark in &marks {
        let path = mark.path();
        if !present.contains(&path) {
            verdict.find(path, "the seal is on record and gone");
        }
    }
    let trust = Trust::of(root, keys).await?;
    verdict.findings.extend(trust.findings.iter().cloned());
    let mut before: Option<(i64, String)> = None;
    for path in present {
        let Some((bytes, sha256)) = shelf::read(root, &path).await? else { continue };
        match marks.iter().find(|mark| shelf::path(mark.number, &mark.month) == path) {
            None => verdict.find(&path, "the seal is not on record in `_ops.seal`"),
            Some(mark) if mark.sha256 != sha256 => verdict.find(&path, "it is not the seal on record in `_ops.seal`"),
            Some(_) => {}
        }
        let opened = trust.open(&bytes, number_in(&path)).and_then(|payload| {
            serde_json::from_slice::<Statement>(&payload).map_err(|error| format!("its payload is no statement of ours: {error}"))
        });
        let statement = match opened {
            Ok(statement) => statement,
            Err(why) => {
                verdict.find(&path, why);
                // The chain goes on over it: the next seal names its hash.
                before = number_in(&path).map(|number| (number, sha256));
                continue;
            }
        };
        let said = &statement.predicate;
        if statement.kind != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
            verdict.find(&path, "its statement is of another type");
        }
        if shelf::path(said.seal, &said.month) != path {
            verdict.find(&path, format!("it is the seal {} of {}", said.seal, said.month));
        }
        let chained = said.previous.as_ref().map(|previous| (previous.seal, previous.sha256.clone()));
        if chained != before {
            let name =
                |seal: &Option<(i64, String)>| seal.as_ref().map_or_else(|| "none".to_owned(), |(number, _)| format!("seal {number}"));
            verdict.find(
                &path,
                format!("the chain is broken: it follows {}, and {} is before it or was changed", name(&chained), name(&before)),
            );
        }
        before = Some((said.seal, sha256));
        verdict.statements.push(statement);
    }
    let statements = std::mem::take(&mut verdict.statements);
    let mut listed: BTreeMap<String, i64> = BTreeMap::new();
    for statement in &statements {
        texts(root, statement, &mut verdict).await?;
        all_objects(root, statement, &mut listed, &mut verdict).await?;
        if month.is_none_or(|month| statement.predicate.month == month) {
            for subject in &statement.subject {
                cell(root, registry, subject, &mut verdict).await?;
            }
        }
    }
    published::record(root, &statements, &mut verdict).await?;
    published::bronze(root, registry, &statements, &listed, &mut verdict).await?;
    published::cells(root, &statements, month, &mut verdict).await?;
    verdict.statements = statements;
    Ok(verdict)
}

fn number_in(path: &str) -> Option<i64> {
    path.rsplit('/').next()?.split('-').next()?.parse().ok()
}

/// The bundle's manifest and every text it names.
async fn texts(root: &Root, statement: &Statement, verdict: &mut Verdict) -> Result<()> {
    let texts = Texts { root };
    let said = &statement.predicate;
    match texts.get(&said.bundle).await {
        Err(error) => verdict.find(Texts::path(&said.bundle), error.to_string()),
        Ok(manifest) => {
            for (path, sha256) in Texts::named(&manifest) {
                if let Err(error) = texts.get(&sha256).await {
                    verdict.find(format!("sql/{path} of seal {}", said.seal), error.to_string());
                }
            }
        }
    }
    Ok(())
}

/// Every object of the list: present and as it was.
async fn all_objects(root: &Root, statement: &Statement, listed: &mut BTreeMap<String, i64>, verdict: &mut Verdict) -> Result<()> {
    let said = &statement.predicate;
    let text = match (Texts { root }).get(&said.objects).await {
        Ok(text) => text,
        Err(error) => {
            verdict.find(format!("list of objects of seal {}", said.seal), error.to_string());
            return Ok(());
        }
    };
    let Some(objects) = objects::of_text(&text).filter(|objects| objects.len() as u64 == said.object_count) else {
        verdict.find(format!("list of objects of seal {}", said.seal), "it is not the list that was signed");
        return Ok(());
    };
    for object in objects {
        verdict.objects += 1;
        listed.insert(object.path.clone(), said.seal);
        match root.sha256(&object.path).await? {
            None => verdict.find(object.path, format!("it is gone; seal {} stands on it", said.seal)),
            Some((_, sha256)) if sha256 != object.sha256 => {
                verdict.find(object.path, format!("it was changed after seal {}: SHA-256 {sha256}, sealed {}", said.seal, object.sha256));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The pinned file of a cell: its bytes, and the rows in it.
async fn cell(root: &Root, registry: &Registry, subject: &Subject, verdict: &mut Verdict) -> Result<()> {
    verdict.cells += 1;
    let sealed = |name: &str| subject.digest.get(name).map(String::as_str).unwrap_or_default();
    let path = pinned(sealed("sha256"));
    let Some(bytes) = root.get_opt(&path).await? else {
        verdict.find(&subject.name, format!("its pinned file `{path}` is gone"));
        return Ok(());
    };
    if sha256_hex(&bytes) != sealed("sha256") {
        verdict.find(&subject.name, format!("its pinned file `{path}` was changed"));
        return Ok(());
    }
    let table = subject.name.split('/').next().unwrap_or_default().to_owned();
    if table.strip_prefix("gold.").and_then(|name| registry.gold_table(name)).is_none() {
        verdict.find(&subject.name, "there is no contract of the table");
        return Ok(());
    }
    let mut rows = RowDigest::new(blind_columns(&table));
    // A sealed file is in its canonical order: other orders of the same rows digest otherwise.
    if let Err(error) = scan_bytes(&table, &path, bytes, &mut |batch| rows.update(&table, batch)) {
        verdict.find(&subject.name, error.to_string());
        return Ok(());
    }
    let (digest, rows) = rows.finish();
    let said = subject.annotations.get("rows").copied().unwrap_or_default();
    if digest != sealed("yaojiaCanonicalV1") {
        verdict.find(&subject.name, format!("its rows digest to {digest}, not to what was sealed"));
    } else if rows != said {
        verdict.find(&subject.name, format!("it has {rows} rows, sealed were {said}"));
    }
    Ok(())
}
