//! A plan from its tables up.

use std::collections::BTreeSet;

use datafusion::common::{DFSchemaRef, TableReference};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, Join, JoinType, LogicalPlan, Sort, SortExpr, Unnest, Window};
use indexmap::IndexMap;

use super::constants::{text, truth};
use super::expression::{Scope, cell, of_table, origin};
use super::relation::{Cell, Relation};
use super::{Influence, Origin, Transform};

/// Branches above this many are taken together.
const MAX_BRANCHES: usize = 32;

/// Where the columns of a query come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryLineage {
    /// Its columns, in order.
    pub columns: IndexMap<String, Origin>,
    /// What decides which rows there are.
    pub influence: Influence,
    /// The tables its rows are made of.
    pub tables: BTreeSet<String>,
    /// Columns that have one and the same text in all rows.
    pub constants: IndexMap<String, String>,
}

/// The lineage of a plan, branch of a UNION by branch, as far as they stay apart.
#[must_use]
pub fn of_plan(plan: &LogicalPlan) -> Vec<QueryLineage> {
    branches(plan, &[]).into_iter().map(lineage).collect()
}

fn lineage(rows: Relation) -> QueryLineage {
    let mut all = QueryLineage { influence: rows.influence, tables: rows.tables, ..QueryLineage::default() };
    for (field, cell) in rows.schema.fields().iter().zip(rows.cells) {
        if let Some(text) = cell.constant.as_ref().and_then(text) {
            all.constants.insert(field.name().clone(), text.to_owned());
        }
        all.columns.insert(field.name().clone(), cell.origin);
    }
    all
}

/// The rows of a plan; `outer` are the rows of the queries around it, the nearest first.
pub(super) fn branches(plan: &LogicalPlan, outer: &[&Relation]) -> Vec<Relation> {
    let all = match plan {
        LogicalPlan::TableScan(scan) => {
            let table = name_of(&scan.table_name);
            let cells = scan.projected_schema.fields().iter().map(|field| of_table(&table, field.name())).collect();
            let mut rows = Relation::empty(scan.projected_schema.clone());
            rows.cells = cells;
            for filter in &scan.filters {
                let decides = origin(filter, Scope { rows: &rows, outer });
                rows.decided_by(&decides, Transform::Filter);
            }
            rows.tables.insert(table);
            vec![rows]
        }
        LogicalPlan::Projection(projection) => each(&projection.input, outer, |rows| {
            let cells = projection.expr.iter().map(|expr| cell(expr, Scope { rows: &rows, outer })).collect();
            Some(rows.with(projection.schema.clone(), cells))
        }),
        LogicalPlan::Filter(filter) => each(&filter.input, outer, |mut rows| {
            if truth(&filter.predicate, &rows) == Some(false) {
                return None;
            }
            let decides = origin(&filter.predicate, Scope { rows: &rows, outer });
            rows.decided_by(&decides, Transform::Filter);
            Some(rows)
        }),
        LogicalPlan::SubqueryAlias(alias) => each(&alias.input, outer, |rows| {
            let cells = rows.cells.clone();
            Some(rows.with(alias.schema.clone(), cells))
        }),
        LogicalPlan::Subquery(query) => branches(&query.subquery, outer),
        LogicalPlan::Sort(sort) => match sort.fetch {
            // An order alone decides nothing that a table holds.
            None => branches(&sort.input, outer),
            Some(_) => each(&sort.input, outer, |rows| Some(sorted(rows, &sort.expr, outer))),
        },
        LogicalPlan::Limit(limit) => {
            let mut all = branches(&limit.input, outer);
            if let Some(sort) = sort_below(&limit.input) {
                for ordered in branches(&sort.input, outer) {
                    let order: Vec<Origin> = sort.expr.iter().map(|sort| origin(&sort.expr, Scope { rows: &ordered, outer })).collect();
                    all.iter_mut().for_each(|rows| order.iter().for_each(|origin| rows.decided_by(origin, Transform::Sort)));
                }
            }
            all
        }
        LogicalPlan::Repartition(repartition) => branches(&repartition.input, outer),
        LogicalPlan::Distinct(Distinct::All(input)) => each(input, outer, |mut rows| {
            let cells: Vec<Origin> = rows.cells.iter().map(|cell| cell.origin.clone()).collect();
            cells.iter().for_each(|origin| rows.decided_by(origin, Transform::GroupBy));
            Some(rows)
        }),
        LogicalPlan::Distinct(Distinct::On(distinct)) => each(&distinct.input, outer, |mut rows| {
            let scope = Scope { rows: &rows, outer };
            let cells = distinct.select_expr.iter().map(|expr| cell(expr, scope)).collect();
            let groups: Vec<Origin> = distinct.on_expr.iter().map(|expr| origin(expr, scope)).collect();
            let order: Vec<Origin> = distinct.sort_expr.iter().flatten().map(|sort| origin(&sort.expr, scope)).collect();
            groups.iter().for_each(|origin| rows.decided_by(origin, Transform::GroupBy));
            order.iter().for_each(|origin| rows.decided_by(origin, Transform::Sort));
            Some(rows.with(distinct.schema.clone(), cells))
        }),
        LogicalPlan::Union(union) => union
            .inputs
            .iter()
            .flat_map(|input| branches(input, outer))
            .map(|rows| {
                let cells = rows.cells.clone();
                rows.with(union.schema.clone(), cells)
            })
            .collect(),
        LogicalPlan::Aggregate(aggregate) => of_aggregate(aggregate, outer),
        LogicalPlan::Window(window) => of_window(window, outer),
        LogicalPlan::Join(join) => of_join(join, outer),
        LogicalPlan::Unnest(unnest) => of_unnest(unnest, outer),
        LogicalPlan::EmptyRelation(empty) => {
            let mut rows = Relation::empty(empty.schema.clone());
            rows.cells = empty.schema.fields().iter().map(|_| Cell::default()).collect();
            vec![rows]
        }
        LogicalPlan::Values(values) => {
            let nothing = Relation::empty(values.schema.clone());
            values
                .values
                .iter()
                .map(|row| {
                    let cells = row.iter().map(|expr| cell(expr, Scope { rows: &nothing, outer })).collect();
                    nothing.clone().with(values.schema.clone(), cells)
                })
                .collect()
        }
        other => vec![unknown(other, outer)],
    };
    if all.len() > MAX_BRANCHES { vec![Relation::merged(all, plan.schema())] } else { all }
}

/// Every branch of an input, changed or left out.
fn each(input: &LogicalPlan, outer: &[&Relation], change: impl Fn(Relation) -> Option<Relation>) -> Vec<Relation> {
    branches(input, outer).into_iter().filter_map(change).collect()
}

/// `gold.fact_order`, without a catalog.
fn name_of(table: &TableReference) -> String {
    match table.schema() {
        Some(schema) => format!("{schema}.{}", table.table()),
        None => table.table().to_owned(),
    }
}

/// The order that a limit cuts off: a projection may lie between.
fn sort_below(plan: &LogicalPlan) -> Option<&Sort> {
    match plan {
        LogicalPlan::Sort(sort) => Some(sort),
        LogicalPlan::Projection(projection) => sort_below(&projection.input),
        _ => None,
    }
}

fn sorted(mut rows: Relation, order: &[SortExpr], outer: &[&Relation]) -> Relation {
    let order: Vec<Origin> = order.iter().map(|sort| origin(&sort.expr, Scope { rows: &rows, outer })).collect();
    order.iter().for_each(|origin| rows.decided_by(origin, Transform::Sort));
    rows
}

/// Groups stay apart by branch where a group's column tells the branches from each other; else the branches are added up together.
fn of_aggregate(aggregate: &Aggregate, outer: &[&Relation]) -> Vec<Relation> {
    let inputs = branches(&aggregate.input, outer);
    let groups: Vec<&Expr> = aggregate.group_expr.iter().flat_map(grouping).collect();
    let apart = groups.iter().any(|group| {
        let tags: Vec<Option<String>> =
            inputs.iter().map(|rows| cell(group, Scope { rows, outer }).constant.as_ref().and_then(text).map(str::to_owned)).collect();
        tags.iter().all(Option::is_some) && tags.iter().collect::<BTreeSet<_>>().len() == tags.len()
    });
    let inputs = if apart || inputs.len() < 2 { inputs } else { vec![Relation::merged(inputs, aggregate.input.schema())] };
    inputs
        .into_iter()
        .map(|mut rows| {
            let scope = Scope { rows: &rows, outer };
            let mut cells: Vec<Cell> = groups.iter().map(|group| cell(group, scope)).collect();
            let keys: Vec<Origin> = cells.iter().map(|cell| cell.origin.clone()).collect();
            // GROUPING SETS add a column of their own between keys and aggregates.
            let extra = aggregate.schema.fields().len().saturating_sub(cells.len() + aggregate.aggr_expr.len());
            cells.extend((0..extra).map(|_| Cell::new(Origin::noted("the number of the grouping set"))));
            cells.extend(aggregate.aggr_expr.iter().map(|call| cell(call, scope)));
            keys.iter().for_each(|key| rows.decided_by(key, Transform::GroupBy));
            rows.with(aggregate.schema.clone(), cells)
        })
        .collect()
}

/// The keys of a grouping, each once.
fn grouping(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::GroupingSet(set) => set.distinct_expr(),
        other => vec![other],
    }
}

fn of_window(window: &Window, outer: &[&Relation]) -> Vec<Relation> {
    // A window sees the rows of all branches.
    let rows = Relation::merged(branches(&window.input, outer), window.input.schema());
    let mut cells = rows.cells.clone();
    cells.extend(window.window_expr.iter().map(|call| cell(call, Scope { rows: &rows, outer })));
    vec![rows.with(window.schema.clone(), cells)]
}

/// Each branch of the one side with the other; where both have several, both are taken together first.
fn of_join(join: &Join, outer: &[&Relation]) -> Vec<Relation> {
    let (mut left, mut right) = (branches(&join.left, outer), branches(&join.right, outer));
    // Of an outer join, the other side's rows without a partner come once, not once a branch.
    let many = |side: &[Relation]| side.len() > 1;
    let outer_join = !matches!(join.join_type, JoinType::Inner);
    if many(&left) && (many(&right) || matches!(join.join_type, JoinType::Right | JoinType::Full)) {
        left = vec![Relation::merged(left, join.left.schema())];
    }
    if many(&right) && (many(&left) || outer_join) {
        right = vec![Relation::merged(right, join.right.schema())];
    }
    let mut all = Vec::new();
    for one in &left {
        for other in &right {
            all.extend(joined(join, one, other, outer));
        }
    }
    all
}

fn joined(join: &Join, left: &Relation, right: &Relation, outer: &[&Relation]) -> Option<Relation> {
    let both = join.left.schema().join(join.right.schema()).ok().map(std::sync::Arc::new)?;
    let mut rows = Relation::empty(both.clone());
    rows.cells = left.cells.iter().chain(&right.cells).cloned().collect();
    rows.tables = left.tables.union(&right.tables).cloned().collect();
    rows.influence = left.influence.clone();
    super::origin::add(&mut rows.influence, &right.influence, Transform::Identity);
    let conditions = join.on.iter().flat_map(|(one, other)| [one, other]).chain(join.filter.as_ref());
    let conditions: Vec<Origin> = conditions.map(|expr| origin(expr, Scope { rows: &rows, outer })).collect();
    let impossible = join.filter.as_ref().is_some_and(|filter| truth(filter, &rows) == Some(false));
    if impossible && join.join_type == JoinType::Inner {
        return None;
    }
    conditions.iter().for_each(|origin| rows.decided_by(origin, Transform::Join));
    let cells = match join.join_type {
        JoinType::LeftSemi | JoinType::LeftAnti => left.cells.clone(),
        JoinType::RightSemi | JoinType::RightAnti => right.cells.clone(),
        JoinType::LeftMark => marked(left, &conditions),
        JoinType::RightMark => marked(right, &conditions),
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => rows.cells.clone(),
    };
    Some(rows.with(join.schema.clone(), cells))
}

/// A side's columns with one that says whether the other side has a partner.
fn marked(side: &Relation, conditions: &[Origin]) -> Vec<Cell> {
    let mut mark = Origin::default();
    conditions.iter().for_each(|condition| mark.absorb(condition, Transform::Transformation));
    side.cells.iter().cloned().chain([Cell::new(mark)]).collect()
}

fn of_unnest(unnest: &Unnest, outer: &[&Relation]) -> Vec<Relation> {
    each(&unnest.input, outer, |rows| {
        let cells = unnest.dependency_indices.iter().map(|at| rows.cells.get(*at).cloned().unwrap_or_default()).collect();
        Some(rows.with(unnest.schema.clone(), cells))
    })
}

/// A node that we do not know: every column may come from every column below it.
fn unknown(plan: &LogicalPlan, outer: &[&Relation]) -> Relation {
    let mut rows = Relation::empty(plan.schema().clone());
    let mut whole = Origin::default();
    for input in plan.inputs() {
        for below in branches(input, outer) {
            below.cells.iter().for_each(|cell| whole.absorb(&cell.origin, Transform::Transformation));
            super::origin::add(&mut rows.influence, &below.influence, Transform::Identity);
            rows.tables.extend(below.tables);
        }
    }
    let schema: DFSchemaRef = plan.schema().clone();
    let cells = schema.fields().iter().map(|_| Cell::new(whole.clone())).collect();
    rows.with(schema, cells)
}

impl QueryLineage {
    /// All branches as one.
    #[must_use]
    pub fn merged(branches: &[Self]) -> Self {
        let mut all = Self::default();
        for branch in branches {
            for (name, origin) in &branch.columns {
                all.columns.entry(name.clone()).or_default().merge(origin);
            }
            super::origin::add(&mut all.influence, &branch.influence, Transform::Identity);
            all.tables.extend(branch.tables.iter().cloned());
        }
        all
    }
}
