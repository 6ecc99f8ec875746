//! What can be wrong inside one dataset contract.

use super::{ContractError, CountyRule, Dataset, camel_case};
use crate::field::FieldType;

const WARNINGS: [&str; 3] = ["amount_mismatch", "unit_assumed", "unknown_product"];

impl Dataset {
    /// What can be judged without the other contracts.
    pub(super) fn check(&self, file: &str) -> Result<(), ContractError> {
        if self.key.is_empty() {
            return Err(ContractError::invalid(file, "key", "a dataset needs a key"));
        }
        if self.event.is_empty() {
            return Err(ContractError::invalid(file, "event", "a dataset needs an event"));
        }
        let has = |key: &str, name: &str| self.has(file, key, name);
        for name in &self.key {
            has("key", name)?;
            if self.column(name).is_some_and(|column| !column.required) {
                let problem = format!("key column `{name}` is not required");
                return Err(ContractError::invalid(file, "key", problem));
            }
        }
        for name in &self.event {
            self.has_type(file, "event", name, &[FieldType::Timestamp, FieldType::Date])?;
        }
        for name in &self.month_of {
            let types = [FieldType::Timestamp, FieldType::Date, FieldType::Month];
            self.has_type(file, "month_of", name, &types)?;
        }
        match &self.county {
            CountyRule::Org(name) | CountyRule::Column(name) => has("county", name)?,
            CountyRule::Parent { via, .. } => has("county", via)?,
            CountyRule::Region => {}
        }
        for name in self.void.iter().chain(&self.personal_hash) {
            has("void/personal_hash", name)?;
        }
        for reference in &self.references {
            if reference.columns.len() != 1 || reference.to.is_empty() {
                let problem = "give one column and at least one target";
                return Err(ContractError::invalid(file, "references", problem));
            }
            for name in &reference.columns {
                has("references", name)?;
            }
        }
        for (from, to) in &self.rename {
            has("rename", from)?;
            if self.column(to).is_some() {
                let problem = format!("`{to}` is already a column");
                return Err(ContractError::invalid(file, "rename", problem));
            }
        }
        for column in &self.columns {
            if let Some(when) = &column.required_when {
                has(&format!("columns.{}.required_when", column.name), &when.column)?;
            }
        }
        for column in &self.derived {
            if self.column(&column.name).is_some() {
                let problem = format!("`{}` is already a column", column.name);
                return Err(ContractError::invalid(file, "derived", problem));
            }
        }
        if let Some(check) = &self.amount_check {
            for name in [&check.amount, &check.count, &check.price] {
                has("amount_check", name)?;
            }
        }
        for warning in &self.warnings {
            if !WARNINGS.contains(&warning.as_str()) {
                let problem = format!("no such warning: `{warning}`");
                return Err(ContractError::invalid(file, "warnings", problem));
            }
            if warning == "amount_mismatch" && self.amount_check.is_none() {
                let problem = "`amount_mismatch` needs `amount_check`";
                return Err(ContractError::invalid(file, "warnings", problem));
            }
        }
        self.check_aliases(file)
    }

    /// An alias must lead to a column and must not be another column's own name.
    fn check_aliases(&self, file: &str) -> Result<(), ContractError> {
        for (alias, name) in &self.json_aliases {
            let key = format!("json_aliases.{alias}");
            self.has(file, &key, name)?;
            if self.columns.iter().any(|column| &camel_case(&column.name) == alias) {
                return Err(ContractError::invalid(file, key, "this is a column's own JSON key"));
            }
        }
        for (title, name) in &self.file_titles {
            let key = format!("file_titles.{title}");
            self.has(file, &key, name)?;
            if self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(title)) {
                return Err(ContractError::invalid(file, key, "this is a column's own name"));
            }
        }
        Ok(())
    }

    fn has(&self, file: &str, key: &str, name: &str) -> Result<(), ContractError> {
        match self.column(name) {
            Some(_) => Ok(()),
            None => Err(ContractError::invalid(file, key, format!("no such column: `{name}`"))),
        }
    }

    fn has_type(&self, file: &str, key: &str, name: &str, types: &[FieldType]) -> Result<(), ContractError> {
        self.has(file, key, name)?;
        if self.column(name).is_some_and(|column| types.contains(&column.ty)) {
            return Ok(());
        }
        Err(ContractError::invalid(file, key, format!("`{name}` is neither a time nor a month")))
    }
}
