//! Rows that decide among themselves: those of one key, whatever else the warehouse holds.
//!
//! Equal content is of one group, and so are the valid versions of a key. So what comes out for a group depends on the group's own rows
//! and on what its references say, and a group can be decided anew without the others.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Date32Type, Decimal128Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::Dataset;

use crate::error::{Result, WarehouseError};
use crate::silver::judge::{Parsed, column, month_number, parse, value};
use crate::silver::plan::{Kind, Plan};

/// Groups by their names. Names are exact, no hashes: two groups never meet by chance.
pub(crate) type Groups = HashSet<Box<[u8]>>;

/// The columns that tell a received row's group.
pub(crate) fn columns(plan: &Plan) -> Vec<String> {
    plan.key.iter().map(|i| plan.columns[*i].name.clone()).chain(["_note", "_raw"].map(ToString::to_string)).collect()
}

fn part(buffer: &mut Vec<u8>, parsed: Parsed, text: &str) {
    match parsed {
        Parsed::Time(t) => {
            buffer.push(b't');
            buffer.extend_from_slice(&t.to_be_bytes());
        }
        Parsed::Day(d) => {
            buffer.push(b'd');
            buffer.extend_from_slice(&d.to_be_bytes());
        }
        Parsed::Month(m) => {
            buffer.push(b'm');
            buffer.extend_from_slice(&m.to_be_bytes());
        }
        Parsed::Number(n) => {
            buffer.push(b'n');
            buffer.extend_from_slice(&n.to_be_bytes());
        }
        // A text that means "nothing" is nothing, as it is in silver.
        Parsed::Null => text_part(buffer, ""),
        Parsed::Text | Parsed::Bad => text_part(buffer, text),
    }
}

fn text_part(buffer: &mut Vec<u8>, text: &str) {
    buffer.push(b's');
    buffer.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    buffer.extend_from_slice(text.as_bytes());
}

/// Tells the group of every row of a bronze batch, which needs no other columns than [`columns`].
pub(crate) fn received(plan: &Plan, batch: &RecordBatch, mut tell: impl FnMut(usize, &[u8])) -> Result<()> {
    let table = format!("bronze.{}", plan.dataset);
    let keys =
        plan.key.iter().map(|i| Ok((&plan.columns[*i], column(&table, batch, &plan.columns[*i].name)?))).collect::<Result<Vec<_>>>()?;
    let (notes, raws) = (column(&table, batch, "_note")?, column(&table, batch, "_raw")?);
    let mut buffer = Vec::new();
    for row in 0..batch.num_rows() {
        buffer.clear();
        if !notes.is_null(row) && notes.value(row) == "bad_row" {
            // It has no key: it stands alone, with those of the same text.
            buffer.push(0);
            if !raws.is_null(row) {
                buffer.extend_from_slice(raws.value(row).as_bytes());
            }
        } else {
            buffer.push(1);
            for (of, array) in &keys {
                let cell = value(of.form, array, row);
                let text = cell.as_deref();
                part(&mut buffer, text.map_or(Parsed::Null, |text| parse(of.kind, text)), text.unwrap_or_default());
            }
        }
        tell(row, &buffer);
    }
    Ok(())
}

/// The rows of a silver batch that are of none of these groups, and how many are.
pub(crate) fn without(dataset: &Dataset, plan: &Plan, batch: &RecordBatch, groups: &Groups) -> Result<(RecordBatch, u64)> {
    let table = format!("silver.{}", dataset.name);
    let keys = plan
        .key
        .iter()
        .map(|i| {
            let name = dataset.silver_name(&plan.columns[*i].name);
            let array = batch.column_by_name(name).ok_or_else(|| missing(&table, name))?;
            Ok((plan.columns[*i].kind, name, array))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut buffer = Vec::new();
    let mut stays = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        buffer.clear();
        buffer.push(1);
        for (kind, name, array) in &keys {
            let (parsed, text) = stored(*kind, array, row).ok_or_else(|| missing(&table, name))?;
            part(&mut buffer, parsed, text);
        }
        stays.push(!groups.contains(buffer.as_slice()));
    }
    let dropped = stays.iter().filter(|stays| !**stays).count() as u64;
    let left = filter_record_batch(batch, &BooleanArray::from(stays)).map_err(|source| WarehouseError::Arrow { table, source })?;
    Ok((left, dropped))
}

fn missing(table: &str, name: &str) -> WarehouseError {
    WarehouseError::Contract { table: table.to_string(), why: format!("no key column `{name}` of its type") }
}

/// A typed key value, as judging parsed it from text.
fn stored(kind: Kind, array: &ArrayRef, row: usize) -> Option<(Parsed, &str)> {
    if array.is_null(row) {
        return Some((Parsed::Null, ""));
    }
    Some(match kind {
        Kind::Text => (Parsed::Text, array.as_string_opt::<i32>()?.value(row)),
        Kind::Month => (Parsed::Month(month_number(array.as_string_opt::<i32>()?.value(row))), ""),
        Kind::Decimal { .. } => (Parsed::Number(array.as_primitive_opt::<Decimal128Type>()?.value(row)), ""),
        Kind::Timestamp => (Parsed::Time(array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row)), ""),
        Kind::Date => (Parsed::Day(array.as_primitive_opt::<Date32Type>()?.value(row)), ""),
    })
}
