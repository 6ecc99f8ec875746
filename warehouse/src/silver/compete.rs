//! Among judged rows: which arrived again, which version of a key wins, and the counts that must add up.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::silver::index::Name;
use crate::silver::judge::{Judged, WARNINGS};

/// Counts of a dataset; received = accepted + superseded + void + Σ quarantined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Distinct rows received.
    pub received: u64,
    /// Rows that arrived again with the same content.
    pub repeated: u64,
    /// Rows in silver, one per key.
    pub accepted: u64,
    /// Valid rows that another valid version of their key won against.
    pub superseded: u64,
    /// Winners with `vali_flag` 0, which removed their key.
    pub void: u64,
    /// Rows set aside, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Accepted rows by warning.
    pub warnings: BTreeMap<String, u64>,
}

impl Counts {
    /// accepted + superseded + void + quarantined.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.accepted + self.superseded + self.void + self.quarantined.values().sum::<u64>()
    }
}

/// Positions (in the judged rows) of what came out.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub accepted: Vec<usize>,
    pub quarantined: Vec<usize>,
    pub counts: Counts,
}

/// Decides. The order of `rows` does not matter.
pub(crate) fn compete(rows: &[Judged]) -> Outcome {
    let mut first_of: HashMap<Name, usize> = HashMap::with_capacity(rows.len());
    let mut counts = Counts::default();
    for (i, row) in rows.iter().enumerate() {
        match first_of.entry(row.content) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(i);
            }
            std::collections::hash_map::Entry::Occupied(mut slot) => {
                counts.repeated += 1;
                if row.receipt < rows[*slot.get()].receipt {
                    slot.insert(i);
                }
            }
        }
    }
    let is_first = |i: usize| first_of.get(&rows[i].content) == Some(&i);
    let mut best: HashMap<Name, usize> = HashMap::with_capacity(first_of.len());
    let mut outcome = Outcome::default();
    for (i, row) in rows.iter().enumerate() {
        if !is_first(i) {
            continue;
        }
        counts.received += 1;
        if let Some(reason) = row.verdict {
            *counts.quarantined.entry(reason.to_string()).or_default() += 1;
            outcome.quarantined.push(i);
            continue;
        }
        match best.entry(row.key) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(i);
            }
            std::collections::hash_map::Entry::Occupied(mut slot) => {
                counts.superseded += 1;
                let held = &rows[*slot.get()];
                if (row.updt, row.receipt) > (held.updt, held.receipt) {
                    slot.insert(i);
                }
            }
        }
    }
    for (i, row) in rows.iter().enumerate() {
        if row.verdict.is_some() || best.get(&row.key) != Some(&i) {
            continue;
        }
        if row.void {
            counts.void += 1;
            continue;
        }
        counts.accepted += 1;
        for (bit, warning) in WARNINGS.iter().enumerate() {
            if row.warnings & (1 << bit) != 0 {
                *counts.warnings.entry((*warning).to_string()).or_default() += 1;
            }
        }
        outcome.accepted.push(i);
    }
    outcome.counts = counts;
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::silver::judge::NO_MONTH;
    use yaojia_models::contract::Reason;

    fn row(content: u128, key: u128, updt: i64, receipt: i64, verdict: Option<Reason>) -> Judged {
        Judged {
            content,
            key,
            updt,
            receipt: (1, 0, receipt),
            file: 0,
            position: 0,
            verdict,
            column: -1,
            void: false,
            warnings: 0,
            county: 0,
            month: NO_MONTH,
            convrat: 0,
        }
    }

    #[test]
    fn a_repeat_does_not_change_the_order_of_receipt() {
        // a (first), b (same time, later receipt), then a again: b still wins.
        let rows = [row(1, 9, 5, 1, None), row(2, 9, 5, 2, None), row(1, 9, 5, 3, None)];
        let out = compete(&rows);
        assert_eq!(out.accepted, vec![1]);
        assert_eq!((out.counts.received, out.counts.repeated, out.counts.superseded, out.counts.accepted), (2, 1, 1, 1));
    }

    #[test]
    fn a_bad_newer_version_leaves_the_older_one_in_place() {
        let rows = [row(1, 9, 5, 1, None), row(2, 9, 6, 2, Some(Reason::BadNumber))];
        let out = compete(&rows);
        assert_eq!(out.accepted, vec![0]);
        assert_eq!(out.counts.quarantined.get("bad_number"), Some(&1));
        assert_eq!(out.counts.received, out.counts.accounted());
    }

    #[test]
    fn a_void_winner_removes_its_key() {
        let mut newer = row(2, 9, 6, 2, None);
        newer.void = true;
        let out = compete(&[row(1, 9, 5, 1, None), newer]);
        assert!(out.accepted.is_empty());
        assert_eq!((out.counts.void, out.counts.superseded), (1, 1));
    }
}
