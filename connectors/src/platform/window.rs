//! Windows of time, and reading one as a consistent whole.

use std::collections::HashSet;
use std::fmt;

use chrono::{NaiveDateTime, TimeDelta};
use tokio::time::sleep;

use super::call::Caller;
use super::config::PlatformConfig;
use super::dialect::PageAsk;
use super::message::Message;
use super::page::{PageMap, RowKey};
use super::{MessageRead, at};
use crate::error::SourceError;
use crate::kit::artifact::Artifact;

/// A window on `updtTime`, both ends inclusive, in whole seconds. Naive Asia/Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// First second.
    pub from: NaiveDateTime,
    /// Last second.
    pub to: NaiveDateTime,
}

impl Window {
    /// A window from its ends.
    #[must_use]
    pub fn new(from: NaiveDateTime, to: NaiveDateTime) -> Self {
        Self { from, to }
    }

    /// `startTime` and `endTime` of a request.
    pub(crate) fn bounds(self) -> (String, String) {
        let text = |time: NaiveDateTime| time.format("%Y-%m-%d %H:%M:%S").to_string();
        (text(self.from), text(self.to))
    }

    /// The two halves; none for one second.
    pub(crate) fn halves(self) -> Option<(Self, Self)> {
        let seconds = (self.to - self.from).num_seconds();
        if seconds < 1 {
            return None;
        }
        let middle = self.from + TimeDelta::seconds(seconds / 2);
        Some((Self::new(self.from, middle), Self::new(middle + TimeDelta::seconds(1), self.to)))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.format("%Y%m%d%H%M%S"), self.to.format("%Y%m%d%H%M%S"))
    }
}

/// See [`super::PlatformSource::resume_from`].
pub(crate) fn resume_from(config: &PlatformConfig, cursor: Option<NaiveDateTime>) -> NaiveDateTime {
    let since = config.since.and_time(chrono::NaiveTime::MIN);
    cursor.map_or(since, |cursor| (cursor - TimeDelta::days(i64::from(config.overlap_days))).max(since))
}

/// See [`super::PlatformSource::windows`].
pub(crate) fn windows(config: &PlatformConfig, from: NaiveDateTime, to: NaiveDateTime) -> Vec<Window> {
    let (length, overlap) = (TimeDelta::days(i64::from(config.window_days)), TimeDelta::days(i64::from(config.overlap_days)));
    let second = TimeDelta::seconds(1);
    let mut windows = Vec::new();
    let mut start = from;
    while start <= to {
        let end = (start + length - second).min(to);
        windows.push(Window::new(start, end));
        if end >= to {
            break;
        }
        start = end + second - overlap;
    }
    windows
}

/// Reads a window of one message; one with too many rows, or too long for the platform, in halves.
pub(crate) async fn read(
    caller: &Caller,
    config: &PlatformConfig,
    map: &PageMap<'_>,
    message: &Message,
    window: Window,
) -> Result<MessageRead, SourceError> {
    let (start, end) = config.dialect.window_keys();
    let infno = message.infno.as_str();
    let keys = (message.start_key.as_deref().unwrap_or(start), message.end_key.as_deref().unwrap_or(end));
    let reader = Reader { caller, config, map, infno, keys };
    let mut whole = MessageRead { infno: infno.to_owned(), pages: Vec::new(), rows: 0, announced: 0, tries: 0, time: None };
    let mut left = vec![window];
    while let Some(window) = left.pop() {
        match reader.read_whole(window).await? {
            Part::Read { pages, rows, tries, time } => {
                whole.time = [whole.time, time].into_iter().flatten().min();
                whole.pages.extend(pages);
                whole.rows += rows;
                whole.announced += rows;
                whole.tries = whole.tries.max(tries);
            }
            Part::Split(first, second) => {
                tracing::debug!(%infno, %window, "more than one read takes: split in halves");
                left.extend([second, first]);
            }
        }
    }
    Ok(whole)
}

enum Part {
    Read { pages: Vec<Artifact>, rows: u64, tries: u32, time: Option<NaiveDateTime> },
    Split(Window, Window),
}

/// What one read of a window came to.
struct Attempt {
    pages: Vec<Artifact>,
    rows: u64,
    announced: u64,
    words: String,
    last: u32,
    /// A line that says it did not arrive: its page, its id, the platform's words.
    refused: Option<(u32, String, String)>,
    /// The platform's own time at the first answer.
    time: Option<NaiveDateTime>,
}

/// What it takes to read windows of one message.
struct Reader<'a> {
    caller: &'a Caller,
    config: &'a PlatformConfig,
    map: &'a PageMap<'a>,
    infno: &'a str,
    keys: (&'a str, &'a str),
}

impl Reader<'_> {
    /// Reads a window again until every line arrived, and rows received, distinct by key and `updt_time`, equal the last announced count.
    async fn read_whole(&self, window: Window) -> Result<Part, SourceError> {
        let (infno, retry) = (self.infno, &self.config.retry);
        let mut tries = 1;
        loop {
            let attempt = match self.read_once(window).await? {
                Ok(attempt) => attempt,
                Err((first, second)) => return Ok(Part::Split(first, second)),
            };
            if attempt.refused.is_none() && attempt.rows == attempt.announced {
                return Ok(Part::Read { pages: attempt.pages, rows: attempt.rows, tries, time: attempt.time });
            }
            let (rows, announced, refused) = (attempt.rows, attempt.announced, &attempt.refused);
            tracing::debug!(%infno, %window, rows, announced, ?refused, "the window is not whole: it is read again");
            if tries >= retry.window_tries || !self.caller.may_read_again() {
                return Err(match attempt.refused {
                    Some((page, line, words)) => SourceError::LineFailed { at: at(infno, Some(window), Some(page)), line, tries, words },
                    None => SourceError::Incomplete {
                        at: at(infno, Some(window), Some(attempt.last)),
                        received: attempt.rows,
                        announced: attempt.announced,
                        tries,
                        words: attempt.words,
                    },
                });
            }
            sleep(retry.wait(tries)).await;
            tries += 1;
        }
    }

    /// Reads all pages once. The inner error is a window to be split.
    async fn read_once(&self, window: Window) -> Result<Result<Attempt, (Window, Window)>, SourceError> {
        let (infno, limits) = (self.infno, &self.config.page);
        let mut seen: HashSet<RowKey> = HashSet::new();
        let mut pages = Vec::new();
        // a blank count is as on the page before, 0 on the first
        let (mut page_count, mut announced) = (0_u64, 0_u64);
        let mut refused = None;
        let mut time = None;
        let mut number = 1_u32;
        loop {
            let ask = PageAsk { infno, keys: self.keys, window, page: number };
            let answer = match self.caller.page(&ask, |envelope| self.map.scan(envelope)).await {
                Err(error @ SourceError::TooLarge { .. }) => return window.halves().map(Err).ok_or(error),
                // a page nobody announced was asked for, and is refused: what came before it is all there is
                Err(SourceError::Business { words, .. }) if page_count == 0 && number > 1 => {
                    let rows = seen.len() as u64;
                    return Ok(Ok(Attempt { pages, rows, announced, words, last: number, refused, time }));
                }
                answer => answer?,
            };
            let scan = answer.taken;
            time = time.or(scan.time).or(answer.date);
            page_count = scan.pages.unwrap_or(page_count);
            announced = scan.records.unwrap_or(announced);
            let got_rows = !scan.keys.is_empty() || scan.refused.is_some();
            refused = refused.or_else(|| scan.refused.map(|(line, words)| (number, line, words)));
            seen.extend(scan.keys);
            pages.push(Artifact::from_bytes(format!("{infno}/{window}/p{number:04}"), answer.bytes, scan.personal));
            let too_many = announced > limits.max_window_rows || page_count > u64::from(limits.max_pages);
            if too_many && let Some(halves) = window.halves() {
                return Ok(Err(halves));
            }
            // pages without any count (blank since the first) go on until one is empty
            let more = if page_count == 0 { got_rows && announced != seen.len() as u64 } else { u64::from(number) < page_count };
            if !more || number >= limits.max_pages {
                let rows = seen.len() as u64;
                return Ok(Ok(Attempt { pages, rows, announced, words: scan.words, last: number, refused, time }));
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::SOURCE_TOML;

    fn time(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn windows_overlap_by_a_day_and_cover_everything() {
        let config = PlatformConfig::from_toml(SOURCE_TOML).unwrap();
        let windows = windows(&config, time("2024-01-01T00:00:00"), time("2024-03-05T08:30:00"));
        let names: Vec<String> = windows.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["20240101000000-20240131235959", "20240131000000-20240301235959", "20240301000000-20240305083000"]);
        assert!(super::windows(&config, time("2024-01-02T00:00:00"), time("2024-01-01T00:00:00")).is_empty());
    }

    #[test]
    fn a_load_resumes_a_day_before_its_cursor() {
        let config = PlatformConfig::from_toml(SOURCE_TOML).unwrap();
        assert_eq!(resume_from(&config, None), time("2024-01-01T00:00:00"));
        assert_eq!(resume_from(&config, Some(time("2024-05-02T02:00:00"))), time("2024-05-01T02:00:00"));
        assert_eq!(resume_from(&config, Some(time("2024-01-01T12:00:00"))), time("2024-01-01T00:00:00"));
    }

    #[test]
    fn halves_meet_without_a_gap() {
        let window = Window::new(time("2024-01-01T00:00:00"), time("2024-01-01T00:00:02"));
        let (first, second) = window.halves().unwrap();
        assert_eq!((first.from, first.to), (time("2024-01-01T00:00:00"), time("2024-01-01T00:00:01")));
        assert_eq!((second.from, second.to), (time("2024-01-01T00:00:02"), time("2024-01-01T00:00:02")));
        assert!(second.halves().is_none());
    }
}
