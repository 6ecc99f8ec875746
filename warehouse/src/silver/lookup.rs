//! Reading the indexes of a dataset: what its rows refer to, from the silver tables built before it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::AsArray;
use arrow::datatypes::Decimal128Type;
use arrow::record_batch::RecordBatch;

use crate::delta::{Table, read_file};
use crate::error::Result;
use crate::silver::index::{Counties, Indexes, name_of};
use crate::silver::manifest::{NeedFile, Needs};
use crate::silver::plan::{CountyPlan, Plan};

/// The dataset with the conversion ratios of fee lines.
pub(crate) const RATIOS: &str = "list_map";
/// Its columns: institution, own code, ratio.
pub(crate) const RATIO_COLUMNS: [&str; 3] = ["fixmedins_code", "medins_list_codg", "convrat"];

/// The values that the rows at hand refer to; nothing else needs to be looked up.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// By index, `dataset.column`.
    pub values: BTreeMap<String, HashSet<String>>,
    /// Institution and own code, as [`pair`] names them.
    pub pairs: HashSet<Vec<u8>>,
}

/// One name for an institution and its own code.
pub(crate) fn pair(org: &str, code: &str) -> Vec<u8> {
    let mut name = u32::try_from(org.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    name.extend_from_slice(org.as_bytes());
    name.extend_from_slice(code.as_bytes());
    name
}

/// The indexes of a dataset, one set for each of `sides` (the files of the tables it refers to); the county numbers are the same in all.
/// `codes` are counties that its own rows name, `wanted` the values to look up: all, when none are given.
pub(crate) async fn load(
    tables: &BTreeMap<String, Table>,
    plan: &Plan,
    region: &str,
    sides: &[&Needs],
    codes: &BTreeSet<String>,
    wanted: Option<&Wanted>,
) -> Result<Vec<Indexes>> {
    let mut counties = Counties::default();
    counties.number(region);
    for file in sides.iter().flat_map(|side| side.values()).flatten() {
        counties.number(&file.county);
    }
    for code in codes {
        counties.number(code);
    }
    let mut all: Vec<Indexes> = sides.iter().map(|_| Indexes { counties: counties.clone(), ..Indexes::default() }).collect();
    let mut columns: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let names = plan.needs();
    for name in &names {
        for indexes in &mut all {
            indexes.keys.entry(name.clone()).or_default();
        }
        if let Some((dataset, column)) = name.split_once('.') {
            columns.entry(dataset).or_default().insert(column);
        }
    }
    if plan.fee.is_some() {
        columns.entry(RATIOS).or_default().extend(RATIO_COLUMNS);
    }
    for (dataset, columns) in columns {
        let Some(table) = tables.get(dataset) else { continue };
        if wanted.is_some_and(|wanted| wanted.nothing(dataset, &columns, plan)) {
            continue;
        }
        // Later files win, so both sides are read in the order of the files' names.
        let files: BTreeSet<&NeedFile> = sides.iter().filter_map(|side| side.get(dataset)).flatten().collect();
        let held: Vec<HashSet<&str>> =
            sides.iter().map(|side| side.get(dataset).into_iter().flatten().map(|file| file.path.as_str()).collect()).collect();
        let names: Vec<String> = columns.iter().map(ToString::to_string).collect();
        for file in files {
            let county = counties.number(&file.county);
            for batch in read_file(&table.store(), table.label(), &file.path, Some(&names)).await? {
                for (indexes, held) in all.iter_mut().zip(&held) {
                    if held.contains(file.path.as_str()) {
                        fill(indexes, plan, dataset, &columns, &batch, county, wanted);
                    }
                }
            }
        }
    }
    Ok(all)
}

impl Wanted {
    fn nothing(&self, dataset: &str, columns: &BTreeSet<&str>, plan: &Plan) -> bool {
        let values = columns.iter().all(|column| self.values.get(&format!("{dataset}.{column}")).is_none_or(HashSet::is_empty));
        values && !(plan.fee.is_some() && dataset == RATIOS && !self.pairs.is_empty())
    }
}

fn fill(
    indexes: &mut Indexes,
    plan: &Plan,
    dataset: &str,
    columns: &BTreeSet<&str>,
    batch: &RecordBatch,
    county: u16,
    wanted: Option<&Wanted>,
) {
    let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
    for column in columns {
        let name = format!("{dataset}.{column}");
        let Some(index) = indexes.keys.get_mut(&name) else { continue };
        let Some(values) = text(column) else { continue };
        match wanted {
            None => values.iter().flatten().for_each(|value| index.insert(value, county)),
            Some(wanted) => {
                let Some(wanted) = wanted.values.get(&name) else { continue };
                values.iter().flatten().filter(|value| wanted.contains(*value)).for_each(|value| index.insert(value, county));
            }
        }
    }
    if plan.fee.is_some() && dataset == RATIOS {
        ratios(batch, wanted, &mut indexes.convrat);
    }
}

fn ratios(batch: &RecordBatch, wanted: Option<&Wanted>, ratios: &mut HashMap<u128, i128>) {
    let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
    let [org, own, ratio] = RATIO_COLUMNS;
    let number = batch.column_by_name(ratio).and_then(|c| c.as_primitive_opt::<Decimal128Type>());
    let (Some(orgs), Some(codes), Some(values)) = (text(org), text(own), number) else { return };
    for ((org, code), value) in orgs.iter().zip(codes.iter()).zip(values.iter()) {
        if let (Some(org), Some(code), Some(value)) = (org, code, value)
            && wanted.is_none_or(|wanted| wanted.pairs.contains(&pair(org, code)))
        {
            ratios.insert(name_of([org.as_bytes(), code.as_bytes()]), value);
        }
    }
}

/// Adds the county codes that rows name themselves, where the dataset's rows do.
pub(crate) fn own_counties(plan: &Plan, batch: &RecordBatch, codes: &mut BTreeSet<String>) {
    let CountyPlan::Column(at) = plan.county else { return };
    let Some(of) = plan.columns.get(at) else { return };
    if let Some(values) = batch.column_by_name(&of.name).and_then(|c| c.as_string_opt::<i32>()) {
        for code in values.iter().flatten().filter_map(|text| of.form.clean(text).value) {
            if !codes.contains(code.as_ref()) {
                codes.insert(code.into_owned());
            }
        }
    }
}
