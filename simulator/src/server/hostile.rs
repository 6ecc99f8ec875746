//! Bad behaviour: decided by the seed and the request, and never more than a persistent client can bear.

use std::collections::BTreeMap;

use super::config::Mode;
use crate::dice::{mix, text_tag};

/// Something that goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// HTTP 500 or 503.
    ServerError(u16),
    /// The connection breaks before a byte is answered.
    Reset,
    /// The body breaks off half-way.
    Cut,
    /// An answer that takes its time, but is right.
    Stall,
    /// A proxy's page of HTML, with HTTP 200 or 502.
    Html(u16),
    /// HTTP 429, with or without `Retry-After`.
    TooMany(bool),
    /// The message that says how long to wait.
    Interval,
    /// The token dies.
    TokenDies,
}

const FAULTS: [Fault; 11] = [
    Fault::ServerError(500),
    Fault::Reset,
    Fault::Cut,
    Fault::Stall,
    Fault::Html(200),
    Fault::TooMany(false),
    Fault::Interval,
    Fault::TokenDies,
    Fault::ServerError(503),
    Fault::TooMany(true),
    Fault::Html(502),
];

/// How one reading of a window is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Spoilt {
    /// It is not.
    #[default]
    No,
    /// From the second page on rows have moved by one: one comes twice, the last is missing.
    Shifted,
    /// Early pages announce fewer rows than the last: harmless.
    Growing,
    /// The last page announces one row more than there is.
    Overstated,
    /// The first line of the last page says that it did not arrive; only where lines have results.
    LineFails,
}

/// The small liberties an answer takes with its shape.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shape {
    /// Codes in the other shape than the dialect's usual one.
    pub odd_codes: bool,
    /// Counts as text.
    pub text_counts: bool,
    /// Counts left empty on later pages.
    pub empty_counts: bool,
    /// One object instead of a list of one.
    pub bare_object: bool,
}

/// Remembers what was already done to whom.
#[derive(Debug)]
pub(crate) struct Temper {
    mode: Mode,
    seed: u64,
    calls: BTreeMap<String, (u64, u32)>,
    readings: BTreeMap<String, (u32, u32, Spoilt)>,
}

impl Temper {
    /// A temper.
    pub(crate) fn new(mode: Mode, seed: u64) -> Self {
        Self { mode, seed, calls: BTreeMap::new(), readings: BTreeMap::new() }
    }

    /// Whether this call goes wrong. `key` names message, window and page.
    pub(crate) fn fault(&mut self, key: &str) -> Option<Fault> {
        let (most, percent) = match self.mode {
            Mode::None => return None,
            Mode::Mild => (1, 12),
            Mode::Hostile => (2, 40),
        };
        let (calls, faults) = self.calls.entry(key.to_owned()).or_default();
        *calls += 1;
        let roll = mix(self.seed, &[text_tag(key), *calls]);
        if *faults >= most || roll % 100 >= percent {
            return None;
        }
        *faults += 1;
        FAULTS.get((roll / 100) as usize % FAULTS.len()).copied()
    }

    /// How this reading of a window is spoilt; the first page begins a reading.
    pub(crate) fn reading(&mut self, key: &str, page: usize, pages: usize, line_results: bool) -> Spoilt {
        let (most, percent) = match self.mode {
            Mode::None => return Spoilt::No,
            Mode::Mild => (1, 20),
            Mode::Hostile => (2, 60),
        };
        let (readings, spoilt, how) = self.readings.entry(key.to_owned()).or_default();
        if page <= 1 {
            *readings += 1;
            let roll = mix(self.seed, &[text_tag(key), u64::from(*readings), 77]);
            let kinds = if line_results { 4 } else { 3 };
            *how = match (roll % 100 < percent && *spoilt < most && pages > 0, pages > 1, roll / 100 % kinds) {
                (false, ..) => Spoilt::No,
                (true, _, 3) => Spoilt::LineFails,
                (true, true, 0) => Spoilt::Shifted,
                (true, true, 1) => Spoilt::Growing,
                _ => Spoilt::Overstated,
            };
            *spoilt += u32::from(*how != Spoilt::No);
        }
        *how
    }

    /// The shape of this answer.
    pub(crate) fn shape(&self, key: &str) -> Shape {
        if self.mode == Mode::None {
            return Shape::default();
        }
        let calls = self.calls.get(key).map_or(0, |c| c.0);
        let roll = mix(self.seed, &[text_tag(key), calls, 55]);
        Shape { odd_codes: roll & 1 == 1, text_counts: roll & 2 == 2, empty_counts: roll & 12 == 12, bare_object: roll & 16 == 16 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_behaviour_is_bounded_and_repeatable() {
        for (mode, most) in [(Mode::None, 0), (Mode::Mild, 1), (Mode::Hostile, 2)] {
            let run = || {
                let mut temper = Temper::new(mode, 9);
                (0..200).map(|page| (0..20).map(|_| temper.fault(&format!("w|{page}"))).collect::<Vec<_>>()).collect::<Vec<_>>()
            };
            let faults = run();
            assert_eq!(faults, run());
            assert!(faults.iter().all(|calls| calls.iter().flatten().count() <= most));
            assert_eq!(faults.iter().flatten().flatten().count() > 0, most > 0);
            let mut temper = Temper::new(mode, 9);
            let spoilt = (0..50).filter(|_| temper.reading("w", 1, 3, true) != Spoilt::No).count();
            assert!(spoilt <= most);
        }
    }
}
