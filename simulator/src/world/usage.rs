//! What is used: the drafts of fee lines, from which both the fee files and the purchases follow.

use chrono::{Duration, NaiveDateTime};
use rand::Rng;

use super::cast::{Cast, Item};
use super::institutions::{Institution, Profile};
use crate::decimal::div_round;
use crate::dice::{dice, mix};
use crate::time::Month;

/// One fee line in the making.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// Its number within institution and month.
    pub line: u64,
    /// What was used.
    pub item: Item,
    /// How many charged units; negative for a reversal.
    pub cnt: i64,
    /// Min units per charged unit.
    pub ratio: i64,
    /// When.
    pub at: NaiveDateTime,
    /// Settled with the insurance, or paid by the patient.
    pub insured: bool,
    /// The line this one reverses: months back, number.
    pub reverses: Option<(i32, u64)>,
}

/// How many fee lines an institution has in a month.
pub(crate) fn fee_target(cast: &Cast, institution: &Institution) -> u64 {
    let scale = &cast.cfg.scale;
    if let Some(total) = scale.fee_lines_in_month {
        let (all, idx) = (cast.institutions.len() as u64, institution.idx as u64);
        return total / all + u64::from(idx < total % all);
    }
    let lines = u64::from(scale.fee_lines);
    match institution.profile {
        Profile::Tiny => lines.min(16),
        _ if institution.pharmacy => (lines / 3).max(4),
        _ => lines,
    }
}

/// Min units per charged unit: some are charged by the pack.
pub(crate) fn charge_ratio(cast: &Cast, institution: &Institution, item: Item) -> i64 {
    let by_pack = mix(cast.cfg.seed, &[51, institution.idx as u64, item.tag()]).is_multiple_of(3);
    match cast.product(item) {
        Some(p) if by_pack && institution.profile != Profile::Tiny => p.convrat,
        _ => 1,
    }
}

/// The fee lines of one institution and month.
pub(crate) fn usage(cast: &Cast, institution: &Institution, month: Month) -> Vec<Use> {
    let n = month.since(cast.first);
    if institution.profile == Profile::Reversals && n % 2 == 1 {
        let before = plain(cast, institution, month.plus(-1));
        // What was already taken back last month is not taken back again.
        let taken: std::collections::BTreeSet<u64> = before.iter().filter_map(|u| u.reverses.map(|(_, line)| line)).collect();
        let mut lines: Vec<Use> = before.into_iter().filter(|u| u.reverses.is_none() && !taken.contains(&u.line)).collect();
        for u in &mut lines {
            u.cnt = -u.cnt;
            u.at += month.start() - month.plus(-1).start();
            u.at = u.at.min(month.last().and_hms_opt(20, 0, 0).unwrap_or(u.at));
            u.reverses = Some((1, u.line));
        }
        return lines;
    }
    plain(cast, institution, month)
}

fn plain(cast: &Cast, institution: &Institution, month: Month) -> Vec<Use> {
    let seed = cast.cfg.seed;
    let target = fee_target(cast, institution);
    let orders = cast.cfg.scale.order_lines as usize;
    let n = month.since(cast.first);
    let drugs = cast.formulary(institution, false, if institution.pharmacy { 30 } else { orders * 2 / 3 });
    let consumables = if institution.pharmacy { Vec::new() } else { cast.formulary(institution, true, orders / 3) };
    let mut rng = dice(seed, &[61, institution.idx as u64, u64::from(n.unsigned_abs())]);
    let mut lines: Vec<Use> = Vec::with_capacity(target as usize);
    for line in 0..target {
        let at = month.start() + Duration::seconds(rng.random_range(7 * 3600..20 * 3600) + 86_400 * rng.random_range(0..month.days()));
        let jitter = rng.random_range(850..1150_i64);
        let roll = rng.random_range(0..1000_u32);
        // Now and then a line is taken back some days later within the month; not where every line counts.
        if roll < 20 && line > 2 {
            let back = &lines[(line - 1) as usize];
            if back.cnt > 0 && back.at + Duration::days(4) < month.plus(1).start() {
                let reversal =
                    Use { line, cnt: -back.cnt, at: back.at + Duration::hours(26), reverses: Some((0, back.line)), ..back.clone() };
                lines.push(reversal);
                continue;
            }
        }
        // A tiny institution has few lines: it steps through the kinds faster, to have some of each.
        let kind = if institution.profile == Profile::Tiny { line * 7 % 50 } else { line % 50 };
        let nth = (line / 50) as usize;
        let item = match kind {
            _ if institution.pharmacy => drugs[line as usize % drugs.len()],
            0..30 => drugs[(nth * 30 + kind as usize) % drugs.len()],
            30..41 => consumables[(nth * 11 + (kind - 30) as usize) % consumables.len()],
            _ => Item::Service((nth * 9 + (kind - 41) as usize) % cast.services.len()),
        };
        let insured = rng.random_range(0..100) < 70;
        let ratio = charge_ratio(cast, institution, item);
        lines.push(Use { line, item, cnt: count(cast, institution, item, ratio, jitter), ratio, at, insured, reverses: None });
    }
    lines
}

/// Charged units of one line: so many that it is worth a steady sum for institution and item.
fn count(cast: &Cast, institution: &Institution, item: Item, ratio: i64, jitter: i64) -> i64 {
    let roll = mix(cast.cfg.seed, &[62, institution.idx as u64, item.tag()]);
    let Some(product) = cast.product(item) else {
        return 6 + (roll % 9).cast_signed() * jitter / 1000;
    };
    let worth = match institution.profile {
        Profile::Tiny => 400 + (roll % 400).cast_signed(),
        _ if institution.pharmacy => 6_000 + (roll % 12_000).cast_signed(),
        _ => 26_000 + (roll % 60_000).cast_signed(),
    };
    let cents = product.prices.first().map_or(100, |v| v.cents);
    let units = div_round(i128::from(worth) * i128::from(product.convrat) * i128::from(jitter), i128::from(cents) * 1000);
    (units / ratio).max(1)
}
