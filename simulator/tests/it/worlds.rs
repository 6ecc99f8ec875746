//! Worlds and the folders they are laid out in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use yaojia_simulator::{WorldConfig, generate, load_folder};

fn digest(dir: &Path, below: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir.join(below)).unwrap() {
        let path = below.join(entry.unwrap().file_name());
        if dir.join(&path).is_dir() {
            digest(dir, &path, out);
        } else {
            out.insert(path.to_string_lossy().replace('\\', "/"), Sha256::digest(fs::read(dir.join(&path)).unwrap()).to_vec());
        }
    }
}

fn written(cfg: &WorldConfig) -> (tempfile::TempDir, BTreeMap<String, Vec<u8>>) {
    let dir = tempfile::tempdir().unwrap();
    generate(cfg).unwrap().write(dir.path()).unwrap();
    let mut out = BTreeMap::new();
    digest(dir.path(), Path::new(""), &mut out);
    (dir, out)
}

#[test]
fn equal_configurations_give_equal_bytes() {
    let (_a, one) = written(&WorldConfig::tiny(3));
    let (_b, two) = written(&WorldConfig::tiny(3));
    let (_c, other) = written(&WorldConfig::tiny(4));
    assert_eq!(one, two);
    assert_ne!(one, other);
}

#[test]
fn a_tiny_world_is_quick_and_small() {
    let begin = std::time::Instant::now();
    let world = generate(&WorldConfig::tiny(1)).unwrap();
    let rows: usize = ["ord_detl", "shp", "pay_detl", "vbp_agrm"].iter().map(|d| world.platform_rows(d).count()).sum();
    // Generous: the machine may be busy with other builds. It takes some tens of milliseconds.
    assert!(begin.elapsed().as_millis() < 1500, "{:?}", begin.elapsed());
    assert!((300..3000).contains(&rows), "{rows}");
}

#[test]
fn dirt_covers_every_reason() {
    let truth = generate(&WorldConfig::demo()).unwrap().truth().unwrap();
    let reasons: BTreeSet<&str> = truth.datasets.values().flat_map(|d| d.quarantined.keys().map(String::as_str)).collect();
    let all = [
        "bad_row",
        "missing_key",
        "bad_number",
        "bad_date",
        "bad_enum",
        "bad_convrat",
        "lossy_number",
        "negative",
        "unknown_org",
        "unknown_listing",
        "orphan",
        "future_date",
    ];
    for reason in all {
        assert!(reasons.contains(reason), "{reason}");
    }
    for (name, d) in &truth.datasets {
        assert_eq!(d.received, d.accepted + d.superseded + d.void + d.quarantined.values().sum::<u64>(), "{name}");
        assert!(d.accepted > 0 && !d.quarantined.is_empty(), "{name}: {d:?}");
    }
    let fees = &truth.datasets["fee_list"];
    assert!(fees.void > 0 && fees.superseded > 0 && fees.repeated > 0 && fees.warnings.len() == 3, "{fees:?}");
    assert!(truth.files.refused.len() >= 4 && truth.files.same_content.len() == 1);
}

#[test]
fn a_clean_world_has_nothing_to_quarantine() {
    let truth = generate(&WorldConfig { noise: false, ..WorldConfig::tiny(9) }).unwrap().truth().unwrap();
    assert!(truth.datasets.values().all(|d| d.quarantined.is_empty() && d.void == 0));
    assert!(truth.files.refused.is_empty());
}

#[test]
fn benchmarks_get_exactly_the_fee_lines_they_asked_for() {
    let truth = generate(&WorldConfig::bench(1, 5_003)).unwrap().truth().unwrap();
    assert_eq!(truth.datasets["fee_list"].accepted, 5_003);
    assert!(truth.datasets["ord_detl"].accepted > 300);
}

#[test]
fn a_written_world_can_be_served_again() {
    let (dir, files) = written(&WorldConfig::tiny(2));
    let world = generate(&WorldConfig::tiny(2)).unwrap();
    let (there, here) = (load_folder(dir.path(), None).unwrap(), world.platform_data());
    for name in here.names() {
        let (a, b) = (there.dataset(name).unwrap(), here.dataset(name).unwrap());
        assert_eq!(a.len(), b.len());
        assert!((0..a.len()).all(|i| a.row(i) == b.row(i)), "{name}");
    }
    let text = fs::read(dir.path().join("expected_silver.json")).unwrap();
    let told: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(told, serde_json::to_value(world.truth().unwrap()).unwrap());
    assert!(files.contains_key("aliases.json") && files.contains_key("expected_silver.json"));
}

#[test]
fn amounts_add_up() {
    let world = generate(&WorldConfig { noise: false, ..WorldConfig::tiny(6) }).unwrap();
    let cents = |v: &serde_json::Value| v.to_string().replace('.', "").parse::<i64>().unwrap();
    let mut lines = 0;
    for row in world.platform_rows("ord_detl") {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        assert_eq!(row["purcCnt"].to_string().parse::<i64>().unwrap() * cents(&row["purcpric"]), cents(&row["purcAmt"]));
        lines += 1;
    }
    assert!(lines > 50);
}

#[test]
fn unusable_configurations_are_refused() {
    for cfg in [
        WorldConfig { months: 0, ..WorldConfig::tiny(1) },
        WorldConfig { region: "xinjiang".into(), ..WorldConfig::tiny(1) },
        WorldConfig { first_month: "2024-13".into(), ..WorldConfig::tiny(1) },
    ] {
        assert!(generate(&cfg).is_err());
    }
}
