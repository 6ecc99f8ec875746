//! The consumables.

use super::institutions::Enterprise;
use super::products::{Product, versions};
use crate::config::WorldConfig;
use crate::dice::mix;
use crate::time::Month;

/// All consumables, six to a category.
pub(crate) fn consumables(cfg: &WorldConfig, first: Month, enterprises: &[Enterprise]) -> Vec<Product> {
    const KINDS: [(&str, &str, i64, bool); 5] = [
        ("一次性使用无菌注射器", "支", 90, false),
        ("冠状动脉支架", "个", 79_800, true),
        ("人工晶体", "片", 98_000, true),
        ("医用外科缝线", "包", 1_250, false),
        ("静脉留置针", "支", 1_480, false),
    ];
    let makers = enterprises.iter().filter(|e| e.delivery.is_none()).count().max(1);
    (0..cfg.scale.consumables as usize)
        .map(|i| {
            let family = i / 6;
            let (name, unit, cents, high) = KINDS[family % KINDS.len()];
            let roll = mix(cfg.seed, &[31, i as u64]);
            let convrat = if high { 1 } else { [10, 20, 50, 100][(roll % 4) as usize] };
            let factor = match i % 6 {
                5 => 2100,
                4 => 1600,
                _ => 900 + (roll / 8 % 250).cast_signed(),
            };
            Product {
                code: format!("C{:02}{:02}01{:03}{:05}{:012}", family % 18 + 1, family / 18 + 1, family + 1, family + 101, i + 1),
                listing: format!("11{:017}", 5_000_000_000_u64 + i as u64 + 1),
                name: format!("{name}{}型", i + 1),
                form: format!("M{:03}", i + 1),
                spec: format!("{}mm", i % 6 + 2),
                convrat,
                unit,
                pack: "盒",
                maker: mix(cfg.seed, &[32, i as u64]) as usize % makers,
                drug_type: "1",
                evaluated: false,
                negotiated: false,
                shortage: false,
                injection: false,
                high_value: high,
                separate: family % 5 != 3 || i % 6 == 0,
                family,
                prices: versions(cfg, first, 33, i, cents * convrat * factor / 1000, i % 6 == 0),
            }
        })
        .collect()
}
