//! The rows a part of a plan gives: its columns by position, and what decides which rows there are.

use std::collections::BTreeSet;

use datafusion::common::{Column, DFSchemaRef};
use datafusion::scalar::ScalarValue;

use super::origin::add;
use super::{ColumnRef, Influence, Origin, Transform};

/// One column.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    /// Where it comes from.
    pub(super) origin: Origin,
    /// Its value, where all rows have the same one.
    pub(super) constant: Option<ScalarValue>,
}

impl Cell {
    /// A cell that comes from `origin`.
    pub(super) fn new(origin: Origin) -> Self {
        Self { origin, constant: None }
    }
}

/// The rows of one part of a plan. Branches of a UNION are kept apart as long as they can be.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// The columns' names.
    pub(super) schema: DFSchemaRef,
    /// The columns, in the order of the schema.
    pub(super) cells: Vec<Cell>,
    /// What decides which rows there are.
    pub(super) influence: Influence,
    /// The tables whose rows these are made of.
    pub(super) tables: BTreeSet<String>,
}

impl Relation {
    /// Rows from nothing.
    pub(super) fn empty(schema: DFSchemaRef) -> Self {
        Self { schema, cells: Vec::new(), influence: Influence::new(), tables: BTreeSet::new() }
    }

    /// The cell of a column.
    pub(super) fn cell(&self, column: &Column) -> Option<&Cell> {
        self.schema.maybe_index_of_column(column).and_then(|at| self.cells.get(at))
    }

    /// The same rows with other columns.
    pub(super) fn with(self, schema: DFSchemaRef, cells: Vec<Cell>) -> Self {
        Self { schema, cells, ..self }
    }

    /// Notes that an origin decides which rows there are.
    pub(super) fn decided_by(&mut self, origin: &Origin, transform: Transform) {
        add(&mut self.influence, &origin.from, transform);
    }

    /// The tables' rows as columns.
    pub(super) fn rows(&self, transform: Transform) -> Origin {
        self.tables.iter().fold(Origin::default(), |origin, table| origin.and(ColumnRef::new(table.as_str(), "*"), transform))
    }

    /// All branches as one.
    pub(super) fn merged(branches: Vec<Self>, schema: &DFSchemaRef) -> Self {
        let mut all = branches.into_iter();
        let Some(mut one) = all.next() else {
            let cells = schema.fields().iter().map(|_| Cell::default()).collect();
            return Self::empty(schema.clone()).with(schema.clone(), cells);
        };
        for other in all {
            for (cell, more) in one.cells.iter_mut().zip(&other.cells) {
                cell.origin.merge(&more.origin);
                if cell.constant != more.constant {
                    cell.constant = None;
                }
            }
            add(&mut one.influence, &other.influence, Transform::Identity);
            one.tables.extend(other.tables);
        }
        one
    }
}
