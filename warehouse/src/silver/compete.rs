//! Among judged rows: which arrived again, which version of a key wins, and the counts that must add up.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use yaojia_models::contract::Reason;

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
    /// Superseded rows of the winner's own `updt_time` and other content: only the order of receipt decided, and the key may be none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub contested: u64,
    /// Winners with `vali_flag` 0, which removed their key.
    pub void: u64,
    /// Rows set aside, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Accepted rows by warning.
    pub warnings: BTreeMap<String, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Counts {
    /// accepted + superseded + void + quarantined.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.accepted + self.superseded + self.void + self.quarantined.values().sum::<u64>()
    }

    /// These counts with one part of them in place of another; `None` where there is less than is taken.
    #[must_use]
    pub fn exchanged(&self, out: &Self, into: &Self) -> Option<Self> {
        let number = |held: u64, out: u64, into: u64| held.checked_sub(out)?.checked_add(into);
        let named = |held: &BTreeMap<String, u64>, out: &BTreeMap<String, u64>, into: &BTreeMap<String, u64>| {
            let mut new = held.clone();
            for name in out.keys().chain(into.keys()) {
                let at = |counts: &BTreeMap<String, u64>| counts.get(name).copied().unwrap_or_default();
                match number(at(held), at(out), at(into))? {
                    // A reason that no row has any more is not named.
                    0 => new.remove(name),
                    n => new.insert(name.clone(), n),
                };
            }
            Some(new)
        };
        Some(Self {
            received: number(self.received, out.received, into.received)?,
            repeated: number(self.repeated, out.repeated, into.repeated)?,
            accepted: number(self.accepted, out.accepted, into.accepted)?,
            superseded: number(self.superseded, out.superseded, into.superseded)?,
            contested: number(self.contested, out.contested, into.contested)?,
            void: number(self.void, out.void, into.void)?,
            quarantined: named(&self.quarantined, &out.quarantined, &into.quarantined)?,
            warnings: named(&self.warnings, &out.warnings, &into.warnings)?,
        })
    }
}

/// Counts of one county and month of a dataset; received = accepted + superseded + void + quarantined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellCounts {
    /// Distinct rows received that belong here.
    pub received: u64,
    /// Rows that arrived again with the same content.
    pub repeated: u64,
    /// Of the received ones, those that could be split into columns.
    pub parsed: u64,
    /// Rows in silver.
    pub accepted: u64,
    /// Rows set aside, for any reason.
    pub quarantined: u64,
    /// Valid rows that another valid version of their key won against.
    pub superseded: u64,
    /// Winners that removed their key.
    pub void: u64,
}

impl CellCounts {
    /// accepted + quarantined + superseded + void.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.accepted + self.quarantined + self.superseded + self.void
    }

    /// The one without the other; `None` where there is less than is taken.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            received: self.received.checked_sub(other.received)?,
            repeated: self.repeated.checked_sub(other.repeated)?,
            parsed: self.parsed.checked_sub(other.parsed)?,
            accepted: self.accepted.checked_sub(other.accepted)?,
            quarantined: self.quarantined.checked_sub(other.quarantined)?,
            superseded: self.superseded.checked_sub(other.superseded)?,
            void: self.void.checked_sub(other.void)?,
        })
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            received: self.received + other.received,
            repeated: self.repeated + other.repeated,
            parsed: self.parsed + other.parsed,
            accepted: self.accepted + other.accepted,
            quarantined: self.quarantined + other.quarantined,
            superseded: self.superseded + other.superseded,
            void: self.void + other.void,
        }
    }
}

/// Positions (in the judged rows) of what came out.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub accepted: Vec<usize>,
    pub quarantined: Vec<usize>,
    pub counts: Counts,
    /// By county number and month number.
    pub cells: BTreeMap<(u16, i32), CellCounts>,
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
    for (i, row) in rows.iter().enumerate().filter(|(i, row)| is_first(*i) && row.verdict.is_none()) {
        match best.entry(row.key) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(i);
            }
            std::collections::hash_map::Entry::Occupied(mut slot) => {
                let held = &rows[*slot.get()];
                if (row.updt, row.receipt) > (held.updt, held.receipt) {
                    slot.insert(i);
                }
            }
        }
    }
    let mut outcome = Outcome::default();
    for (i, row) in rows.iter().enumerate() {
        let cell = outcome.cells.entry((row.county, row.month)).or_default();
        if !is_first(i) {
            cell.repeated += 1;
            continue;
        }
        counts.received += 1;
        cell.received += 1;
        cell.parsed += u64::from(row.verdict != Some(Reason::BadRow));
        if let Some(reason) = row.verdict {
            *counts.quarantined.entry(reason.to_string()).or_default() += 1;
            cell.quarantined += 1;
            outcome.quarantined.push(i);
        } else if best.get(&row.key) != Some(&i) {
            counts.superseded += 1;
            counts.contested += u64::from(best.get(&row.key).and_then(|best| rows.get(*best)).is_some_and(|won| won.updt == row.updt));
            cell.superseded += 1;
        } else if row.void {
            counts.void += 1;
            cell.void += 1;
        } else {
            counts.accepted += 1;
            cell.accepted += 1;
            for (bit, warning) in WARNINGS.iter().enumerate() {
                if row.warnings & (1 << bit) != 0 {
                    *counts.warnings.entry((*warning).to_string()).or_default() += 1;
                }
            }
            outcome.accepted.push(i);
        }
    }
    outcome.counts = counts;
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::silver::judge::NO_MONTH;

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
        assert_eq!(out.counts.contested, 1, "only the order of receipt told them apart");
        let cell = CellCounts { received: 2, repeated: 1, parsed: 2, superseded: 1, accepted: 1, ..CellCounts::default() };
        assert_eq!(out.cells, BTreeMap::from([((0, NO_MONTH), cell)]));
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
    fn each_cell_balances_by_itself() {
        // One key moves from county 1 to county 2; a bad row of county 1.
        let mut moved = [row(1, 9, 5, 1, None), row(2, 9, 6, 2, None), row(3, 8, 6, 3, Some(Reason::BadRow))];
        for (row, county) in moved.iter_mut().zip([1, 2, 1]) {
            row.county = county;
        }
        let out = compete(&moved);
        let first = CellCounts { received: 2, parsed: 1, superseded: 1, quarantined: 1, ..CellCounts::default() };
        let second = CellCounts { received: 1, parsed: 1, accepted: 1, ..CellCounts::default() };
        assert_eq!(out.cells, BTreeMap::from([((1, NO_MONTH), first), ((2, NO_MONTH), second)]));
        assert!(out.cells.values().all(|cell| cell.received == cell.accounted()));
    }

    #[test]
    fn a_void_winner_removes_its_key() {
        let mut newer = row(2, 9, 6, 2, None);
        newer.void = true;
        let out = compete(&[row(1, 9, 5, 1, None), newer]);
        assert!(out.accepted.is_empty());
        assert_eq!((out.counts.void, out.counts.superseded), (1, 1));
    }

    #[test]
    fn rows_that_only_their_receipt_tells_apart_are_counted() {
        // three contents of one key at one time, one older one, and a repeat
        let rows = [row(1, 7, 5, 1, None), row(2, 7, 5, 2, None), row(3, 7, 5, 3, None), row(4, 7, 4, 4, None), row(2, 7, 5, 5, None)];
        let out = compete(&rows);
        assert_eq!((out.counts.accepted, out.counts.superseded, out.counts.contested, out.counts.repeated), (1, 3, 2, 1));
    }
}
