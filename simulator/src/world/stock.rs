//! Month-end stock: what came, less what was used.

use std::collections::BTreeMap;

use chrono::Duration;

use super::cast::{Cast, Item};
use super::orders::Received;
use super::usage::usage;
use crate::dice::mix;
use crate::row::{Cell, Row, int};
use crate::time::Month;

/// `stock_month` of a county, one list for each month; the first has the months before it too.
pub(crate) fn stock(cast: &Cast, county: usize, received: &Received) -> Vec<Vec<Row>> {
    let mut months: Vec<Vec<Row>> = cast.months().map(|_| Vec::new()).collect();
    for inst in cast.institutions.iter().filter(|i| i.county == county && !i.pharmacy) {
        let mut level: BTreeMap<Item, i64> = BTreeMap::new();
        for (n, month) in cast.months().enumerate() {
            let mut used: BTreeMap<Item, i64> = BTreeMap::new();
            for u in usage(cast, inst, month).iter().filter(|u| !matches!(u.item, Item::Service(_))) {
                *used.entry(u.item).or_default() += u.cnt * u.ratio;
            }
            for (item, units) in used {
                let Some(product) = cast.product(item) else {
                    continue;
                };
                let opening = *level
                    .entry(item)
                    .or_insert_with(|| 200 + (mix(cast.cfg.seed, &[111, inst.idx as u64, item.tag()]) % 2000).cast_signed());
                let got = received.get(&(inst.idx, item, i32::try_from(n).unwrap_or(0))).copied().unwrap_or(0);
                // What the platform did not bring came from elsewhere: the shelf never goes below half.
                let closing = (opening + got - units).max(opening / 2);
                level.insert(item, closing);
                let row = |m: Month, count: i64| {
                    Row::new(
                        vec![Cell::from(&inst.code), Cell::from(&product.code), Cell::Month(m), int(count)],
                        month.plus(1).start() + Duration::hours(8),
                    )
                };
                if let Some(rows) = months.get_mut(n) {
                    if n == 0 {
                        rows.extend((1..=3).rev().map(|back| row(month.plus(-back), opening)));
                    }
                    rows.push(row(month, closing));
                }
            }
        }
    }
    months
}
