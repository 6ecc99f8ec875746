//! The platform's reference data: listings, organisations and batches.

use chrono::Duration;

use super::agreements::agreements;
use super::batches::{Batch, Group};
use super::cast::Cast;
use super::market::{appeals, elsewhere};
use super::orders::Ids;
use super::platform::Platform;
use super::products::{Product, long_ago};
use crate::row::{Cell, Fate, Row, dec, int};
use crate::time::at_hour;

/// Publishes listings, organisations, batches and agreements.
pub(crate) fn publish(cast: &Cast, platform: &mut Platform, ids: &mut Ids) {
    listings(cast, platform);
    organisations(cast, platform);
    batches(cast, platform);
    agreements(cast, platform, ids);
    appeals(cast, platform, ids);
    elsewhere(cast, platform);
}

fn listings(cast: &Cast, platform: &mut Platform) {
    let maker =
        |p: &Product| cast.enterprises.get(p.maker).map_or((Cell::Null, Cell::Null), |e| (Cell::from(&e.code), Cell::from(&e.name)));
    for (i, p) in cast.drugs.iter().enumerate() {
        for v in &p.prices {
            let (code, name) = maker(p);
            let cells = vec![
                Cell::from(&p.listing),
                Cell::from(&p.code),
                Cell::from(&p.name),
                Cell::from(&p.name),
                Cell::from(&p.form),
                Cell::from(&p.spec),
                Cell::from(&format!("{}{}/{}", p.convrat, p.unit, p.pack)),
                int(p.convrat),
                Cell::from(p.unit),
                Cell::from(p.pack),
                code.clone(),
                name,
                code,
                Cell::from(&format!("国药准字H{:08}", 20_000_000 + i)),
                Cell::from(p.drug_type),
                Cell::from(i % 4 == 0),
                Cell::from(p.evaluated),
                Cell::from(p.negotiated),
                Cell::from(p.shortage),
                Cell::from(p.injection),
                dec(v.cents, 2),
                Cell::from(v.listed),
                Cell::Time(v.from),
            ];
            platform.versions("drug_listing", vec![Row::new(cells, v.from)]);
        }
    }
    for (i, p) in cast.consumables.iter().enumerate() {
        for v in &p.prices {
            let (code, name) = maker(p);
            let cells = vec![
                Cell::from(&p.listing),
                Cell::from(&p.code),
                Cell::from(&p.name),
                Cell::from(&format!("国械注准{:011}", 20_230_000_000_u64 + i as u64)),
                Cell::from(&p.spec),
                Cell::from(&p.form),
                Cell::from(&format!("第{}类", p.family + 1)),
                int(p.convrat),
                Cell::from(p.unit),
                code,
                name,
                Cell::from(p.high_value),
                Cell::from(p.separate),
                dec(v.cents, 2),
                Cell::from(v.listed),
                Cell::Time(v.from),
            ];
            platform.versions("mcs_listing", vec![Row::new(cells, v.from)]);
        }
    }
}

fn organisations(cast: &Cast, platform: &mut Platform) {
    let early = long_ago(cast.first);
    for (i, e) in cast.enterprises.iter().enumerate() {
        let kind = if e.delivery.is_some() { "4" } else { "3" };
        let cells = vec![Cell::from(&e.code), Cell::from(&format!("91650000MA{:08}", i + 1)), Cell::from(&e.name), Cell::from(kind)];
        platform.versions("enterprise", vec![Row::new(cells, early)]);
    }
    let late = cast.first.plus(i32::from(cast.cfg.months > 1)).start() + Duration::days(9);
    for inst in &cast.institutions {
        let row = |name: &str, valid: &str, at| {
            let cells = vec![
                Cell::from(&inst.code),
                Cell::from(&format!("12{}{:08}X", inst.code.get(1..7).unwrap_or("000000"), inst.idx)),
                Cell::from(name),
                Cell::from(if inst.pharmacy { "2" } else { "1" }),
                Cell::from(inst.level),
                Cell::from(inst.public),
                cast.counties.get(inst.county).map_or(Cell::Null, |c| Cell::from(&c.code)),
                Cell::from(valid),
            ];
            Row::new(cells, at)
        };
        // With dirt, one institution was renamed and the last one arrives after its first rows.
        let rows = match inst.idx {
            1 if cast.cfg.noise => vec![row(&format!("{}(原名)", inst.name), "1", early), row(&inst.name, "1", late)],
            n if cast.cfg.noise && n + 1 == cast.institutions.len() => {
                vec![row(&inst.name, "1", late)]
            }
            _ => vec![row(&inst.name, "1", early)],
        };
        platform.versions("institution", rows);
    }
    if cast.cfg.noise {
        let county = cast.counties.first().map_or("", |c| c.code.as_str());
        let closed = |valid: &str, at| {
            let cells = vec![
                Cell::from("H65289900001"),
                Cell::Null,
                Cell::from("已注销门诊部"),
                Cell::from("1"),
                Cell::from("9"),
                Cell::from("0"),
                Cell::from(county),
                Cell::from(valid),
            ];
            Row::new(cells, at)
        };
        platform.versions("institution", vec![closed("1", early), closed("0", late).fated(Fate::Void)]);
    }
}

/// The products a batch is about.
pub(crate) fn catalogue<'a>(cast: &'a Cast, batch: &Batch) -> &'a [Product] {
    if batch.consumables { &cast.consumables } else { &cast.drugs }
}

fn batches(cast: &Cast, platform: &mut Platform) {
    for batch in &cast.batches {
        let known = at_hour(batch.begin - Duration::days(40), 10);
        let cells = vec![
            Cell::from(&batch.code),
            Cell::from(&batch.name),
            Cell::from(batch.level),
            Cell::from(if batch.consumables { "2" } else { "1" }),
            Cell::from(batch.begin),
            Cell::from(batch.end),
        ];
        platform.versions("vbp_batch", vec![Row::new(cells, known)]);
        for (n, group) in batch.groups.iter().enumerate() {
            for (i, role, award) in members(group) {
                let Some(p) = catalogue(cast, batch).get(i) else {
                    continue;
                };
                let cells = vec![
                    Cell::from(&batch.code),
                    Cell::from(&group.code),
                    Cell::from(&format!("{}第{}组", batch.name, n + 1)),
                    Cell::from(&p.code),
                    Cell::from(role),
                    award.map_or(Cell::Null, |a| dec(a, 2)),
                    award.map_or(Cell::Null, |_| int(p.convrat)),
                ];
                platform.versions("vbp_prod", vec![Row::new(cells, known + Duration::days(10))]);
            }
        }
    }
}

fn members(group: &Group) -> Vec<(usize, &'static str, Option<i64>)> {
    let mut all = vec![(group.winner.0, "1", Some(group.winner.1))];
    all.extend(group.backup.map(|(i, a)| (i, "2", Some(a))));
    all.extend(group.loser.map(|i| (i, "3", None)));
    all.extend(group.substitute.map(|i| (i, "4", None)));
    all
}
