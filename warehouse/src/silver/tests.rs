//! Judging what is concerned gives what judging everything gives: the same cells, quarantine and counts, whatever arrives in whichever
//! order, over real tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::{Column, Dataset, Registry};
use yaojia_models::field::FieldType;

use super::*;
use crate::bronze::{Bronze, Receipt};
use crate::delta::{Cell, Table, digest_in};
use crate::ledger::{CellMarks, RunStamp};
use crate::store::Root;
use crate::warehouse::Warehouse;

const REGION: &str = "652800";
const DAY: i64 = 86_400_000_000;
/// 2024-06-01.
const START: i64 = 1_717_200_000_000_000;
/// In the order of their references.
const DATASETS: [&str; 7] = ["institution", "drug_listing", "ord_detl", "shp", "pay_detl", "list_map", "fee_list"];
/// Histories, and commits of each.
const HISTORIES: u64 = 4;
const STEPS: i64 = 12;

/// Random numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    /// 1 to `n`.
    fn upto(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(n)).unwrap() + 1
    }

    /// True so many times in a hundred.
    fn chance(&mut self, percent: u32) -> bool {
        self.upto(100) <= percent
    }
}

type Row = BTreeMap<String, Option<String>>;

/// A text that a column takes.
fn plain(column: &Column) -> String {
    if let Some(first) = column.values.as_ref().and_then(|values| values.first()) {
        return first.clone();
    }
    match column.ty {
        FieldType::Timestamp => "2024-03-05 10:00:00".to_string(),
        FieldType::Date => "2024-03-05".to_string(),
        FieldType::Month => "2024-03".to_string(),
        FieldType::Text => "x".to_string(),
        _ => "1".to_string(),
    }
}

/// A row of few keys and few references, now and then a bad one.
fn row(dataset: &Dataset, dice: &mut Dice) -> Row {
    let mut row: Row = dataset.columns.iter().map(|c| (c.name.clone(), c.required.then(|| plain(c)))).collect();
    let pick = |dice: &mut Dice, prefix: &str, n: u32| Some(format!("{prefix}{}", dice.upto(n)));
    let month = dice.upto(3);
    let at = format!("2024-0{month}-0{} 08:00:00", dice.upto(9));
    for (name, value) in &mut row {
        *value = match name.as_str() {
            "org_code" | "medins_code" | "fixmedins_code" => pick(dice, "O", 4),
            "admdvs" => pick(dice, "65280", 3),
            "pubonln_rslt_id" => pick(dice, "L", 4),
            "prod_code" => pick(dice, "P", 3),
            "ord_detl_id" => pick(dice, "D", 8),
            "shp_id" => pick(dice, "S", 8),
            "pay_detl_id" => pick(dice, "Y", 8),
            "bkkp_sn" => pick(dice, "F", 12),
            "medins_list_codg" => pick(dice, "C", 3),
            "med_list_codg" => pick(dice, "P", 4),
            "convrat" => pick(dice, "", 3),
            "list_type" => Some(if dice.chance(30) { "201" } else { "101" }.to_string()),
            "vali_flag" => Some(if dice.chance(25) { "0" } else { "1" }.to_string()),
            "pric_eff_time" => Some(format!("2024-01-0{} 00:00:00", dice.upto(2))),
            // One time, written two ways.
            "updt_time" => Some(format!("2024-05-0{}{}", dice.upto(4), if dice.chance(50) { " 00:00:00" } else { "T00:00:00" })),
            _ => value.clone(),
        };
    }
    if let Some(name) = dataset.month_of.first().filter(|name| *name != "updt_time") {
        row.insert(name.clone(), Some(at));
    }
    let mut put = |name: &str, value: Option<&str>| row.insert(name.to_string(), value.map(ToString::to_string));
    match dice.upto(12) {
        12 => drop(put("updt_time", Some("yesterday"))),
        1 => drop(put("updt_time", None)),
        2 => drop(put("_note", Some("bad_row"))),
        3 => drop(dataset.event.first().map(|name| put(name, Some("2030-01-01 00:00:00")))),
        4 => drop(dataset.key.first().map(|name| put(name, None))),
        _ => {}
    }
    if row.get("_note").cloned().flatten().is_some() {
        // A bad row is its text and nothing else.
        row.values_mut().for_each(|value| *value = None);
        row.insert("_note".to_string(), Some("bad_row".to_string()));
        row.insert("_raw".to_string(), pick(dice, "a,b,", 3));
    }
    row
}

fn batch(dataset: &Dataset, rows: &[Row]) -> RecordBatch {
    let schema = Arc::new(dataset.batch_schema());
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            if field.name() == "_row" {
                return Arc::new((1..=rows.len() as i64).collect::<Int64Array>());
            }
            Arc::new(rows.iter().map(|row| row.get(field.name()).cloned().flatten()).collect::<StringArray>())
        })
        .collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

/// One warehouse and what its builds told.
struct Side {
    root: Root,
    extent: Extent,
    marks: CellMarks,
    counts: BTreeMap<String, Counts>,
    by_cell: BTreeMap<String, BTreeMap<Cell, CellCounts>>,
    judged: Vec<RowsJudged>,
}

impl Side {
    fn new(folder: &std::path::Path, extent: Extent) -> Self {
        let root = Root::open(folder.to_str().unwrap(), std::collections::HashMap::default()).unwrap();
        Self { root, extent, marks: CellMarks::default(), counts: BTreeMap::new(), by_cell: BTreeMap::new(), judged: Vec::new() }
    }

    async fn receive(&self, registry: &Registry, run: &RunStamp, arrived: &[(String, String, Vec<Row>)]) {
        for (part, (dataset, artifact, rows)) in arrived.iter().enumerate() {
            let dataset = registry.dataset(dataset).unwrap();
            let mut appender = Bronze { root: &self.root, region: REGION }.appender(dataset, run).await.unwrap();
            let receipt = Receipt { source: "page", artifact, part: part as i64, parser: "0123456789ab", again: None };
            appender.push(&batch(dataset, rows), &receipt).await.unwrap();
            appender.commit(Vec::new()).await.unwrap();
        }
    }

    /// Builds; a build that is killed leaves its tables and nothing else.
    async fn build(&mut self, registry: &Registry, run: &RunStamp, killed: bool) {
        let warehouse = Warehouse::bare(self.root.clone(), registry.clone(), REGION);
        let silver = warehouse.silver().extent(self.extent);
        let mut marks = self.marks.clone();
        let outcome = silver.build(run, &mut marks, &|_| {}).await.unwrap();
        if killed {
            return;
        }
        assert!(silver.stale(&marks).await.unwrap().is_empty(), "stale after a build");
        self.marks = marks;
        self.counts.extend(outcome.counts);
        self.by_cell.extend(outcome.by_cell);
        self.judged.extend(outcome.judged.into_values());
    }

    /// Digests and rows of all cells.
    async fn state(&self) -> BTreeMap<String, (String, Option<u64>)> {
        let mut state = BTreeMap::new();
        for name in DATASETS.into_iter().chain([QUARANTINE]) {
            let Some(table) = Table::open(&self.root, "silver", name).await.unwrap() else { continue };
            for file in table.files().unwrap() {
                let held = (digest_in(&file.path).unwrap().to_string(), file.rows);
                let place = format!("{name} {} {}", file.part("dataset"), file.cell());
                assert!(state.insert(place.clone(), held).is_none(), "two files of {place}");
            }
        }
        state
    }

    /// Removes the files that no table has any more.
    async fn vacuum(&self) {
        for name in DATASETS {
            let Some(table) = Table::open(&self.root, "silver", name).await.unwrap() else { continue };
            let active: BTreeSet<String> = table.files().unwrap().into_iter().map(|file| file.path).collect();
            let folder = self.root.local().unwrap().join("silver").join(name);
            for path in glob(&folder) {
                let below = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_string();
                if !active.contains(&below) {
                    std::fs::remove_file(path).unwrap();
                }
            }
        }
    }
}

fn glob(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("_delta_log") {
            found.extend(glob(&path));
        } else if path.extension().is_some_and(|e| e == "parquet") {
            found.push(path);
        }
    }
    found
}

/// One history in two warehouses; returns how often a dataset was judged by what was concerned, and how often as a whole although it
/// had been built before.
async fn history(seed: u64) -> (usize, usize) {
    let registry = Registry::embedded().unwrap();
    let mut dice = Dice(seed);
    let folder = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (Side::new(&folder.path().join("a"), Extent::Concerned), Side::new(&folder.path().join("b"), Extent::Whole));
    let mut received: Vec<(String, String, Vec<Row>)> = Vec::new();
    for step in 1..=STEPS {
        let run = RunStamp { seq: step, id: format!("r{step:06}"), at: START + step * DAY };
        let mut arrived = Vec::new();
        for (n, name) in DATASETS.into_iter().enumerate() {
            if step > 1 && !dice.chance(35) {
                continue;
            }
            let dataset = registry.dataset(name).unwrap();
            let rows: Vec<Row> = (0..dice.upto(if step == 1 { 12 } else { 3 })).map(|_| row(dataset, &mut dice)).collect();
            // Rows that come again: the same bytes, or the same rows on another page.
            let again = received.iter().filter(|(of, ..)| of == name).nth(dice.upto(6) as usize - 1).cloned();
            match again.filter(|_| dice.chance(30)) {
                Some((of, artifact, rows)) if dice.chance(50) => arrived.push((of, artifact, rows)),
                Some((of, _, mut held)) => {
                    held.extend(rows);
                    arrived.push((of, format!("artifact-{seed}-{step}-{n}"), held));
                }
                None => arrived.push((name.to_string(), format!("artifact-{seed}-{step}-{n}"), rows)),
            }
        }
        received.extend(arrived.clone());
        one.receive(&registry, &run, &arrived).await;
        other.receive(&registry, &run, &arrived).await;
        if dice.chance(10) {
            one.build(&registry, &run, true).await;
            if dice.chance(50) {
                continue; // the next run has this one's work to do, too
            }
        }
        if dice.chance(10) {
            one.vacuum().await;
        }
        one.build(&registry, &run, false).await;
        other.build(&registry, &run, false).await;
        let why = format!("history {seed}, step {step}, after {:?}", one.judged);
        assert_eq!(one.state().await, other.state().await, "cells differ: {why}");
        assert_eq!(one.counts, other.counts, "counts differ: {why}");
        let cells = |side: &Side| -> BTreeMap<String, BTreeMap<Cell, CellCounts>> { side.by_cell.clone() };
        assert_eq!(cells(&one), cells(&other), "counts by cell differ: {why}");
    }
    let whole = |judged: &&RowsJudged| judged.whole.as_deref().is_some_and(|why| why != "never built");
    assert!(other.judged.iter().all(|judged| judged.judged == judged.held && judged.whole.is_some()));
    (one.judged.iter().filter(|judged| judged.whole.is_none()).count(), one.judged.iter().filter(whole).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_concerned_gives_what_everything_gives() {
    let runs: Vec<_> = (1..=HISTORIES).map(|seed| tokio::spawn(history(seed))).collect();
    let (mut narrow, mut whole) = (0, 0);
    for run in runs {
        let (concerned, everything) = run.await.unwrap();
        narrow += concerned;
        whole += everything;
    }
    // The comparison says nothing unless the narrow way was taken most of the time.
    assert!(narrow > 2 * whole && narrow > 50, "judged what was concerned {narrow} times, everything {whole} times");
}
