//! What a run is asked to load and to build.

use std::collections::BTreeSet;

use yaojia_connectors::export::LandingFile;
use yaojia_models::value::Month;

/// Stands for every dataset's files.
pub(crate) const ALL: &str = "*";

/// What a run loads; by default everything that is new.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoadAsk {
    /// Only these datasets of the platform.
    pub platform: Option<BTreeSet<String>>,
    /// Only the landing files of these datasets,
    pub files: Option<BTreeSet<String>>,
    /// and these, by their paths.
    pub paths: BTreeSet<String>,
    /// This month again, whatever was read before; nothing beyond it.
    pub month: Option<Month>,
    /// Open landing files that are listed as they were, too.
    pub reread: bool,
}

impl LoadAsk {
    /// Whether the platform is asked at all.
    pub fn asks_platform(&self) -> bool {
        self.platform.as_ref().is_none_or(|only| !only.is_empty())
    }

    /// Whether a dataset of the platform is read.
    pub fn reads(&self, dataset: &str) -> bool {
        self.platform.as_ref().is_none_or(|only| only.contains(dataset))
    }

    /// Whether the landing folder is looked at at all.
    pub fn asks_files(&self) -> bool {
        self.files.as_ref().is_none_or(|only| !only.is_empty() || !self.paths.is_empty())
    }

    /// Whether all that lies in the landing folder is looked at.
    pub fn looks_at_all(&self) -> bool {
        self.files.is_none() && self.month.is_none()
    }

    /// Whether a landing file that is listed as it was when it was read is left unopened.
    pub fn skips_unchanged(&self) -> bool {
        !self.reread && self.month.is_none()
    }

    /// Whether a dataset's files are looked at, all of them.
    pub fn reads_files_of(&self, dataset: &str) -> bool {
        self.files.as_ref().is_none_or(|only| only.contains(dataset) || only.contains(ALL))
    }

    /// Whether a landing file is looked at. A file that a profile maps lies in no month's folder: it is looked at whatever the month.
    pub fn looks_at(&self, file: &LandingFile) -> bool {
        let of_month = |month: Month| file.profile.is_some() || file.month == month.to_string().replace('-', "");
        (self.reads_files_of(&file.dataset) || self.paths.contains(&file.path)) && self.month.is_none_or(of_month)
    }

    /// Whether it is everything that is new.
    pub fn is_all(&self) -> bool {
        self.platform.is_none() && self.files.is_none() && self.month.is_none()
    }
}

/// Which tables and indicators.
#[derive(Debug, Clone, Default)]
pub(crate) enum Which {
    /// All that are stale.
    #[default]
    All,
    /// Those of them that selectors select.
    Selected(Vec<String>),
    /// Those of them with these names, as [`crate::plan::select::Nodes`] has them.
    Nodes(BTreeSet<String>),
}

/// What a run builds.
#[derive(Debug, Clone, Default)]
pub(crate) struct BuildAsk {
    /// Which tables and indicators.
    pub which: Which,
    /// Only these datasets are parsed again where need be.
    pub parse_only: Option<BTreeSet<String>>,
    /// As of the last run, which it completes, and not of now.
    pub completes_last: bool,
}
