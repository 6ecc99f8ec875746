//! What a measure is made of, for its page: gold columns by table, and the messages and files at the other end.

use std::collections::{BTreeMap, BTreeSet};

use yaojia_models::card::Measure;
use yaojia_warehouse::lineage::{ColumnRef, Influence};

use crate::lineage::{Direction, Layer, Lineage};

/// Columns of one table.
#[derive(Debug, Default)]
pub(super) struct OfTable {
    /// Those whose values go in.
    pub(super) values: BTreeSet<String>,
    /// Those that only decide.
    pub(super) decides: BTreeSet<String>,
}

/// The columns a measure's value is made of, by gold table.
pub(super) fn of_measure(lineage: &Lineage, id: &str, measure: &Measure) -> BTreeMap<String, OfTable> {
    let table = format!("indicator.{id}");
    let mut all: BTreeMap<String, OfTable> = BTreeMap::new();
    let mut add = |from: &Influence| {
        for (column, how) in from.iter().filter(|(column, _)| column.table != table && !column.table.starts_with("ask.")) {
            let of = all.entry(column.table.clone()).or_default();
            let name = column.column.clone();
            if how.iter().any(|how| how.is_direct()) {
                of.values.insert(name)
            } else {
                of.decides.insert(name)
            };
        }
    };
    for part in ["", ".numerator", ".denominator"] {
        if let Some(column) = lineage.column(&ColumnRef::new(&table, format!("{}{part}", measure.name))) {
            add(&column.origin.from);
        }
    }
    for of in all.values_mut() {
        let values = of.values.clone();
        of.decides.retain(|name| !values.contains(name));
    }
    all
}

/// The messages and files that an indicator goes back to, with their titles.
pub(super) fn sources(lineage: &Lineage, id: &str) -> Vec<(String, String)> {
    let found = lineage.walk_tables(&format!("indicator.{id}"), Direction::Up, None);
    let mut names: Vec<(String, String)> = found
        .steps
        .iter()
        .filter(|step| lineage.layer_of(&step.name) == Some(Layer::Source))
        .map(|step| (step.name.clone(), lineage.title_of(&step.name).to_owned()))
        .collect();
    names.sort();
    names
}
