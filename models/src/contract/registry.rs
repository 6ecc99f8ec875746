//! All contracts together.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::raw::{RawDataset, RawTable};
use super::source::Files;
use super::{ContractError, CountyRule, Dataset, TableColumn, TableContract, order};
use crate::field::{FieldDef, Fields};

/// The fields, the datasets and the gold tables, checked against each other.
#[derive(Clone, Debug)]
pub struct Registry {
    fields: Fields,
    datasets: Vec<Dataset>,
    gold: Vec<TableContract>,
}

impl Registry {
    /// The contracts built into the binary.
    ///
    /// # Errors
    /// When a contract is wrong or does not fit the others.
    pub fn embedded() -> Result<Self, ContractError> {
        Self::build(Files::embedded()?)
    }

    /// The contracts of a folder with `fields.toml` and `contracts/{bronze,gold}/*.toml`.
    ///
    /// # Errors
    /// When a file cannot be read, is wrong or does not fit the others.
    pub fn load(root: &Path) -> Result<Self, ContractError> {
        Self::build(Files::read(root)?)
    }

    /// All fields, in file order.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }

    /// One field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldDef> {
        self.fields.get(name)
    }

    /// The datasets, references before referrers.
    #[must_use]
    pub fn datasets(&self) -> &[Dataset] {
        &self.datasets
    }

    /// One dataset.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name == name)
    }

    /// The gold tables, by name.
    #[must_use]
    pub fn gold(&self) -> &[TableContract] {
        &self.gold
    }

    /// One gold table.
    #[must_use]
    pub fn gold_table(&self, name: &str) -> Option<&TableContract> {
        self.gold.iter().find(|table| table.name == name)
    }

    /// The gold table and column that a column refers to, the key filled in where the contract names the table only.
    #[must_use]
    pub fn referenced(&self, column: &TableColumn) -> Option<(String, String)> {
        let reference = column.reference.as_deref()?;
        match reference.split_once('.') {
            Some((table, key)) => Some((table.to_owned(), key.to_owned())),
            None => match self.gold_table(reference)?.grain.as_slice() {
                [key] => Some((reference.to_owned(), key.clone())),
                _ => None,
            },
        }
    }

    pub(super) fn build(files: Files) -> Result<Self, ContractError> {
        let fields: Fields = parse("fields.toml", &files.fields)?;
        let mut datasets = BTreeMap::new();
        for (file, text) in &files.bronze {
            let dataset = Dataset::resolve(file, parse::<RawDataset>(file, text)?, &fields)?;
            named_as_file(file, &dataset.name)?;
            datasets.insert(dataset.name.clone(), dataset);
        }
        check_targets(&datasets)?;
        let datasets = order::sort(datasets, bronze_file)?;
        let mut gold = Vec::with_capacity(files.gold.len());
        for (file, text) in &files.gold {
            let table = TableContract::resolve(file, parse::<RawTable>(file, text)?, &fields)?;
            named_as_file(file, &table.name)?;
            gold.push(table);
        }
        let registry = Self { fields, datasets, gold };
        registry.check_gold()?;
        Ok(registry)
    }

    /// Tables read and referred to must have a contract.
    fn check_gold(&self) -> Result<(), ContractError> {
        for table in &self.gold {
            let file = format!("contracts/gold/{}.toml", table.name);
            for read in table.reads.keys() {
                let known = match read.split_once('.') {
                    Some(("silver", name)) => self.dataset(name).is_some(),
                    Some(("gold", name)) => self.gold_table(name).is_some(),
                    _ => false,
                };
                if !known {
                    let problem = "no contract of this name in `silver` or `gold`";
                    return Err(ContractError::invalid(&file, format!("reads.{read}"), problem));
                }
            }
            for column in &table.columns {
                let Some(reference) = &column.reference else {
                    continue;
                };
                let (name, key) = match reference.split_once('.') {
                    Some((name, key)) => (name, Some(key)),
                    None => (reference.as_str(), None),
                };
                let target = self.gold_table(name);
                let known = target
                    .is_some_and(|table| key.is_none_or(|key| table.column(key).is_some() || table.partition.iter().any(|p| p == key)));
                if known && self.referenced(column).is_none() {
                    let problem = format!("`{reference}` has a key of several columns: name one");
                    return Err(ContractError::invalid(&file, format!("columns.{}.ref", column.name), problem));
                }
                if !known {
                    let problem = format!("no such gold table or column: `{reference}`");
                    let key = format!("columns.{}.ref", column.name);
                    return Err(ContractError::invalid(&file, key, problem));
                }
            }
        }
        Ok(())
    }
}

fn bronze_file(name: &str) -> String {
    format!("contracts/bronze/{name}.toml")
}

fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ContractError> {
    toml::from_str(text).map_err(|source| ContractError::Toml {
        file: file.to_owned(),
        message: source.to_string().trim_end().to_owned(),
        source: Box::new(source),
    })
}

fn named_as_file(file: &str, name: &str) -> Result<(), ContractError> {
    if file.ends_with(&format!("/{name}.toml")) {
        return Ok(());
    }
    Err(ContractError::invalid(file, "name", format!("`{name}` is not the file's name")))
}

/// Datasets and columns named in other contracts must exist, the columns by their silver name.
fn check_targets(datasets: &BTreeMap<String, Dataset>) -> Result<(), ContractError> {
    for dataset in datasets.values() {
        let file = bronze_file(&dataset.name);
        for need in dataset.needs() {
            if !datasets.contains_key(need) {
                let key = match &dataset.county {
                    CountyRule::Parent { dataset, .. } if dataset == need => "county",
                    CountyRule::Org(_) if need == "institution" => "county",
                    _ => "references/after",
                };
                let problem = format!("no such dataset: `{need}`");
                return Err(ContractError::invalid(&file, key, problem));
            }
        }
        for target in dataset.references.iter().flat_map(|reference| &reference.to) {
            let known = datasets
                .get(&target.dataset)
                .is_some_and(|to| to.columns.iter().any(|column| to.silver_name(&column.name) == target.column));
            if !known {
                let problem = format!("no such column: `{}.{}`", target.dataset, target.column);
                return Err(ContractError::invalid(&file, "references", problem));
            }
        }
        if let CountyRule::Parent { dataset: parent, via } = &dataset.county {
            let known = datasets.get(parent).is_some_and(|parent| parent.key == [via.clone()]);
            if !known {
                let problem = format!("`{via}` is not the key of `{parent}`");
                return Err(ContractError::invalid(&file, "county", problem));
            }
        }
    }
    Ok(())
}
