//! Runs of a model on no more than the cells it says it reads: a cell of a fact by its contract, a month of an indicator by its card.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray as _, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use yaojia_models::bundle::Model;
use yaojia_models::card::Indicator;
use yaojia_models::contract::TableContract;
use yaojia_models::value::Month;

use super::{Cut, Order, Prover, Rows, Variant};
use crate::delta::{Cell, CellRows};
use crate::error::{Result, WarehouseError};
use crate::gold::{Gold, Indicators, window};
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

/// The rows of subjects in a cell of the engine's tables, by table: values, alerts, and the evidence of these.
fn of_subjects(rows: &Rows, cell: &Cell) -> Result<BTreeMap<String, RecordBatch>> {
    let failed = |source| WarehouseError::Arrow { table: "gold.indicator_value".to_string(), source };
    let column = |batch: &RecordBatch, name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>().cloned());
    let here: Vec<(&String, &RecordBatch)> =
        rows.iter().filter(|((_, other), _)| other == cell).map(|((label, _), rows)| (label, &rows.batch)).collect();
    let (mut found, mut alerts) = (BTreeMap::new(), BTreeSet::new());
    for (label, batch) in &here {
        let Some(levels) = column(batch, "level") else { continue };
        let own: BooleanArray = levels.iter().map(|level| Some(level == Some("subject"))).collect();
        let batch = filter_record_batch(batch, &own).map_err(failed)?;
        alerts.extend(column(&batch, "alert_id").iter().flat_map(|ids| ids.iter().flatten()).map(str::to_string));
        found.insert((*label).clone(), batch);
    }
    for (label, batch) in here.iter().filter(|(_, batch)| batch.column_by_name("level").is_none()) {
        let Some(ids) = column(batch, "alert_id") else { continue };
        let own: BooleanArray = ids.iter().map(|id| Some(id.is_some_and(|id| alerts.contains(id)))).collect();
        found.insert((*label).clone(), filter_record_batch(batch, &own).map_err(failed)?);
    }
    // A table without such rows is the same as none.
    found.retain(|_, batch| batch.num_rows() > 0);
    Ok(found)
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
        let label = format!("gold.{}", model.table);
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

    /// Every month of an indicator by itself, from what its card says it reads; and of one county after the other by itself, where the card
    /// says that it tells counties apart.
    pub(super) async fn cut_indicator(
        &mut self,
        indicators: &Indicators<'_>,
        indicator: &Indicator,
        inputs: &BTreeSet<String>,
        first: &Rows,
    ) -> Result<Cut> {
        let mut cut = Cut::default();
        let (registry, region) = (&self.warehouse.contracts, self.warehouse.region.code.as_str());
        let register = self.register().await?;
        let tables = Indicators::tables(indicator)?;
        let by_county = window::is_by_county(registry, indicator, &tables);
        let earlier: Vec<RecordBatch> = indicators.values_of(first)?;
        let months: Vec<AskedMonth> = indicators.months();
        for (at, asked) in some_of(&months, if self.quick { FEW } else { months.len() }).into_iter().enumerate() {
            let month: Month = asked.month;
            let of_month = first.keys().filter(|(_, cell)| cell.month == month.to_string() && cell.county != region);
            let counties: Vec<&str> = of_month.map(|(_, cell)| cell.county.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
            let county = counties.get(at % counties.len().max(1)).copied().filter(|_| by_county);
            // The month; then a county's rows from its own cells and shared ones, and the region's own from shared ones alone.
            for only in [Some(None), county.map(Some), county.map(|_| Some(region))].into_iter().flatten() {
                // Dimensions that only name subjects are no input of a value.
                let reads = |table: &str, other: &Cell| {
                    let window = window::of_indicator(registry, indicator, table);
                    let here = only.is_none_or(|only| only == other.county || window::is_every_county(window, region, &other.county));
                    !tables.contains(table) || (here && window::takes(window, month, &other.month))
                };
                let session = self.session_of(inputs, LAID_OUT, &reads).await?;
                let mut rows = indicators.computed(&session, indicator, &register, vec![asked], &earlier).await?;
                cut.made += 1;
                if only == Some(region) {
                    let cell = Cell::new(region, month.to_string());
                    let (ours, theirs) = (of_subjects(first, &cell)?, of_subjects(&rows, &cell)?);
                    let label = ours.keys().chain(theirs.keys()).find(|label| ours.get(*label) != theirs.get(*label)).cloned();
                    cut.differs = label.map(|label| (label, cell)).map(|at| (at.clone(), rows.remove(&at)));
                } else {
                    let here = |cell: &Cell| cell.month == month.to_string() && only.is_none_or(|only| only == cell.county);
                    cut.differs = first_difference(first, &mut rows, &here);
                }
                if cut.differs.is_some() {
                    return Ok(cut);
                }
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
