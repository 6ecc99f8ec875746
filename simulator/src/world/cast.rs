//! Everyone and everything in the world, before anything happens.

use chrono::NaiveDateTime;

use super::batches::{Batch, Pledge, batches};
use super::consumables::consumables;
use super::drugs::drugs;
use super::institutions::{County, Enterprise, Institution, Profile, counties, enterprises, institutions};
use super::products::Product;
use super::services::{Service, services};
use crate::config::WorldConfig;
use crate::dice::mix;
use crate::error::SimError;
use crate::time::Month;

/// One thing that is used: a position in one of the three catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    /// A drug.
    Drug(usize),
    /// A consumable.
    Mcs(usize),
    /// A service.
    Service(usize),
}

impl Item {
    /// A number of its own, for seeding.
    pub(crate) fn tag(self) -> u64 {
        match self {
            Self::Drug(i) => i as u64,
            Self::Mcs(i) => 100_000 + i as u64,
            Self::Service(i) => 200_000 + i as u64,
        }
    }
}

/// The cast.
#[derive(Debug, Clone)]
pub(crate) struct Cast {
    /// The recipe.
    pub cfg: WorldConfig,
    /// First month.
    pub first: Month,
    /// Counties.
    pub counties: Vec<County>,
    /// Institutions and pharmacies.
    pub institutions: Vec<Institution>,
    /// Manufacturers and distributors.
    pub enterprises: Vec<Enterprise>,
    /// Drugs.
    pub drugs: Vec<Product>,
    /// Consumables.
    pub consumables: Vec<Product>,
    /// Services.
    pub services: Vec<Service>,
    /// Batches.
    pub batches: Vec<Batch>,
}

impl Cast {
    /// Casts a world.
    pub(crate) fn new(cfg: &WorldConfig) -> Result<Self, SimError> {
        let first = cfg.check()?;
        let counties = counties(cfg);
        let enterprises = enterprises(cfg);
        let drugs = drugs(cfg, first, &enterprises);
        let consumables = consumables(cfg, first, &enterprises);
        Ok(Self {
            institutions: institutions(cfg, &counties),
            services: services(cfg),
            batches: batches(cfg, first, &drugs, &consumables),
            cfg: cfg.clone(),
            first,
            counties,
            enterprises,
            drugs,
            consumables,
        })
    }

    /// The months with events.
    pub(crate) fn months(&self) -> impl Iterator<Item = Month> + use<> {
        let first = self.first;
        (0..self.cfg.months.cast_signed()).map(move |n| first.plus(n))
    }

    /// Nothing is published at or after this.
    pub(crate) fn horizon(&self) -> NaiveDateTime {
        self.first.plus(self.cfg.months.cast_signed()).start()
    }

    /// The product behind an item; services have none.
    pub(crate) fn product(&self, item: Item) -> Option<&Product> {
        match item {
            Item::Drug(i) => self.drugs.get(i),
            Item::Mcs(i) => self.consumables.get(i),
            Item::Service(_) => None,
        }
    }

    /// Batches with their groups, and each group's number over all batches.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (usize, &Batch, &super::batches::Group)> {
        self.batches.iter().flat_map(|b| b.groups.iter().map(move |g| (b, g))).enumerate().map(|(n, (b, g))| (n, b, g))
    }

    /// What an institution pledged for the group that a product won, if it won one.
    pub(crate) fn pledge(&self, institution: &Institution, item: Item) -> Option<Pledge> {
        self.groups()
            .find(|(_, b, g)| match item {
                Item::Drug(i) => !b.consumables && g.winner.0 == i,
                Item::Mcs(i) => b.consumables && g.winner.0 == i,
                Item::Service(_) => false,
            })
            .map(|(n, _, _)| Pledge::of(institution.idx, n))
    }

    /// The lowest award price per pack in cents for a role-1 product in a batch active at a time.
    pub(crate) fn award(&self, item: Item, at: NaiveDateTime) -> Option<i64> {
        self.groups()
            .filter(|(_, b, g)| {
                b.active(at)
                    && match item {
                        Item::Drug(i) => !b.consumables && g.winner.0 == i,
                        Item::Mcs(i) => b.consumables && g.winner.0 == i,
                        Item::Service(_) => false,
                    }
            })
            .map(|(_, _, g)| g.winner.1)
            .min()
    }

    /// What an institution stocks of one kind: what it must buy first, then by chance, at most `limit`.
    pub(crate) fn formulary(&self, institution: &Institution, consumable: bool, limit: usize) -> Vec<Item> {
        let total = if consumable { self.consumables.len() } else { self.drugs.len() };
        let mut ranked: Vec<(u64, Item)> = (0..total)
            .map(|i| {
                let item = if consumable { Item::Mcs(i) } else { Item::Drug(i) };
                let won = self.pledge(institution, item);
                let lost = !consumable
                    && institution.profile == Profile::NonWinner
                    && self.groups().any(|(_, b, g)| !b.consumables && g.loser == Some(i));
                let rank = if won == Some(Pledge::Never) {
                    u64::MAX
                } else if lost {
                    0
                } else if won.is_some() {
                    1
                } else {
                    2 + mix(self.cfg.seed, &[41, institution.idx as u64, item.tag()]) / 4
                };
                (rank, item)
            })
            .filter(|(rank, _)| *rank != u64::MAX)
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().take(limit.max(1)).map(|(_, item)| item).collect()
    }
}
