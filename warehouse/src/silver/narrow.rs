//! Which rows must be decided anew since the last build: those of the groups that new rows, or rows whose references say something else
//! now, belong to. Bronze only grows, and tables keep their older files until `maintain`, so both can be told from files.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::Decimal128Type;
use arrow::record_batch::RecordBatch;
use futures::{StreamExt as _, TryStreamExt as _};
use yaojia_models::text::Form;

use crate::bronze::FileName;
use crate::delta::{FileEntry, Table, read_file, read_rows};
use crate::error::{Result, WarehouseError};
use crate::silver::build::PARALLEL;
use crate::silver::group::{self, Groups};
use crate::silver::judge::{column, value};
use crate::silver::lookup::{RATIO_COLUMNS, RATIOS, Wanted, pair};
use crate::silver::manifest::{Manifest, NeedFile, Needs};
use crate::silver::plan::{CountyPlan, Plan};
use crate::silver::rows::{Part, Rows};

/// Above this share of a dataset's rows (one in so many) judging all of them is not dearer.
const SHARE: u64 = 3;

/// What is concerned.
pub(super) enum Scope {
    /// These groups and no other.
    Groups(Concerned),
    /// Everything, and why.
    Whole(&'static str),
}

/// Groups to be decided anew, with all their rows.
pub(super) struct Concerned {
    pub groups: Groups,
    pub rows: Rows,
    /// By part: whether the last build knew the rows.
    pub known: Vec<bool>,
    /// Whether a reference says something else now.
    pub references: bool,
}

/// Tells what is concerned. `always`: however large its share is.
pub(super) async fn scope(
    bronze: &Table,
    files: &[FileEntry],
    plan: &Arc<Plan>,
    tables: &BTreeMap<String, Table>,
    before: &Manifest,
    needs: &Needs,
    always: bool,
) -> Result<Scope> {
    let old: HashSet<&str> = before.bronze.iter().map(String::as_str).collect();
    let (known, new): (Vec<&FileEntry>, Vec<&FileEntry>) = files.iter().partition(|file| old.contains(file.path.as_str()));
    if known.len() != old.len() {
        return Ok(Scope::Whole("bronze files were replaced"));
    }
    if new.iter().any(|file| FileName::of(&file.path).is_none_or(|name| name.again)) {
        return Ok(Scope::Whole("artifacts were parsed again"));
    }
    let count = |files: &[&FileEntry]| files.iter().map(|file| file.rows.unwrap_or_default()).sum::<u64>();
    let (new_rows, all_rows) = (count(&new), files.iter().map(|file| file.rows.unwrap_or_default()).sum::<u64>());
    let much = |rows: u64| !always && rows.saturating_mul(SHARE) > all_rows;
    if much(new_rows) {
        return Ok(Scope::Whole("much is new"));
    }
    let changed = Changed::read(plan, tables, &before.needs, needs).await?;
    let mut groups = if changed.is_empty() { Groups::new() } else { referring(bronze, &known, plan, &changed).await? };
    let mut rows = Rows::default();
    let mut known_parts = Vec::new();
    for file in new {
        let batches = read_file(&bronze.store(), bronze.label(), &file.path, None).await?;
        for batch in &batches {
            group::received(plan, batch, |_, name| keep(&mut groups, name))?;
        }
        rows.parts.push(Part::Held(batches));
        known_parts.push(false);
    }
    if much(groups.len() as u64) {
        return Ok(Scope::Whole("much is concerned"));
    }
    let groups = Arc::new(groups);
    if !groups.is_empty() {
        let found = members(bronze, &known, plan, &groups).await?;
        if much(new_rows + found.iter().map(|(_, rows)| rows.len() as u64).sum::<u64>()) {
            return Ok(Scope::Whole("much is concerned"));
        }
        for (path, positions) in found.into_iter().filter(|(_, positions)| !positions.is_empty()) {
            rows.parts.push(Part::Held(read_rows(&bronze.store(), bronze.label(), &path, positions).await?));
            known_parts.push(true);
        }
    }
    let groups = Arc::try_unwrap(groups).unwrap_or_else(|shared| shared.as_ref().clone());
    Ok(Scope::Groups(Concerned { groups, rows, known: known_parts, references: !changed.is_empty() }))
}

fn keep(groups: &mut Groups, name: &[u8]) {
    if !groups.contains(name) {
        groups.insert(name.into());
    }
}

/// Columns whose values are looked up, with the index each is looked up in.
fn lookups(plan: &Plan) -> Vec<(usize, &str)> {
    let mut all: Vec<(usize, &str)> =
        plan.references.iter().flat_map(|r| r.targets.iter().map(move |target| (r.column, target.as_str()))).collect();
    if let CountyPlan::Lookup(at, name) = &plan.county {
        all.push((*at, name));
    }
    if let Some(fee) = &plan.fee {
        all.extend(["drug_listing.prod_code", "mcs_listing.prod_code"].map(|name| (fee.national_code, name)));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// One name for a row's institution and own code.
fn paired(orgs: &StringArray, codes: &StringArray, row: usize) -> Vec<u8> {
    let text = |array| value(Form::Code, array, row).unwrap_or_default();
    pair(&text(orgs), &text(codes))
}

/// What rows look up.
pub(super) fn wanted(plan: &Plan, rows: &Rows) -> Result<Wanted> {
    let table = format!("bronze.{}", plan.dataset);
    let mut wanted = Wanted::default();
    for batch in rows.held() {
        for (at, name) in lookups(plan) {
            let array = column(&table, batch, &plan.columns[at].name)?;
            let values = wanted.values.entry(name.to_string()).or_default();
            for text in (0..batch.num_rows()).filter_map(|row| value(plan.columns[at].form, array, row)) {
                if !values.contains(text.as_ref()) {
                    values.insert(text.into_owned());
                }
            }
        }
        if let Some(fee) = &plan.fee {
            let (orgs, codes) =
                (column(&table, batch, &plan.columns[fee.org].name)?, column(&table, batch, &plan.columns[fee.own_code].name)?);
            for row in 0..batch.num_rows() {
                wanted.pairs.insert(paired(orgs, codes, row));
            }
        }
    }
    Ok(wanted)
}

/// Values of which a lookup may answer otherwise than at the last build.
#[derive(Debug, Default)]
struct Changed {
    /// By index, `dataset.column`.
    values: BTreeMap<String, HashSet<String>>,
    /// Institution and own code.
    pairs: HashSet<Vec<u8>>,
}

/// For each value, what the changed files of the last build and of this one say of it.
type Sides<K, V> = HashMap<K, [Vec<V>; 2]>;

impl Changed {
    fn is_empty(&self) -> bool {
        self.values.values().all(HashSet::is_empty) && self.pairs.is_empty()
    }

    /// Compares the files that are not the same: what the others say stays as it was.
    async fn read(plan: &Plan, tables: &BTreeMap<String, Table>, old: &Needs, new: &Needs) -> Result<Self> {
        let mut columns: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (dataset, name) in lookups(plan).into_iter().filter_map(|(_, name)| name.split_once('.')) {
            columns.entry(dataset).or_default().insert(name);
        }
        if plan.fee.is_some() {
            columns.entry(RATIOS).or_default().extend(RATIO_COLUMNS);
        }
        let mut changed = Self::default();
        for (dataset, columns) in columns {
            let Some(table) = tables.get(dataset) else { continue };
            let list = |needs: &Needs| -> BTreeSet<NeedFile> { needs.get(dataset).into_iter().flatten().cloned().collect() };
            let (before, now) = (list(old), list(new));
            let names: Vec<String> = columns.iter().map(ToString::to_string).collect();
            let mut values: BTreeMap<&str, Sides<String, String>> = BTreeMap::new();
            let mut pairs: Sides<Vec<u8>, (String, i128)> = Sides::new();
            for (side, files) in [before.difference(&now), now.difference(&before)].into_iter().enumerate() {
                for file in files {
                    for batch in read_file(&table.store(), table.label(), &file.path, Some(&names)).await? {
                        for column in &columns {
                            note_values(values.entry(column).or_default(), side, file, column, &batch);
                        }
                        if plan.fee.is_some() && dataset == RATIOS {
                            note_pairs(&mut pairs, side, file, &batch);
                        }
                    }
                }
            }
            for (column, sides) in values {
                let differ = sides.into_iter().filter(|(_, [old, new])| old != new).map(|(value, _)| value);
                changed.values.entry(format!("{dataset}.{column}")).or_default().extend(differ);
            }
            changed.pairs.extend(pairs.into_iter().filter(|(_, [old, new])| old != new).map(|(pair, _)| pair));
        }
        // Columns of the ratios are no index by themselves, unless something refers to them.
        let known: BTreeSet<&str> = lookups(plan).into_iter().map(|(_, name)| name).collect();
        changed.values.retain(|name, _| known.contains(name.as_str()));
        Ok(changed)
    }
}

/// Each county a value is in, once: an index answers with one of them, whichever rows hold it.
fn note_values(sides: &mut Sides<String, String>, side: usize, file: &NeedFile, column: &str, batch: &RecordBatch) {
    let Some(values) = batch.column_by_name(column).and_then(|c| c.as_string_opt::<i32>()) else { return };
    for value in values.iter().flatten() {
        let of = match sides.get_mut(value) {
            Some(of) => of,
            None => sides.entry(value.to_string()).or_default(),
        };
        if let Some(counties) = of.get_mut(side)
            && counties.last() != Some(&file.county)
        {
            counties.push(file.county.clone());
        }
    }
}

fn note_pairs(sides: &mut Sides<Vec<u8>, (String, i128)>, side: usize, file: &NeedFile, batch: &RecordBatch) {
    let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
    let [org, own, ratio] = RATIO_COLUMNS;
    let number = batch.column_by_name(ratio).and_then(|c| c.as_primitive_opt::<Decimal128Type>());
    let (Some(orgs), Some(codes), Some(values)) = (text(org), text(own), number) else { return };
    let cell = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for ((org, code), value) in orgs.iter().zip(codes.iter()).zip(values.iter()) {
        if let (Some(org), Some(code), Some(value)) = (org, code, value)
            && let Some(of) = sides.entry(pair(org, code)).or_default().get_mut(side)
        {
            of.push((cell.to_string(), value));
        }
    }
}

/// Groups of the rows that look up a changed value; only the columns concerned are read.
async fn referring(bronze: &Table, files: &[&FileEntry], plan: &Arc<Plan>, changed: &Changed) -> Result<Groups> {
    let mut probes: BTreeMap<usize, HashSet<String>> = BTreeMap::new();
    for (at, name) in lookups(plan) {
        if let Some(values) = changed.values.get(name).filter(|values| !values.is_empty()) {
            probes.entry(at).or_default().extend(values.iter().cloned());
        }
    }
    let fee = plan.fee.filter(|_| !changed.pairs.is_empty());
    let mut columns: BTreeSet<String> = group::columns(plan).into_iter().collect();
    columns.extend(probes.keys().map(|at| plan.columns[*at].name.clone()));
    columns.extend(fee.iter().flat_map(|fee| [fee.org, fee.own_code]).map(|at| plan.columns[at].name.clone()));
    let (plan, probes, pairs) = (plan.clone(), Arc::new(probes), Arc::new(changed.pairs.clone()));
    let look = move |batch: &RecordBatch, _: u32, groups: &mut Groups| -> Result<()> {
        let table = format!("bronze.{}", plan.dataset);
        let arrays = |at: usize| column(&table, batch, &plan.columns[at].name);
        let probed: Vec<(Form, &StringArray, &HashSet<String>)> =
            probes.iter().map(|(at, values)| Ok((plan.columns[*at].form, arrays(*at)?, values))).collect::<Result<_>>()?;
        let both = fee.map(|fee| Ok::<_, WarehouseError>((arrays(fee.org)?, arrays(fee.own_code)?))).transpose()?;
        let hits: Vec<bool> = (0..batch.num_rows())
            .map(|row| {
                probed.iter().any(|(form, array, values)| value(*form, array, row).is_some_and(|text| values.contains(text.as_ref())))
                    || both.is_some_and(|(orgs, codes)| pairs.contains(&paired(orgs, codes, row)))
            })
            .collect();
        if hits.contains(&true) {
            group::received(&plan, batch, |row, name| {
                if hits[row] {
                    keep(groups, name);
                }
            })?;
        }
        Ok(())
    };
    let mut groups = Groups::new();
    for (_, found) in scan(bronze, files, &columns.into_iter().collect::<Vec<_>>(), look).await? {
        groups.extend(found);
    }
    Ok(groups)
}

/// Positions of the groups' rows, by file; only the key's columns are read.
async fn members(bronze: &Table, files: &[&FileEntry], plan: &Arc<Plan>, groups: &Arc<Groups>) -> Result<Vec<(String, Vec<u32>)>> {
    let (columns, plan, groups) = (group::columns(plan), plan.clone(), groups.clone());
    scan(bronze, files, &columns, move |batch, first, found: &mut Vec<u32>| {
        group::received(&plan, batch, |row, name| {
            if groups.contains(name) {
                found.push(first + u32::try_from(row).unwrap_or(u32::MAX));
            }
        })
    })
    .await
}

/// Looks through some columns of files, a few files at a time; what was found comes in the files' order.
async fn scan<T, F>(bronze: &Table, files: &[&FileEntry], columns: &[String], look: F) -> Result<Vec<(String, T)>>
where
    T: Default + Send + 'static,
    F: Fn(&RecordBatch, u32, &mut T) -> Result<()> + Send + Sync + 'static,
{
    let look = Arc::new(look);
    let jobs: Vec<_> = files
        .iter()
        .map(|file| {
            let (store, label, path, columns, look) =
                (bronze.store(), bronze.label().to_string(), file.path.clone(), columns.to_vec(), look.clone());
            async move {
                let batches = read_file(&store, &label, &path, Some(&columns)).await?;
                tokio::task::spawn_blocking(move || {
                    let (mut found, mut first) = (T::default(), 0_u32);
                    for batch in &batches {
                        look(batch, first, &mut found)?;
                        first += u32::try_from(batch.num_rows()).unwrap_or_default();
                    }
                    Ok::<_, WarehouseError>((path, found))
                })
                .await
                .map_err(|e| WarehouseError::Task(e.to_string()))?
            }
        })
        .collect();
    futures::stream::iter(jobs).buffered(PARALLEL).try_collect().await
}
