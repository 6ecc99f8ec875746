//! Whether what readers see of sealed months, and what is computed again, is what was sealed: the record of commits up to each seal, the bronze
//! files of sealed runs, the cells of the sealed releases.

use std::collections::{BTreeMap, BTreeSet};

use yaojia_models::contract::Registry;
use yaojia_models::digest::{cell_name, sha256_hex};

use super::statement::{Statement, Subject};
use super::verify::Verdict;
use crate::audit::{HeadChain, file_digest, head_at};
use crate::bronze::FileName;
use crate::delta::{FileEntry, Table};
use crate::error::Result;
use crate::ledger::{Release, releases};
use crate::store::Root;

/// The record of commits still has at its place what each seal says of its end then.
pub(super) async fn record(root: &Root, statements: &[Statement], verdict: &mut Verdict) -> Result<()> {
    for said in statements.iter().map(|statement| &statement.predicate) {
        let Some(head) = &said.head else { continue };
        match head_at(root, head.objects).await {
            Ok(HeadChain::Is(is)) if is == head.sha256 => {}
            Ok(HeadChain::Is(_)) => {
                verdict.find("_ops.head", format!("the record of commits up to seal {} is not the one that was sealed", said.seal));
            }
            Ok(HeadChain::EndsAt(count)) => {
                let why =
                    format!("the record of commits ends after {count} objects; when seal {} was made it had {}", said.seal, head.objects);
                verdict.find("_ops.head", why);
            }
            Err(error) => verdict.find("_ops.head", format!("the record of commits cannot be read: {error}")),
        }
    }
    Ok(())
}

/// The bronze tables have the files that were sealed, and of runs up to the last sealed release no other.
pub(super) async fn bronze(
    root: &Root,
    registry: &Registry,
    statements: &[Statement],
    listed: &BTreeMap<String, i64>,
    verdict: &mut Verdict,
) -> Result<()> {
    let Some(run) = statements.iter().map(|statement| statement.predicate.run_seq).max() else { return Ok(()) };
    for dataset in registry.datasets() {
        let folder = format!("bronze/{}", dataset.name);
        let table = match Table::open(root, "bronze", &dataset.name).await {
            Ok(Some(table)) => table,
            Ok(None) => continue,
            Err(error) => {
                verdict.find(format!("bronze.{}", dataset.name), format!("the table does not open: {error}"));
                continue;
            }
        };
        let held: BTreeSet<String> = table.files()?.into_iter().map(|file| format!("{folder}/{}", file.path.replace("%3D", "="))).collect();
        for path in held.iter().filter(|path| !listed.contains_key(*path)) {
            if FileName::of(path).is_some_and(|name| name.first_run <= run) {
                verdict.find(path, "its name says that it is of a run before the last seal, and no seal lists it: it was added");
            }
        }
        let log = format!("{folder}/_delta_log/");
        for (path, seal) in listed.iter().filter(|(path, _)| path.starts_with(&format!("{folder}/")) && !path.starts_with(&log)) {
            // What a killed run left belongs to nothing, and no log ever named it.
            if !held.contains(path) && was_named(root, &folder, path).await? {
                verdict.find(path, format!("`bronze.{}` does not have it any more; seal {seal} stands on it", dataset.name));
            }
        }
    }
    Ok(())
}

/// Whether some commit of a table added a file. Sealed files are never merged, so a table that had one has it.
async fn was_named(root: &Root, folder: &str, path: &str) -> Result<bool> {
    let name = path.rsplit('/').next().unwrap_or_default();
    for meta in root.list(&[&format!("{folder}/_delta_log")]).await? {
        let log = meta.location.to_string();
        if log.ends_with(".json")
            && let Some(bytes) = root.get_opt(&log).await?
            && String::from_utf8_lossy(&bytes).lines().any(|line| line.contains("\"add\"") && line.contains(name))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The published cells of sealed months: those of the sealed release are what was pinned; where a later release shows another it is told.
pub(super) async fn cells(root: &Root, statements: &[Statement], month: Option<&str>, verdict: &mut Verdict) -> Result<()> {
    let all = match releases(root).await {
        Ok(all) => all,
        Err(error) => {
            verdict.find("_ops.release", format!("the ledger cannot be read: {error}"));
            return Ok(());
        }
    };
    let mut newest: BTreeMap<&str, &Statement> = BTreeMap::new();
    for statement in statements.iter().filter(|statement| month.is_none_or(|month| statement.predicate.month == month)) {
        newest.insert(&statement.predicate.month, statement);
        let said = &statement.predicate;
        match all.iter().find(|release| release.number == said.release) {
            Some(release) if release.run_id == said.run_id => of_release(root, release, statement, verdict).await?,
            Some(release) => verdict.find(
                "_ops.release",
                format!("release {} is of the run {}; seal {} is of the run {}", said.release, release.run_id, said.seal, said.run_id),
            ),
            None => verdict.find("_ops.release", format!("release {} is gone; seal {} is of it", said.release, said.seal)),
        }
    }
    let Some(current) = all.last() else { return Ok(()) };
    for statement in newest.into_values().filter(|statement| statement.predicate.release != current.number) {
        let mut tables: BTreeMap<&str, BTreeMap<String, FileEntry>> = BTreeMap::new();
        for subject in &statement.subject {
            let table = subject.name.split('/').next().unwrap_or_default();
            if !tables.contains_key(table) {
                let files = open(root, current, table, verdict).await?.map(|table| table.files()).transpose()?.unwrap_or_default();
                tables.insert(table, files.into_iter().map(|file| (name(table, &file), file)).collect());
            }
            let file = tables.get(table).and_then(|files| files.get(&subject.name));
            let digest = subject.digest.get("yaojiaCanonicalV1").map(String::as_str).unwrap_or_default();
            // Cells of another digest are computed again where that is asked for; `doctor --deep` digests all that are live.
            if file.and_then(|file| crate::delta::digest_in(&file.path)) != Some(digest) {
                verdict.restated.push(subject.name.clone());
            } else if let Some(file) = file {
                let Some(open) = open(root, current, table, verdict).await? else { continue };
                compare(root, &open, table, file, subject, verdict).await?;
            }
        }
    }
    Ok(())
}

/// The cells of a sealed month in the release that was sealed: each is what was pinned, and there is no other.
async fn of_release(root: &Root, release: &Release, statement: &Statement, verdict: &mut Verdict) -> Result<()> {
    let mut subjects: BTreeMap<&str, BTreeMap<&str, &Subject>> = BTreeMap::new();
    for subject in &statement.subject {
        subjects.entry(subject.name.split('/').next().unwrap_or_default()).or_default().insert(&subject.name, subject);
    }
    let said = &statement.predicate;
    for (table, mut sealed) in subjects {
        let Some(open) = open(root, release, table, verdict).await? else { continue };
        for file in open.files()?.iter().filter(|file| file.part("month") == said.month) {
            let name = name(table, file);
            match sealed.remove(name.as_str()) {
                Some(subject) => compare(root, &open, table, file, subject, verdict).await?,
                None => verdict.find(name, format!("release {} shows it, and seal {} has no such cell", release.number, said.seal)),
            }
        }
        for name in sealed.into_keys() {
            verdict.find(name, format!("release {} does not have the cell any more; seal {} has it", release.number, said.seal));
        }
    }
    Ok(())
}

fn name(table: &str, file: &FileEntry) -> String {
    let cell = file.cell();
    cell_name(table, &cell.county, &cell.month)
}

async fn open(root: &Root, release: &Release, full: &str, verdict: &mut Verdict) -> Result<Option<Table>> {
    let (layer, name) = full.split_once('.').unwrap_or(("gold", full));
    let Some(version) = release.tables.get(full) else {
        verdict.find(full, format!("release {} has no version of it any more", release.number));
        return Ok(None);
    };
    match Table::open_at(root, layer, name, Some(*version)).await {
        Ok(Some(table)) => Ok(Some(table)),
        Ok(None) => {
            verdict.find(full, format!("release {} names the table and it is gone", release.number));
            Ok(None)
        }
        Err(error) => {
            verdict.find(full, format!("version {version} of release {} does not open: {error}", release.number));
            Ok(None)
        }
    }
}

/// A published file is byte for byte the pinned one; where it is not, whether its rows are.
async fn compare(root: &Root, open: &Table, table: &str, file: &FileEntry, subject: &Subject, verdict: &mut Verdict) -> Result<()> {
    verdict.published += 1;
    let path = format!("{}/{}", table.replacen('.', "/", 1), file.path.replace("%3D", "="));
    let sealed = |name: &str| subject.digest.get(name).map(String::as_str).unwrap_or_default();
    let Some(bytes) = root.get_opt(&path).await? else {
        verdict.find(&subject.name, format!("its published file `{path}` is gone"));
        return Ok(());
    };
    let rows = subject.annotations.get("rows").copied();
    if file.rows != rows {
        let said = file.rows.map_or_else(|| "nothing".to_owned(), |rows| rows.to_string());
        verdict.find(&subject.name, format!("the log says {said} of its rows, sealed were {}", rows.unwrap_or_default()));
    }
    if sha256_hex(&bytes) == sealed("sha256") {
        return Ok(());
    }
    match file_digest(open, &file.path).await {
        // A cell that came out the same again is written by another run: columns that say so are not digested.
        Ok((digest, _)) if digest == sealed("yaojiaCanonicalV1") => {}
        Ok((digest, rows)) => {
            verdict.find(&subject.name, format!("readers see {rows} rows in `{path}` that digest to {digest}, and not what was sealed"))
        }
        Err(error) => verdict.find(&subject.name, error.to_string()),
    }
    Ok(())
}
