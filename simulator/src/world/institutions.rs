//! Counties, institutions, pharmacies and distributors, each with an assigned behaviour.

use crate::config::WorldConfig;
use crate::dice::mix;

/// One county.
#[derive(Debug, Clone)]
pub(crate) struct County {
    /// Six-digit code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Far away: deliveries have longer.
    pub remote: bool,
}

/// How an institution behaves; the indicator states it leads to are in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Buys what it uses, on the platform.
    Good,
    /// Buys hardly half of it there.
    OffPlatform,
    /// Buys about four fifths there, month after month.
    Slipping,
    /// So small that nothing can be said.
    Tiny,
    /// Every second month has only reversals.
    Reversals,
    /// As `OffPlatform`, but on the exemption register.
    Exempt,
    /// Orders above the cap.
    PriceBreaker,
    /// Pays late, and lets receipts confirm themselves.
    LatePayer,
    /// Slips every second month.
    Wobbly,
    /// Charges more than it paid.
    MarkUp,
    /// Prefers what did not win.
    NonWinner,
    /// Leaves tripartite agreements unsigned.
    Unsigned,
    /// A retail pharmacy with fair prices.
    Pharmacy,
    /// A retail pharmacy that is too dear.
    DearPharmacy,
}

const ROUND: [Profile; 14] = [
    Profile::OffPlatform,
    Profile::Good,
    Profile::Slipping,
    Profile::Tiny,
    Profile::Reversals,
    Profile::Exempt,
    Profile::PriceBreaker,
    Profile::Wobbly,
    Profile::LatePayer,
    Profile::MarkUp,
    Profile::NonWinner,
    Profile::Unsigned,
    Profile::Good,
    Profile::Good,
];

impl Profile {
    /// Per mille of what is used that is bought online, for drugs and for consumables, in the `n`-th month.
    pub(crate) fn online(self, consumable: bool, n: i32) -> i64 {
        match self {
            Self::OffPlatform | Self::Exempt => {
                if consumable {
                    450
                } else {
                    550
                }
            }
            Self::Slipping => {
                if consumable {
                    725
                } else {
                    830
                }
            }
            Self::Wobbly if n % 2 == 0 => {
                if consumable {
                    725
                } else {
                    830
                }
            }
            _ => 1030,
        }
    }

    /// Per mille bought by filing or entered afterwards.
    pub(crate) fn filed(self) -> i64 {
        match self {
            Self::OffPlatform => 60,
            Self::Slipping => 45,
            _ => 15,
        }
    }
}

/// A medical institution or a retail pharmacy.
#[derive(Debug, Clone)]
pub(crate) struct Institution {
    /// Position in the cast.
    pub idx: usize,
    /// H or P and eleven digits.
    pub code: String,
    /// Name.
    pub name: String,
    /// Position of its county.
    pub county: usize,
    /// 3, 2, 1 or 9.
    pub level: &'static str,
    /// Public.
    pub public: bool,
    /// A retail pharmacy.
    pub pharmacy: bool,
    /// How it behaves.
    pub profile: Profile,
}

/// How a distributor delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// On time.
    Prompt,
    /// Late month after month.
    Slow,
    /// Late every second month.
    Alternating,
}

/// A manufacturer or distributor.
#[derive(Debug, Clone)]
pub(crate) struct Enterprise {
    /// E and nine digits.
    pub code: String,
    /// Name.
    pub name: String,
    /// How it delivers; none for a manufacturer.
    pub delivery: Option<Delivery>,
    /// Carries consumables instead of drugs.
    pub consumables: bool,
    /// Gets an order only now and then.
    pub small: bool,
}

const BAYINGOLIN: [(&str, &str, bool); 9] = [
    ("652801", "库尔勒市", false),
    ("652822", "轮台县", false),
    ("652823", "尉犁县", false),
    ("652824", "若羌县", true),
    ("652825", "且末县", true),
    ("652826", "焉耆回族自治县", false),
    ("652827", "和静县", false),
    ("652828", "和硕县", false),
    ("652829", "博湖县", false),
];

/// The counties of the region.
pub(crate) fn counties(cfg: &WorldConfig) -> Vec<County> {
    let prefix: String = cfg.region.chars().take(4).collect();
    BAYINGOLIN
        .iter()
        .take(cfg.scale.counties as usize)
        .enumerate()
        .map(|(i, (code, name, remote))| {
            if cfg.region == "652800" {
                County { code: (*code).into(), name: (*name).into(), remote: *remote }
            } else {
                County { code: format!("{prefix}{:02}", i + 21), name: format!("第{}县", i + 1), remote: *remote }
            }
        })
        .collect()
}

/// All institutions and pharmacies, county by county.
pub(crate) fn institutions(cfg: &WorldConfig, counties: &[County]) -> Vec<Institution> {
    const KINDS: [&str; 4] = ["人民医院", "中医医院", "妇幼保健院", "中心卫生院"];
    let (mut all, mut hospital, mut shop) = (Vec::new(), 0_usize, 0_usize);
    for (c, county) in counties.iter().enumerate() {
        for n in 0..cfg.scale.institutions as usize {
            let kind = KINDS[n % KINDS.len()];
            let name =
                if n < KINDS.len() { format!("{}{kind}", county.name) } else { format!("{}第{}{kind}", county.name, n / KINDS.len() + 1) };
            all.push(Institution {
                idx: all.len(),
                code: format!("H{}{:05}", county.code, hospital + 1),
                name,
                county: c,
                level: match (c, n) {
                    (0, 0) => "3",
                    (_, 0 | 1) => "2",
                    (_, 2) => "1",
                    _ => "9",
                },
                public: n % 5 != 4,
                pharmacy: false,
                profile: ROUND[hospital % ROUND.len()],
            });
            hospital += 1;
        }
        for n in 0..cfg.scale.pharmacies as usize {
            all.push(Institution {
                idx: all.len(),
                code: format!("P{}{:05}", county.code, shop + 1),
                name: format!("{}孔雀河大药房{}店", county.name, n + 1),
                county: c,
                level: "9",
                public: false,
                pharmacy: true,
                profile: if shop % 4 == 2 || (cfg.scale.counties < 4 && shop == 1) { Profile::DearPharmacy } else { Profile::Pharmacy },
            });
            shop += 1;
        }
    }
    all
}

/// Manufacturers first, then distributors.
pub(crate) fn enterprises(cfg: &WorldConfig) -> Vec<Enterprise> {
    const NAMES: [&str; 12] =
        ["博斯腾", "孔雀河", "天鹅湖", "铁门关", "罗布泊", "塔什店", "霍拉山", "开都河", "巩乃斯", "楼兰", "米兰", "阿尔金"];
    let makers = (cfg.scale.drugs as usize / 4).clamp(4, 60);
    let mut all: Vec<Enterprise> = (0..makers)
        .map(|i| Enterprise {
            code: format!("E3{:08}", i + 1),
            name: format!("{}{}制药有限公司", NAMES[i % NAMES.len()], if i < NAMES.len() { "" } else { "第二" }),
            delivery: None,
            consumables: false,
            small: false,
        })
        .collect();
    let plan = [
        (Delivery::Prompt, false, false),
        (Delivery::Slow, false, false),
        (Delivery::Alternating, false, false),
        (Delivery::Prompt, false, true),
        (Delivery::Prompt, true, false),
        (Delivery::Slow, true, false),
    ];
    for (i, (delivery, consumables, small)) in plan.into_iter().enumerate() {
        all.push(Enterprise {
            code: format!("E4{:08}", i + 1),
            name: format!("{}医药配送有限公司", NAMES[(i + 3) % NAMES.len()]),
            delivery: Some(delivery),
            consumables,
            small,
        });
    }
    all
}

/// Which distributor brings a product to a county.
pub(crate) fn distributor(all: &[Enterprise], seed: u64, county: usize, product: u64, consumables: bool) -> Option<usize> {
    let fitting: Vec<usize> =
        all.iter().enumerate().filter(|(_, e)| e.delivery.is_some() && e.consumables == consumables && !e.small).map(|(i, _)| i).collect();
    let small = all.iter().position(|e| e.small && e.consumables == consumables);
    let roll = mix(seed, &[11, county as u64, product]);
    if let Some(s) = small.filter(|_| roll.is_multiple_of(16)) {
        return Some(s);
    }
    fitting.get((roll / 16) as usize % fitting.len().max(1)).copied()
}
