//! Volume-based procurement: batches, groups, and what each institution agreed to buy.

use chrono::{NaiveDate, NaiveDateTime};

use super::products::Product;
use crate::config::WorldConfig;
use crate::time::Month;

/// One batch.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// 1 national, 2 provincial, 3 alliance.
    pub level: &'static str,
    /// A batch of consumables.
    pub consumables: bool,
    /// First day.
    pub begin: NaiveDate,
    /// Last day.
    pub end: NaiveDate,
    /// Months between them.
    pub months: i64,
    /// Its groups.
    pub groups: Vec<Group>,
}

/// One group of a batch: positions of products and their roles.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Code.
    pub code: String,
    /// Role 1, with its award price in cents per pack.
    pub winner: (usize, i64),
    /// Role 2, likewise.
    pub backup: Option<(usize, i64)>,
    /// Role 3.
    pub loser: Option<usize>,
    /// Role 4.
    pub substitute: Option<usize>,
}

/// What an institution makes of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pledge {
    /// Agreed to what it buys.
    OnTrack,
    /// Agreed to a little more.
    Behind,
    /// Agreed to twice as much.
    FarBehind,
    /// Buys none of it.
    Never,
    /// Agreed to nothing.
    Zero,
    /// Has no agreement.
    None,
}

impl Pledge {
    /// The pledge of an institution for the `group`-th group, counted over all batches.
    pub(crate) fn of(institution: usize, group: usize) -> Self {
        match (institution * 5 + group * 3) % 11 {
            0 | 3 | 6 | 9 => Self::OnTrack,
            1 | 7 => Self::Behind,
            2 => Self::FarBehind,
            4 => Self::Never,
            5 => Self::Zero,
            8 => Self::OnTrack,
            _ => Self::None,
        }
    }

    /// Per mille of the expected purchase that is agreed.
    pub(crate) fn factor(self) -> i64 {
        match self {
            Self::OnTrack | Self::Never => 800,
            Self::Behind => 1160,
            Self::FarBehind => 2200,
            Self::Zero | Self::None => 0,
        }
    }
}

/// An ended, a running and a consumable batch.
pub(crate) fn batches(cfg: &WorldConfig, first: Month, drugs: &[Product], consumables: &[Product]) -> Vec<Batch> {
    let generics = drugs.iter().map(|d| d.family).max().map_or(1, |g| g + 1);
    let third = (generics / 3).max(1);
    let last = first.plus(cfg.months.cast_signed() - 1);
    let ended = first.plus((cfg.months.cast_signed() - 2).clamp(0, 3));
    let year = first.dashed()[..4].to_owned();
    let mut all = vec![
        batch(&format!("GJ{year}A"), "国家组织药品集采第A批", "1", first, ended, drugs, 0..third),
        batch(&format!("LM{year}B"), "省际联盟药品集采第B批", "3", first, last.plus(10), drugs, third..(third * 2).min(generics)),
    ];
    let mut mcs = Batch {
        consumables: true,
        ..batch(&format!("HC{year}C"), "自治区医用耗材集采第C批", "2", first, ended.plus(1), &[], 0..0)
    };
    mcs.groups = (0..consumables.len() / 6 + usize::from(consumables.len() < 6))
        .take(4)
        .map(|f| {
            let of = |n: usize| (f * 6 + n < consumables.len()).then_some(f * 6 + n);
            Group {
                code: format!("HC{:03}", f + 1),
                winner: (f * 6, price(consumables, f * 6)),
                backup: None,
                loser: of(1),
                substitute: of(2),
            }
        })
        .collect();
    all.push(mcs);
    all
}

fn batch(
    code: &str,
    name: &str,
    level: &'static str,
    from: Month,
    to: Month,
    drugs: &[Product],
    families: std::ops::Range<usize>,
) -> Batch {
    let generics = drugs.iter().map(|d| d.family).max().map_or(1, |g| g + 1);
    let has = |i: usize| (i < drugs.len()).then_some(i);
    let groups = families
        .enumerate()
        .map(|(n, g)| Group {
            code: format!("{}{:03}", &code[..2], n + 1),
            // One group in three was awarded below the listing price: ordering at that price is above the cap.
            winner: (g, if n % 3 == 2 { price(drugs, g) * 97 / 100 } else { price(drugs, g) }),
            backup: (n % 2 == 0).then(|| has(g + 2 * generics).map(|i| (i, price(drugs, i)))).flatten(),
            loser: has(g + generics),
            substitute: if n % 2 == 1 { has(g + 2 * generics) } else { has(g + 3 * generics) },
        })
        .collect();
    Batch {
        code: code.to_owned(),
        name: name.to_owned(),
        level,
        consumables: false,
        begin: from.first(),
        end: to.last(),
        months: i64::from(to.since(from)) + 1,
        groups,
    }
}

fn price(products: &[Product], i: usize) -> i64 {
    products.get(i).and_then(|p| p.prices.first()).map_or(100, |v| v.cents)
}

impl Batch {
    /// Whether it is in force on the day of a time.
    pub(crate) fn active(&self, at: NaiveDateTime) -> bool {
        (self.begin..=self.end).contains(&at.date())
    }
}
