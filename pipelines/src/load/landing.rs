//! What lies in the landing folder and what became of it: kept in the ledger, so that an unchanged file is not opened again and none is
//! passed over without a word.

use std::collections::{BTreeMap, BTreeSet};

use yaojia_connectors::export::{Control, ExportSource, Landing, LandingFile, PassedOver, Refused};
use yaojia_models::contract::{Dataset, SourceKind};
use yaojia_warehouse::ledger::{LandingKey, LandingMark, LandingState, LoadMark, landing, record_landing, record_loads};

use crate::context::{Context, LazyRun};
use crate::error::RunError;
use crate::report::LandingLine;

/// What was seen before, and what is seen now.
pub(crate) struct Seen {
    held: BTreeMap<LandingKey, LandingMark>,
    now: BTreeMap<LandingKey, LandingMark>,
    /// Whether everything that lies there was looked at: what is not seen is gone.
    whole: bool,
}

impl Seen {
    /// What the ledger says.
    ///
    /// # Errors
    /// As the storage says.
    pub(crate) async fn read(context: &Context<'_>, whole: bool) -> Result<Self, RunError> {
        Ok(Self { held: landing(context.root).await?, now: BTreeMap::new(), whole })
    }

    /// What became of a file, if it is listed as it was then. A refused one may be good by other rules.
    pub(crate) fn unchanged(&self, file: &LandingFile, rules: &str) -> Option<&LandingMark> {
        let held = self.held.get(&(file.path.clone(), file.dataset.clone()))?;
        let same = !held.stamp.is_empty() && held.stamp == file.stamp;
        let done = match held.state {
            LandingState::Loaded | LandingState::SameContent => true,
            LandingState::Refused => held.parser == reader(rules),
            LandingState::PassedOver | LandingState::Missing | LandingState::Gone => false,
        };
        (same && done).then_some(held)
    }

    /// Something that lies there could not be looked at: what is not seen is not therefore gone.
    pub(crate) fn in_part(&mut self) {
        self.whole = false;
    }

    /// A file that lies there as it did.
    pub(crate) fn still(&mut self, mark: &LandingMark) {
        self.now.insert(mark.key(), mark.clone());
    }

    /// A file that was looked at.
    pub(crate) fn note(&mut self, file: &LandingFile, sha256: &str, rules: &str, state: LandingState, refused: Option<&Refused>) {
        let mark = LandingMark {
            path: file.path.clone(),
            dataset: file.dataset.clone(),
            stamp: file.stamp.clone(),
            sha256: sha256.to_owned(),
            state,
            reason: refused.map(|of| of.reason.to_string()).unwrap_or_default(),
            detail: refused.map(|of| of.detail.clone()).unwrap_or_default(),
            hint: refused.map(|of| of.hint().to_owned()).unwrap_or_default(),
            parser: reader(rules),
        };
        self.now.insert(mark.key(), mark);
    }

    /// What is passed over.
    pub(crate) fn pass(&mut self, of: &PassedOver) {
        let mark = LandingMark {
            path: of.path.clone(),
            dataset: String::new(),
            stamp: String::new(),
            sha256: String::new(),
            state: LandingState::PassedOver,
            reason: of.reason.to_string(),
            detail: of.detail.clone(),
            hint: of.hint.clone(),
            parser: String::new(),
        };
        self.now.insert(mark.key(), mark);
    }

    /// Control files that announce a file which is not there: told, and in the load ledger, so that the month is not taken for one of
    /// which nobody said anything. An announcement that is no more is withdrawn.
    ///
    /// # Errors
    /// As the storage says.
    pub(crate) async fn announced(
        &mut self,
        context: &Context<'_>,
        source: &ExportSource,
        lying: &Landing,
        known: &[LoadMark],
        run: &mut LazyRun,
    ) -> Result<(), RunError> {
        let last = last_of(known);
        let mut marks = Vec::new();
        let mut there: BTreeSet<&str> = BTreeSet::new();
        for of in &lying.announced {
            let folder = of.path.split('/').next().unwrap_or_default();
            let Some(dataset) = context.datasets.iter().find(|d| d.name == folder && d.source == SourceKind::Export) else {
                self.pass(&PassedOver::of_dataset(&of.path, folder, &export_datasets(context)));
                continue;
            };
            if was_loaded(&of.path, dataset, known) {
                continue;
            }
            there.insert(&of.path);
            let held = self.held.get(&(of.path.clone(), dataset.name.clone())).filter(|held| held.state == LandingState::Missing);
            if let Some(held) = held.filter(|held| !held.stamp.is_empty() && held.stamp == of.stamp) {
                let held = held.clone();
                self.still(&held);
                continue;
            }
            // one that cannot be had now is asked for again
            let (said, stamp) = match source.control(&of.path).await {
                Ok(said) => (said, of.stamp.as_str()),
                Err(error) => (Err(error.to_string()), ""),
            };
            let rows = said.as_ref().ok().and_then(|control| control.rows);
            self.missing(&of.path, stamp, dataset, &said);
            let declared = rows.map_or(-1, |rows| i64::try_from(rows).unwrap_or(i64::MAX));
            let told = last.get(&(dataset.name.as_str(), of.path.as_str())).is_some_and(|m| m.state == MISSING && m.declared == declared);
            if !told {
                marks.push(mark(&dataset.name, &of.path, MISSING, declared));
            }
        }
        if self.whole {
            let gone = last.values().filter(|m| m.state == MISSING && !there.contains(m.name.as_str()));
            marks.extend(gone.map(|m| mark(&m.dataset, &m.name, WITHDRAWN, -1)));
        }
        if !marks.is_empty() {
            let stamp = run.open(context).await?;
            record_loads(context.root, &stamp, &marks).await?;
        }
        Ok(())
    }

    fn missing(&mut self, path: &str, stamp: &str, dataset: &Dataset, said: &Result<Control, String>) {
        let detail = match said {
            Ok(Control { rows: Some(rows), .. }) => format!("it announces a file of {rows} rows that is not there"),
            Ok(_) => "it announces a file that is not there".to_owned(),
            Err(what) => format!("it announces a file that is not there, and cannot be read itself: {what}"),
        };
        let mark = LandingMark {
            path: path.to_owned(),
            dataset: dataset.name.clone(),
            stamp: stamp.to_owned(),
            sha256: String::new(),
            state: LandingState::Missing,
            reason: MISSING.to_owned(),
            detail,
            hint: "have the file delivered, or the control file taken away".to_owned(),
            parser: String::new(),
        };
        self.now.insert(mark.key(), mark);
    }

    /// Files that were seen now and are not loaded, and those that became so in this run.
    pub(crate) fn lines(&self) -> Vec<LandingLine> {
        let mut lines: Vec<LandingLine> = Vec::new();
        for mark in self.now.values() {
            let done = matches!(mark.state, LandingState::Loaded | LandingState::SameContent);
            if done && self.held.get(&mark.key()).is_some_and(|held| held.state == mark.state && held.sha256 == mark.sha256) {
                continue;
            }
            let line = LandingLine::of(mark);
            // A mapped file comes once for each dataset it feeds.
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
        lines
    }

    /// Writes down what is news; what is only listed otherwise (touched, or gone once loaded) waits for a run that writes anyway.
    ///
    /// # Errors
    /// As the storage says.
    pub(crate) async fn record(self, context: &Context<'_>, run: &mut LazyRun) -> Result<Vec<LandingMark>, RunError> {
        let done = |mark: &LandingMark| matches!(mark.state, LandingState::Loaded | LandingState::SameContent);
        let said = |mark: &LandingMark| (mark.state, mark.reason.clone(), mark.detail.clone());
        let (mut news, mut waits) = (Vec::new(), Vec::new());
        for (key, mark) in &self.now {
            let held = self.held.get(key);
            if held == Some(mark) {
                continue;
            }
            let told = done(mark) || held.is_some_and(|held| said(held) == said(mark));
            if told { waits.push(mark.clone()) } else { news.push(mark.clone()) }
        }
        if self.whole {
            for (_, held) in self.held.iter().filter(|(key, _)| !self.now.contains_key(*key)) {
                let gone = LandingMark { state: LandingState::Gone, ..held.clone() };
                if done(held) { waits.push(gone) } else { news.push(gone) }
            }
        }
        if !news.is_empty() {
            let stamp = run.open(context).await?;
            record_landing(context.root, &stamp, &news).await?;
        }
        Ok(waits)
    }
}

/// State of a load mark of an announced file that is not there; its name is the control file's path.
pub(crate) const MISSING: &str = "missing";
/// State of one that is announced no more.
const WITHDRAWN: &str = "withdrawn";

/// The rules and the program that read a file: a refused one may be good by the next.
fn reader(rules: &str) -> String {
    format!("{rules} {}", env!("CARGO_PKG_VERSION"))
}

/// Datasets that files feed.
pub(crate) fn export_datasets<'a>(context: &'a Context<'_>) -> Vec<&'a str> {
    context.datasets.iter().filter(|dataset| dataset.source == SourceKind::Export).map(|dataset| dataset.name.as_str()).collect()
}

/// Whether a file that a control file serves was loaded; it may have been taken away since.
fn was_loaded(control: &str, dataset: &Dataset, known: &[LoadMark]) -> bool {
    let files = known.iter().filter(|m| m.dataset == dataset.name && matches!(m.state.as_str(), "loaded" | "same_content"));
    files.filter_map(|m| LandingFile::of(&m.name, 0)).any(|file| file.control_paths().iter().any(|path| path == control))
}

/// The last word on every name.
fn last_of(known: &[LoadMark]) -> BTreeMap<(&str, &str), &LoadMark> {
    known.iter().map(|m| ((m.dataset.as_str(), m.name.as_str()), m)).collect()
}

fn mark(dataset: &str, control: &str, state: &str, declared: i64) -> LoadMark {
    LoadMark { dataset: dataset.to_owned(), name: control.to_owned(), state: state.to_owned(), declared, ..LoadMark::default() }
}
