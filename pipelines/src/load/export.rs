//! Loading export files: once per content, refused ones reported and kept, all of a dataset's files in one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use yaojia_connectors::export::{Delivery, ExportSource, FileReport, LandingFile, PassedOver, ReadError, Refused, SheetState};
use yaojia_connectors::{Artifact, ArtifactBytes, SourceError};
use yaojia_models::contract::{Dataset, SourceKind};
use yaojia_warehouse::bronze::{Appender, Bronze, Fold, Receipt};
use yaojia_warehouse::ledger::{LandingState, LoadMark, Undone, UndoneKind, loads, record_loads};
use yaojia_warehouse::store::ArchiveSource;

use super::ask::{ALL, LoadAsk};
use super::landing::{Seen, export_datasets};
use super::parser::parser;
use super::rounding::Rounding;
use crate::context::{Context, LazyRun};
use crate::error::RunError;
use crate::progress::Progress;
use crate::report::{DatasetLoad, FileSheet, LoadReport};
use crate::run::undone::undone;

/// Archives an artifact's bytes.
pub(crate) async fn archived(context: &Context<'_>, artifact: &Artifact) -> Result<(), RunError> {
    let source = match &artifact.bytes {
        ArtifactBytes::Memory(bytes) => ArchiveSource::Memory(bytes.clone()),
        ArtifactBytes::File(file) => ArchiveSource::Stream(Box::new(file.reader())),
    };
    context.archive.put(&artifact.name, &artifact.sha256, source, artifact.personal).await?;
    Ok(())
}

/// The landing folder with the project's profiles, where one is configured.
pub(crate) fn source(context: &Context<'_>) -> Result<Option<ExportSource>, RunError> {
    let Some(config) = context.export.clone() else { return Ok(None) };
    Ok(Some(ExportSource::open(config)?.with_profiles(context.profiles()?.to_vec())?))
}

/// Loads every new file of the landing folder, or those of them that are asked for. A file or a dataset that cannot be read does not keep
/// the others from being loaded; the first error is the answer, and `left` says all of it.
pub(crate) async fn load(
    context: &Context<'_>,
    ask: &LoadAsk,
    run: &mut LazyRun,
    report: &mut LoadReport,
    left: &mut Vec<Undone>,
    progress: &dyn Progress,
) -> Result<(), RunError> {
    if !ask.asks_files() {
        return Ok(());
    }
    let Some(source) = source(context)? else { return Ok(()) };
    let mut by_dataset: BTreeMap<String, Vec<LandingFile>> = BTreeMap::new();
    let mut listed = match source.list().await {
        Ok(listed) => listed,
        Err(error) => {
            let error = RunError::from(error);
            left.push(undone(UndoneKind::Files, ALL, &error));
            return Err(error);
        }
    };
    let mut failed: Option<RunError> = None;
    // What could not be listed is undone; what could be is loaded all the same.
    for error in std::mem::take(&mut listed.failed) {
        let error = RunError::from(error);
        report.failed.push(error.to_string());
        left.push(undone(UndoneKind::Files, dataset_at(context, &error), &error));
        failed.get_or_insert(error);
    }
    let whole = ask.looks_at_all() && failed.is_none();
    let mut seen = Seen::read(context, whole).await?;
    for file in std::mem::take(&mut listed.files).into_iter().filter(|file| ask.looks_at(file)) {
        by_dataset.entry(file.dataset.clone()).or_default().push(file);
    }
    let known = loads(context.root).await?;
    // References come before referrers, so that a file that feeds both finds its institutions when its orders are placed.
    let datasets = context.datasets;
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for (n, dataset) in datasets.iter().enumerate() {
        context.go_on()?;
        let Some(files) = by_dataset.remove(&dataset.name) else { continue };
        // A platform dataset is fed by the platform, or by a file that a profile maps; a folder of its name is no place for files.
        let (files, strays): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| file.profile.is_some() || dataset.source == SourceKind::Export);
        if !strays.is_empty() {
            by_dataset.insert(dataset.name.clone(), strays);
        }
        if files.is_empty() {
            continue;
        }
        progress.step(&format!("files {}", dataset.name), n as u64, Some(datasets.len() as u64));
        let load = match dataset_load(context, &source, dataset, &files, &known, ask, &mut seen, run).await {
            Ok((load, unread)) => {
                for (path, error) in unread {
                    seen.in_part();
                    report.failed.push(format!("{path}: {error}"));
                    left.push(undone(UndoneKind::File, &path, &error));
                    failed.get_or_insert(error);
                }
                load
            }
            Err(stop @ RunError::Stopped) => return Err(stop),
            // Nothing of the dataset was committed; the others are loaded all the same.
            Err(error) => {
                seen.in_part();
                report.failed.push(format!("{}: {error}", dataset.name));
                left.push(undone(UndoneKind::Files, &dataset.name, &error));
                failed.get_or_insert(error);
                continue;
            }
        };
        // A mapped file comes once for every dataset it feeds, and is one file all the same.
        report.refused.extend(load.refused.iter().filter(|refused| !report.refused.contains(refused)).cloned().collect::<Vec<_>>());
        report
            .same_content
            .extend(load.same_content.iter().filter(|name| !report.same_content.contains(name)).cloned().collect::<Vec<_>>());
        paths.extend(load.loaded.iter().cloned());
        report.add(&dataset.name, load);
    }
    report.files += paths.len() as u64;
    for file in by_dataset.values().flatten() {
        seen.pass(&PassedOver::of_dataset(&file.path, &file.dataset, &export_datasets(context)));
    }
    if ask.looks_at_all() {
        listed.passed.iter().for_each(|of| seen.pass(of));
        seen.announced(context, &source, &listed, &known, run).await?;
    }
    report.landing = seen.lines();
    report.pending.landing = seen.record(context, run).await?;
    failed.map_or(Ok(()), Err)
}

#[expect(clippy::too_many_arguments, reason = "what is known, what is asked, what is seen")]
async fn dataset_load(
    context: &Context<'_>,
    source: &ExportSource,
    dataset: &Dataset,
    files: &[LandingFile],
    known: &[LoadMark],
    ask: &LoadAsk,
    seen: &mut Seen,
    run: &mut LazyRun,
) -> Result<(DatasetLoad, Vec<(String, RunError)>), RunError> {
    let mut unread = Vec::new();
    let bronze = Bronze { root: context.root, region: context.region };
    let own: Vec<&LoadMark> = known.iter().filter(|m| m.dataset == dataset.name).collect();
    let last: BTreeMap<&str, &LoadMark> = own.iter().map(|m| (m.name.as_str(), *m)).collect();
    // The ledger says what was loaded; a run killed between rows and ledger left the rows, so they have the last word.
    let mut loaded: BTreeSet<String> = own.iter().filter(|m| m.state == "loaded").map(|m| m.sha256.clone()).collect();
    let mut asked_bronze = false;
    let mut load = DatasetLoad::default();
    let mut marks: Vec<LoadMark> = Vec::new();
    let mut appender: Option<Appender> = None;
    let rules = parser(context, dataset)?;
    for (part, file) in files.iter().enumerate() {
        context.go_on()?;
        if let Some(mark) = seen.unchanged(file, &rules).filter(|_| ask.skips_unchanged()).cloned() {
            if mark.state == LandingState::Refused {
                load.refused.push((file.path.clone(), mark.reason.clone()));
            }
            seen.still(&mark);
            continue;
        }
        let delivery = match source.fetch(dataset, file).await {
            Ok(delivery) => delivery,
            Err(error) => {
                unread.push((file.path.clone(), error.into()));
                continue;
            }
        };
        let sha = delivery.artifact.sha256.clone();
        let before = last.get(file.path.as_str()).copied().filter(|m| m.sha256 == sha);
        if loaded.contains(&sha) {
            let mut told = own.iter().filter(|m| m.name == file.path && m.sha256 == sha).peekable();
            if told.peek().is_none() {
                load.same_content.push(file.path.clone());
                marks.push(mark(dataset, &rules, file, &sha, "same_content", "", -1, 0));
            }
            let own = told.any(|m| m.state == "loaded");
            seen.note(file, &sha, &rules, if own { LandingState::Loaded } else { LandingState::SameContent }, None);
            continue;
        }
        if let Some(mark) = before.filter(|m| m.state == "refused") {
            // Seen before: only if it is good now (its control file was mended) does it count as news.
            if let Err(refused) = check(source, dataset, &delivery).await?
                && refused.reason.to_string() == mark.reason
            {
                load.refused.push((file.path.clone(), mark.reason.clone()));
                seen.note(file, &sha, &rules, LandingState::Refused, Some(&refused));
                continue;
            }
        }
        if !asked_bronze {
            asked_bronze = true;
            let there = bronze.artifacts(&dataset.name).await?;
            if there.contains(&sha) {
                // Rows are there but the ledger was not told: read again only to tell it.
                let rows = check(source, dataset, &delivery).await?.unwrap_or_default();
                marks.push(mark(dataset, &rules, file, &sha, "loaded", &read_by(source, file), declared(&delivery), rows));
                seen.note(file, &sha, &rules, LandingState::Loaded, None);
                loaded.insert(sha);
                loaded.extend(there);
                continue;
            }
            loaded.extend(there);
        }
        let stamp = run.open(context).await?;
        if appender.is_none() {
            appender = Some(bronze.appender(dataset, &stamp).await?);
        }
        let Some(open) = appender.as_mut() else { continue };
        let rows_before = open.rows();
        let part = i64::try_from(part).unwrap_or(i64::MAX);
        let receipt = Receipt { source: &file.path, artifact: &sha, part, parser: &rules, again: None };
        match read_into(source, dataset, &delivery, open, &receipt, &mut load.rounded).await? {
            Ok(found) => {
                archived(context, &delivery.artifact).await?;
                load.files += 1;
                load.loaded.push(file.path.clone());
                load.received += found.rows;
                load.appended += open.rows() - rows_before;
                load.filtered += found.filtered;
                let told =
                    found.sheets.iter().filter(|sheet| sheet.hidden || !matches!(sheet.state, SheetState::Read | SheetState::NotAsked));
                load.sheets.extend(told.map(|sheet| FileSheet { file: file.path.clone(), report: sheet.clone() }));
                for name in found.unknown.keys() {
                    *load.unknown_columns.entry(name.clone()).or_default() += 1;
                }
                for name in found.dropped.keys() {
                    *load.dropped_personal.entry(name.clone()).or_default() += 1;
                }
                // The control file of a mapped file speaks of all its rows: where a dataset gets others, nothing is declared of it.
                let all = |rows: &i64| file.profile.is_none() || u64::try_from(*rows) == Ok(found.rows);
                let declared = Some(declared(&delivery)).filter(all).unwrap_or(-1);
                load.declared += u64::try_from(declared).unwrap_or(found.rows);
                marks.push(mark(dataset, &rules, file, &sha, "loaded", &read_by(source, file), declared, found.rows));
                seen.note(file, &sha, &rules, LandingState::Loaded, None);
                loaded.insert(sha);
            }
            Err(refused) => {
                archived(context, &delivery.artifact).await?;
                seen.note(file, &sha, &rules, LandingState::Refused, Some(&refused));
                let reason = refused.reason.to_string();
                load.refused.push((file.path.clone(), reason.clone()));
                if before.is_none_or(|m| m.state != "refused" || m.reason != reason) {
                    marks.push(mark(dataset, &rules, file, &sha, "refused", &reason, declared(&delivery), 0));
                }
            }
        }
    }
    if let Some(appender) = appender {
        appender.commit(Vec::new()).await?;
    }
    if !marks.is_empty() {
        let stamp = run.open(context).await?;
        record_loads(context.root, &stamp, &marks).await?;
    }
    Ok((load, unread))
}

/// Reads a delivery into bronze; the inner error is a refusal.
pub(crate) async fn read_into(
    source: &ExportSource,
    dataset: &Dataset,
    delivery: &Delivery,
    appender: &mut Appender,
    receipt: &Receipt<'_>,
    rounded: &mut Rounding,
) -> Result<Result<FileReport, Refused>, RunError> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let (source, owner, owned) = (source.clone(), Arc::new(dataset.clone()), delivery.clone());
    let reader = tokio::task::spawn_blocking(move || {
        source.read(&owner, &owned, &mut |batch| sender.blocking_send(batch).map_err(|e| Box::new(e) as _))
    });
    while let Some(batch) = receiver.recv().await {
        rounded.see(dataset, &batch);
        appender.push(&batch, receipt).await?;
    }
    let read = reader.await.map_err(|e| RunError::Report(e.to_string()))?;
    if let Err(ReadError::Refused(refused)) = &read {
        tracing::warn!(file = %refused.file, reason = %refused.reason, "{}", refused.detail);
    }
    worded(read)
}

/// Reads a delivery only to count it; the inner error is a refusal.
async fn check(source: &ExportSource, dataset: &Dataset, delivery: &Delivery) -> Result<Result<u64, Refused>, RunError> {
    Ok(fold(source, dataset, delivery).await?.map(|fold| fold.rows))
}

/// Reads a delivery only to compare what it says; the inner error is a refusal.
pub(crate) async fn fold(source: &ExportSource, dataset: &Dataset, delivery: &Delivery) -> Result<Result<Fold, Refused>, RunError> {
    let (source, dataset, owned) = (source.clone(), dataset.clone(), delivery.clone());
    let read = tokio::task::spawn_blocking(move || {
        let mut fold = Fold::default();
        let read = source.read(&dataset, &owned, &mut |batch| fold.add(&dataset, &batch).map_err(|e| Box::new(e) as _));
        (read, fold)
    });
    let (read, fold) = read.await.map_err(|e| RunError::Report(e.to_string()))?;
    Ok(worded(read)?.map(|_| fold))
}

/// A refusal apart from anything else that went wrong as an error.
fn worded(read: Result<FileReport, ReadError>) -> Result<Result<FileReport, Refused>, RunError> {
    match read {
        Ok(report) => Ok(Ok(report)),
        Err(ReadError::Refused(refused)) => Ok(Err(refused)),
        Err(ReadError::Failed(error)) => Err(error.into()),
    }
}

/// Rows the control file declares, -1 when it does not.
fn declared(delivery: &Delivery) -> i64 {
    delivery.declared().map_or(-1, |rows| i64::try_from(rows).unwrap_or(i64::MAX))
}

/// The dataset of a place that could not be listed; all where it is none's.
fn dataset_at<'a>(context: &'a Context<'_>, error: &RunError) -> &'a str {
    let folder = match error {
        RunError::Source(SourceError::Landing { path, .. }) => path.split('/').next().unwrap_or_default(),
        _ => "",
    };
    export_datasets(context).into_iter().find(|dataset| *dataset == folder).unwrap_or(ALL)
}

/// Which profile read a file: `profile:NAME`; empty for a file in the contract's own layout.
fn read_by(source: &ExportSource, file: &LandingFile) -> String {
    source.profile(file).map(|profile| format!("profile:{}", profile.name())).unwrap_or_default()
}

#[expect(clippy::too_many_arguments, reason = "one for each column")]
fn mark(dataset: &Dataset, rules: &str, file: &LandingFile, sha: &str, state: &str, reason: &str, declared: i64, rows: u64) -> LoadMark {
    LoadMark {
        dataset: dataset.name.clone(),
        name: file.path.clone(),
        sha256: sha.to_string(),
        state: state.to_string(),
        reason: reason.to_string(),
        declared,
        rows,
        parser: rules.to_string(),
        ..LoadMark::default()
    }
}
