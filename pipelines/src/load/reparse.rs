//! Parsing again what was parsed by other rules: a mended alias reaches the rows that are already here.
//!
//! ```text
//! names of bronze files (parser, run)  ──fresh?──► nothing is read
//!        │ other rules
//! rows held of each artifact ◄─compare─► the archive's bytes, parsed by the rules in force
//!        │ another answer
//! appended under this run; the artifact's older rows are retired (silver passes them over, bronze keeps them)
//! ```

use std::collections::{BTreeMap, BTreeSet};

use yaojia_connectors::export::{Delivery, ExportSource, LandingFile};
use yaojia_connectors::platform::parse_page;
use yaojia_connectors::{Artifact, SourceError};
use yaojia_models::contract::{Dataset, SourceKind};
use yaojia_warehouse::WarehouseError;
use yaojia_warehouse::bronze::{Appender, Bronze, Fold, HeldArtifact, Receipt};
use yaojia_warehouse::ledger::{KeptParse, LoadMark, ParseMark, loads, parses, record_parses};

use super::export::{fold, read_into, source};
use super::parser::parser;
use crate::context::{Context, LazyRun};
use crate::error::RunError;
use crate::progress::Progress;
use crate::report::{DatasetParse, ParseReport};

/// Whether a dataset's rows were all parsed by the rules in force, as the names of its files and the ledger say; nothing else is read.
async fn is_fresh(context: &Context<'_>, dataset: &str, rules: &str, mark: Option<&ParseMark>) -> Result<bool, RunError> {
    let bronze = Bronze { root: context.root, region: context.region };
    let names = bronze.names(dataset).await?;
    // What came before the mark's run was looked at then.
    let mut news = names.iter().filter(|name| mark.is_none_or(|mark| name.run > mark.run_seq));
    Ok(mark.is_none_or(|mark| mark.parser == rules) && news.all(|name| name.is_of(rules)))
}

/// Datasets of which something was parsed by other rules than those in force.
pub(crate) async fn stale(context: &Context<'_>) -> Result<Vec<String>, RunError> {
    let marks = parses(context.root).await?;
    let mut stale = Vec::new();
    for dataset in configured(context) {
        if !is_fresh(context, &dataset.name, &parser(context, dataset)?, marks.get(&dataset.name)).await? {
            stale.push(dataset.name.clone());
        }
    }
    Ok(stale)
}

/// Parses again what was parsed by other rules; `only` narrows it to these datasets.
pub(crate) async fn reparse(
    context: &Context<'_>,
    run: &mut LazyRun,
    only: Option<&BTreeSet<String>>,
    progress: &dyn Progress,
) -> Result<ParseReport, RunError> {
    let marks = parses(context.root).await?;
    let mut report = ParseReport::default();
    let mut again = Again { context, known: None, landing: None };
    for dataset in configured(context).filter(|dataset| only.is_none_or(|only| only.contains(&dataset.name))) {
        context.go_on()?;
        let rules = parser(context, dataset)?;
        let mark = marks.get(&dataset.name);
        let kept = mark.map(|mark| mark.kept.as_slice()).unwrap_or_default();
        let fresh = is_fresh(context, &dataset.name, &rules, mark).await?;
        if fresh && !again.can_try(dataset, kept).await? {
            report.keep(&dataset.name, kept);
            continue;
        }
        progress.step(&format!("parse again {}", dataset.name), 0, None);
        let done = again.dataset(dataset, &rules, run).await?;
        report.keep(&dataset.name, &done.kept);
        let changed = !fresh || done.artifacts > 0 || done.kept != kept;
        if done.artifacts > 0 {
            report.datasets.insert(dataset.name.clone(), DatasetParse { artifacts: done.artifacts, rows: done.rows });
        }
        if changed {
            let stamp = run.open(context).await?;
            record_parses(context.root, &stamp, &[done]).await?;
        }
    }
    Ok(report)
}

/// The datasets whose source is configured: others have no rules to be parsed by.
fn configured<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a Dataset> {
    context.datasets.iter().filter(|dataset| match dataset.source {
        // Its rows may also come from files that a profile maps.
        SourceKind::Platform => context.platform.is_some() || context.export.is_some(),
        SourceKind::Export => context.export.is_some(),
    })
}

/// Whether rows came with a page of the platform (`C1004 2024-01-01 00:00:00..2024-01-31 23:59:59 p0003`), not in a file.
fn is_page(source: &str) -> bool {
    let number = source.rsplit_once(" p").map_or("", |(_, number)| number);
    source.contains("..") && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// What one run needs for it, read when it is first needed.
struct Again<'a> {
    context: &'a Context<'a>,
    known: Option<Vec<LoadMark>>,
    /// By path and the dataset it feeds.
    landing: Option<BTreeMap<(String, String), LandingFile>>,
}

impl Again<'_> {
    /// Whether an artifact that could not be read again may be now.
    async fn can_try(&mut self, dataset: &Dataset, kept: &[KeptParse]) -> Result<bool, RunError> {
        let mut may = false;
        for of in kept.iter().filter(|of| of.state != "refused") {
            may |=
                (of.state == "sealed" && self.context.archive.opens_sealed()) || !self.delivered(&of.artifact, dataset).await?.is_empty();
        }
        Ok(may)
    }

    async fn dataset(&mut self, dataset: &Dataset, rules: &str, run: &mut LazyRun) -> Result<ParseMark, RunError> {
        let bronze = Bronze { root: self.context.root, region: self.context.region };
        let mut done =
            ParseMark { run_seq: 0, dataset: dataset.name.clone(), parser: rules.to_string(), artifacts: 0, rows: 0, kept: Vec::new() };
        let mut appender: Option<Appender> = None;
        for (sha256, held) in bronze.held(dataset).await? {
            self.context.go_on()?;
            if held.parsers.iter().all(|parser| !parser.is_empty() && rules.starts_with(parser.as_str())) {
                continue;
            }
            let mut keep = |state: &str, reason: String| {
                let source = held.source.clone();
                done.kept.push(KeptParse { state: state.to_string(), source, artifact: sha256.clone(), reason });
            };
            let artifact = match self.bytes(dataset, &sha256, &held).await? {
                Ok(artifact) => artifact,
                Err((state, why)) => {
                    keep(state, why);
                    continue;
                }
            };
            let parse = match is_page(&held.source) {
                true => self.page(dataset, &artifact, &held)?,
                false => self.file(dataset, artifact, &held).await?,
            };
            let parse = match parse {
                Ok(parse) => parse,
                Err(reason) => {
                    keep("refused", reason);
                    continue;
                }
            };
            if held.says(&parse.fold) {
                continue;
            }
            let stamp = run.open(self.context).await?;
            let open = match appender.take() {
                Some(open) => appender.insert(open),
                None => appender.insert(bronze.appender(dataset, &stamp).await?),
            };
            let receipt = Receipt { source: &held.source, artifact: &sha256, part: held.part, parser: rules, again: Some(held.first) };
            done.artifacts += 1;
            done.rows += parse.fold.rows;
            parse.push(open, dataset, &receipt).await?;
        }
        if let Some(appender) = appender {
            appender.commit(Vec::new()).await?;
        }
        Ok(done)
    }

    fn page(&self, dataset: &Dataset, artifact: &Artifact, held: &HeldArtifact) -> Result<Result<Parse, String>, RunError> {
        let Some(config) = &self.context.platform else { return Ok(Err("the platform is not configured".to_string())) };
        // A page's source begins with its message.
        let infno = held.source.split(' ').next().unwrap_or_default();
        match parse_page(config, dataset, infno, artifact) {
            Ok(parsed) => {
                let mut fold = Fold::default();
                fold.add(dataset, &parsed.batch)?;
                Ok(Ok(Parse { fold, what: What::Page(parsed.batch) }))
            }
            // It was a good page when it was received; it keeps the rows it has.
            Err(error @ (SourceError::Page { .. } | SourceError::NoMessage { .. })) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    async fn file(&self, dataset: &Dataset, artifact: Artifact, held: &HeldArtifact) -> Result<Result<Parse, String>, RunError> {
        let Some(source) = source(self.context)? else { return Ok(Err("the landing folder is not configured".to_string())) };
        let Some(file) = source.file_at(&held.source, artifact.size, &dataset.name) else {
            return Ok(Err(format!("`{}` is no path of a landing folder, and no profile maps it", held.source)));
        };
        // Its control file was met when it was loaded.
        let delivery = Delivery { file, artifact, control: None };
        Ok(fold(&source, dataset, &delivery)
            .await?
            .map_err(|refused| refused.reason.to_string())
            .map(|fold| Parse { fold, what: What::File(Box::new((source, delivery))) }))
    }

    /// The bytes of an artifact: from the archive, or where they are sealed there from a file of the landing folder that is still the same.
    async fn bytes(
        &mut self,
        dataset: &Dataset,
        sha256: &str,
        held: &HeldArtifact,
    ) -> Result<Result<Artifact, (&'static str, String)>, RunError> {
        let why = match self.context.archive.get(sha256).await {
            Ok(Some(bytes)) => return Ok(Ok(Artifact::from_bytes(held.source.as_str(), bytes, false))),
            Ok(None) => ("missing", "the archive does not have it".to_string()),
            // Sealed, the identity may come; one that does not open it will not tomorrow either.
            Err(WarehouseError::Archive { why, .. }) => (if self.context.archive.opens_sealed() { "unreadable" } else { "sealed" }, why),
            Err(error) => return Err(error.into()),
        };
        let Some(source) = source(self.context)?.filter(|_| !is_page(&held.source)) else { return Ok(Err(why)) };
        for file in self.delivered(sha256, dataset).await? {
            let delivery = source.fetch(dataset, &file).await?;
            if delivery.artifact.sha256 == sha256 {
                return Ok(Ok(delivery.artifact));
            }
        }
        Ok(Err(why))
    }

    /// Files that lie in the landing folder now and had these bytes when they were last seen.
    async fn delivered(&mut self, sha256: &str, dataset: &Dataset) -> Result<Vec<LandingFile>, RunError> {
        let Some(source) = source(self.context)? else { return Ok(Vec::new()) };
        let landing = match self.landing.take() {
            Some(landing) => landing,
            None => source.list().await?.files.into_iter().map(|file| ((file.path.clone(), file.dataset.clone()), file)).collect(),
        };
        let known = match self.known.take() {
            Some(known) => known,
            None => loads(self.context.root).await?,
        };
        let last: BTreeMap<&str, &str> = known.iter().map(|mark| (mark.name.as_str(), mark.sha256.as_str())).collect();
        let names = last.iter().filter(|(_, bytes)| **bytes == sha256).map(|(name, _)| *name);
        let found = names.filter_map(|name| landing.get(&(name.to_string(), dataset.name.clone())).cloned()).collect();
        self.landing = Some(landing);
        self.known = Some(known);
        Ok(found)
    }
}

/// An artifact parsed by the rules in force.
struct Parse {
    fold: Fold,
    what: What,
}

/// Its rows: a page's at hand, a file's read once more.
enum What {
    Page(arrow::record_batch::RecordBatch),
    File(Box<(ExportSource, Delivery)>),
}

impl Parse {
    async fn push(&self, appender: &mut Appender, dataset: &Dataset, receipt: &Receipt<'_>) -> Result<(), RunError> {
        match &self.what {
            What::Page(batch) => appender.push(batch, receipt).await?,
            What::File(of) => {
                let (source, delivery) = of.as_ref();
                // A refusal would have shown when it was folded.
                read_into(source, dataset, delivery, appender, receipt).await?.map_err(|refused| RunError::Report(refused.to_string()))?;
            }
        }
        Ok(())
    }
}
