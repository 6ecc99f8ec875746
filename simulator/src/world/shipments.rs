//! What follows from an order line: shipments, receipts, returns, payments.

use chrono::{Duration, NaiveDateTime};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::cast::Cast;
use super::institutions::Profile;
use super::orders::{Ids, Order, Received};
use super::platform::Platform;
use crate::row::{Cell, Row, dec, int};

/// A shipment in the making.
pub(crate) struct Shipping<'a> {
    /// The order line.
    pub order: &'a Order<'a>,
    /// Its id.
    pub detail: &'a str,
    /// Packs in the shipment.
    pub count: i64,
    /// Cents a pack.
    pub price: i64,
    /// When it was ordered.
    pub send: NaiveDateTime,
    /// When it is received.
    pub receipt: NaiveDateTime,
    /// Min units a pack.
    pub convrat: i64,
}

/// Publishes a shipment, its return and its payments.
pub(crate) fn ship(cast: &Cast, platform: &mut Platform, ids: &mut Ids, received: &mut Received, rng: &mut ChaCha8Rng, s: &Shipping<'_>) {
    let month = s.order.month;
    let late_payer = s.order.institution.profile == Profile::LatePayer;
    let shipment = ids.next(32, month);
    let gap = (s.receipt - s.send).num_minutes();
    let left = s.send + Duration::minutes(gap / 3);
    let lag = if late_payer {
        rng.random_range(600..2600)
    } else if rng.random_range(0..40) == 0 {
        rng.random_range(1450..2400)
    } else {
        rng.random_range(20..240)
    };
    let arrived = (s.receipt - Duration::minutes(lag.min(gap / 3))).max(left);
    let auto = rng.random_range(0..100) < if late_payer { 25 } else { 2 };
    let short = i64::from(s.count > 5 && rng.random_range(0..60) == 0);
    let (lot, expiry) = (format!("L{}{:03}", month.compact(), rng.random_range(0..1000)), month.plus(24).first());
    let row = |stas: &str,
               arrival: Option<NaiveDateTime>,
               count: Option<i64>,
               receipt: Option<NaiveDateTime>,
               auto: Cell,
               updt: NaiveDateTime| {
        Row::new(
            vec![
                Cell::from(&shipment),
                Cell::from(s.detail),
                int(s.count),
                dec(s.price, 2),
                Cell::Time(left),
                Cell::maybe(arrival),
                count.map_or(Cell::Null, int),
                Cell::maybe(receipt),
                auto,
                Cell::from(&lot),
                Cell::Time(expiry.and_hms_opt(0, 0, 0).unwrap_or(left)),
                Cell::from(stas),
            ],
            updt,
        )
    };
    let got = s.count - short;
    let shipped = row("2", None, None, None, Cell::Null, left + Duration::minutes(8));
    let done = row("3", Some(arrived), Some(got), Some(s.receipt), Cell::from(auto), s.receipt + Duration::minutes(8));
    let finished = done.updt < cast.horizon();
    platform.versions("shp", if rng.random_range(0..100) < 35 || !finished { vec![shipped, done] } else { vec![done] });
    if !finished || s.receipt + Duration::minutes(8) >= cast.horizon() {
        return;
    }
    *received.entry((s.order.institution.idx, s.order.item, s.receipt_month(cast))).or_default() += got * s.convrat;
    let mut owed = got * s.price;
    if got > 2 && rng.random_range(0..50) == 0 {
        let back = (got / 4).max(1);
        let at = s.receipt + Duration::hours(rng.random_range(20..200));
        let id = ids.next(34, month);
        let retn = |stas: &str, updt: NaiveDateTime| {
            Row::new(
                vec![
                    Cell::from(&id),
                    Cell::from(&shipment),
                    Cell::from(s.detail),
                    int(back),
                    dec(back * s.price, 2),
                    Cell::Time(at),
                    Cell::from(stas),
                ],
                updt,
            )
        };
        platform.versions("retn", vec![retn("1", at + Duration::minutes(12)), retn("2", at + Duration::hours(20))]);
        owed -= back * s.price;
    }
    pay(cast, platform, ids, rng, s, &shipment, owed);
}

impl Shipping<'_> {
    fn receipt_month(&self, cast: &Cast) -> i32 {
        let first = cast.first;
        (0..i32::try_from(cast.cfg.months).unwrap_or(0)).find(|n| self.receipt < first.plus(n + 1).start()).unwrap_or(0)
    }
}

fn pay(cast: &Cast, platform: &mut Platform, ids: &mut Ids, rng: &mut ChaCha8Rng, s: &Shipping<'_>, shipment: &str, owed: i64) {
    let late = s.order.institution.profile == Profile::LatePayer;
    if owed <= 0 || rng.random_range(0..100) < if late { 30 } else { 1 } {
        return;
    }
    let days = if late { rng.random_range(35..110) } else { rng.random_range(4..28) };
    let mode = if cast.award(s.order.item, s.receipt).is_some() && rng.random_range(0..10) < 8 { "1" } else { "2" };
    let halves = if owed > 10_000 && rng.random_range(0..20) == 0 { vec![owed / 2, owed - owed / 2] } else { vec![owed] };
    for (n, amount) in halves.into_iter().enumerate() {
        let at = s.receipt + Duration::days(days + 3 * i64::try_from(n).unwrap_or(0)) + Duration::minutes(rng.random_range(0..300));
        let cells = vec![Cell::from(&ids.next(35, s.order.month)), Cell::from(shipment), dec(amount, 2), Cell::Time(at), Cell::from(mode)];
        platform.versions("pay_detl", vec![Row::new(cells, at + Duration::minutes(11))]);
    }
}
