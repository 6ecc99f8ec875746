//! Look-alike names: read, laid over each other, merged into contracts.

use std::path::Path;

use yaojia_models::contract::{Dataset, SourceKind};

use super::{Aliases, ConfigError};

impl Aliases {
    /// Reads a JSON file of aliases.
    ///
    /// # Errors
    /// [`ConfigError::Io`] and [`ConfigError::Syntax`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(ConfigError::io(path))?;
        serde_json::from_str(&text).map_err(|error| ConfigError::Syntax { path: path.to_owned(), message: error.to_string() })
    }

    /// These with `own` over them.
    #[must_use]
    pub fn overlaid(mut self, own: Self) -> Self {
        self.json_keys.extend(own.json_keys);
        for (dataset, titles) in own.file_titles {
            self.file_titles.entry(dataset).or_default().extend(titles);
        }
        self
    }

    /// The contracts with these aliases, in the same order. A contract's digest stays what it was: aliases decide what a connector
    /// makes of bytes, not what silver makes of rows.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] where an alias names a dataset or column that does not exist.
    pub fn merged(&self, datasets: &[Dataset]) -> Result<Vec<Dataset>, ConfigError> {
        let mut merged = datasets.to_vec();
        for (alias, column) in &self.json_keys {
            let key = || format!("aliases.json_keys.{alias}");
            let mut known = false;
            for dataset in merged.iter_mut().filter(|d| d.source == SourceKind::Platform) {
                if dataset.column(column).is_some() {
                    dataset.json_aliases.insert(alias.clone(), column.clone());
                    known = true;
                }
            }
            if !known {
                return Err(ConfigError::invalid(key(), format!("no dataset of the platform has a column `{column}`")));
            }
        }
        for (name, titles) in &self.file_titles {
            let dataset = merged
                .iter_mut()
                .find(|d| &d.name == name)
                .ok_or_else(|| ConfigError::invalid(format!("aliases.file_titles.{name}"), "no such dataset"))?;
            for (title, column) in titles {
                if dataset.column(column).is_none() {
                    return Err(ConfigError::invalid(format!("aliases.file_titles.{name}.{title}"), format!("no column `{column}`")));
                }
                dataset.file_titles.insert(title.clone(), column.clone());
            }
        }
        Ok(merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases(json: &str) -> Aliases {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_project_own_aliases_win() {
        let file = aliases(r#"{"json_keys": {"a": "x", "b": "y"}, "file_titles": {"f": {"甲": "x"}}}"#);
        let own = aliases(r#"{"json_keys": {"a": "z"}, "file_titles": {"f": {"乙": "y"}}}"#);
        let both = file.overlaid(own);
        assert_eq!(both.json_keys["a"], "z");
        assert_eq!(both.json_keys["b"], "y");
        assert_eq!(both.file_titles["f"].len(), 2);
    }

    #[test]
    fn an_alias_reaches_every_dataset_with_its_column() {
        let registry = yaojia_models::contract::Registry::embedded().unwrap();
        let merged = aliases(r#"{"json_keys": {"medinsCodg": "medins_code"}}"#).merged(registry.datasets()).unwrap();
        let with: Vec<&str> = merged.iter().filter(|d| d.json_aliases.contains_key("medinsCodg")).map(|d| d.name.as_str()).collect();
        assert!(with.contains(&"ord_detl"), "{with:?}");
        assert!(!with.contains(&"enterprise"), "{with:?}");
        assert!(aliases(r#"{"json_keys": {"a": "no_such_column"}}"#).merged(registry.datasets()).is_err());
        assert!(aliases(r#"{"file_titles": {"nothing": {}}}"#).merged(registry.datasets()).is_err());
    }
}
