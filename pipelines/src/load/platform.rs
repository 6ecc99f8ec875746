//! Loading the platform: windows → archive → bronze, the position in the same commit.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray as _, BooleanArray};
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
use super::position::{self, POSITION, Position};
use crate::context::{Context, LazyRun, naive};
use crate::error::RunError;
use crate::progress::Progress;
use crate::report::{DatasetLoad, LoadReport};
use crate::run::undone::undone;

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
    let mut known = loads(context.root).await?;
    let back = match ask.month {
        None => take_back(context, &datasets, &mut known, run, report).await?,
        Some(_) => BTreeSet::new(),
    };
    let mut marks: Vec<LoadMark> = Vec::new();
    let mut failed: Option<RunError> = None;
    for (n, dataset) in datasets.iter().enumerate() {
        context.go_on()?;
        progress.step(&format!("platform {}", dataset.name), n as u64, Some(datasets.len() as u64));
        let again = Again { month: ask.month, back: back.contains(&dataset.name) };
        match dataset_load(context, &source, dataset, again, &known, run, &mut marks).await {
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
    match run.opened() {
        Some(stamp) => record_loads(context.root, stamp, &marks).await?,
        None => report.pending.windows = marks,
    }
    failed.map_or(Ok(()), Err)
}

/// Writes down windows that were asked and brought nothing: where the run writes anyway, or where what it builds is as of an instant
/// beyond what was read before. Several runs of one day that find nothing write nothing.
///
/// # Errors
/// As the storage says.
pub(crate) async fn settle(context: &Context<'_>, run: &mut LazyRun, marks: &[LoadMark], at: i64) -> Result<(), RunError> {
    if marks.is_empty() {
        return Ok(());
    }
    if run.opened().is_none() {
        let known = loads(context.root).await?;
        let mut needed = false;
        for mark in marks {
            let held = Position::of(context, &mark.dataset, &known).await?.read_to;
            needed |= held < Some(at) && held < position::read_to(mark);
        }
        if !needed {
            return Ok(());
        }
    }
    let stamp = run.open(context).await?;
    record_loads(context.root, &stamp, marks).await?;
    Ok(())
}

/// The last instant (microseconds) up to which a dataset was read whole: its position, or a window on record that brought nothing.
pub(crate) async fn cursor(context: &Context<'_>, dataset: &str, known: &[LoadMark]) -> Result<Option<i64>, RunError> {
    Ok(Position::of(context, dataset, known).await?.read_to)
}

/// Takes back the positions that lie after the run's instant: the clock of an earlier run was ahead, or this one's is behind, and nobody
/// knows what was published between. Told, and written down before anything is asked, so that no certificate stands on them.
async fn take_back(
    context: &Context<'_>,
    datasets: &[&Dataset],
    known: &mut Vec<LoadMark>,
    run: &mut LazyRun,
    report: &mut LoadReport,
) -> Result<BTreeSet<String>, RunError> {
    let mut marks = Vec::new();
    for dataset in datasets {
        let Some(given_up) = Position::of(context, &dataset.name, known).await?.read_to.filter(|at| *at > context.now) else { continue };
        let certain = Position::taken_back(context, &dataset.name, known).await?;
        marks.push((position::back(&dataset.name, certain, given_up), certain, given_up));
    }
    let Some((first, certain, given_up)) = marks.first() else { return Ok(BTreeSet::new()) };
    let from = certain.map_or_else(|| "the beginning".to_owned(), |at| window_text(naive(at)));
    let others = if marks.len() > 1 { format!(", and {} datasets more", marks.len() - 1) } else { String::new() };
    report.warnings.push(format!(
        "the instant of this run, {}, lies before the position of `{}` ({}){others}: the clock ran ahead then, or is behind now; it is asked \
         again from what is certain ({from})",
        window_text(naive(context.now)),
        first.dataset,
        window_text(naive(*given_up)),
    ));
    let stamp = run.open(context).await?;
    let marks: Vec<LoadMark> = marks.into_iter().map(|(mark, ..)| mark).collect();
    record_loads(context.root, &stamp, &marks).await?;
    let names = marks.iter().map(|mark| mark.dataset.clone()).collect();
    known.extend(marks);
    Ok(names)
}

/// What is read again.
#[derive(Debug, Clone, Copy)]
struct Again {
    /// A month, and nothing beyond what was read.
    month: Option<Month>,
    /// The position was taken back: what comes may be here already.
    back: bool,
}

async fn dataset_load(
    context: &Context<'_>,
    source: &PlatformSource,
    dataset: &Dataset,
    Again { month, back }: Again,
    known: &[LoadMark],
    run: &mut LazyRun,
    marks: &mut Vec<LoadMark>,
) -> Result<DatasetLoad, RunError> {
    let position = Position::of(context, &dataset.name, known).await?;
    let at = position.read_to;
    let mut load = DatasetLoad::default();
    let span = match (month, at) {
        (None, _) => {
            let resume = if back { at } else { position.resume(source.config().window_days) };
            (source.resume_from(resume.map(naive)), naive(context.now))
        }
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
    let mut done_until: Option<i64> = None;
    let windows = source.windows(from, to);
    let first = windows.first().copied();
    let rules = parser(context, dataset)?;
    let rereads = month.is_some() || back;
    let mut known = Known::new(context, dataset, at, from, rereads);
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
        let newest = newest(dataset, &batches);
        if rereads {
            batches = known.news(batches).await?;
        }
        let overlaps = !rereads && at.is_some() && Some(window) == first;
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
        let mark = position::mark(&dataset.name, &rules, window, &read, newest);
        done_until = position::read_to(&mark);
        if let Some(until) = done_until.filter(|until| naive(*until) < window.to) {
            load.platform_time = Some(window_text(naive(until)));
        }
        marks.push(mark);
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
async fn flush(pending: Option<Appender>, until: Option<i64>, month: Option<Month>) -> Result<(), RunError> {
    if let (Some(appender), Some(until)) = (pending, until) {
        let position = (POSITION.to_string(), until.div_euclid(SECOND));
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
    /// The first instant asked for: rows of it came with no run before.
    from: NaiveDateTime,
    /// The first run whose rows may come again: 0, any, where a month is read again; none before the first window that overlaps.
    since: Option<i64>,
    /// Contents of earlier runs, of the months asked for so far.
    stored: HashSet<u128>,
    months: BTreeSet<String>,
    /// Rows of this load's earlier windows whose unknown keys were counted.
    counted: HashSet<u128>,
}

impl<'a> Known<'a> {
    fn new(context: &'a Context<'a>, dataset: &'a Dataset, cursor: Option<i64>, from: NaiveDateTime, all_runs: bool) -> Self {
        let (stored, counted) = (HashSet::new(), HashSet::new());
        Self { context, dataset, cursor, from, since: all_runs.then_some(0), stored, months: BTreeSet::new(), counted }
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
                let from = self.cursor.map_or(i64::MIN, |_| self.from.and_utc().timestamp_micros() - day);
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

fn window_text(t: NaiveDateTime) -> String {
    position::text(t)
}

/// The newest `updt_time` of a window's rows that can be read, microseconds.
fn newest(dataset: &Dataset, pages: &[Page]) -> Option<i64> {
    let name = dataset.columns.iter().map(|column| column.name.as_str()).find(|name| *name == "updt_time")?;
    let texts = pages.iter().filter_map(|page| page.parsed.batch.column_by_name(name)?.as_string_opt::<i32>());
    texts.flat_map(|texts| texts.iter().flatten()).filter_map(|text| yaojia_models::text::parse_timestamp(text).ok().flatten()).max()
}
