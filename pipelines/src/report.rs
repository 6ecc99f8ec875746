//! What a run reports: `run.json` and the printed summary. Counts only, never a value of a row.

use std::collections::BTreeMap;

use serde::Serialize;
use yaojia_warehouse::gold::MonthCounts;
use yaojia_warehouse::ledger::{LandingMark, LoadMark};
use yaojia_warehouse::silver::{Counts, RowsJudged};

/// Counts by two names.
pub(crate) type Nested = BTreeMap<String, BTreeMap<String, u64>>;

/// Version of the JSON documents.
pub const SCHEMA_VERSION: u32 = 1;

/// What was loaded of one dataset.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DatasetLoad {
    /// Windows read.
    pub windows: u64,
    /// Files loaded.
    pub files: u64,
    /// Rows the source declared.
    pub declared: u64,
    /// Rows received.
    pub received: u64,
    /// Rows appended to bronze.
    pub appended: u64,
    /// Rows of mapped files that do not concern the dataset.
    #[serde(skip_serializing_if = "is_zero")]
    pub filtered: u64,
    /// Unknown columns or keys → rows (or files) that carry them; a row that came with an earlier window or run is not counted again.
    pub unknown_columns: BTreeMap<String, u64>,
    /// Personal-looking columns dropped at the door.
    pub dropped_personal: BTreeMap<String, u64>,
    /// The platform's own time, where this machine's clock is ahead of it: nothing later is taken for read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_time: Option<String>,
    /// Refused files, with the reason.
    #[serde(skip)]
    pub refused: Vec<(String, String)>,
    /// Files with the content of another.
    #[serde(skip)]
    pub same_content: Vec<String>,
    /// Paths of the files loaded.
    #[serde(skip)]
    pub loaded: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// One thing in the landing folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LandingLine {
    /// Path below the landing root.
    pub file: String,
    /// `loaded`, `same_content`, `refused`, `passed_over`, `missing`.
    pub state: &'static str,
    /// The word for why.
    pub reason: String,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
}

impl LandingLine {
    /// As it stands in the ledger.
    #[must_use]
    pub fn of(mark: &LandingMark) -> Self {
        let (reason, detail, hint) = (mark.reason.clone(), mark.detail.clone(), mark.hint.clone());
        Self { file: mark.path.clone(), state: mark.state.text(), reason, detail, hint }
    }
}

/// What was loaded.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoadReport {
    /// Files loaded.
    pub files: u64,
    /// Refused files, with the reason.
    pub refused: Vec<(String, String)>,
    /// Files skipped, being the same content under a second name.
    pub same_content: Vec<String>,
    /// What could not be loaded, in words.
    pub failed: Vec<String>,
    /// What a person should look at: becomes the run's.
    #[serde(skip)]
    pub warnings: Vec<String>,
    /// What lies in the landing folder and is not loaded (refused, passed over, announced and missing), with why and what to do; and what
    /// this run loaded of it.
    pub landing: Vec<LandingLine>,
    /// By dataset.
    pub datasets: BTreeMap<String, DatasetLoad>,
    /// What was read and brought nothing: written down in a run that writes, or whose instant needs it.
    #[serde(skip)]
    pub(crate) pending: Pending,
}

/// Marks that are not yet in the ledger.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending {
    /// Windows that brought nothing.
    pub windows: Vec<LoadMark>,
    /// Landing files that are only listed otherwise.
    pub landing: Vec<LandingMark>,
}

/// How the warning of a clock that is ahead begins.
const AHEAD: &str = "this machine's clock is ahead of the platform's, which says";

impl LoadReport {
    pub(crate) fn add(&mut self, dataset: &str, load: DatasetLoad) {
        if let Some(time) = load.platform_time.as_ref().filter(|_| !self.warnings.iter().any(|words| words.starts_with(AHEAD))) {
            self.warnings
                .push(format!("{AHEAD} {time}: `{dataset}` is taken for read up to then, and this machine's clock is to be put right"));
        }
        self.datasets.insert(dataset.to_string(), load);
    }

    /// Rows appended to bronze.
    #[must_use]
    pub fn appended(&self) -> u64 {
        self.datasets.values().map(|d| d.appended).sum()
    }
}

/// What was parsed again of one dataset.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DatasetParse {
    /// Pages and files whose rows are others by the rules in force.
    pub artifacts: u64,
    /// Their rows.
    pub rows: u64,
}

/// An artifact that keeps the rows of an older parse.
#[derive(Debug, Clone, Serialize)]
pub struct OldParse {
    /// Dataset.
    pub dataset: String,
    /// `sealed` (no identity to open it), `unreadable`, `missing`, `refused`.
    pub state: String,
    /// Page or file.
    pub source: String,
    /// Why.
    pub reason: String,
}

/// What was parsed again because the rules changed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ParseReport {
    /// By dataset.
    pub datasets: BTreeMap<String, DatasetParse>,
    /// What could not be parsed again, of this run or an earlier one.
    pub kept: Vec<OldParse>,
}

impl ParseReport {
    pub(crate) fn keep(&mut self, dataset: &str, kept: &[yaojia_warehouse::ledger::KeptParse]) {
        self.kept.extend(kept.iter().map(|of| OldParse {
            dataset: dataset.to_string(),
            state: of.state.clone(),
            source: of.source.clone(),
            reason: of.reason.clone(),
        }));
    }
}

/// What was built.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BuildReport {
    /// Counts of every dataset, as of its last build.
    pub silver: BTreeMap<String, Counts>,
    /// Rows judged of each dataset that was stale, of how many it has.
    pub judged_rows: BTreeMap<String, RowsJudged>,
    /// Cells there are, stale or not, by dimension and fact; null when none of them was stale.
    pub cells: Option<BTreeMap<String, u64>>,
    /// Cells judged stale, by table.
    pub stale: BTreeMap<String, u64>,
    /// Cells replaced, by table.
    pub replaced: BTreeMap<String, u64>,
    /// Months of every indicator: how many there are, how many were stale, computed, only judged; null when none was stale.
    pub indicators: Option<BTreeMap<String, MonthCounts>>,
    /// Indicator-months computed.
    pub computed: u64,
    /// Indicator-months judged again without computing.
    pub judged: u64,
    /// Indicators that could not be computed, in words; their old rows stay published.
    pub failed: Vec<String>,
    /// Values and alerts of months that had ended at the release before, which this release shows otherwise: `alert changed` → rows.
    pub restated: BTreeMap<String, u64>,
    /// The release waits: cells that are stale still, after a build of a part. Null where it moved, or had not to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<u64>,
    /// Alerts by indicator and state, in the release.
    pub alerts: BTreeMap<String, BTreeMap<String, u64>>,
}

/// One thing that was left undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// `dataset`, `files`, `file`, `parse`, `table`, `indicator`, `run`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The error's code.
    pub code: String,
    /// The error in words.
    pub why: String,
}

impl From<&yaojia_warehouse::ledger::Undone> for Undone {
    fn from(of: &yaojia_warehouse::ledger::Undone) -> Self {
        Self { kind: of.kind.text(), name: of.name.clone(), code: of.code.clone(), why: of.why.clone() }
    }
}

/// A month of a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackfillMonth {
    /// The backfill.
    pub id: String,
    /// Its month.
    pub month: String,
}

/// A run's report.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunReport {
    /// Version of this document.
    pub schema_version: u32,
    /// Verb.
    pub verb: String,
    /// Run id; null when nothing was written.
    pub run_id: Option<String>,
    /// Data instant.
    pub as_of: String,
    /// Release number readers see now; null when there is none.
    pub release: Option<i64>,
    /// Why the run failed: code and message. What stands beside it was done all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Whether anything was written.
    pub changed: bool,
    /// What a person should look at, in words: a clock that ran ahead, an instant before the release's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What `retry` took up again: `dataset shp`, `table gold.fact_receipt`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retried: Vec<String>,
    /// What is undone after this run, whoever left it; `retry` takes it up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<Undone>,
    /// The backfill and month this run worked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backfill: Option<BackfillMonth>,
    /// What was parsed again; null when the verb does not build.
    pub parse: Option<ParseReport>,
    /// What was loaded; null when the verb does not load.
    pub load: Option<LoadReport>,
    /// What was built; null when the verb does not build.
    pub build: Option<BuildReport>,
    /// Seconds by stage (not in `run.json`: a clock would differ between equal runs).
    #[serde(skip)]
    pub seconds: Vec<(String, std::time::Duration)>,
}

impl PlanReport {
    /// How much is stale: datasets to be parsed again or judged, cells, indicator-months.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.parse.len() + self.silver.len() + self.gold.len() + self.indicators.len()) as u64
    }

    /// Whether all is fresh.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a build would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PlanReport {
    /// Version of this document.
    pub schema_version: u32,
    /// Data instant the plan is for.
    pub as_of: String,
    /// Datasets of which something was parsed by other rules than those in force.
    pub parse: Vec<String>,
    /// Datasets whose silver is stale.
    pub silver: Vec<String>,
    /// Why each of them is.
    pub silver_reasons: BTreeMap<String, String>,
    /// Stale cells of facts and dimensions.
    pub gold: Vec<yaojia_warehouse::gold::StaleCell>,
    /// Stale months of indicators.
    pub indicators: Vec<yaojia_warehouse::gold::StaleMonth>,
}
