//! Relations that SQL of indicators shares: `sql/ask/<name>.sql`, seen by every indicator as `ask.<name>`, and a folder's own `basis.sql`,
//! seen by its `value.sql` and `evidence.sql` as `ask.basis`.

use std::collections::{BTreeMap, BTreeSet};

use super::CardError;
use crate::graph::table_refs;
use crate::sql;

/// The engine's own tables of the schema `ask`: what is asked.
pub const ASKED: [&str; 3] = ["month", "span", "calendar"];
/// The relation that `basis.sql` becomes.
pub const BASIS: &str = "basis";
/// What the engine calls its own tables beside them.
const ENGINE: [&str; 4] = ["rows_", "value_", "evidence_", "alert_"];
/// The parameters that a shared relation may name: those that are the same for every indicator, so that it can be made once for all.
const COMMON: [&str; 2] = ["region", "first_month"];

/// A relation of the schema `ask` that an indicator's SQL reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name: `product_state` is read as `ask.product_state`.
    pub name: String,
    /// Its file below `sql/`: `ask/product_state.sql`, `indicators/D09_agreed_volume_progress/basis.sql`.
    pub file: String,
    /// One SELECT.
    pub sql: String,
}

/// The shared relations of a project, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Relations(BTreeMap<String, Relation>);

impl Relations {
    /// Checks the shared relations, given as name and SQL.
    pub(super) fn new(files: BTreeMap<String, String>) -> Result<Self, CardError> {
        for (name, text) in &files {
            let invalid = |why: String| Err(CardError::invalid(&format!("ask/{name}.sql"), "name", why));
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                && name.starts_with(|c: char| c.is_ascii_lowercase());
            if !plain || ASKED.contains(&name.as_str()) || name == BASIS || ENGINE.iter().any(|prefix| name.starts_with(prefix)) {
                return invalid(format!(
                    "`{name}` cannot be the name of a relation: small letters, digits and `_`, and no name of the engine's"
                ));
            }
            // SQL that does not parse is said where an indicator reads it.
            if let Some(other) = sql::parameters(text).into_iter().find(|parameter| !COMMON.contains(&parameter.as_str())) {
                return invalid(format!("it names `${other}`: a relation that indicators share knows only `${}`", COMMON.join("` and `$")));
            }
        }
        let file = |name: &str| format!("ask/{name}.sql");
        Ok(Self(files.into_iter().map(|(name, sql)| (name.clone(), Relation { file: file(&name), name, sql })).collect()))
    }

    /// What texts of an indicator read, itself and through others, in an order in which each needs only earlier ones; its basis, where it
    /// has one, is the last.
    pub(super) fn of(&self, folder: &str, basis: Option<&Relation>, texts: &[&str]) -> Result<Vec<Relation>, CardError> {
        let mut found = Found { relations: self, folder, basis, open: Vec::new(), done: BTreeSet::new(), order: Vec::new() };
        for text in texts {
            found.follow(text)?;
        }
        if let Some(basis) = basis
            && !found.done.contains(BASIS)
        {
            return Err(CardError::Missing { folder: folder.to_owned(), why: format!("`{}` is read by no SQL of the folder", basis.file) });
        }
        Ok(found.order)
    }
}

/// The way through the relations.
struct Found<'a> {
    relations: &'a Relations,
    folder: &'a str,
    basis: Option<&'a Relation>,
    open: Vec<String>,
    done: BTreeSet<String>,
    order: Vec<Relation>,
}

impl Found<'_> {
    fn follow(&mut self, text: &str) -> Result<(), CardError> {
        // SQL that does not parse is the lint's business.
        let Ok(refs) = table_refs(self.folder, text) else { return Ok(()) };
        for name in refs.into_iter().filter(|table| table.schema.as_deref() == Some("ask")).map(|table| table.name) {
            if ASKED.contains(&name.as_str()) || self.done.contains(&name) {
                continue;
            }
            let wrong = |why: String| CardError::Missing { folder: self.folder.to_owned(), why };
            if self.open.contains(&name) {
                return Err(wrong(format!("relations need each other in a circle: `{}` -> `{name}`", self.open.join("` -> `"))));
            }
            let own = self.basis.filter(|_| name == BASIS);
            let relation = own.or_else(|| self.relations.0.get(&name)).cloned();
            let relation = relation.ok_or_else(|| {
                let file = if name == BASIS { "basis.sql".to_owned() } else { format!("sql/ask/{name}.sql") };
                wrong(format!("its SQL reads `ask.{name}`, and there is no `{file}`"))
            })?;
            self.open.push(name.clone());
            self.follow(&relation.sql)?;
            self.open.pop();
            self.done.insert(name);
            self.order.push(relation);
        }
        Ok(())
    }
}
