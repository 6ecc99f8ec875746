//! What a drug or consumable is, and its price over time.

use chrono::NaiveDateTime;

use crate::config::WorldConfig;
use crate::decimal::div_round;
use crate::dice::dice;
use crate::time::{Month, at_hour};
use rand::Rng;

/// A listing's price from a point in time on.
#[derive(Debug, Clone)]
pub(crate) struct PriceVersion {
    /// From when.
    pub from: NaiveDateTime,
    /// Price per pack, cents.
    pub cents: i64,
    /// Listed or suspended.
    pub listed: bool,
}

/// A drug or consumable with its listing.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    /// National code.
    pub code: String,
    /// Listing id.
    pub listing: String,
    /// Name, which is also the generic name.
    pub name: String,
    /// Dosage form (drugs) or material (consumables).
    pub form: String,
    /// Specification.
    pub spec: String,
    /// Min units per pack.
    pub convrat: i64,
    /// Name of the min unit.
    pub unit: &'static str,
    /// Name of the pack.
    pub pack: &'static str,
    /// Position of the manufacturer.
    pub maker: usize,
    /// 1 to 5; a consumable has 1.
    pub drug_type: &'static str,
    /// Passed the consistency evaluation.
    pub evaluated: bool,
    /// Price negotiated nationally.
    pub negotiated: bool,
    /// In short supply.
    pub shortage: bool,
    /// An injection.
    pub injection: bool,
    /// High-value consumable.
    pub high_value: bool,
    /// May be charged separately.
    pub separate: bool,
    /// Position of the generic (drugs) or category (consumables).
    pub family: usize,
    /// Its price over time, the oldest first.
    pub prices: Vec<PriceVersion>,
}

impl Product {
    /// The version in force at a time; before the first, the first.
    pub(crate) fn price_at(&self, at: NaiveDateTime) -> Option<&PriceVersion> {
        self.prices.iter().rev().find(|v| v.from <= at).or_else(|| self.prices.first())
    }

    /// Price per min unit in 10^-4 yuan at a time.
    pub(crate) fn unit_price(&self, at: NaiveDateTime) -> i64 {
        self.price_at(at).map_or(1, |v| div_round(i128::from(v.cents) * 100, i128::from(self.convrat)).max(1))
    }
}

/// When the listings that were there before everything took effect.
pub(crate) fn long_ago(first: Month) -> NaiveDateTime {
    at_hour(first.plus(-14).first(), 9)
}

/// A price history: some change once, some are suspended in the second month.
pub(crate) fn versions(cfg: &WorldConfig, first: Month, tag: u64, i: usize, cents: i64, steady: bool) -> Vec<PriceVersion> {
    let mut rng = dice(cfg.seed, &[tag, i as u64, 1]);
    let mut all = vec![PriceVersion { from: long_ago(first), cents, listed: true }];
    if steady {
        return all;
    }
    let month = first.plus(rng.random_range(0..cfg.months.cast_signed()));
    let from = at_hour(month.first() + chrono::Duration::days(rng.random_range(3..20)), 9);
    match i % 24 {
        1 | 9 | 17 => all.push(PriceVersion { from, cents: (cents * 94 / 100).max(1), listed: true }),
        3 | 11 => all.push(PriceVersion { from, cents: cents * 127 / 100, listed: true }),
        5 => all.push(PriceVersion { from: at_hour(first.plus(i32::from(cfg.months > 1)).first(), 9), cents, listed: false }),
        _ => {}
    }
    all
}
