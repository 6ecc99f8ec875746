//! Purchases: order lines, shipments, returns, payments and plans, month by month.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDateTime};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::cast::{Cast, Item};
use super::institutions::{Delivery, Institution, Profile, distributor};
use super::platform::Platform;
use super::shipments::{Shipping, ship};
use super::usage::usage;
use crate::dice::dice;
use crate::row::{Cell, Row, dec, int};
use crate::time::Month;

/// Min units an institution received of an item in a month (counted from the first).
pub(crate) type Received = BTreeMap<(usize, Item, i32), i64>;

/// Makes ids of nineteen digits.
#[derive(Debug, Default)]
pub(crate) struct Ids(u64);

impl Ids {
    /// The next id of a kind in a month.
    pub(crate) fn next(&mut self, kind: u8, month: Month) -> String {
        self.0 += 1;
        format!("{kind}{}{:011}", month.compact(), self.0)
    }
}

/// One order line in the making.
pub(crate) struct Order<'a> {
    /// Who orders.
    pub institution: &'a Institution,
    /// What.
    pub item: Item,
    packs: i64,
    purc_type: &'static str,
    /// The month it is sent in.
    pub month: Month,
}

/// Publishes all purchases and returns what arrived.
pub(crate) fn purchase(cast: &Cast, platform: &mut Platform, ids: &mut Ids) -> Received {
    let mut received = Received::new();
    for institution in &cast.institutions {
        let mut carry: BTreeMap<Item, i64> = BTreeMap::new();
        for month in cast.months() {
            let mut rng = dice(cast.cfg.seed, &[81, institution.idx as u64, u64::from(month.since(cast.first).unsigned_abs())]);
            for order in shopping_list(cast, institution, month, &mut carry) {
                place(cast, platform, ids, &mut received, &mut rng, &order);
            }
        }
    }
    received
}

/// What an institution orders in a month: its usage, times the share it buys, in whole packs.
fn shopping_list<'a>(cast: &Cast, institution: &'a Institution, month: Month, carry: &mut BTreeMap<Item, i64>) -> Vec<Order<'a>> {
    let n = month.since(cast.first);
    let mut used: BTreeMap<Item, i64> = BTreeMap::new();
    for u in usage(cast, institution, month) {
        if !matches!(u.item, Item::Service(_)) {
            *used.entry(u.item).or_default() += u.cnt * u.ratio;
        }
    }
    let (target, items) = (i64::from(cast.cfg.scale.order_lines), used.len().max(1) as i64);
    let mut list = Vec::new();
    // Per kind: cents ordered online, and cents ordered at all; the type of the next line follows.
    let mut spent = [(0_i64, 0_i64); 2];
    for (item, units) in used {
        let consumable = matches!(item, Item::Mcs(_));
        let Some(product) = cast.product(item) else {
            continue;
        };
        let (online, filed) = (institution.profile.online(consumable, n), institution.profile.filed());
        let due = carry.entry(item).or_insert(product.convrat * 500);
        *due += units * (online + filed);
        let packs = (*due).max(0) / 1000 / product.convrat;
        if *due < 0 {
            *due = 0;
        }
        *due -= packs * product.convrat * 1000;
        if packs == 0 {
            continue;
        }
        let lines = (target / items).clamp(1, packs);
        let price = product.price_at(month.start()).map_or(0, |v| v.cents);
        for l in 0..lines {
            let packs = packs / lines + i64::from(l < packs % lines);
            let (on, all) = &mut spent[usize::from(consumable)];
            let amount = packs * price;
            let goes_online = (*on + amount / 2) * (online + filed) <= (*all + amount) * online;
            *all += amount;
            *on += if goes_online { amount } else { 0 };
            let purc_type = if goes_online {
                "1"
            } else if (l + item.tag().cast_signed()) % 2 == 0 {
                "2"
            } else {
                "3"
            };
            list.push(Order { institution, item, packs, purc_type, month });
        }
    }
    list
}

/// How long delivery takes, and whether it comes at all.
fn delivery_hours(cast: &Cast, order: &Order<'_>, distributor: usize, urgent: bool, rng: &mut ChaCha8Rng) -> i64 {
    let remote = cast.counties.get(order.institution.county).is_some_and(|c| c.remote);
    let sla = match (remote, urgent) {
        (false, false) => 48,
        (false, true) => 4,
        (true, false) => 72,
        (true, true) => 8,
    };
    let odd = order.month.since(cast.first) % 2 == 1;
    let on_time = match cast.enterprises.get(distributor).and_then(|e| e.delivery) {
        Some(Delivery::Slow) => 62,
        Some(Delivery::Alternating) if odd => 66,
        _ => 97,
    };
    let minutes =
        if rng.random_range(0..100) < on_time { rng.random_range(sla * 20..sla * 57) } else { sla * 60 + rng.random_range(90..4000) };
    minutes.max(70)
}

/// Publishes one order line and all that follows from it.
fn place(cast: &Cast, platform: &mut Platform, ids: &mut Ids, received: &mut Received, rng: &mut ChaCha8Rng, order: &Order<'_>) {
    let Some(product) = cast.product(order.item) else {
        return;
    };
    let consumable = matches!(order.item, Item::Mcs(_));
    let (month, institution) = (order.month, order.institution);
    let Some(dist) = distributor(&cast.enterprises, cast.cfg.seed, institution.county, order.item.tag(), consumable) else {
        return;
    };
    let send = month.start() + Duration::seconds(86_400 * rng.random_range(0..22) + rng.random_range(8 * 3600..18 * 3600));
    let urgent = rng.random_range(0..100) < 4;
    let listed = product.price_at(send).map_or(1, |v| v.cents);
    let cap = cast.award(order.item, send).map_or(listed, |a| a.min(listed));
    let price = match institution.profile {
        Profile::PriceBreaker if rng.random_range(0..6) == 0 => cap + 35 + cap / 20,
        // A clerk who copies the listing price instead of the award price.
        _ if rng.random_range(0..300) == 0 => listed,
        _ => cap,
    };
    let plan = (rng.random_range(0..100) < 45).then(|| ids.next(33, month));
    let (order_id, detail) = (ids.next(30, month), ids.next(31, month));
    let code = format!("XJ{}", &order_id[8..]);
    let fate = rng.random_range(0..1000);
    // One winner never reaches one county: a supply failure, not a slow distributor.
    let failing = institution.county == 1 % cast.counties.len()
        && cast.groups().any(|(n, b, g)| n == 1 && !b.consumables && order.item == Item::Drug(g.winner.0));
    let row =
        |resp: &str, resp_time: Option<NaiveDateTime>, stas: &str, cncl: &str, cncl_time: Option<NaiveDateTime>, updt: NaiveDateTime| {
            Row::new(
                vec![
                    Cell::from(&detail),
                    Cell::from(&order_id),
                    Cell::from(&code),
                    plan.as_ref().map_or(Cell::Null, Cell::from),
                    Cell::from(if consumable { "2" } else { "1" }),
                    Cell::from(&product.listing),
                    Cell::from(&product.code),
                    Cell::from(&institution.code),
                    Cell::from(&cast.enterprises[dist].code),
                    int(order.packs),
                    dec(price, 2),
                    dec(order.packs * price, 2),
                    Cell::from(order.purc_type),
                    Cell::from(urgent),
                    Cell::Time(send),
                    Cell::from(resp),
                    Cell::maybe(resp_time),
                    Cell::from(stas),
                    Cell::from(cncl),
                    Cell::maybe(cncl_time),
                ],
                updt,
            )
        };
    if let Some(plan) = &plan {
        let time = send - Duration::hours(rng.random_range(20..90));
        let count = order.packs + rng.random_range(0..3);
        let cells = vec![
            Cell::from(plan),
            Cell::from(&institution.code),
            Cell::from(&product.code),
            int(count),
            dec(count * listed, 2),
            Cell::Time(time),
        ];
        platform.versions("purc_plan", vec![Row::new(cells, time + Duration::minutes(17))]);
    }
    let sent = row("0", None, "1", "", None, send + Duration::minutes(rng.random_range(5..40)));
    let published_early = rng.random_range(0..100) < 30;
    let minutes = delivery_hours(cast, order, dist, urgent, rng);
    if fate < 15 {
        let at = send + Duration::hours(rng.random_range(20..100));
        let kind = if fate < 11 { "1" } else { "3" };
        platform.versions("ord_detl", vec![sent, row("0", None, "5", kind, Some(at), at + Duration::minutes(9))]);
        return;
    }
    if fate < 30 || failing {
        let at = send + Duration::hours(168 + rng.random_range(2..40));
        let refused = if failing {
            row("2", Some(send + Duration::hours(30)), "4", "", None, send + Duration::hours(31))
        } else {
            row("0", None, "5", "2", Some(at), at + Duration::minutes(9))
        };
        platform.versions("ord_detl", vec![sent, refused]);
        return;
    }
    let receipt = send + Duration::minutes(minutes);
    let respond = send + Duration::minutes(rng.random_range(25..minutes.clamp(31, 900)));
    let parts = if order.packs >= 8 && rng.random_range(0..12) == 0 { 2 } else { 1 };
    let done = row("1", Some(respond), if parts == 2 { "3" } else { "2" }, "", None, receipt + Duration::minutes(9));
    // What is not finished within the world shows as it was sent.
    let early = published_early || done.updt >= cast.horizon();
    platform.versions("ord_detl", if early { vec![sent, done] } else { vec![done] });
    for part in 0..parts {
        let count = order.packs / parts + if part == 0 { order.packs % parts } else { 0 };
        let receipt = receipt + Duration::hours(30 * part);
        ship(
            cast,
            platform,
            ids,
            received,
            rng,
            &Shipping { order, detail: &detail, count, price, send, receipt, convrat: product.convrat },
        );
    }
}
