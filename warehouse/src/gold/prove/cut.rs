//! Runs of a model on no more than the cells it says it reads: a cell of a fact by its contract, a month of an indicator by its card.

use std::collections::BTreeSet;

use arrow::record_batch::RecordBatch;
use yaojia_models::card::Indicator;
use yaojia_models::contract::TableContract;
use yaojia_models::value::Month;

use super::{Cut, Order, Prover, Rows, Variant};
use crate::delta::{Cell, CellRows};
use crate::error::Result;
use crate::gold::{Gold, Indicators, Model, window};
use crate::indicator::AskedMonth;

/// How these runs are laid out; that this does not matter the variants show.
const LAID_OUT: Variant = Variant { threads: 2, batch_rows: 8192, order: Order::Stored };
/// Cells or months of a quick proof.
const FEW: usize = 4;

/// About `count` of all, the first and the last among them.
fn some_of<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    let step = all.len().div_ceil(count.max(1)).max(1);
    let mut some: Vec<T> = all.iter().step_by(step).cloned().collect();
    if !all.len().saturating_sub(1).is_multiple_of(step) {
        some.extend(all.last().cloned());
    }
    some
}

/// The first cell of `ours` or `theirs` that the other has not, or has otherwise.
fn first_difference(ours: &Rows, theirs: &mut Rows, here: &dyn Fn(&Cell) -> bool) -> Option<((String, Cell), Option<CellRows>)> {
    let keys: BTreeSet<(String, Cell)> = ours.keys().chain(theirs.keys()).filter(|(_, cell)| here(cell)).cloned().collect();
    let at = keys.into_iter().find(|at| ours.get(at).map(|r| &r.digest) != theirs.get(at).map(|r| &r.digest))?;
    let given = theirs.remove(&at);
    Some((at, given))
}

impl Prover<'_> {
    /// Every month of a fact, in one county after the other, from what its contract says it reads; nothing where all is read whole.
    pub(super) async fn cut_model(
        &mut self,
        gold: &Gold<'_>,
        model: &Model,
        contract: &TableContract,
        inputs: &BTreeSet<String>,
        first: &Rows,
    ) -> Result<Cut> {
        let mut cut = Cut::default();
        if !inputs.iter().any(|input| window::by_cell(contract.window(input)).is_some()) {
            return Ok(cut);
        }
        let label = format!("gold.{}", model.name);
        let counties: Vec<String> = first.keys().map(|(_, cell)| cell.county.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let months: Vec<String> = first.keys().map(|(_, cell)| cell.month.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let mut cells: Vec<Cell> = Vec::new();
        for (at, month) in months.iter().enumerate() {
            let county = (0..counties.len()).filter_map(|n| counties.get((at + n) % counties.len()));
            cells.extend(county.map(|c| Cell::new(c.as_str(), month.as_str())).find(|c| first.contains_key(&(label.clone(), c.clone()))));
        }
        for cell in some_of(&cells, if self.quick { FEW } else { cells.len() }) {
            let wanted = BTreeSet::from([cell.clone()]);
            let reads = |table: &str, other: &Cell| window::reaches(contract.window(table), &wanted, other);
            let session = self.session_of(inputs, LAID_OUT, &reads).await?;
            let rows = gold.rows(&session, model, contract, Some(&wanted)).await?;
            let mut rows: Rows = rows.into_iter().map(|(cell, rows)| ((label.clone(), cell), rows)).collect();
            cut.made += 1;
            cut.differs = first_difference(first, &mut rows, &|other| *other == cell);
            if cut.differs.is_some() {
                break;
            }
        }
        Ok(cut)
    }

    /// Every month of an indicator by itself, from what its card says it reads.
    pub(super) async fn cut_indicator(
        &mut self,
        indicators: &Indicators<'_>,
        indicator: &Indicator,
        inputs: &BTreeSet<String>,
        first: &Rows,
    ) -> Result<Cut> {
        let mut cut = Cut::default();
        let register = self.register().await?;
        let tables = Indicators::tables(indicator)?;
        let earlier: Vec<RecordBatch> = indicators.values_of(first)?;
        let months: Vec<AskedMonth> = indicators.months();
        for asked in some_of(&months, if self.quick { FEW } else { months.len() }) {
            let month: Month = asked.month;
            let registry = self.registry;
            // Dimensions that only name subjects are no input of a value.
            let reads = |table: &str, other: &Cell| {
                !tables.contains(table) || window::takes(window::of_indicator(registry, indicator, table), month, &other.month)
            };
            let session = self.session_of(inputs, LAID_OUT, &reads).await?;
            let mut rows = indicators.computed(&session, indicator, &register, vec![asked], &earlier).await?;
            cut.made += 1;
            cut.differs = first_difference(first, &mut rows, &|cell| cell.month == month.to_string());
            if cut.differs.is_some() {
                break;
            }
        }
        Ok(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_the_first_the_last_and_a_few_between() {
        let all: Vec<u32> = (0..14).collect();
        assert_eq!(some_of(&all, 4), [0, 4, 8, 12, 13]);
        assert_eq!(some_of(&all, 14), all);
        assert_eq!(some_of(&all[..1], 4), [0]);
        assert!(some_of(&all[..0], 4).is_empty());
    }
}
