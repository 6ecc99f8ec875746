//! What a world is made from. Nothing else decides what it contains.

use crate::error::SimError;
use crate::time::Month;

/// How large a world is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Counties of the prefecture, at most nine.
    pub counties: u32,
    /// Medical institutions in each county.
    pub institutions: u32,
    /// Retail pharmacies in each county.
    pub pharmacies: u32,
    /// Drugs listed.
    pub drugs: u32,
    /// Consumables listed.
    pub consumables: u32,
    /// Medical service items.
    pub services: u32,
    /// Order lines per institution and month, about.
    pub order_lines: u32,
    /// Fee lines per institution and month, about.
    pub fee_lines: u32,
    /// When set, all fee lines of a month together: shared out evenly, exactly.
    pub fee_lines_in_month: Option<u64>,
}

/// The whole recipe of a world. Equal configurations give equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldConfig {
    /// Everything random follows from this number.
    pub seed: u64,
    /// Six-digit code of the prefecture, e.g. `652800`.
    pub region: String,
    /// The first month with events, `yyyy-MM`.
    pub first_month: String,
    /// How many months.
    pub months: u32,
    /// How large.
    pub scale: Scale,
    /// Whether dirt is planted: rows for every quarantine reason, odd spellings, files to refuse.
    pub noise: bool,
}

impl WorldConfig {
    /// A prefecture of nine counties over six months, with dirt: what `yaojia demo` shows.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            seed: 652_800,
            region: "652800".into(),
            first_month: "2024-01".into(),
            months: 6,
            scale: Scale {
                counties: 9,
                institutions: 2,
                pharmacies: 1,
                drugs: 60,
                consumables: 24,
                services: 8,
                order_lines: 44,
                fee_lines: 160,
                fee_lines_in_month: None,
            },
            noise: true,
        }
    }

    /// Two counties, a few institutions, three months: small enough for property tests.
    #[must_use]
    pub fn tiny(seed: u64) -> Self {
        Self {
            seed,
            region: "652800".into(),
            first_month: "2024-01".into(),
            months: 3,
            scale: Scale {
                counties: 2,
                institutions: 4,
                pharmacies: 1,
                drugs: 12,
                consumables: 6,
                services: 3,
                order_lines: 9,
                fee_lines: 24,
                fee_lines_in_month: None,
            },
            noise: true,
        }
    }

    /// One month over nine counties with exactly `fee_lines` fee lines and a tenth as many order
    /// lines, without dirt: what benchmarks load.
    #[must_use]
    pub fn bench(seed: u64, fee_lines: u64) -> Self {
        let institutions = 18_u32;
        let per = u32::try_from(fee_lines / (9 * u64::from(institutions + 6))).unwrap_or(u32::MAX);
        Self {
            seed,
            region: "652800".into(),
            first_month: "2024-01".into(),
            months: 1,
            scale: Scale {
                counties: 9,
                institutions,
                pharmacies: 6,
                drugs: 300,
                consumables: 120,
                services: 40,
                order_lines: (per / 10).max(10),
                fee_lines: per,
                fee_lines_in_month: Some(fee_lines),
            },
            noise: false,
        }
    }

    /// Checks the configuration and reads its first month.
    pub(crate) fn check(&self) -> Result<Month, SimError> {
        let bad = |what: &str| Err(SimError::Config(what.to_owned()));
        if self.region.len() != 6 || !self.region.bytes().all(|b| b.is_ascii_digit()) {
            return bad("`region` must be six digits");
        }
        if self.months == 0 || self.months > 120 {
            return bad("`months` must lie in 1..=120");
        }
        let s = &self.scale;
        if s.counties == 0 || s.counties > 9 {
            return bad("`counties` must lie in 1..=9");
        }
        if s.institutions == 0 || s.institutions > 999 || s.pharmacies > 999 {
            return bad("`institutions` must lie in 1..=999, `pharmacies` in 0..=999");
        }
        if s.drugs < 6 || s.drugs > 5000 || s.consumables < 3 || s.consumables > 5000 || s.services == 0 {
            return bad("there must be 6..=5000 drugs, 3..=5000 consumables and a service");
        }
        Month::parse(&self.first_month).ok_or_else(|| SimError::Config(format!("`first_month` `{}` is no yyyy-MM", self.first_month)))
    }
}
