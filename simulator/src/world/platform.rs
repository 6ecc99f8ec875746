//! Collects the rows the platform publishes, as text, and counts what must become of them.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::json::{Style, line};
use super::truth::DatasetTruth;
use crate::dice::dice;
use crate::row::{Fate, Row};
use crate::schema::{platform_datasets, schema};

/// One published row.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// When it was published.
    pub updt: NaiveDateTime,
    /// The JSON object.
    pub text: String,
}

/// All the platform publishes.
#[derive(Debug)]
pub(crate) struct Platform {
    /// The rows, per dataset.
    pub lines: BTreeMap<&'static str, Vec<Line>>,
    /// What must become of them.
    pub truth: BTreeMap<String, DatasetTruth>,
    /// A few accepted rows of each dataset, from which dirt is made.
    pub samples: BTreeMap<&'static str, Vec<Row>>,
    noise: bool,
    horizon: NaiveDateTime,
    rng: ChaCha8Rng,
}

/// Rows of which the n-th accepted is kept as a sample.
const SAMPLE_EVERY: u64 = 97;

impl Platform {
    /// An empty platform.
    pub(crate) fn new(seed: u64, noise: bool, horizon: NaiveDateTime) -> Self {
        Self {
            lines: platform_datasets().map(|d| (d, Vec::new())).collect(),
            truth: platform_datasets().map(|d| (d.to_owned(), DatasetTruth::default())).collect(),
            samples: BTreeMap::new(),
            noise,
            horizon,
            rng: dice(seed, &[71]),
        }
    }

    /// Publishes the versions of one key, the oldest first: the last one published in time is
    /// current, the others are superseded. What lies beyond the horizon never happens.
    pub(crate) fn versions(&mut self, dataset: &'static str, rows: Vec<Row>) {
        let mut rows: Vec<Row> = rows.into_iter().filter(|r| r.updt < self.horizon).collect();
        let last = rows.len().saturating_sub(1);
        for (i, row) in rows.iter_mut().enumerate() {
            if i < last && row.fate == Fate::Accepted {
                row.fate = Fate::Superseded;
            }
        }
        for row in rows {
            self.push(dataset, row);
        }
    }

    /// Publishes one row with the fate it carries.
    pub(crate) fn push(&mut self, dataset: &'static str, row: Row) {
        let schema = schema(dataset);
        debug_assert_eq!(row.cells.len(), schema.columns.len(), "{dataset}");
        let style = if self.noise { Style::roll(&mut self.rng) } else { Style::default() };
        let text = line(schema, &row, style);
        let truth = self.truth.entry(dataset.to_owned()).or_default();
        truth.count(&row);
        let again = self.noise && row.fate == Fate::Accepted && self.rng.random_range(0..250) == 0;
        let lines = self.lines.entry(dataset).or_default();
        if again {
            truth.repeated += 1;
            lines.push(Line { updt: row.updt, text: text.clone() });
        }
        lines.push(Line { updt: row.updt, text });
        if self.noise && row.fate == Fate::Accepted && (truth.accepted <= 30 || truth.accepted.is_multiple_of(SAMPLE_EVERY)) {
            self.samples.entry(dataset).or_default().push(row);
        }
    }

    /// Puts the rows into the order of publication.
    pub(crate) fn settle(&mut self) {
        for lines in self.lines.values_mut() {
            lines.sort_by_key(|l| l.updt);
        }
    }
}
