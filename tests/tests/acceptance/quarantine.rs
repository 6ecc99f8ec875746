//! Quarantine: what is in it, and what leaves it by itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::delta::{differences, gold, rows};
use crate::support::{Platform, Project, copy_of_world, loaded, world};

/// The fee file whose column gets a title nobody knows.
const FEES: &str = "fee_list/652822/202401/fee_652822_202401_01.csv";
/// Fee lines with a level of charge.
const LEVELS: &str = "SELECT COUNT(f.chrgitm_lv) AS n FROM silver.fee_list AS f";

fn of(counts: &BTreeMap<String, BTreeMap<String, u64>>, dataset: &str, name: &str) -> u64 {
    counts.get(dataset).and_then(|of| of.get(name)).copied().unwrap_or(0)
}

/// Every other order line says `buyQty` for `purcCnt`; one fee file has another title, and its control file no checksum.
fn misspell(world: &Path) {
    let orders = world.join("platform/ord_detl.jsonl");
    let text = fs::read_to_string(&orders).expect("the orders");
    let odd = |(n, line): (usize, &str)| if n % 2 == 0 { line.replace("\"purcCnt\":", "\"buyQty\":") } else { line.to_owned() };
    let lines: Vec<String> = text.lines().enumerate().map(odd).collect();
    assert!(lines.iter().any(|line| line.contains("buyQty")), "no order line has `purcCnt`");
    fs::write(&orders, lines.join("\n") + "\n").expect("the orders");
    let fees = world.join("exports").join(FEES);
    let text = fs::read_to_string(&fees).expect("the fee file");
    assert!(text.contains("CHRGITM_LV"), "the fee file has no `CHRGITM_LV`");
    fs::write(&fees, text.replacen("CHRGITM_LV", "LEVEL_OF_CHARGE", 1)).expect("the fee file");
    let control = fees.with_extension("csv.ctl.json");
    let mut said: Value = serde_json::from_str(&fs::read_to_string(&control).expect("the control file")).expect("JSON");
    said.as_object_mut().expect("an object").remove("sha256");
    fs::write(&control, said.to_string()).expect("the control file");
}

fn kept(run: &Value) -> Vec<(String, String)> {
    let text = |of: &Value, name: &str| of[name].as_str().expect("text").to_owned();
    let list = run["parse"]["kept"].as_array().unwrap_or_else(|| panic!("no `kept` in {run}"));
    list.iter().map(|of| (text(of, "dataset"), text(of, "state"))).collect()
}

#[test]
fn a_mended_alias_reaches_the_rows_that_are_here() {
    let (_held, world) = copy_of_world();
    misspell(&world);
    let platform = Platform::serve(&world);
    let project = Project::fresh(&world, &platform.url);
    project.run(["nightly"]).exits(0);
    let (good, bad) = (loaded().counts(), project.counts());
    let missing = "quarantined.missing_key";
    assert!(of(&bad, "ord_detl", missing) > of(&good, "ord_detl", missing) + 50, "nothing was set aside: {bad:?}");
    let (all_levels, some_levels) = (loaded().number(LEVELS), project.number(LEVELS));
    assert!(some_levels < all_levels, "the fee file lost nothing");
    let before = rows(&project.warehouse(), "bronze");

    // The aliases are mended; the auditor keeps the identity elsewhere, and the fee file was taken away.
    project.configure("[aliases.json_keys]", "[aliases.json_keys]\nbuyQty = \"purc_cnt\"\nneverSeen = \"medins_code\"");
    project.configure("[aliases.file_titles.fee_list]", "[aliases.file_titles.fee_list]\nLEVEL_OF_CHARGE = \"chrgitm_lv\"");
    let (identity, hidden) = (project.dir.join("secrets/audit-identity.txt"), project.dir.join("identity"));
    fs::rename(&identity, &hidden).expect("the identity");
    let (fees, away) = (world.join("exports").join(FEES), world.join("away.csv"));
    fs::rename(&fees, &away).expect("the fee file");
    let dry = project.run(["quarantine", "replay", "--dry-run", "--json"]).exits(0).json();
    let parse: Vec<&str> = dry["parse"].as_array().expect("datasets").iter().filter_map(Value::as_str).collect();
    assert!(parse.contains(&"ord_detl") && parse.contains(&"fee_list") && parse.contains(&"appeal"), "{dry}");
    assert!(!parse.contains(&"institution"), "{dry}");
    assert_eq!(project.counts(), bad, "a dry run changed something");
    let run = project.run(["nightly", "--json"]).exits(0);
    let sealed = kept(&run.json());
    assert!(sealed.contains(&("fee_list".to_owned(), "sealed".to_owned())), "the fee file was read without the identity:\n{run}");
    assert_eq!(project.number(LEVELS), some_levels, "the fee file has new rows");
    let run = project.run(["nightly", "--json"]).exits(0);
    assert_eq!(run.json()["changed"], Value::Bool(false), "what cannot be read again is tried every night:\n{run}");
    assert_eq!(kept(&run.json()), sealed, "what was kept is not said again:\n{run}");
    let status = project.run(["status", "--json"]).exits(0).json();
    assert_eq!(status["old_parses"].as_array().map(Vec::len), Some(sealed.len()), "{status}");

    // The same file lies in the landing folder again: that is as good as the archive.
    fs::rename(&away, &fees).expect("the fee file");
    let run = project.run(["nightly", "--json"]).exits(0);
    assert_eq!(run.json()["parse"]["datasets"]["fee_list"]["artifacts"], 1, "{run}");
    assert_eq!(project.number(LEVELS), all_levels, "levels of charge after the fee file was read again");

    // With the identity, what is left.
    fs::rename(&hidden, &identity).expect("the identity");
    let run = project.run(["quarantine", "replay", "--json"]).exits(0);
    let replayed = run.json();
    assert_eq!(kept(&replayed["run"]), [], "{run}");
    let left = |of: &Value| of["dataset"] == "ord_detl" && of["reason"] == "missing_key" && of["after"] == of_good(&good);
    assert!(replayed["counts"].as_array().expect("counts").iter().any(left), "{run}");
    assert_eq!(project.counts(), good, "silver counts, all mended");
    let wrong = differences(&gold(&loaded().warehouse()), &gold(&project.warehouse()));
    assert!(wrong.is_empty(), "{} gold cells differ from those of a world without the mistake:\n{}", wrong.len(), wrong.join("\n"));
    let after = rows(&project.warehouse(), "bronze");
    assert!(after["ord_detl"] > before["ord_detl"], "bronze is not append-only: {before:?}, {after:?}");
    // An alias of `medins_code` concerns many: read again, they said the same, and nothing was written.
    let same: Vec<&String> = before.keys().filter(|name| !["ord_detl", "fee_list"].contains(&name.as_str())).collect();
    for name in same {
        assert_eq!(after[name], before[name], "rows of bronze.{name}");
    }
    assert!(project.number("SELECT COUNT(*) AS n FROM ops.parse AS p WHERE p.state = 'current'") > 1);
    assert!(project.number("SELECT COUNT(*) AS n FROM ops.load AS l WHERE l.parser = ''") == 0, "a load without its parser");
    let run = project.run(["nightly", "--json"]).exits(0);
    assert_eq!(run.json()["changed"], Value::Bool(false), "{run}");
}

fn of_good(good: &BTreeMap<String, BTreeMap<String, u64>>) -> Value {
    Value::from(of(good, "ord_detl", "quarantined.missing_key"))
}

#[test]
fn a_late_institution_lets_its_rows_out() {
    let (_held, world) = copy_of_world();
    let path = world.join("platform/institution.jsonl");
    let text = fs::read_to_string(&path).expect("institutions");
    let code = |line: &str| line.split("\"orgCode\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned();
    let orders = fs::read_to_string(world.join("platform/ord_detl.jsonl")).expect("orders");
    // The institution with the most orders.
    let late =
        text.lines().map(code).filter(|code| !code.is_empty()).max_by_key(|code| orders.matches(code.as_str()).count()).expect("one");
    let own: Vec<&str> = text.lines().filter(|line| code(line) == late).collect();
    let others: Vec<&str> = text.lines().filter(|line| code(line) != late).collect();
    let last = *own.last().expect("its line");
    fs::write(&path, others.join("\n") + "\n").expect("institutions");
    let platform = Platform::serve(&world);
    let mut project = Project::fresh(&world, &platform.url);
    project.run(["nightly"]).exits(0);
    drop(platform);
    let (good, bad) = (loaded().counts(), project.counts());
    let unknown = |counts: &BTreeMap<String, BTreeMap<String, u64>>| -> BTreeMap<String, u64> {
        counts.keys().map(|dataset| (dataset.clone(), of(counts, dataset, "quarantined.unknown_org"))).collect()
    };
    assert!(unknown(&bad)["ord_detl"] > unknown(&good)["ord_detl"], "{late} has no orders");
    assert!(of(&bad, "shp", "quarantined.orphan") > of(&good, "shp", "quarantined.orphan"), "its shipments were not set aside");

    // It is published the day after.
    let at = last.find("\"updtTime\":\"").expect("its updtTime") + "\"updtTime\":\"".len();
    let mut line = last.to_owned();
    line.replace_range(at..at + "2024-04-16 10:00:00".len(), "2024-04-16 10:00:00");
    fs::write(&path, others.join("\n") + "\n" + &line + "\n").expect("institutions");
    let platform = Platform::serve(&world);
    project.url.clone_from(&platform.url);
    project.run_at("2024-04-17T02:00:00", ["nightly"]).exits(0);
    let now = project.counts();
    assert_eq!(unknown(&now), unknown(&good), "rows whose institution is unknown");
    for name in ["shp", "pay_detl", "retn"] {
        assert_eq!(now[name], good[name], "counts of {name}");
    }
}

#[test]
fn list_and_show_say_where_rows_came_from_and_refuse_what_does_not_exist() {
    let project = loaded();
    let all = project.run(["quarantine", "list", "--json"]).exits(0).json();
    let all = all["counts"].as_array().expect("counts").clone();
    let n = |of: &Value| of["row_count"].as_str().map_or_else(|| of["row_count"].as_u64(), |text| text.parse().ok()).expect("a count");
    assert_eq!(all.iter().map(n).sum::<u64>(), project.number("SELECT COUNT(*) AS n FROM silver.quarantine AS q"));
    for of in &all {
        assert!(of["first_seen"].is_string() && of["last_seen"].is_string(), "{of}");
    }
    let sources: Vec<&str> = all.iter().filter_map(|of| of["source"].as_str()).collect();
    assert!(sources.contains(&"C1004") || sources.iter().any(|s| s.starts_with('C') && !s.contains('/')), "{sources:?}");
    let file = sources.iter().find(|source| source.starts_with("fee_list/")).expect("a fee file");
    let by_file = project.run(["quarantine", "list", "--source", file, "--json"]).exits(0).json();
    assert!(by_file["counts"].as_array().is_some_and(|of| !of.is_empty() && of.iter().all(|of| of["source"] == **file)), "{by_file}");
    let shown = project.run(["quarantine", "show", "--dataset", "ord_detl", "--limit", "2", "--json"]).exits(0).json();
    let shown = shown["rows"].as_array().expect("rows").clone();
    assert_eq!(shown.len(), 2);
    for name in ["row_key", "reason", "_source", "_artifact", "first_seen", "row_json"] {
        assert!(shown.iter().all(|row| row[name].is_string()), "`{name}` of {shown:?}");
    }
    for args in [["--dataset", "nothing"], ["--reason", "no_reason"]] {
        for verb in ["list", "show"] {
            let run = project.run(["quarantine", verb, args[0], args[1]]);
            assert!(run.code == Some(1) && run.stderr.contains(args[1]) && run.stderr.contains("hint:"), "{run}");
        }
    }
    let run = project.run(["quarantine", "replay", "--dataset", "nothing"]);
    assert!(run.code == Some(1) && run.stderr.contains("nothing"), "{run}");
    assert!(world().is_dir());
}
