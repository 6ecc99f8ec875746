//! The export datasets other than fee lines.

use chrono::Duration;

use super::cast::Cast;
use super::fees::{own_code, unmapped};
use super::institutions::{Delivery, Institution, Profile};
use super::noise::{REASONS, spoil};
use super::products::long_ago;
use super::usage::charge_ratio;
use crate::decimal::div_round;
use crate::row::{Cell, Row, dec, int};
use crate::schema::schema;
use crate::time::{at_hour, is_workday};

/// Adds bad rows, one a reason, if there is to be dirt.
pub(crate) fn dirty(cast: &Cast, dataset: &str, salt: u64, mut rows: Vec<Row>) -> Vec<Row> {
    if !cast.cfg.noise || !rows.iter().any(|r| r.fate == crate::row::Fate::Accepted) {
        return rows;
    }
    let schema = schema(dataset);
    let good: Vec<Row> = rows.iter().filter(|r| r.fate == crate::row::Fate::Accepted).cloned().collect();
    for (r, reason) in REASONS.iter().enumerate() {
        let n = 700_000 + salt * 20 + r as u64;
        if let Some(row) = good.get((r * 5 + 1) % good.len()).and_then(|g| spoil(schema, g, reason, n, cast.horizon())) {
            rows.push(row);
        }
    }
    rows
}

/// `admdvs`.
pub(crate) fn admdvs(cast: &Cast) -> Vec<Row> {
    let at = long_ago(cast.first);
    let region = cast.cfg.region.as_str();
    let province = format!("{}0000", region.get(..2).unwrap_or("65"));
    let name = if region == "652800" { "巴音郭楞蒙古自治州" } else { "示范州" };
    let row = |code: &str, name: &str, parent: &str, remote: Cell| {
        Row::new(vec![Cell::from(code), Cell::from(name), Cell::from(parent), remote], at)
    };
    let mut rows = vec![
        row(&province, if province == "650000" { "新疆维吾尔自治区" } else { "示范省" }, "100000", Cell::Null),
        row(region, name, &province, Cell::Null),
    ];
    rows.extend(cast.counties.iter().map(|c| row(&c.code, &c.name, region, Cell::from(c.remote))));
    rows
}

/// `workday`.
pub(crate) fn workdays(cast: &Cast) -> Vec<Row> {
    let (from, to) = (cast.first.plus(-14).first(), cast.first.plus(cast.cfg.months.cast_signed() + 1).last());
    let at = long_ago(cast.first);
    from.iter_days().take_while(|d| *d <= to).map(|d| Row::new(vec![Cell::Date(d), Cell::from(is_workday(d))], at)).collect()
}

/// `list_map` of a county.
pub(crate) fn list_map(cast: &Cast, county: usize) -> Vec<Row> {
    let at = long_ago(cast.first);
    let orders = cast.cfg.scale.order_lines as usize;
    let mut rows = Vec::new();
    for inst in cast.institutions.iter().filter(|i| i.county == county) {
        let mut items = cast.formulary(inst, false, if inst.pharmacy { 30 } else { orders * 2 / 3 });
        if !inst.pharmacy {
            items.extend(cast.formulary(inst, true, orders / 3));
        }
        items.sort_unstable();
        for item in items {
            let Some(product) = cast.product(item).filter(|_| !unmapped(cast, inst, item)) else {
                continue;
            };
            let cells = vec![
                Cell::from(&inst.code),
                Cell::from(&own_code(inst, item)),
                Cell::from(&product.code),
                int(charge_ratio(cast, inst, item)),
            ];
            rows.push(Row::new(cells, at));
        }
    }
    rows
}

/// `serv_pric`.
pub(crate) fn service_prices(cast: &Cast) -> Vec<Row> {
    let mut rows = Vec::new();
    let (old, new) = (cast.first.plus(-12).first(), cast.first.plus(cast.cfg.months.cast_signed() / 2).first());
    for service in &cast.services {
        for (level, permille) in [("3", 1000), ("2", 900), ("1", 800), ("9", 750)] {
            let limit = service.limit * permille / 1000 / 10 * 10;
            for (from, cents) in [(old, limit), (new, limit * 102 / 100)] {
                rows.push(Row::new(
                    vec![Cell::from(&service.code), Cell::from(service.name), Cell::from(level), dec(cents, 2), Cell::Date(from)],
                    at_hour(from, 8),
                ));
            }
        }
    }
    rows
}

/// `serv_cost` of a county.
pub(crate) fn service_costs(cast: &Cast, county: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for inst in cast.institutions.iter().filter(|i| i.county == county && !i.pharmacy) {
        for (i, service) in cast.services.iter().enumerate().filter(|(i, _)| i % 4 != 3) {
            let level = match inst.level {
                "3" => 1000,
                "2" => 900,
                "1" => 800,
                _ => 750,
            };
            let permille = if (i + inst.idx) % 6 == 0 { 380 } else { 820 };
            let cost = div_round(i128::from(service.limit * level * permille), 10_000);
            let cells =
                vec![Cell::from(&inst.code), Cell::from(&service.code), Cell::from(service.name), Cell::Month(cast.first), dec(cost, 4)];
            rows.push(Row::new(cells, cast.first.plus(1).start() + Duration::days(4) + Duration::hours(9)));
        }
    }
    rows
}

/// `exemption`.
pub(crate) fn exemptions(cast: &Cast) -> Vec<Row> {
    let (first, last) = (cast.first, cast.first.plus(cast.cfg.months.cast_signed() - 1));
    let by = |p: Profile| cast.institutions.iter().find(|i| i.profile == p).map_or("", |i| i.code.as_str());
    let slow = |mcs: bool| {
        cast.enterprises.iter().find(|e| e.delivery == Some(Delivery::Slow) && e.consumables == mcs).map_or("", |e| e.code.as_str())
    };
    let batch = |n: usize| cast.batches.get(n).map_or(("", ""), |b| (b.code.as_str(), b.groups.first().map_or("", |g| g.code.as_str())));
    let ((ended, ended_grp), (running, _)) = (batch(0), batch(1));
    let mid = first.plus((cast.cfg.months.cast_signed() - 1).min(1));
    let all = [
        ("D05", "", by(Profile::Exempt), "", "", first, last, "院内制剂替代，已备案"),
        ("C05", "", by(Profile::Exempt), "", "", first, last, "耗材集中托管，已备案"),
        ("D11", "", by(Profile::PriceBreaker), "", "", mid, mid, "短缺药品应急采购"),
        ("D13", "main", slow(false), "", "", last, last, "冰雪封路"),
        ("C12", "", slow(true), "", "", last, last, "冰雪封路"),
        ("D09", "main", "", ended, ended_grp, first, last, "中选企业停产"),
        ("D09", "", by(Profile::OffPlatform), running, "", first, last, "科室停诊"),
        ("D06", "", by(Profile::Exempt), "", "", first, last, "院内制剂替代，已备案"),
        ("S03", "", by(Profile::PriceBreaker), "", "", mid, mid, "新增项目试行价"),
    ];
    all.into_iter()
        .enumerate()
        .map(|(n, (indicator, measure, subject, batch, group, from, to, why))| {
            let cells = vec![
                Cell::from(&format!("HM{:06}", n + 1)),
                Cell::from(indicator),
                Cell::from(measure),
                Cell::from(subject),
                Cell::Null,
                Cell::from(batch),
                Cell::from(group),
                Cell::Month(from),
                Cell::Month(to),
                Cell::from(why),
                Cell::from(&format!("医保函〔{}〕{}号", &first.dashed()[..4], n + 1)),
            ];
            Row::new(cells, at_hour(first.first() + Duration::days(n as i64), 10))
        })
        .collect()
}

/// `surplus_base`.
pub(crate) fn surplus_base(cast: &Cast) -> Vec<Row> {
    cast.groups()
        .filter_map(|(n, batch, group)| {
            let product = if batch.consumables { cast.consumables.get(group.winner.0) } else { cast.drugs.get(group.winner.0) }?;
            let before = div_round(i128::from(group.winner.1) * i128::from(16 + (n % 9) as u8) * 1000, i128::from(product.convrat));
            Some(Row::new(
                vec![Cell::from(&batch.code), Cell::from(&group.code), dec(before, 6)],
                at_hour(batch.begin - Duration::days(20), 9),
            ))
        })
        .collect()
}

/// `surplus_assess`.
pub(crate) fn surplus_assess(cast: &Cast) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in &cast.batches {
        for inst in cast.institutions.iter().filter(|i: &&Institution| !i.pharmacy && i.profile != Profile::Tiny) {
            let i = inst.idx as i64;
            let score = [950, 855, 720, 480][inst.idx % 4];
            let cells = vec![
                Cell::from(&inst.code),
                Cell::from(&batch.code),
                dec(62 + i % 9, 2),
                dec(64 + i % 7, 2),
                dec(85 + i % 10, 2),
                dec(score, 1),
            ];
            rows.push(Row::new(cells, at_hour(batch.begin + Duration::days(25), 9)));
        }
    }
    rows
}
