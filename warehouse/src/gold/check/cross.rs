//! Checks of a candidate against other tables: references, and numbers that must be those of the table it is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::{Reconcile, ReconcileBy, Registry, TableColumn};

use super::{Candidate, Failure};
use crate::delta::{Cell, CellRows};
use crate::error::{Result, WarehouseError};
use crate::gold::{Session, window};
use crate::store::Root;

/// Schema of the session under which a candidate can be asked.
const SCHEMA: &str = "candidate";
/// Where a check concerns the whole table.
const WHOLE: &str = "*";

/// References and reconciliations of a candidate.
pub(super) async fn check(candidate: &Candidate<'_>, session: &Session, root: &Root, registry: &Registry) -> Result<Vec<Failure>> {
    let contract = candidate.contract;
    let references: Vec<(&TableColumn, (String, String))> = contract
        .columns
        .iter()
        .filter(|column| column.unknown.is_none())
        .filter_map(|column| Some((column, registry.referenced(column)?)))
        .collect();
    if references.is_empty() && contract.reconcile.is_empty() {
        return Ok(Vec::new());
    }
    let mut others: Vec<String> = references.iter().map(|(_, (table, _))| format!("gold.{table}")).collect();
    others.extend(contract.reconcile.iter().map(|r| r.with.clone()));
    // Of a table it reads by cell the candidate can only refer to, and must only be reconciled with, what its own cells read.
    let judged: BTreeSet<Cell> = candidate.rows.keys().chain(candidate.emptied).cloned().collect();
    for other in &others {
        let declared = contract.window(other);
        let wanted = |cell: &Cell| candidate.whole || judged.contains(cell) || window::reaches(declared, &judged, cell);
        session.see_cells(root, registry, other, &wanted).await?;
    }
    let schema = Arc::new(contract.arrow_schema());
    let plain: SchemaRef =
        Arc::new(Schema::new(schema.fields().iter().map(|f| Field::new(f.name(), f.data_type().clone(), true)).collect::<Vec<_>>()));
    let batches = candidate.rows.iter().map(|(cell, rows)| placed(&contract.name, &plain, cell, rows)).collect::<Result<Vec<_>>>()?;
    session.put_rows(SCHEMA, &contract.name, plain, batches)?;
    let mut failures = Vec::new();
    for (column, (table, key)) in &references {
        failures.extend(reference(candidate, session, column, table, key).await?);
    }
    for rule in &contract.reconcile {
        if rule.by == ReconcileBy::Cell || candidate.whole {
            failures.extend(reconcile(candidate, session, rule).await?);
        }
    }
    // The rows are the builder's; the session must not keep a second hold on them.
    session.put_rows(SCHEMA, &contract.name, Arc::new(Schema::empty()), Vec::new())?;
    Ok(failures)
}

/// A cell's rows with county and month put back, in the contract's order.
fn placed(table: &str, schema: &SchemaRef, cell: &Cell, rows: &CellRows) -> Result<RecordBatch> {
    let count = rows.batch.num_rows();
    let columns = schema
        .fields()
        .iter()
        .map(|field| -> Result<ArrayRef> {
            match field.name().as_str() {
                "county" => Ok(Arc::new(StringArray::from(vec![cell.county.as_str(); count]))),
                "month" => Ok(Arc::new(StringArray::from(vec![cell.month.as_str(); count]))),
                name => rows.batch.column_by_name(name).cloned().ok_or_else(|| WarehouseError::Contract {
                    table: format!("gold.{table}"),
                    why: format!("the candidate has no column `{name}`"),
                }),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(|source| WarehouseError::Arrow { table: format!("gold.{table}"), source })
}

/// Values of a column that the referenced table does not have. A null or an empty text refers to nothing.
async fn reference(candidate: &Candidate<'_>, session: &Session, column: &TableColumn, table: &str, key: &str) -> Result<Vec<Failure>> {
    let own = &candidate.contract.name;
    let name = &column.name;
    let some = if column.ty.arrow() == DataType::Utf8 {
        format!("mine.{name} IS NOT NULL AND mine.{name} <> ''")
    } else {
        format!("mine.{name} IS NOT NULL")
    };
    let sql = format!(
        "SELECT mine.county AS county, mine.month AS month, MIN(CAST(mine.{name} AS VARCHAR)) AS value, \
         CAST(COUNT(*) AS VARCHAR) AS row_count FROM {SCHEMA}.{own} AS mine LEFT ANTI JOIN gold.{table} AS theirs ON theirs.{key} = mine.{name} \
         WHERE {some} GROUP BY mine.county, mine.month ORDER BY mine.county, mine.month"
    );
    let found = asked(session, &format!("gold.{own}"), &sql, 4).await?;
    Ok(found
        .into_iter()
        .map(|row| Failure {
            check: "reference",
            cell: Cell::new(&row[0], &row[1]),
            why: format!("{} rows whose `{name}` is not in `gold.{table}.{key}`, such as `{}`", row[3], row[2]),
        })
        .collect())
}

/// Cells (or the table) in which an aggregate is not that of the other table.
async fn reconcile(candidate: &Candidate<'_>, session: &Session, rule: &Reconcile) -> Result<Vec<Failure>> {
    let own = &candidate.contract.name;
    let side = |alias: &str, table: &str, filter: Option<&String>, aggregates: Vec<&String>| {
        let numbers: Vec<String> =
            aggregates.iter().enumerate().map(|(n, sql)| format!("CAST(COALESCE({sql}, 0) AS DECIMAL(38, 6)) AS n{n}")).collect();
        let filter = filter.map_or_else(String::new, |sql| format!(" WHERE {sql}"));
        match rule.by {
            ReconcileBy::Cell => format!(
                "SELECT {alias}.county AS county, {alias}.month AS month, {} FROM {table} AS {alias}{filter} GROUP BY {alias}.county, {alias}.month",
                numbers.join(", ")
            ),
            ReconcileBy::Table => {
                format!("SELECT '{WHOLE}' AS county, '{WHOLE}' AS month, {} FROM {table} AS {alias}{filter}", numbers.join(", "))
            }
        }
    };
    let mine = side("mine", &format!("{SCHEMA}.{own}"), rule.mine.as_ref(), rule.equal.keys().collect());
    let theirs = side("theirs", &rule.with, rule.theirs.as_ref(), rule.equal.values().collect());
    let (mut shown, mut differ) = (Vec::new(), Vec::new());
    for n in 0..rule.equal.len() {
        for alias in ["mine", "theirs"] {
            shown.push(format!("CAST(COALESCE({alias}.n{n}, CAST(0 AS DECIMAL(38, 6))) AS VARCHAR) AS {alias}{n}"));
        }
        differ.push(format!("COALESCE(mine.n{n}, CAST(0 AS DECIMAL(38, 6))) <> COALESCE(theirs.n{n}, CAST(0 AS DECIMAL(38, 6)))"));
    }
    let sql = format!(
        "SELECT COALESCE(mine.county, theirs.county) AS county, COALESCE(mine.month, theirs.month) AS month, {} \
         FROM ({mine}) AS mine FULL OUTER JOIN ({theirs}) AS theirs ON theirs.county = mine.county AND theirs.month = mine.month \
         WHERE {} ORDER BY 1, 2",
        shown.join(", "),
        differ.join(" OR ")
    );
    let label = format!("gold.{own}");
    let found = asked(session, &label, &sql, 2 + 2 * rule.equal.len()).await?;
    let mut failures = Vec::new();
    for row in found {
        let cell = Cell::new(&row[0], &row[1]);
        let judged =
            rule.by == ReconcileBy::Table || candidate.rows.contains_key(&cell) || candidate.emptied.contains(&cell) || candidate.whole;
        if !judged {
            continue;
        }
        let numbers: BTreeMap<usize, (&String, &String)> = (0..rule.equal.len())
            .filter_map(|n| Some((n, (row.get(2 + 2 * n)?, row.get(3 + 2 * n)?))))
            .filter(|(_, (mine, theirs))| mine != theirs)
            .collect();
        let words: Vec<String> = numbers
            .iter()
            .filter_map(|(n, (mine, theirs))| {
                let (ours, other) = rule.equal.get_index(*n)?;
                Some(format!("{ours} is {mine}, {other} of `{}` is {theirs}", rule.with))
            })
            .collect();
        failures.push(Failure { check: "reconcile", cell, why: words.join("; ") });
    }
    Ok(failures)
}

/// The texts of a query whose columns are all text.
async fn asked(session: &Session, label: &str, sql: &str, columns: usize) -> Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for batch in session.rows(label, sql, &BTreeMap::new()).await? {
        for row in 0..batch.num_rows() {
            let texts =
                (0..columns.min(batch.num_columns())).map(|at| {
                    batch.column(at).as_string_opt::<i32>().map(|texts| texts.value(row).to_string()).ok_or_else(|| {
                        WarehouseError::Contract { table: label.to_string(), why: format!("column {at} of a check is no text") }
                    })
                });
            rows.push(texts.collect::<Result<Vec<_>>>()?);
        }
    }
    Ok(rows)
}
