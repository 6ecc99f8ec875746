//! Fee lines: what was used, as it was charged.

use chrono::Duration;
use rand::Rng;

use super::cast::{Cast, Item};
use super::institutions::{Institution, Profile};
use super::noise::{REASONS, disguise, rekey, spoil};
use super::usage::{Use, charge_ratio, usage};
use crate::decimal::{amount_cents, div_round};
use crate::dice::{dice, mix};
use crate::row::{Cell, Fate, Row, dec, int};
use crate::schema::schema;
use crate::time::Month;

/// The id of a fee line.
fn serial(month: Month, institution: usize, line: u64) -> String {
    format!("41{}{institution:04}{line:07}", month.compact())
}

/// An institution's own code of an item.
pub(crate) fn own_code(institution: &Institution, item: Item) -> String {
    match item {
        Item::Drug(i) => format!("YP{:03}{i:04}", institution.idx),
        Item::Mcs(i) => format!("HC{:03}{i:04}", institution.idx),
        Item::Service(i) => format!("FW{:03}{i:04}", institution.idx),
    }
}

/// Whether the catalogue mapping lacks an item; only items that need none are left out.
pub(crate) fn unmapped(cast: &Cast, institution: &Institution, item: Item) -> bool {
    cast.cfg.noise && institution.idx.is_multiple_of(3) && item.tag() % 13 == 5 && charge_ratio(cast, institution, item) == 1
}

/// Price per charged unit in 10^-4 yuan.
fn price(cast: &Cast, institution: &Institution, u: &Use, month: Month) -> i64 {
    let n = month.since(cast.first);
    let permille = |p: i64, by: i64| div_round(i128::from(p) * i128::from(by), 1000).max(1);
    match u.item {
        Item::Service(i) => {
            let Some(service) = cast.services.get(i) else {
                return 1;
            };
            let level = match institution.level {
                "3" => 1000,
                "2" => 900,
                "1" => 800,
                _ => 750,
            };
            let base = service.limit * level / 1000 / 10 * 10;
            let by = match institution.profile {
                Profile::PriceBreaker if i % 3 == 0 => 1120,
                Profile::Wobbly if n % 2 == 1 => 700,
                Profile::OffPlatform if !u.insured => 1150,
                Profile::Slipping => 400,
                _ => 950,
            };
            permille(base * 100, by) / 100 * 100
        }
        item => {
            let Some(product) = cast.product(item) else {
                return 1;
            };
            let unit = if u.ratio == 1 {
                product.unit_price(month.start())
            } else {
                product.price_at(month.start()).map_or(100, |v| v.cents * 100)
            };
            let by = match institution.profile {
                Profile::MarkUp if item.tag() % 3 == 0 => 1080,
                Profile::DearPharmacy => 1750,
                Profile::Pharmacy if u.insured && institution.idx.is_multiple_of(2) => 1120,
                Profile::Pharmacy => 1060 + (item.tag() % 3).cast_signed() * 40,
                _ => 1000,
            };
            permille(unit, by)
        }
    }
}

/// One fee line as a row.
fn fee_row(cast: &Cast, institution: &Institution, month: Month, u: &Use) -> Row {
    let mark = mix(cast.cfg.seed, &[101, institution.idx as u64, u.line, month.since(cast.first).unsigned_abs().into()]);
    let priced_in = u.reverses.map_or(month, |(back, _)| month.plus(-back));
    let price = price(cast, institution, u, priced_in);
    let amount = amount_cents(u.cnt, price, 4);
    let (list_type, code, name) = match (u.item, cast.product(u.item)) {
        (Item::Service(i), _) => ("201", cast.services.get(i).map_or("", |s| &s.code), cast.services.get(i).map_or("", |s| s.name)),
        (Item::Mcs(_), Some(p)) => ("301", p.code.as_str(), p.name.as_str()),
        (_, Some(p)) => (
            match p.drug_type {
                "3" | "4" => "102",
                "5" => "103",
                _ => "101",
            },
            p.code.as_str(),
            p.name.as_str(),
        ),
        _ => ("101", "", ""),
    };
    let uncoded = institution.profile == Profile::OffPlatform && list_type == "301" && u.item.tag() % 4 == 1;
    let own = own_code(institution, u.item);
    let county = cast.counties.get(institution.county).map_or("", |c| c.code.as_str());
    let cells = vec![
        Cell::Text(serial(month, institution.idx, u.line)),
        u.reverses.map_or(Cell::Null, |(back, line)| Cell::Text(serial(month.plus(-back), institution.idx, line))),
        Cell::Text(format!("S{}{:03}{:07}", month.compact(), institution.idx, u.line / 3)),
        Cell::Time(u.at),
        Cell::from(&institution.code),
        Cell::Text(format!("P{:08}", mark % 100_000_000)),
        Cell::from(if mark.is_multiple_of(11) { "650100" } else { county }),
        Cell::from(if institution.pharmacy {
            "41"
        } else if mark.is_multiple_of(3) {
            "21"
        } else {
            "11"
        }),
        Cell::from(list_type),
        if uncoded { Cell::Null } else { Cell::from(code) },
        Cell::from(&own),
        if uncoded { Cell::Null } else { Cell::from(code.get(..code.len().min(18)).unwrap_or("")) },
        Cell::from(name),
        int(u.cnt),
        dec(price, 4),
        dec(amount, 2),
        Cell::from(if u.insured { "1" } else { "2" }),
        if u.insured { dec(div_round(i128::from(amount) * 9, 10), 2) } else { Cell::Null },
        if u.insured { Cell::Null } else { dec(amount, 2) },
        Cell::from(["甲", "乙", "丙", ""][(mark / 7 % 4) as usize]),
        Cell::from("1"),
    ];
    let mut row = Row::new(cells, u.at + Duration::minutes(200 + (mark / 64 % 4000).cast_signed()));
    row.warned.unit_assumed = list_type != "201" && unmapped(cast, institution, u.item);
    row
}

/// Whether the corrections of a county's n-th month come in a second file.
pub(crate) fn restated(county: usize, n: u64) -> bool {
    (county as u64 + n).is_multiple_of(3)
}

/// The fee lines of a county and month, with their dirt.
pub(crate) fn county_month(cast: &Cast, county: usize, month: Month) -> Vec<Row> {
    let n = u64::from(month.since(cast.first).unsigned_abs());
    let mut rng = dice(cast.cfg.seed, &[103, county as u64, n]);
    let mut rows = Vec::new();
    for institution in cast.institutions.iter().filter(|i| i.county == county) {
        for u in usage(cast, institution, month) {
            let row = fee_row(cast, institution, month, &u);
            if cast.cfg.noise {
                with_dirt(&mut rows, row, &mut rng, restated(county, n));
            } else {
                rows.push(row);
            }
        }
    }
    if cast.cfg.noise {
        plant(cast, county, n, &mut rows);
    }
    rows
}

/// Adds a row, now and then with an older version, a void, a repetition, or numbers in disguise.
fn with_dirt(rows: &mut Vec<Row>, mut row: Row, rng: &mut rand_chacha::ChaCha8Rng, restates: bool) {
    let schema = schema("fee_list");
    let roll = rng.random_range(0..1000_u32);
    if roll % 20 == 7 {
        disguise(&mut row, roll % 40 == 7);
    }
    match roll {
        0..4 => {
            let mut newer = row.clone().published(row.updt + Duration::days(5));
            newer.late = restates;
            rows.push(row.fated(Fate::Superseded));
            rows.push(newer);
        }
        4..6 => {
            let mut gone = row.clone().published(row.updt + Duration::days(6)).fated(Fate::Void);
            if let Some(at) = schema.at("vali_flag") {
                gone.cells[at] = Cell::from("0");
            }
            rows.push(row.fated(Fate::Superseded));
            rows.push(gone);
        }
        6..10 => {
            rows.push(row.clone());
            rows.push(row.fated(Fate::Repeated));
        }
        10..12 => {
            if let Some(at) = schema.at("det_item_fee_sumamt") {
                row.cells[at] = dec(123_457 + i64::from(roll), 2);
                row.warned.amount_mismatch = true;
            }
            rows.push(row);
        }
        12..16 => {
            if let (Some(at), Cell::Text(name)) =
                (schema.at("hilist_name"), schema.at("hilist_name").map_or(Cell::Null, |i| row.cells[i].clone()))
            {
                row.cells[at] = Cell::Text(format!("{name}\n(换行, \"引号\")"));
            }
            rows.push(row);
        }
        _ => rows.push(row),
    }
}

/// Adds rows that must be quarantined, each reason every second month, and a product nobody lists.
fn plant(cast: &Cast, county: usize, n: u64, rows: &mut Vec<Row>) {
    let schema = schema("fee_list");
    let good: Vec<Row> =
        rows.iter().filter(|r| r.fate == Fate::Accepted && r.warned == crate::row::Warned::default()).take(40).cloned().collect();
    let base = (n * 100 + county as u64) * 100;
    for (r, reason) in REASONS.iter().enumerate() {
        if (r + county + n as usize).is_multiple_of(2) {
            let row = good.get((r * 3 + 1) % good.len().max(1)).and_then(|g| spoil(schema, g, reason, base + r as u64, cast.horizon()));
            let at = (r * 5).min(rows.len());
            rows.splice(at..at, row);
        }
    }
    if let Some(row) = good.get(2) {
        let mut unknown = row.clone();
        rekey(schema, &mut unknown, base + 50);
        for (name, value) in [
            ("med_list_codg", "XZ99ZZZ999A001010199999"),
            ("medins_list_codg", "YPWEIZHI"),
            ("list_type", "101"),
            ("hilist_code", ""),
            ("hilist_name", "平台未挂网药品"),
        ] {
            if let Some(at) = schema.at(name) {
                unknown.cells[at] = Cell::from(value);
            }
        }
        unknown.warned.unit_assumed = true;
        unknown.warned.unknown_product = true;
        rows.push(unknown);
    }
}
