//! The drugs.

use super::institutions::Enterprise;
use super::products::{Product, versions};
use crate::config::WorldConfig;
use crate::dice::mix;
use crate::time::Month;

/// name, ATC letters, form, spec, min units, unit, pack, cents, injection
type Generic = (&'static str, &'static str, &'static str, &'static str, i64, &'static str, &'static str, i64, bool);

const GENERICS: [Generic; 20] = [
    ("氨氯地平片", "C08CA", "片剂", "5mg", 28, "片", "盒", 1260, false),
    ("厄贝沙坦片", "C09CA", "片剂", "150mg", 14, "片", "盒", 1845, false),
    ("美托洛尔缓释片", "C07AB", "缓释片", "47.5mg", 28, "片", "盒", 2980, false),
    ("二甲双胍片", "A10BA", "片剂", "0.5g", 60, "片", "瓶", 1520, false),
    ("头孢呋辛酯片", "J01DC", "片剂", "0.25g", 12, "片", "盒", 1636, false),
    ("左氧氟沙星注射液", "J01MA", "注射液", "0.5g:100ml", 1, "瓶", "瓶", 1890, true),
    ("奥美拉唑肠溶胶囊", "A02BC", "肠溶胶囊", "20mg", 28, "粒", "瓶", 1150, false),
    ("瑞舒伐他汀钙片", "C10AA", "片剂", "10mg", 28, "片", "盒", 2310, false),
    ("布洛芬缓释胶囊", "M01AE", "缓释胶囊", "0.3g", 20, "粒", "盒", 1480, false),
    ("孟鲁司特钠片", "R03DC", "片剂", "10mg", 12, "片", "盒", 3050, false),
    ("甘精胰岛素注射液", "A10AE", "注射液", "3ml:300单位", 1, "支", "支", 6290, true),
    ("多西他赛注射液", "L01CD", "注射液", "20mg", 1, "支", "支", 11280, true),
    ("恩替卡韦片", "J05AF", "片剂", "0.5mg", 28, "片", "盒", 1830, false),
    ("氯吡格雷片", "B01AC", "片剂", "75mg", 14, "片", "盒", 2275, false),
    ("艾司西酞普兰片", "N06AB", "片剂", "10mg", 14, "片", "盒", 4120, false),
    ("左甲状腺素钠片", "H03AA", "片剂", "50μg", 100, "片", "盒", 2890, false),
    ("蒲地蓝消炎片", "Z", "片剂", "0.3g", 48, "片", "盒", 2460, false),
    ("丹参滴丸", "Z", "滴丸", "27mg", 180, "丸", "瓶", 2680, false),
    ("黄芪", "Z", "饮片", "统片", 500, "克", "袋", 4900, false),
    ("金银花配方颗粒", "Z", "颗粒", "1g", 100, "克", "袋", 8800, false),
];

/// Kind of the `g`-th generic.
fn drug_type(g: usize) -> &'static str {
    match g {
        16 | 17 => "2",
        18 => "3",
        19 => "4",
        _ => "1",
    }
}

/// All drugs. Product `i` is variant `i / G` of generic `i % G`, so that the first G are one each.
pub(crate) fn drugs(cfg: &WorldConfig, first: Month, enterprises: &[Enterprise]) -> Vec<Product> {
    let total = cfg.scale.drugs as usize;
    let generics = (total / 3).clamp(2, GENERICS.len());
    let makers = enterprises.iter().filter(|e| e.delivery.is_none()).count().max(1);
    (0..total)
        .map(|i| {
            let (g, variant) = (i % generics, i / generics);
            let (name, atc, form, spec, convrat, unit, pack, cents, injection) = GENERICS[g];
            let roll = mix(cfg.seed, &[21, i as u64]);
            let code = if atc == "Z" {
                format!("ZA{:02}AAX{:04}{:04}{:05}", g + 10, g, variant, i + 1)
            } else {
                format!("X{atc}B{:03}A{:03}{:04}{:05}", g + 1, g + 1, variant + 10, i + 1)
            };
            // Every third variant comes in another pack size, so that unit prices have to be formed.
            let packed = if convrat > 1 && variant % 3 == 1 { convrat / 2 } else { convrat };
            let base = cents * packed / convrat;
            let factor = match variant {
                0 => 1000,
                1 => 1450,
                2 => 900,
                v if v % 7 == 4 => 4200,
                _ => 950 + (roll % 300).cast_signed(),
            };
            let start = (base * factor / 1000).max(50);
            Product {
                code,
                listing: format!("10{:017}", 5_000_000_000_u64 + i as u64 + 1),
                name: name.to_owned(),
                form: form.to_owned(),
                spec: if variant > 2 { format!("{spec}*{}", variant / 3) } else { spec.to_owned() },
                convrat: packed.max(1),
                unit,
                pack,
                maker: mix(cfg.seed, &[22, i as u64]) as usize % makers,
                drug_type: if i + 1 == total && total > 20 { "5" } else { drug_type(g) },
                evaluated: variant != 1,
                negotiated: g == 10,
                shortage: g == 11,
                injection,
                high_value: false,
                separate: true,
                family: g,
                prices: versions(cfg, first, 23, i, start, variant == 0),
            }
        })
        .collect()
}
