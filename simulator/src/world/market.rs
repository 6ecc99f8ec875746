//! What happens around a batch: appeals, and prices in other provinces.

use chrono::Duration;
use rand::Rng;

use super::cast::Cast;
use super::orders::Ids;
use super::platform::Platform;
use super::reference::catalogue;
use crate::decimal::div_round;
use crate::dice::{dice, mix};
use crate::row::{Cell, Row, dec, int};
use crate::time::at_hour;

/// Appeals of institutions: answered at once, late, or never.
pub(crate) fn appeals(cast: &Cast, platform: &mut Platform, ids: &mut Ids) {
    let hospitals: Vec<_> = cast.institutions.iter().filter(|i| !i.pharmacy).collect();
    for month in cast.months() {
        for (n, batch, group) in cast.groups() {
            let Some(product) = catalogue(cast, batch).get(group.winner.0) else {
                continue;
            };
            let mut rng = dice(cast.cfg.seed, &[95, n as u64, u64::from(month.since(cast.first).unsigned_abs())]);
            if !batch.active(month.start()) || rng.random_range(0..3) == 0 {
                continue;
            }
            for _ in 0..rng.random_range(1..4) {
                let Some(inst) = hospitals.get(rng.random_range(0..hospitals.len().max(1))) else {
                    continue;
                };
                let made =
                    at_hour(month.first() + Duration::days(rng.random_range(1..20)), 12) + Duration::minutes(rng.random_range(0..200));
                let reply = match (n + 1) % 4 {
                    0 => None,
                    1 => Some(made + Duration::days(6)),
                    _ => Some(made + Duration::hours(rng.random_range(2..26))),
                };
                let solved = reply.filter(|_| rng.random_range(0..2) == 0).map(|r| r + Duration::days(2));
                let id = ids.next(37, month);
                let row = |reply, solved, updt| {
                    let entp = cast.enterprises.get(product.maker).map_or(Cell::Null, |e| Cell::from(&e.code));
                    Row::new(
                        vec![
                            Cell::from(&id),
                            Cell::from(&batch.code),
                            Cell::from(&product.code),
                            Cell::from(&inst.code),
                            entp,
                            Cell::Time(made),
                            Cell::maybe(reply),
                            Cell::maybe(solved),
                        ],
                        updt,
                    )
                };
                let mut rows = vec![row(None, None, made + Duration::minutes(23))];
                rows.extend(reply.map(|r| row(reply, None, r + Duration::minutes(23))));
                rows.extend(solved.map(|s| row(reply, solved, s + Duration::minutes(23))));
                platform.versions("appeal", rows);
            }
        }
    }
}

/// Prices in other provinces: for some products lower than here, for longer or shorter.
pub(crate) fn elsewhere(cast: &Cast, platform: &mut Platform) {
    const PROVINCES: [&str; 5] = ["310000", "330000", "440000", "510000", "620000"];
    for (i, p) in cast.drugs.iter().chain(&cast.consumables).enumerate() {
        if i % 7 == 6 {
            continue;
        }
        for (n, province) in PROVINCES.iter().enumerate().take(2 + i % 3) {
            let roll = mix(cast.cfg.seed, &[97, i as u64, n as u64]);
            let pack = [1, 12, 24][(roll % 3) as usize];
            let factor = if i % 5 == 1 && n == 0 { 820 } else { 1000 + (roll / 4 % 300).cast_signed() };
            let start = p.prices.first().map_or(100, |v| v.cents);
            // In 10^-4 yuan per min unit, times what the reference pack holds.
            let price = pack * div_round(i128::from(start * factor), i128::from(p.convrat) * 10).max(1);
            let eff = match i % 4 {
                0 => cast.first.plus(-8).first() + Duration::days(2),
                1 => cast.first.plus(cast.cfg.months.cast_signed() - 1).last() - Duration::days(i as i64 % 3),
                2 => cast.first.first() + Duration::days(20),
                _ => cast.first.plus(-2).first(),
            };
            let active = !(n == 1 && i % 6 == 2);
            let cells = vec![Cell::from(&p.code), Cell::from(*province), dec(price, 4), int(pack), Cell::from(eff), Cell::from(active)];
            platform.versions("ref_pric", vec![Row::new(cells, at_hour(eff, 8))]);
        }
    }
}
