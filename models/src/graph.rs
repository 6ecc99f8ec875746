//! Which table is made from which: references in parsed SQL, levels, selectors.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, TableFactor, Visit, Visitor};

use crate::fault::{Fault, FaultKind};
use crate::sql;

/// A table named in SQL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableRef {
    /// `silver`, `gold`, `ask` …; `None` where the SQL names none.
    pub schema: Option<String>,
    /// The table.
    pub name: String,
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What is wrong with a graph of models.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// SQL that does not parse.
    #[error("the SQL of `{model}` does not parse")]
    Sql {
        /// The model.
        model: String,
        /// Why.
        source: sqlparser::parser::ParserError,
    },
    /// A table name with more parts than schema and name.
    #[error("the SQL of `{model}` names `{name}`: give schema and table only")]
    Name {
        /// The model.
        model: String,
        /// The name.
        name: String,
    },
    /// Models that need each other.
    #[error("models need each other in a circle: `{}`", .0.join("` -> `"))]
    Cycle(Vec<String>),
    /// A selector that selects nothing.
    #[error("no table is called `{0}`")]
    Unknown(String),
}

impl Fault for GraphError {
    fn code(&self) -> &'static str {
        match self {
            Self::Sql { .. } => "E-GRF-001",
            Self::Name { .. } => "E-GRF-002",
            Self::Cycle(_) => "E-GRF-003",
            Self::Unknown(_) => "E-GRF-004",
        }
    }

    fn kind(&self) -> FaultKind {
        FaultKind::Usage
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let words = match self {
            Self::Sql { .. } | Self::Name { .. } | Self::Cycle(_) => "`yaojia check` names file and line",
            Self::Unknown(_) => "`yaojia plan` lists what there is",
        };
        Some(words.into())
    }
}

/// The tables a SQL text reads, without the names of its own `WITH` queries and table functions.
///
/// # Errors
/// When the SQL does not parse or names a table by more than schema and name.
pub fn table_refs(model: &str, text: &str) -> Result<BTreeSet<TableRef>, GraphError> {
    let statements = sql::parse(text).map_err(|source| GraphError::Sql { model: model.to_owned(), source })?;
    let mut finder = Finder::default();
    let _ = statements.visit(&mut finder);
    let mut refs = BTreeSet::new();
    for name in finder.tables {
        let parts: Option<Vec<String>> = name.0.iter().map(|part| part.as_ident().map(|ident| ident.value.clone())).collect();
        match parts.as_deref() {
            Some([table]) if finder.ctes.contains(&table.to_ascii_lowercase()) => {}
            Some([table]) => {
                refs.insert(TableRef { schema: None, name: table.clone() });
            }
            Some([schema, table]) => {
                refs.insert(TableRef { schema: Some(schema.clone()), name: table.clone() });
            }
            _ => {
                return Err(GraphError::Name { model: model.to_owned(), name: name.to_string() });
            }
        }
    }
    Ok(refs)
}

#[derive(Default)]
struct Finder {
    tables: Vec<ObjectName>,
    ctes: BTreeSet<String>,
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.ctes.insert(cte.alias.name.value.to_ascii_lowercase());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.tables.push(name.clone());
        }
        ControlFlow::Continue(())
    }
}

/// Models and what each reads; a table that only is read is a source.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    reads: BTreeMap<String, BTreeSet<String>>,
    read_by: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Builds the graph of models by name (`gold.fact_receipt`) and SQL.
    ///
    /// # Errors
    /// When SQL does not parse, or models need each other in a circle.
    pub fn from_sql(models: &BTreeMap<String, String>) -> Result<Self, GraphError> {
        let mut reads = BTreeMap::new();
        for (model, text) in models {
            let refs = table_refs(model, text)?;
            reads.insert(model.clone(), refs.iter().map(ToString::to_string).collect());
        }
        Self::new(reads)
    }

    /// Builds the graph of models and the tables each reads.
    ///
    /// # Errors
    /// When models need each other in a circle.
    pub fn new(reads: BTreeMap<String, BTreeSet<String>>) -> Result<Self, GraphError> {
        let mut read_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (model, tables) in &reads {
            for table in tables {
                read_by.entry(table.clone()).or_default().insert(model.clone());
            }
        }
        let graph = Self { reads, read_by };
        let sorted: usize = graph.levels().iter().map(Vec::len).sum();
        if sorted < graph.reads.len() {
            return Err(GraphError::Cycle(graph.circle()));
        }
        Ok(graph)
    }

    /// The models in levels: each needs only sources and models of earlier levels. Sorted within a level.
    #[must_use]
    pub fn levels(&self) -> Vec<Vec<String>> {
        let mut left: BTreeSet<&String> = self.reads.keys().collect();
        let mut levels = Vec::new();
        while !left.is_empty() {
            let ready: Vec<String> = left
                .iter()
                .filter(|model| self.reads.get(**model).is_none_or(|reads| reads.iter().all(|t| !left.contains(t))))
                .map(|model| (*model).clone())
                .collect();
            if ready.is_empty() {
                break; // a circle, refused by `new`
            }
            left.retain(|model| !ready.contains(model));
            levels.push(ready);
        }
        levels
    }

    /// The models, sorted.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.reads.keys().map(String::as_str)
    }

    /// What a model reads itself.
    #[must_use]
    pub fn reads(&self, model: &str) -> BTreeSet<String> {
        self.reads.get(model).cloned().unwrap_or_default()
    }

    /// Everything a table is made from, sources too; not itself.
    #[must_use]
    pub fn upstream(&self, table: &str) -> BTreeSet<String> {
        reach(&self.reads, table)
    }

    /// Everything made from a table; not itself.
    #[must_use]
    pub fn downstream(&self, table: &str) -> BTreeSet<String> {
        reach(&self.read_by, table)
    }

    /// `name`, `+name` (with what it is made from), `name+` (with what is made from it), `+name+`.
    /// The schema may be left out where the name is clear without.
    ///
    /// # Errors
    /// When no table, or more than one, has the name.
    pub fn select(&self, selector: &str) -> Result<BTreeSet<String>, GraphError> {
        let (up, rest) = match selector.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, selector),
        };
        let (down, name) = match rest.strip_suffix('+') {
            Some(name) => (true, name),
            None => (false, rest),
        };
        let table = self.resolve(name)?;
        let mut selected = BTreeSet::from([table.clone()]);
        if up {
            selected.extend(self.upstream(&table));
        }
        if down {
            selected.extend(self.downstream(&table));
        }
        Ok(selected)
    }

    fn resolve(&self, name: &str) -> Result<String, GraphError> {
        let tables: BTreeSet<&String> = self.reads.keys().chain(self.read_by.keys()).collect();
        if let Some(table) = tables.iter().find(|table| table.as_str() == name) {
            return Ok((**table).clone());
        }
        let mut short = tables.iter().filter(|table| table.split_once('.').is_some_and(|(_, bare)| bare == name));
        match (short.next(), short.next()) {
            (Some(table), None) => Ok((**table).clone()),
            _ => Err(GraphError::Unknown(name.to_owned())),
        }
    }

    fn circle(&self) -> Vec<String> {
        for model in self.reads.keys() {
            if !self.upstream(model).contains(model) {
                continue;
            }
            // every table on the way can reach the model again: walk until it comes back
            let mut path = vec![model.clone()];
            let mut here = model.clone();
            loop {
                let next = self
                    .reads(&here)
                    .into_iter()
                    .find(|table| table == model || (self.upstream(table).contains(model) && !path.contains(table)));
                let Some(next) = next else { return path };
                path.push(next.clone());
                if &next == model {
                    return path;
                }
                here = next;
            }
        }
        Vec::new()
    }
}

fn reach(edges: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(table) = open.pop() {
        for next in edges.get(&table).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        table_refs("m", sql).unwrap().iter().map(ToString::to_string).collect()
    }

    fn graph(edges: &[(&str, &[&str])]) -> Result<Graph, GraphError> {
        Graph::new(edges.iter().map(|(model, reads)| ((*model).to_owned(), reads.iter().map(|r| (*r).to_owned()).collect())).collect())
    }

    #[test]
    fn finds_tables() {
        assert_eq!(
            names(
                "WITH a AS (SELECT x FROM silver.shp AS s JOIN gold.dim_product USING (k)), \
                 B AS (SELECT x FROM a WHERE EXISTS (SELECT 1 FROM silver.retn WHERE y = $region)) \
                 SELECT x FROM b UNION ALL SELECT x FROM (SELECT y AS x FROM ask.month) AS q \
                 CROSS JOIN UNNEST(z) AS t LEFT JOIN generate_series(1, 2) AS g ON TRUE"
            ),
            ["ask.month", "gold.dim_product", "silver.retn", "silver.shp"]
        );
        assert_eq!(names("SELECT 1 FROM lone"), ["lone"]);
        assert!(matches!(table_refs("m", "SELECT (a FROM t"), Err(GraphError::Sql { .. })));
        assert!(matches!(table_refs("m", "SELECT 1 FROM a.b.c"), Err(GraphError::Name { .. })));
    }

    #[test]
    fn sorts_and_selects() {
        let g = graph(&[
            ("gold.a", &["silver.x"]),
            ("gold.b", &["gold.a", "silver.y"]),
            ("gold.c", &["silver.y"]),
            ("gold.d", &["gold.b", "gold.c"]),
        ])
        .unwrap();
        assert_eq!(g.levels(), [vec!["gold.a", "gold.c"], vec!["gold.b"], vec!["gold.d"]]);
        let select = |s: &str| g.select(s).unwrap().into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(select("b"), "gold.b");
        assert_eq!(select("+gold.b"), "gold.a gold.b silver.x silver.y");
        assert_eq!(select("y+"), "gold.b gold.c gold.d silver.y");
        assert_eq!(select("+b+"), "gold.a gold.b gold.d silver.x silver.y");
        assert!(g.select("nothing").is_err());
    }

    #[test]
    fn refuses_circles() {
        let error = graph(&[("a", &["b"]), ("b", &["c", "s"]), ("c", &["a"]), ("d", &["a"])]).unwrap_err();
        assert_eq!(error.to_string(), "models need each other in a circle: `a` -> `b` -> `c` -> `a`");
        assert!(graph(&[("a", &["a"])]).is_err());
    }
}
