//! References before referrers, in one order for the same contracts.

use std::collections::BTreeMap;

use super::{ContractError, Dataset};

/// Sorts topologically; among those that are ready, by name.
pub(super) fn sort(datasets: BTreeMap<String, Dataset>, file_of: impl Fn(&str) -> String) -> Result<Vec<Dataset>, ContractError> {
    let mut left = datasets;
    let mut done: Vec<Dataset> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let ready =
            left.values().find(|dataset| dataset.needs().iter().all(|need| !left.contains_key(*need))).map(|dataset| dataset.name.clone());
        match ready.and_then(|name| left.remove(&name)) {
            Some(dataset) => done.push(dataset),
            None => {
                let names = circle(&left);
                let file = names.first().map(|name| file_of(name)).unwrap_or_default();
                return Err(ContractError::Cycle { file, names });
            }
        }
    }
    Ok(done)
}

/// Follows one unmet need after the other until a name comes back.
fn circle(left: &BTreeMap<String, Dataset>) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    let mut next = left.keys().next().cloned();
    while let Some(name) = next {
        if let Some(start) = path.iter().position(|seen| seen == &name) {
            let mut names = path.split_off(start);
            names.push(name);
            return names;
        }
        next = left.get(&name).and_then(|dataset| dataset.needs().into_iter().find(|need| left.contains_key(*need))).map(str::to_owned);
        path.push(name);
    }
    path
}
