//! Medical service items.

use crate::config::WorldConfig;

/// A medical service item.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// Code.
    pub code: String,
    /// Name.
    pub name: &'static str,
    /// Price limit of a tertiary institution, cents.
    pub limit: i64,
}

/// The service items.
pub(crate) fn services(cfg: &WorldConfig) -> Vec<Service> {
    const NAMES: [(&str, i64); 8] = [
        ("普通门诊诊查费", 1500),
        ("静脉输液", 900),
        ("CT平扫", 18_000),
        ("血常规", 1800),
        ("换药(中)", 2500),
        ("心电图", 2200),
        ("彩色多普勒超声", 13_000),
        ("针灸", 4500),
    ];
    (0..cfg.scale.services as usize)
        .map(|i| {
            let (name, limit) = NAMES[i % NAMES.len()];
            Service { code: format!("000110200{:03}", i * 3 + 1), name, limit: limit + 100 * (i / NAMES.len()) as i64 }
        })
        .collect()
}
