//! How far a dataset of the platform was read, and from where the next load asks.
//!
//! ```text
//! marks of windows, in order ─► read_to: the end of the last window, but not beyond the platform's own time where it says one
//!                            ─► newest:  the newest updtTime received: what the platform is known to have published
//! a run before read_to       ─► taken back: a mark of its own; what was read "until then" was read before there was anything
//! ```

use chrono::NaiveDateTime;
use yaojia_connectors::platform::{Window, WindowRead};
use yaojia_models::text::parse_timestamp;
use yaojia_warehouse::bronze::Bronze;
use yaojia_warehouse::ledger::LoadMark;

use crate::context::{Context, naive};
use crate::error::RunError;

/// Position of the platform in a dataset's bronze: the end of the last window, in seconds.
pub const POSITION: &str = "platform";
/// State of the mark that takes a position back: its name ends with the position that holds now, its reason is the one given up.
const TAKEN_BACK: &str = "taken_back";
const SECOND: i64 = 1_000_000;
/// How far this machine's clock may be ahead of the platform's: clocks differ, and windows overlap by more than that.
const SKEW: i64 = 600 * SECOND;

/// How far a dataset was read. All in microseconds, naive Asia/Shanghai.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// The last instant up to which it was read whole.
    pub read_to: Option<i64>,
    /// The newest `updtTime` received; none where no row came, or nobody noted it.
    newest: Option<i64>,
    /// Whether the marks say what they received: those of earlier versions do not.
    noted: bool,
}

impl Position {
    /// As bronze and the ledger say.
    ///
    /// # Errors
    /// As the storage says.
    pub(crate) async fn of(context: &Context<'_>, dataset: &str, known: &[LoadMark]) -> Result<Self, RunError> {
        let bronze = Bronze { root: context.root, region: context.region };
        let committed = bronze.position(dataset, POSITION).await?.map(|s| s * SECOND);
        Ok(Self::from_marks(known.iter().filter(|m| m.dataset == dataset), committed, i64::MAX))
    }

    /// `limit`: rows of later than that say nothing of what had been published then.
    fn from_marks<'m>(marks: impl Iterator<Item = &'m LoadMark>, committed: Option<i64>, limit: i64) -> Self {
        let mut of = Self::default();
        let mut given_up = None;
        for mark in marks {
            match mark.state.as_str() {
                "loaded" => {
                    let Some(to) = end_of(&mark.name) else { continue };
                    let note = Note::parse(&mark.reason);
                    of.read_to = of.read_to.max(Some(note.platform.map_or(to, |at| at.min(to))));
                    of.noted |= note.noted;
                    of.newest = of.newest.max(note.newest.filter(|at| *at <= limit));
                }
                TAKEN_BACK => {
                    of.read_to = end_of(&mark.name);
                    given_up = parse(&mark.reason);
                }
                _ => {}
            }
        }
        // What was committed is ahead of the ledger where a run was killed in between; but not what was given up since.
        of.read_to = of.read_to.max(committed.filter(|at| Some(*at) != given_up));
        of
    }

    /// The position a run at an earlier instant may be certain of: rows of then had been published, whatever the clock said.
    pub(crate) async fn taken_back(context: &Context<'_>, dataset: &str, known: &[LoadMark]) -> Result<Option<i64>, RunError> {
        let marks = known.iter().filter(|m| m.dataset == dataset);
        Ok(Self::from_marks(marks, None, context.now).newest)
    }

    /// From where the next load asks, before the overlap: the newest row it holds where that is not long ago, since nothing else is known
    /// to have been published; `days` is as far back as it looks for one.
    pub(crate) fn resume(&self, days: u32) -> Option<i64> {
        let read_to = self.read_to?;
        if !self.noted {
            return Some(read_to);
        }
        let earliest = read_to - i64::from(days) * 86_400 * SECOND;
        Some(self.newest.map_or(earliest, |newest| newest.clamp(earliest, read_to)))
    }
}

/// The mark of a window that was read.
pub(crate) fn mark(dataset: &str, rules: &str, window: Window, read: &WindowRead, newest: Option<i64>) -> LoadMark {
    // Its own time counts where this machine's is clearly ahead; a platform that is behind its own rows does not know the time.
    let stated = read.platform_time().map(|at| at.and_utc().timestamp_micros());
    let to = window.to.and_utc().timestamp_micros();
    let platform = stated.filter(|at| at + SKEW < to).map(|at| at.max(newest.unwrap_or(i64::MIN)));
    LoadMark {
        dataset: dataset.to_owned(),
        name: format!("{}..{}", text(window.from), text(window.to)),
        state: "loaded".to_owned(),
        reason: Note { noted: true, newest, platform }.text(),
        declared: i64::try_from(read.announced()).unwrap_or(i64::MAX),
        rows: read.rows(),
        parser: rules.to_owned(),
        ..LoadMark::default()
    }
}

/// The mark that takes a position back.
pub(crate) fn back(dataset: &str, to: Option<i64>, given_up: i64) -> LoadMark {
    LoadMark {
        dataset: dataset.to_owned(),
        name: format!("..{}", to.map(|at| text(naive(at))).unwrap_or_default()),
        state: TAKEN_BACK.to_owned(),
        reason: text(naive(given_up)),
        declared: -1,
        ..LoadMark::default()
    }
}

/// The end of what a window's mark says was read: its own, or the platform's time.
pub(crate) fn read_to(mark: &LoadMark) -> Option<i64> {
    Position::from_marks(std::iter::once(mark), None, i64::MAX).read_to
}

/// What a window's mark says beside its counts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Note {
    noted: bool,
    newest: Option<i64>,
    platform: Option<i64>,
}

impl Note {
    fn text(&self) -> String {
        let newest = self.newest.map_or_else(|| "none".to_owned(), |at| text(naive(at)));
        let platform = self.platform.map(|at| format!(", platform's time {}", text(naive(at)))).unwrap_or_default();
        format!("newest {newest}{platform}")
    }

    fn parse(reason: &str) -> Self {
        let Some(said) = reason.strip_prefix("newest ") else { return Self::default() };
        let (newest, platform) = said.split_once(", platform's time ").map_or((said, None), |(newest, at)| (newest, Some(at)));
        Self { noted: true, newest: parse(newest), platform: platform.and_then(parse) }
    }
}

fn end_of(name: &str) -> Option<i64> {
    parse(name.rsplit("..").next()?)
}

fn parse(text: &str) -> Option<i64> {
    parse_timestamp(text).ok().flatten()
}

/// As windows are written.
pub(crate) fn text(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(to: &str, newest: &str) -> LoadMark {
        let note = Note { noted: true, newest: parse(newest), platform: None };
        LoadMark { name: format!("2024-01-01 00:00:00..{to}"), state: "loaded".into(), reason: note.text(), ..back("shp", None, 0) }
    }

    fn at(text: &str) -> Option<i64> {
        Some(parse(text).unwrap())
    }

    #[test]
    fn a_position_that_was_taken_back_stays_so_until_it_was_read() {
        let mut marks = vec![window("2024-03-10 02:00:00", "2024-01-10 09:00:00")];
        let committed = at("2024-03-10 02:00:00");
        let of = |marks: &[LoadMark], committed| Position::from_marks(marks.iter(), committed, i64::MAX);
        assert_eq!(of(&marks, committed).read_to, committed);
        assert_eq!(of(&marks, committed).resume(400), at("2024-01-10 09:00:00"));
        assert_eq!(of(&marks, committed).resume(10), at("2024-02-29 02:00:00"));
        marks.push(back("shp", at("2024-01-10 09:00:00"), committed.unwrap()));
        assert_eq!(of(&marks, committed).read_to, at("2024-01-10 09:00:00"));
        marks.push(window("2024-03-06 02:00:00", "2024-03-03 09:00:00"));
        assert_eq!(of(&marks, committed).read_to, at("2024-03-06 02:00:00"));
        // a run killed after its rows were committed
        assert_eq!(of(&marks, at("2024-03-12 02:00:00")).read_to, at("2024-03-12 02:00:00"));
        marks.push(back("shp", None, 0));
        assert_eq!(of(&marks, None).read_to, None);
    }

    #[test]
    fn the_platforms_time_and_marks_of_earlier_versions() {
        let platform = Note { noted: true, newest: None, platform: at("2024-03-01 21:00:00") };
        let ahead = LoadMark { reason: platform.text(), ..window("2024-03-10 02:00:00", "") };
        assert_eq!(Note::parse(&ahead.reason), platform);
        assert_eq!(read_to(&ahead), at("2024-03-01 21:00:00"));
        let old = LoadMark { reason: String::new(), ..window("2024-03-10 02:00:00", "") };
        let of = Position::from_marks([old].iter(), None, i64::MAX);
        assert_eq!((of.read_to, of.resume(31)), (at("2024-03-10 02:00:00"), at("2024-03-10 02:00:00")));
        let future = window("2024-03-10 02:00:00", "2099-01-01 00:00:00");
        assert_eq!(Position::from_marks([future].iter(), None, at("2024-03-06 00:00:00").unwrap()).newest, None);
    }
}
