//! From a table or a column up to its sources, or down to what is made of it.

use std::collections::{BTreeMap, BTreeSet};

use yaojia_warehouse::lineage::{ColumnRef, Transform};

use super::{Layer, Lineage, TableLineage};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// What it is made from.
    Up,
    /// What is made of it.
    Down,
}

impl Direction {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "upstream",
            Self::Down => "downstream",
        }
    }
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A table.
    Table(String),
    /// A column.
    Column(ColumnRef),
}

/// A name that leads nowhere, or to several things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound {
    /// What it may mean; empty: nothing.
    pub candidates: Vec<String>,
}

/// A node on the way, with its distance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Steps from where one began.
    pub distance: u32,
    /// `gold.fact_order.send_time`, or a table.
    pub name: String,
}

/// An edge, from what is read to what is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// What is read.
    pub from: String,
    /// What is made.
    pub to: String,
    /// How; empty between tables.
    pub how: BTreeSet<Transform>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The nodes, nearest first; the first is where one began.
    pub steps: Vec<Step>,
    /// The edges between them.
    pub edges: Vec<Edge>,
}

impl Lineage {
    /// What a name means: `gold.fact_order`, `fact_order`, `gold.fact_order.send_time`, `fact_order.send_time`, `D13`, `D13.main`.
    /// A name without its layer means the highest one: gold over silver over bronze.
    ///
    /// # Errors
    /// [`NotFound`] with what it may mean.
    pub fn target(&self, name: &str) -> Result<Target, NotFound> {
        for layer in ["", "indicator.", "gold.", "silver.", "bronze.", "platform.", "export.", "ask."] {
            let full = format!("{layer}{name}");
            if self.tables.contains_key(&full) {
                return Ok(Target::Table(full));
            }
            // An indicator's id may be written in any case.
            let full = if layer == "indicator." { format!("{layer}{}", capital_id(name)) } else { full };
            if self.tables.contains_key(&full) {
                return Ok(Target::Table(full));
            }
            let dots: Vec<usize> = full.match_indices('.').map(|(at, _)| at).collect();
            for dot in dots {
                let (table, column) = (full.get(..dot).unwrap_or_default(), full.get(dot + 1..).unwrap_or_default());
                if self.tables.get(table).is_some_and(|table| table.columns.contains_key(column)) {
                    return Ok(Target::Column(ColumnRef::new(table, column)));
                }
            }
        }
        let wanted = name.rsplit('.').next().unwrap_or(name).to_lowercase();
        let columns = self.tables.values().flat_map(|t| t.columns.keys().map(move |column| (t, column)));
        let tables = self.tables.keys().filter(|table| table.to_lowercase().contains(&wanted)).cloned();
        let columns =
            columns.filter(|(_, column)| column.to_lowercase() == wanted).map(|(table, column)| format!("{}.{column}", table.name));
        let mut candidates: Vec<String> = tables.chain(columns).collect();
        candidates.sort_by_key(|name| (name.len(), name.clone()));
        candidates.truncate(8);
        Err(NotFound { candidates })
    }

    /// Walks from a table.
    #[must_use]
    pub fn walk_tables(&self, from: &str, direction: Direction, depth: Option<u32>) -> Found {
        let next = |name: &str| -> Vec<Edge> {
            let edge = |from: &str, to: &str| Edge { from: from.to_owned(), to: to.to_owned(), how: BTreeSet::new() };
            match direction {
                Direction::Up => self.tables.get(name).into_iter().flat_map(|table| table.reads()).map(|read| edge(read, name)).collect(),
                Direction::Down => {
                    self.tables.values().filter(|table| table.reads().contains(name)).map(|table| edge(name, &table.name)).collect()
                }
            }
        };
        walk(from, direction, depth, &next)
    }

    /// Walks from a column; with `influence` also along filters, joins, groups and conditions.
    #[must_use]
    pub fn walk_columns(&self, from: &ColumnRef, direction: Direction, depth: Option<u32>, influence: bool) -> Found {
        let edges = self.column_edges(influence);
        let mut index: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
        for edge in &edges {
            let key = if direction == Direction::Up { &edge.to } else { &edge.from };
            index.entry(key).or_default().push(edge);
        }
        let next = |name: &str| -> Vec<Edge> { index.get(name).into_iter().flatten().map(|edge| (*edge).clone()).collect() };
        walk(&from.to_string(), direction, depth, &next)
    }

    /// All edges between columns.
    #[must_use]
    pub fn column_edges(&self, influence: bool) -> Vec<Edge> {
        let mut edges = Vec::new();
        for table in self.tables.values() {
            for (name, column) in &table.columns {
                for (from, how) in &column.origin.from {
                    let how: BTreeSet<Transform> = how.iter().copied().filter(|how| influence || how.is_direct()).collect();
                    if !how.is_empty() {
                        edges.push(Edge { from: from.to_string(), to: format!("{}.{name}", table.name), how });
                    }
                }
                if influence {
                    for (from, how) in &table.influence {
                        edges.push(Edge { from: from.to_string(), to: format!("{}.{name}", table.name), how: how.clone() });
                    }
                }
            }
        }
        edges
    }

    /// All edges between tables.
    #[must_use]
    pub fn table_edges(&self) -> Vec<Edge> {
        let tables = self.tables.values();
        let edge = |from: &str, table: &TableLineage| Edge { from: from.to_owned(), to: table.name.clone(), how: BTreeSet::new() };
        tables.flat_map(|table| table.reads().into_iter().map(|from| edge(from, table)).collect::<Vec<_>>()).collect()
    }

    /// The layer a node stands in.
    #[must_use]
    pub fn layer_of(&self, node: &str) -> Option<Layer> {
        self.table_of(node).map(|table| table.layer)
    }

    /// The table of a node: itself, or the table of a column.
    #[must_use]
    pub fn table_of(&self, node: &str) -> Option<&TableLineage> {
        if let Some(table) = self.tables.get(node) {
            return Some(table);
        }
        node.match_indices('.').find_map(|(at, _)| {
            let table = self.tables.get(node.get(..at)?)?;
            let column = node.get(at + 1..)?;
            (column == "*" || table.columns.contains_key(column)).then_some(table)
        })
    }

    /// The title of a node.
    #[must_use]
    pub fn title_of(&self, node: &str) -> &str {
        match self.table_of(node) {
            Some(table) if table.name == node => &table.title,
            Some(table) => {
                let column = node.get(table.name.len() + 1..).unwrap_or_default();
                table.columns.get(column).map_or("", |column| column.title.as_str())
            }
            None => "",
        }
    }
}

/// `d13.main` → `D13.main`.
fn capital_id(name: &str) -> String {
    match name.split_once('.') {
        Some((id, rest)) => format!("{}.{rest}", id.to_uppercase()),
        None => name.to_uppercase(),
    }
}

/// Breadth first, so that the distance is the shortest.
fn walk(from: &str, direction: Direction, depth: Option<u32>, next: &dyn Fn(&str) -> Vec<Edge>) -> Found {
    let mut seen: BTreeMap<String, u32> = BTreeMap::from([(from.to_owned(), 0)]);
    let mut edges = BTreeSet::new();
    let mut front = vec![from.to_owned()];
    let mut distance = 0;
    while !front.is_empty() && depth.is_none_or(|depth| distance < depth) {
        distance += 1;
        let mut reached = Vec::new();
        for node in front {
            for edge in next(&node) {
                let other = if direction == Direction::Up { edge.from.clone() } else { edge.to.clone() };
                edges.insert(edge);
                if !seen.contains_key(&other) {
                    seen.insert(other.clone(), distance);
                    reached.push(other);
                }
            }
        }
        front = reached;
    }
    let mut steps: Vec<Step> = seen.into_iter().map(|(name, distance)| Step { distance, name }).collect();
    steps.sort();
    Found { steps, edges: edges.into_iter().collect() }
}
