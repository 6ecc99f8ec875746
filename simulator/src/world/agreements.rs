//! Agreed volumes and the tripartite agreements that go with them.

use std::collections::BTreeMap;

use chrono::Duration;
use rand::Rng;

use super::batches::{Batch, Pledge};
use super::cast::{Cast, Item};
use super::institutions::{Profile, distributor};
use super::orders::Ids;
use super::platform::Platform;
use super::products::Product;
use super::reference::catalogue;
use super::usage::usage;
use crate::decimal::div_round;
use crate::dice::dice;
use crate::row::{Cell, Row, int};
use crate::time::at_hour;

/// Agreed volumes and the contracts that go with them.
pub(crate) fn agreements(cast: &Cast, platform: &mut Platform, ids: &mut Ids) {
    for inst in cast.institutions.iter().filter(|i| !i.pharmacy) {
        let mut monthly: BTreeMap<Item, i64> = BTreeMap::new();
        for u in usage(cast, inst, cast.first) {
            *monthly.entry(u.item).or_default() += u.cnt * u.ratio;
        }
        let mut rng = dice(cast.cfg.seed, &[91, inst.idx as u64]);
        for (n, batch, group) in cast.groups() {
            let pledge = Pledge::of(inst.idx, n);
            let Some(product) = catalogue(cast, batch).get(group.winner.0) else {
                continue;
            };
            if pledge == Pledge::None {
                continue;
            }
            let item = if batch.consumables { Item::Mcs(group.winner.0) } else { Item::Drug(group.winner.0) };
            let expected = monthly.get(&item).copied().filter(|u| *u > 0).unwrap_or(40 * product.convrat);
            let agreed = div_round(i128::from(expected * batch.months * pledge.factor()), 1000);
            let reported = if rng.random_range(0..12) == 0 { Cell::Null } else { int(agreed * rng.random_range(70..130) / 100) };
            let cells = vec![
                Cell::from(&batch.code),
                Cell::from(&group.code),
                Cell::from(&inst.code),
                Cell::from(&product.code),
                int(agreed),
                reported,
            ];
            platform.versions("vbp_agrm", vec![Row::new(cells, at_hour(batch.begin - Duration::days(12), 10))]);
            sign(cast, platform, ids, &mut rng, (inst.idx, batch, product, item));
        }
    }
}

fn sign(cast: &Cast, platform: &mut Platform, ids: &mut Ids, rng: &mut rand_chacha::ChaCha8Rng, of: (usize, &Batch, &Product, Item)) {
    let (idx, batch, product, item) = of;
    let Some(inst) = cast.institutions.get(idx) else {
        return;
    };
    let dist =
        distributor(&cast.enterprises, cast.cfg.seed, inst.county, item.tag(), batch.consumables).and_then(|d| cast.enterprises.get(d));
    let maker = cast.enterprises.get(product.maker);
    let push = at_hour(batch.begin + Duration::days(4), 9) + Duration::minutes(rng.random_range(0..600));
    let deadline = push.date() + Duration::days(30);
    let unsigned = inst.profile == Profile::Unsigned || rng.random_range(0..60) == 0;
    let days = if rng.random_range(0..8) == 0 { 24 } else { 2 };
    let at = |n: i64| Some(push + Duration::days(days + n) + Duration::hours(3));
    let id = ids.next(36, cast.first);
    let row = |m, d, p, updt| {
        let cells = vec![
            Cell::from(&id),
            Cell::from(&batch.code),
            Cell::from(&product.code),
            Cell::from(&inst.code),
            maker.map_or(Cell::Null, |e| Cell::from(&e.code)),
            dist.map_or(Cell::Null, |e| Cell::from(&e.code)),
            Cell::Time(push),
            Cell::maybe(m),
            Cell::maybe(d),
            Cell::maybe(p),
            Cell::from(deadline),
        ];
        Row::new(cells, updt)
    };
    let late = push + Duration::days(days + 5) + Duration::hours(4);
    let last = match (unsigned, rng.random_range(0..3)) {
        (false, _) => row(at(0), at(2), at(5), late),
        (true, 0) => row(None, at(2), at(5), late),
        (true, 1) => row(at(0), None, at(5), late),
        (true, _) => row(at(0), at(2), None, late),
    };
    platform.versions("tri_agrm", vec![row(None, None, None, push + Duration::minutes(40)), last]);
}
