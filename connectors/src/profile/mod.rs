//! Mapping profiles: a hospital's or another system's own layout, loaded through a TOML file.
//!
//! ```text
//! profile.toml ──► Profile (checked against the contracts)
//!   files      which files below the landing root, and how they are written
//!   target 1   ord_detl:  contract column ← file columns, constants, dates, factors, tables of words
//!   target 2   shp:       …
//!                 ▼
//! one pass over a file ──► text batches of every target, as if the file had been in the contract's layout
//! ```
//! What a profile cannot convert is passed on as it was written, so that silver quarantines it with its own reason; a row that does
//! not concern a target is counted. Nothing is lost, nothing invented. Every key: `docs/profiles.md`.

mod compile;
mod emit;
mod error;
mod lookup;
mod original;
mod pattern;
mod raw;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_forms;
mod value;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use yaojia_models::contract::Dataset;

pub use emit::{Mapped, MappedReport, TargetReport, Unmatched};
pub use error::ProfileError;
pub use original::{OriginalRow, original_rows};
pub use pattern::path_matches;

use crate::export::{Delivery, ExportConfig, FileReport, FileRule, Format, LandingFile, ReadError, SinkError};
use crate::kit::personal::PersonalRules;
use value::{Convert, Lookup};

/// A profile, checked against the contracts.
#[derive(Debug, Clone)]
pub struct Profile {
    name: String,
    title: String,
    path: PathBuf,
    patterns: Vec<String>,
    format: Option<Format>,
    rule: FileRule,
    /// The file's own columns that the profile names.
    layout: Dataset,
    when: Vec<Condition>,
    targets: Vec<Target>,
    lookups: Vec<Lookup>,
    fingerprint: String,
}

/// A dataset that the file's rows feed.
#[derive(Debug, Clone)]
pub struct Target {
    dataset: Dataset,
    when: Vec<Condition>,
    /// One per contract column.
    columns: Vec<Option<Rule>>,
}

impl Target {
    /// The contract it feeds.
    #[must_use]
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Whether a contract column (by position) is made by the profile; the others stay null.
    #[must_use]
    pub fn maps(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(Option::is_some)
    }
}

/// How a contract column is made.
#[derive(Debug, Clone)]
struct Rule {
    source: Value,
    null: BTreeSet<String>,
    strip: Vec<String>,
    lookup: Option<usize>,
    /// Numbers in scientific notation are read.
    scientific: bool,
    convert: Convert,
    prefix: String,
    suffix: String,
}

/// Where its text comes from; file columns by position in the layout.
#[derive(Debug, Clone)]
enum Value {
    Const(String),
    First(Vec<usize>),
    Join(Vec<usize>, String),
}

impl Value {
    fn columns(&self) -> &[usize] {
        match self {
            Self::Const(_) => &[],
            Self::First(columns) | Self::Join(columns, _) => columns,
        }
    }
}

/// A condition on one file column.
#[derive(Debug, Clone)]
struct Condition {
    column: usize,
    within: Option<BTreeSet<String>>,
    not_in: BTreeSet<String>,
    empty: Option<bool>,
}

impl Condition {
    fn holds(&self, value: Option<&str>) -> bool {
        self.empty.is_none_or(|empty| empty == value.is_none())
            && self.within.as_ref().is_none_or(|within| value.is_some_and(|value| within.contains(value)))
            && !value.is_some_and(|value| self.not_in.contains(value))
    }
}

impl Profile {
    /// Reads a profile and the tables beside it, and checks it against the contracts.
    ///
    /// # Errors
    /// [`ProfileError`], with every problem found.
    pub fn load(path: &Path, datasets: &[Dataset]) -> Result<Self, ProfileError> {
        let text = std::fs::read_to_string(path).map_err(|source| ProfileError::Read { path: path.to_owned(), source })?;
        compile::compile(path, &text, datasets)
    }

    /// Reads the text of a profile that lies at `path`; tables are looked for beside it.
    ///
    /// # Errors
    /// [`ProfileError`], with every problem found.
    pub fn parse(path: &Path, text: &str, datasets: &[Dataset]) -> Result<Self, ProfileError> {
        compile::compile(path, text, datasets)
    }

    /// Its name, unique within a project.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in the words of whoever wrote it.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of what it says, tables included: comments, blanks and the order of keys do not change it. Another fingerprint means
    /// that the same file may give other rows.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The datasets it feeds; the first one is primary: it keeps unmapped columns and rows that cannot be split.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Whether it maps the file at this path below the landing root.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.patterns.iter().any(|pattern| path_matches(pattern, path))
    }

    /// Whether it maps files of this name, wherever they lie.
    #[must_use]
    pub fn matches_name(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| path_matches(pattern.rsplit('/').next().unwrap_or(pattern), name))
    }

    /// What a contract column (by position) of a target is made of, in the file's words; none where it is not mapped.
    #[must_use]
    pub fn made_of(&self, target: &Target, column: usize) -> Option<String> {
        let rule = target.columns.get(column)?.as_ref()?;
        let titles = |columns: &[usize], between: &str| {
            let titles = columns.iter().filter_map(|at| self.layout.columns.get(*at)).map(|column| column.name.as_str());
            titles.collect::<Vec<_>>().join(between)
        };
        let mut text = match &rule.source {
            Value::Const(constant) => format!("= {constant}"),
            Value::First(columns) => titles(columns, " | "),
            Value::Join(columns, _) => titles(columns, " + "),
        };
        if let Some(lookup) = rule.lookup.and_then(|at| self.lookups.get(at)) {
            text.push_str(&format!(" → {}", lookup.name));
        }
        Some(text)
    }

    /// The file at this path, once for every dataset it feeds; nothing where its format is not known.
    #[must_use]
    pub fn files(&self, path: &str, size: u64) -> Vec<LandingFile> {
        let names: BTreeSet<&str> = self.targets.iter().map(|target| target.dataset.name.as_str()).collect();
        names.iter().filter_map(|dataset| LandingFile::mapped(path, size, self.format, dataset, &self.name)).collect()
    }

    /// Whether every file of it is archived encrypted: a dataset it feeds has columns that are kept as a keyed hash only.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.targets.iter().any(|target| !target.dataset.personal_hash.is_empty())
    }

    /// Refuses a profile that would carry a personal-looking file column into a contract column that is not hashed.
    ///
    /// # Errors
    /// [`ProfileError::Invalid`].
    pub fn check_personal(&self, rules: &PersonalRules) -> Result<(), ProfileError> {
        let mut problems = Vec::new();
        for target in &self.targets {
            for (column, rule) in target.dataset.columns.iter().zip(&target.columns) {
                let sources = rule.iter().flat_map(|rule| rule.source.columns());
                let titles = sources.filter_map(|source| self.layout.columns.get(*source)).map(|column| &column.name);
                for title in titles.filter(|title| rules.looks_personal(title) && !target.dataset.personal_hash.contains(&column.name)) {
                    problems.push(format!("`{}.{}` would carry the personal column `{title}` as it is", target.dataset.name, column.name));
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(ProfileError::Invalid { path: self.path.clone(), problems }) }
    }

    pub(crate) fn layout(&self) -> &Dataset {
        &self.layout
    }

    pub(crate) fn rule(&self) -> &FileRule {
        &self.rule
    }

    /// Reads a delivery for one of its datasets, in the manner of [`crate::export::read`].
    pub(crate) fn read_dataset(
        &self,
        config: &ExportConfig,
        rules: &PersonalRules,
        dataset: &str,
        delivery: &Delivery,
        sink: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<FileReport, ReadError> {
        let report = emit::read(self, config, rules, Some(dataset), delivery, &mut |_, mapped| sink(mapped.batch))?;
        Ok(report.of_dataset(self, dataset))
    }

    /// Reads a delivery for all targets: the sink gets each target's rows with its position in [`Profile::targets`].
    ///
    /// # Errors
    /// [`ReadError::Refused`] where the file is not to be loaded.
    pub fn read(
        &self,
        config: &ExportConfig,
        rules: &PersonalRules,
        delivery: &Delivery,
        sink: &mut dyn FnMut(usize, Mapped) -> Result<(), SinkError>,
    ) -> Result<MappedReport, ReadError> {
        emit::read(self, config, rules, None, delivery, sink)
    }
}
