//! Accepted rows into silver cells: the cells whose rows differ are typed, sorted, digested and replaced.

use std::collections::{BTreeMap, BTreeSet};

use arrow::record_batch::RecordBatch;
use yaojia_models::contract::Dataset;
use yaojia_models::digest::sha256_hex;

use crate::delta::{Cell, Change, FileEntry, NewFile, Table, canonical, digest_in, file_schema, read_file, write_cell};
use crate::error::Result;
use crate::ledger::{CellMark, CellMarks};
use crate::silver::build::{Decided, ENGINE, Job};
use crate::silver::group::{self, Groups};
use crate::silver::index::name_of;
use crate::silver::judge::{Judged, month_text};
use crate::silver::rows::Rows;
use crate::silver::typed::{Pick, typed_batch};

/// Rows of a cell and the sum of their names: sums can be taken from each other, so a cell's print follows from what changed in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    names: u128,
}

impl Sum {
    fn of(judged: &[Judged], list: &[usize]) -> Self {
        let mut new = Self::default();
        for row in list.iter().map(|i| &judged[*i]) {
            new.rows += 1;
            new.names = new.names.wrapping_add(name_of([
                row.content.to_be_bytes().as_slice(),
                &[row.warnings],
                row.convrat.to_be_bytes().as_slice(),
                row.receipt.0.to_be_bytes().as_slice(),
                row.receipt.1.to_be_bytes().as_slice(),
                row.receipt.2.to_be_bytes().as_slice(),
            ]));
        }
        new
    }

    /// What a cell is built from: the accepted rows' contents and what judging added, in any order.
    fn print(self, rules: &str) -> String {
        format!("{rules}:{}:{:032x}", self.rows, self.names)
    }

    fn parse(print: &str, rules: &str) -> Option<Self> {
        let (rows, names) = print.strip_prefix(rules)?.strip_prefix(':')?.split_once(':')?;
        Some(Self { rows: rows.parse().ok()?, names: u128::from_str_radix(names, 16).ok()? })
    }

    fn exchanged(self, out: Self, into: Self) -> Option<Self> {
        let rows = self.rows.checked_sub(out.rows)?.checked_add(into.rows)?;
        Some(Self { rows, names: self.names.wrapping_sub(out.names).wrapping_add(into.names) })
    }
}

fn rules(dataset: &Dataset) -> String {
    let mut hash = sha256_hex(format!("{ENGINE}\n{}", dataset.digest()).as_bytes());
    hash.truncate(32);
    hash
}

/// A cell to be built: what it is to be, the accepted rows that go into it, and stored rows that stay.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    print: String,
    list: Vec<usize>,
    stays: Vec<RecordBatch>,
}

fn cells_of(decided: &Decided) -> BTreeMap<Cell, Vec<usize>> {
    let mut cells: BTreeMap<Cell, Vec<usize>> = BTreeMap::new();
    for i in &decided.outcome.accepted {
        let row = &decided.judged[*i];
        cells.entry(Cell::new(decided.indexes.counties.code(row.county), month_text(row.month))).or_default().push(*i);
    }
    cells
}

/// The cells to be built when every row was decided, and those that have no rows any more.
pub(super) fn all_cells(job: &Job<'_>, table: &Table, now: &Decided, marks: &CellMarks) -> Result<(BTreeMap<Cell, Wanted>, Vec<Cell>)> {
    let active = table.files_by_cell()?;
    let rules = rules(job.dataset);
    let cells = cells_of(now);
    let gone = active.keys().filter(|cell| !cells.contains_key(*cell)).cloned().collect();
    let mut wanted = BTreeMap::new();
    for (cell, list) in cells {
        let print = Sum::of(&now.judged, &list).print(&rules);
        // A cell is fresh only when the mark says so and its file is really there.
        let there = active.get(&cell).and_then(|f| f.first()).and_then(|f| digest_in(&f.path));
        if marks.get(table.label(), &cell).is_none_or(|m| m.fingerprint != print || there != Some(m.digest.as_str())) {
            wanted.insert(cell, Wanted { print, list, stays: Vec::new() });
        }
    }
    Ok((wanted, gone))
}

/// The cells that the groups concerned were in or are in now, with the stored rows of the other groups; and those left without rows.
/// `None` when the table does not hold what the last build left.
pub(super) async fn cells_concerned(
    job: &Job<'_>,
    table: &Table,
    groups: &Groups,
    before: &Decided,
    now: &Decided,
    marks: &CellMarks,
) -> Result<Option<(BTreeMap<Cell, Wanted>, Vec<Cell>)>> {
    let active = table.files_by_cell()?;
    let rules = rules(job.dataset);
    let (out, mut into) = (cells_of(before), cells_of(now));
    let concerned: BTreeSet<Cell> = out.keys().chain(into.keys()).cloned().collect();
    let (mut wanted, mut gone) = (BTreeMap::new(), Vec::new());
    for cell in concerned {
        let files = active.get(&cell).map(Vec::as_slice).unwrap_or_default();
        let (out, list) = (out.get(&cell).map(Vec::as_slice).unwrap_or_default(), into.remove(&cell).unwrap_or_default());
        let Some((stays, dropped)) = stays(job, table, files, groups).await? else { return Ok(None) };
        if dropped != out.len() as u64 {
            return Ok(None);
        }
        if list.is_empty() && stays.iter().all(|batch| batch.num_rows() == 0) {
            gone.push(cell);
            continue;
        }
        let there = files.first().and_then(|f| digest_in(&f.path));
        let held = marks.get(table.label(), &cell).filter(|m| there == Some(m.digest.as_str()));
        let held = if files.is_empty() { Some(Sum::default()) } else { held.and_then(|m| Sum::parse(&m.fingerprint, &rules)) };
        // Without a print of what is there the cell has none, and the next time everything is judged it is typed again.
        let print = held.and_then(|sum| sum.exchanged(Sum::of(&before.judged, out), Sum::of(&now.judged, &list)));
        wanted.insert(cell, Wanted { print: print.map(|sum| sum.print(&rules)).unwrap_or_default(), list, stays });
    }
    Ok(Some((wanted, gone)))
}

/// A stored cell without the groups concerned, and how many rows of theirs it held; `None` when it is not one file.
async fn stays(job: &Job<'_>, table: &Table, files: &[FileEntry], groups: &Groups) -> Result<Option<(Vec<RecordBatch>, u64)>> {
    let (mut stays, mut dropped) = (Vec::new(), 0);
    if files.len() > 1 {
        return Ok(None);
    }
    for file in files {
        for batch in read_file(&table.store(), table.label(), &file.path, None).await? {
            let (left, out) = group::without(job.dataset, &job.plan, &batch, groups)?;
            stays.push(left);
            dropped += out;
        }
    }
    Ok(Some((stays, dropped)))
}

/// Replaces the wanted cells that say something else than what is there, in one commit; returns how many.
pub(super) async fn replace(
    job: &Job<'_>,
    table: &mut Table,
    rows: &Rows,
    now: &Decided,
    wanted: BTreeMap<Cell, Wanted>,
    gone: Vec<Cell>,
    marks: &mut CellMarks,
) -> Result<u64> {
    let active = table.files_by_cell()?;
    let label = table.label().to_string();
    let built = type_cells(job, table, rows, now, wanted).await?;
    let mut change = Change { info: vec![("yaojia.run".to_string(), job.run.id.clone())], ..Change::default() };
    let mut new_marks = Vec::new();
    for (cell, print, file) in built {
        let digest = digest_in(&file.path).unwrap_or_default().to_string();
        new_marks.push((cell.clone(), CellMark { fingerprint: print, digest, rows: file.rows }));
        let held = active.get(&cell).map(Vec::as_slice).unwrap_or_default();
        if held.len() == 1 && digest_in(&held[0].path) == digest_in(&file.path) {
            continue; // rows came another way, but they say the same
        }
        change.remove.extend(held.iter().map(|f| f.path.clone()));
        change.add.push(file);
    }
    for cell in gone {
        change.remove.extend(active.get(&cell).into_iter().flatten().map(|f| f.path.clone()));
        new_marks.push((cell, CellMark { fingerprint: String::new(), digest: String::new(), rows: 0 }));
    }
    let changed = change.add.len().max(change.remove.len()) as u64;
    if changed > 0 {
        change.positions.push(("yaojia".to_string(), job.run.seq));
        table.commit(change).await?;
    }
    for (cell, mark) in new_marks {
        marks.set(&label, cell, mark);
    }
    Ok(changed)
}

/// Types the rows of the wanted cells and writes one file a cell; each bronze file is read once.
async fn type_cells(
    job: &Job<'_>,
    table: &Table,
    rows: &Rows,
    now: &Decided,
    wanted: BTreeMap<Cell, Wanted>,
) -> Result<Vec<(Cell, String, NewFile)>> {
    let schema = file_schema(&job.dataset.silver_schema());
    let grain: Vec<String> = job.dataset.key.iter().map(|k| job.dataset.silver_name(k).to_string()).collect();
    let label = table.label().to_string();
    // part → cell number → positions
    let mut by_part: BTreeMap<u32, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
    let mut open: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); wanted.len()];
    let mut names = Vec::new();
    let mut parts: Vec<Vec<RecordBatch>> = Vec::new();
    for (n, (cell, of)) in wanted.into_iter().enumerate() {
        for i in of.list {
            by_part.entry(now.judged[i].file).or_default().entry(n).or_default().push(i);
            open[n].insert(now.judged[i].file);
        }
        names.push((cell, of.print));
        parts.push(of.stays);
    }
    let mut built = Vec::new();
    let mut whole: Vec<usize> = (0..open.len()).filter(|n| open[*n].is_empty()).collect();
    let mut queue = by_part.into_iter();
    loop {
        for n in std::mem::take(&mut whole) {
            let sorted = canonical(&label, &schema, &grain, &[], &std::mem::take(&mut parts[n]))?;
            let (cell, print) = &names[n];
            let partition = vec![("county".to_string(), cell.county.clone()), ("month".to_string(), cell.month.clone())];
            built.push((cell.clone(), print.clone(), write_cell(&table.store(), &label, partition, sorted, job.run.seq).await?));
        }
        let Some((part, cells)) = queue.next() else { break };
        let batches = rows.batches(&job.bronze, part).await?;
        let starts: Vec<u32> = batches
            .iter()
            .scan(0_u32, |first, b| {
                let start = *first;
                *first += u32::try_from(b.num_rows()).unwrap_or_default();
                Some(start)
            })
            .collect();
        for (n, list) in cells {
            let mut at: BTreeMap<usize, Vec<Pick>> = BTreeMap::new();
            for i in list {
                let row = &now.judged[i];
                let batch = starts.partition_point(|s| *s <= row.position).saturating_sub(1);
                at.entry(batch).or_default().push(Pick { row: row.position - starts[batch], warnings: row.warnings, convrat: row.convrat });
            }
            for (batch, picks) in at {
                parts[n].push(typed_batch(job.dataset, &job.plan, &schema, &batches[batch], &picks)?);
            }
            open[n].remove(&part);
            if open[n].is_empty() {
                whole.push(n);
            }
        }
    }
    Ok(built)
}
