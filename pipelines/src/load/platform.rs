//! Loading the platform: windows → archive → bronze, the position in the same commit.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use chrono::NaiveDateTime;
use futures::{StreamExt, pin_mut};
use yaojia_connectors::Artifact;
use yaojia_connectors::platform::{Parsed, PlatformSource, Window, WindowRead};
use yaojia_models::contract::{Dataset, SourceKind};
use yaojia_models::value::Month;
use yaojia_warehouse::WarehouseError;
use yaojia_warehouse::bronze::{Appender, Bronze, Receipt, months_of};
use yaojia_warehouse::ledger::{LoadMark, Undone, UndoneKind, loads, record_loads, runs};
use yaojia_warehouse::silver;

use super::ask::LoadAsk;
use super::export::archived;
use super::parser::parser;
use crate::context::{Context, LazyRun, naive};
use crate::error::RunError;
use crate::progress::Progress;
use crate::report::{DatasetLoad, LoadReport};
use crate::run::undone::undone;

/// Position of the platform in a dataset's bronze: the end of the last window, in seconds.
pub const POSITION: &str = "platform";
/// Rows of good windows held before they are committed.
const COMMIT_ROWS: u64 = 100_000;
const SECOND: i64 = 1_000_000;

/// Loads the datasets of the platform that are asked for, from where each stands up to the run's instant; or reads a month of them again.
/// What was not read is in `left`.
pub(crate) async fn load(
    context: &Context<'_>,
    ask: &LoadAsk,
    run: &mut LazyRun,
    report: &mut LoadReport,
    left: &mut Vec<Undone>,
    progress: &dyn Progress,
) -> Result<(), RunError> {
    if !ask.asks_platform() {
        return Ok(());
    }
    let Some(config) = context.platform.clone() else { return Ok(()) };
    let messages = config.messages()?;
    let datasets: Vec<&Dataset> = context
        .datasets
        .iter()
        .filter(|d| d.source == SourceKind::Platform && messages.contains_key(&d.name) && ask.reads(&d.name))
        .collect();
    let source = match PlatformSource::connect(config) {
        Ok(source) => source,
        Err(error) => {
            let error = RunError::from(error);
            left.extend(datasets.iter().map(|dataset| undone(UndoneKind::Dataset, &dataset.name, &error)));
            return Err(error);
        }
    };
    let known = loads(context.root).await?;
    let mut marks: Vec<LoadMark> = Vec::new();
    let mut failed: Option<RunError> = None;
    for (n, dataset) in datasets.iter().enumerate() {
        context.go_on()?;
        progress.step(&format!("platform {}", dataset.name), n as u64, Some(datasets.len() as u64));
        match dataset_load(context, &source, dataset, ask.month, &known, run, &mut marks).await {
            Ok(load) => report.add(&dataset.name, load),
            // A platform that fails one message after all its tries is left alone for this run; what was read before is recorded.
            Err(error) => {
                report.failed.push(format!("{}: {error}", dataset.name));
                if !matches!(error, RunError::Stopped) {
                    left.extend(datasets.iter().skip(n).map(|not| undone(UndoneKind::Dataset, &not.name, &error)));
                }
                failed.get_or_insert(error);
                break;
            }
        }
    }
    if let Some(stamp) = run.opened() {
        // Windows that brought nothing are worth a line only in a run that wrote something anyway.
        record_loads(context.root, stamp, &marks).await?;
    }
    failed.map_or(Ok(()), Err)
}

/// The last instant (microseconds) up to which a dataset was read whole: its position, or a window on record that brought nothing.
pub(crate) async fn cursor(context: &Context<'_>, dataset: &str, known: &[LoadMark]) -> Result<Option<i64>, RunError> {
    let bronze = Bronze { root: context.root, region: context.region };
    let position = bronze.position(dataset, POSITION).await?.map(|s| s * SECOND);
    let seen = known
        .iter()
        .filter(|m| m.dataset == dataset && m.state == "loaded")
        .filter_map(|m| m.name.rsplit("..").next().and_then(|t| yaojia_models::text::parse_timestamp(t).ok().flatten()))
        .max();
    Ok(position.max(seen))
}

async fn dataset_load(
    context: &Context<'_>,
    source: &PlatformSource,
    dataset: &Dataset,
    month: Option<Month>,
    known: &[LoadMark],
    run: &mut LazyRun,
    marks: &mut Vec<LoadMark>,
) -> Result<DatasetLoad, RunError> {
    let at = cursor(context, &dataset.name, known).await?;
    let mut load = DatasetLoad::default();
    let span = match (month, at) {
        (None, _) => (source.resume_from(at.map(naive)), naive(context.now)),
        // A month again, and nothing beyond what was read: what comes after the position is the next load's, so the position stays.
        (Some(month), Some(at)) => month_span(month, source.resume_from(None), at),
        // Never read: the next load begins at the beginning.
        (Some(_), None) => return Ok(load),
    };
    let (from, to) = span;
    if from > to {
        return Ok(load);
    }
    let mut pending: Option<Appender> = None;
    let mut part = 0_i64;
    let mut done_until: Option<Window> = None;
    let windows = source.windows(from, to);
    let first = windows.first().copied();
    let rules = parser(context, dataset)?;
    let mut known = Known::new(context, dataset, at, month.is_some());
    // Read a few at a time, taken and committed in their order; what is read beyond one that fails is dropped.
    let reads = source.read_windows(Arc::new(dataset.clone()), windows);
    pin_mut!(reads);
    loop {
        context.go_on()?;
        let read = match reads.next().await {
            None => break,
            Some(Ok(read)) => read,
            Some(Err(error)) => {
                // What was read whole before is kept: its position moves, the failed window's does not.
                flush(pending.take(), done_until, month).await?;
                return Err(error.into());
            }
        };
        let window = read.window;
        load.windows += 1;
        load.declared += read.announced();
        load.received += read.rows();
        let mut batches = parse(source, dataset, &read)?;
        known.count_unknown(window, &batches, &mut load).await?;
        if month.is_some() {
            batches = known.news(batches).await?;
        }
        let overlaps = month.is_none() && at.is_some() && Some(window) == first;
        let news = !batches.is_empty() && (!overlaps || !known.all(&batches).await?);
        if news {
            let stamp = run.open(context).await?;
            let appender = match pending.take() {
                Some(appender) => pending.insert(appender),
                None => pending.insert(Bronze { root: context.root, region: context.region }.appender(dataset, &stamp).await?),
            };
            for Page { infno, number, parsed, artifact } in &batches {
                archived(context, artifact).await?;
                part += 1;
                let name = format!("{infno} {}..{} p{number:04}", window_text(window.from), window_text(window.to));
                let receipt = Receipt { source: &name, artifact: &artifact.sha256, part, parser: &rules, again: None };
                appender.push(&parsed.batch, &receipt).await?;
                load.appended += parsed.batch.num_rows() as u64;
            }
        }
        done_until = Some(window);
        marks.push(mark(dataset, &rules, window, &read));
        if pending.as_ref().is_some_and(|p| p.rows() >= COMMIT_ROWS) {
            flush(pending.take(), done_until, month).await?;
        }
    }
    flush(pending.take(), done_until, month).await?;
    Ok(load)
}

/// A page with rows: of which message, and the how-manieth of those it gave for the window.
struct Page {
    infno: String,
    number: usize,
    parsed: Parsed,
    artifact: Artifact,
}

fn parse(source: &PlatformSource, dataset: &Dataset, read: &WindowRead) -> Result<Vec<Page>, RunError> {
    let mut pages = Vec::new();
    for message in &read.messages {
        let mut number = 0;
        for artifact in &message.pages {
            let parsed = source.parse_page(dataset, &message.infno, artifact)?;
            if parsed.batch.num_rows() > 0 {
                number += 1;
                pages.push(Page { infno: message.infno.clone(), number, parsed, artifact: artifact.clone() });
            }
        }
    }
    Ok(pages)
}

/// Commits what was read up to a window; a month that is read again moves no position.
async fn flush(pending: Option<Appender>, until: Option<Window>, month: Option<Month>) -> Result<(), RunError> {
    if let (Some(appender), Some(window)) = (pending, until) {
        let position = (POSITION.to_string(), window.to.and_utc().timestamp());
        appender.commit(if month.is_some() { Vec::new() } else { vec![position] }).await?;
    }
    Ok(())
}

/// The part of a month that the configuration asks for and that was read before: not before `since`, not after the position.
fn month_span(month: Month, since: NaiveDateTime, at: i64) -> (NaiveDateTime, NaiveDateTime) {
    let last = month.next().first_micros() - SECOND;
    (naive(month.first_micros()).max(since), naive(last.min(at)))
}

/// Contents that were received before: where windows overlap, rows come again.
struct Known<'a> {
    context: &'a Context<'a>,
    dataset: &'a Dataset,
    cursor: Option<i64>,
    /// The first run whose rows may come again: 0, any, where a month is read again; none before the first window that overlaps.
    since: Option<i64>,
    /// Contents of earlier runs, of the months asked for so far.
    stored: HashSet<u128>,
    months: BTreeSet<String>,
    /// Rows of this load's earlier windows whose unknown keys were counted.
    counted: HashSet<u128>,
}

impl<'a> Known<'a> {
    fn new(context: &'a Context<'a>, dataset: &'a Dataset, cursor: Option<i64>, all_runs: bool) -> Self {
        let (stored, counted) = (HashSet::new(), HashSet::new());
        Self { context, dataset, cursor, since: all_runs.then_some(0), stored, months: BTreeSet::new(), counted }
    }

    /// Reads the contents of earlier runs that the rows may be the same as.
    async fn read(&mut self, batches: impl Iterator<Item = &RecordBatch>) -> Result<(), RunError> {
        let months: BTreeSet<String> =
            batches.flat_map(|batch| months_of(self.dataset, batch)).filter(|month| !self.months.contains(month)).collect();
        if months.is_empty() {
            return Ok(());
        }
        let since = match self.since {
            Some(since) => since,
            None => {
                let day = 86_400 * SECOND;
                let from = self.cursor.map_or(i64::MIN, |c| c - 2 * day);
                // Rows of the overlap can only have come with runs whose windows reached into it.
                runs(self.context.root)
                    .await?
                    .iter()
                    .filter(|r| yaojia_models::text::parse_timestamp(&r.as_of).ok().flatten().is_none_or(|t| t >= from))
                    .map(|r| r.seq)
                    .min()
                    .unwrap_or(0)
            }
        };
        self.since = Some(since);
        let bronze = Bronze { root: self.context.root, region: self.context.region };
        self.stored.extend(bronze.contents(self.dataset, since, &months).await?);
        self.months.extend(months);
        Ok(())
    }

    /// The pages with only those of their rows that nobody holds yet, which are held from now on; pages without any are left out.
    async fn news(&mut self, pages: Vec<Page>) -> Result<Vec<Page>, RunError> {
        let dataset = self.dataset;
        self.read(pages.iter().map(|page| &page.parsed.batch)).await?;
        let mut news = Vec::new();
        for mut page in pages {
            let contents = silver::contents(dataset, &page.parsed.batch)?;
            let new: BooleanArray = contents.into_iter().map(|content| Some(self.stored.insert(content))).collect();
            let arrow = |source| WarehouseError::Arrow { table: format!("bronze.{}", dataset.name), source };
            page.parsed.batch = filter_record_batch(&page.parsed.batch, &new).map_err(arrow)?;
            if page.parsed.batch.num_rows() > 0 {
                news.push(page);
            }
        }
        Ok(news)
    }

    /// Whether every row was received by an earlier run, with the same content.
    async fn all(&mut self, pages: &[Page]) -> Result<bool, RunError> {
        self.read(pages.iter().map(|page| &page.parsed.batch)).await?;
        for page in pages {
            if silver::contents(self.dataset, &page.parsed.batch)?.iter().any(|c| !self.stored.contains(c)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Counts the unknown keys of a window's rows, but of none that an earlier window or run gave already: many nights count as one load.
    async fn count_unknown(&mut self, window: Window, pages: &[Page], load: &mut DatasetLoad) -> Result<(), RunError> {
        if pages.iter().all(|page| page.parsed.seen.is_empty()) {
            return Ok(());
        }
        if self.since.is_some() || self.cursor.is_some_and(|cursor| window.from <= naive(cursor)) {
            self.read(pages.iter().map(|page| &page.parsed.batch)).await?;
        }
        let mut counted = Vec::new();
        for Page { parsed, .. } in pages.iter().filter(|page| !page.parsed.seen.is_empty()) {
            let contents = silver::contents(self.dataset, &parsed.batch)?;
            for one in &parsed.seen {
                let Some(content) = contents.get(one.row) else { continue };
                if self.counted.contains(content) || self.stored.contains(content) {
                    continue;
                }
                if one.unknown {
                    *load.unknown_columns.entry(one.key.clone()).or_default() += 1;
                }
                if one.dropped {
                    *load.dropped_personal.entry(one.key.clone()).or_default() += 1;
                }
                counted.push(*content);
            }
        }
        self.counted.extend(counted);
        Ok(())
    }
}

fn window_text(t: chrono::NaiveDateTime) -> String {
    t.format("%Y-%m-%d %H:%M:%S").to_string()
}

fn mark(dataset: &Dataset, rules: &str, window: Window, read: &WindowRead) -> LoadMark {
    LoadMark {
        run_seq: 0,
        run_id: String::new(),
        dataset: dataset.name.clone(),
        name: format!("{}..{}", window_text(window.from), window_text(window.to)),
        sha256: String::new(),
        state: "loaded".to_string(),
        reason: String::new(),
        declared: i64::try_from(read.announced()).unwrap_or(i64::MAX),
        rows: read.rows(),
        parser: rules.to_string(),
    }
}
