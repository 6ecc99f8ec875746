//! The same world in another dialect, and from a platform that misbehaves: the same warehouse.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value};

use crate::support::{Platform, Project, files, first_report, loaded, world};

/// Patience for a platform that does everything wrong, without its waits.
const RETRY: &str = "[platform.retry]\nfirst_wait_ms = 5\nrate_wait_ms = 20\nmax_rate_wait_ms = 50\n";

/// The cells of a layer with the digests of their rows, which are in the names of their files. Not those of the quarantine: its rows
/// name the page they came on, and pages differ; how many there are for which reason stands in the silver counts.
fn digests(project: &Project, layer: &str) -> BTreeSet<String> {
    let cell = |file: &String| file.ends_with(".parquet") && !file.contains("_delta_log") && !file.starts_with("quarantine/");
    let cells = files(&project.warehouse().join(layer)).into_iter().filter(cell);
    cells.filter_map(|file| Some(file.rsplit_once('-')?.0.to_owned())).collect()
}

fn silver_counts(project: &Project) -> Map<String, Value> {
    serde_json::from_str(&project.run(["status", "--silver-counts"]).exits(0).stdout).expect("counts")
}

/// What the load says of each dataset, but for rows that came twice: declared and received rows, and which keys nobody knew.
fn load_of(report: &Value) -> BTreeMap<String, Vec<String>> {
    let of = |load: &Value| {
        let keys = |name: &str| load[name].as_object().expect("counts").keys().cloned().collect::<Vec<_>>().join(",");
        vec![
            load["windows"].to_string(),
            load["declared"].to_string(),
            load["received"].to_string(),
            keys("unknown_columns"),
            keys("dropped_personal"),
        ]
    };
    report["load"]["datasets"].as_object().expect("datasets").iter().map(|(name, load)| (name.clone(), of(load))).collect()
}

#[track_caller]
fn same_as_loaded(project: &Project) {
    let (mut want, mut got) = (silver_counts(&loaded()), silver_counts(project));
    for (name, counts) in &mut want {
        // A row that moved to the next page comes twice: the same row, counted as repeated.
        let repeated =
            |counts: &mut Value| counts.as_object_mut().and_then(|c| c.remove("repeated")).and_then(|n| n.as_u64()).expect("a count");
        let (least, found) = (repeated(counts), repeated(&mut got[name]));
        assert!(found >= least, "{name}: {found} repeated rows, {least} of a well-behaved platform");
        assert_eq!(*counts, got[name], "silver counts of {name}");
    }
    for layer in ["silver", "gold"] {
        let (want, got) = (digests(&loaded(), layer), digests(project, layer));
        assert!(want.len() > 50, "{layer} has only {} cells", want.len());
        let differing: Vec<&String> = want.symmetric_difference(&got).collect();
        assert!(differing.is_empty(), "{layer}: {} cells differ: {differing:#?}", differing.len());
    }
}

/// A project that hashes people as the loaded one does.
fn fresh(platform: &Platform) -> Project {
    let project = Project::fresh(&world(), &platform.url);
    let key = "secrets/personal-hash.key";
    fs::copy(loaded().dir.join(key), project.dir.join(key)).expect("the key of the keyed hash");
    project
}

fn secret(project: &Project, text: &str) {
    let path = project.dir.join("secrets/ca_secret");
    fs::write(&path, text).expect("a secret");
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its permissions");
}

fn zj(project: &Project) {
    secret(project, "yaojia-demo-secret");
    project.configure(
        "#dialect = \"tps\"",
        "dialect = \"zj\"\nservice_uri = \"/openapi/procurement/service\"\ntoken_uri = \"/openapi/procurement/accessToken\"\n\
         ca_key = \"yaojia\"\nsecret = \"file:secrets/ca_secret\"\nparallel = 3",
    );
    project.configure("[platform.retry]\n", RETRY);
}

#[test]
fn a_hostile_platform_of_the_second_dialect_gives_the_same_warehouse() {
    let platform = Platform::serve_with(&world(), &["--dialect", "zj", "--mode", "hostile", "--page-size", "100"]);
    let project = fresh(&platform);
    zj(&project);
    let report = project.run(["nightly", "--json"]).exits(0).json();
    same_as_loaded(&project);

    // each row says which message brought it
    let of = |table: &str| -> Vec<String> {
        let sql = format!("SELECT DISTINCT split_part(b._source, ' ', 1) AS infno FROM bronze.{table} AS b ORDER BY infno");
        project.query(&sql).iter().map(|row| row["infno"].clone()).collect()
    };
    assert_eq!(of("ord_detl"), ["ZJ9657", "ZJ9708"]);
    assert_eq!(of("shp"), ["ZJ9671", "ZJ9721"]);
    assert_eq!(of("drug_listing"), ["ZJ9652"]);
    // results of lines are no columns, constants no unknown keys, and no message was left out
    assert_eq!(load_of(&report), load_of(&first_report()));
    let again = project.run(["nightly", "--json"]).exits(0).json();
    assert_eq!(again["changed"], false, "a second night brought something: {again}");
}

#[test]
fn a_hostile_platform_with_short_windows_and_few_pages_gives_the_same_warehouse() {
    let caps = ["--mode", "hostile", "--max-window-days", "200", "--max-pages", "3", "--page-size", "100"];
    let platform = Platform::serve_with(&world(), &caps);
    let project = fresh(&platform);
    project.configure("#parallel = 1", "parallel = 2");
    project.configure("[platform.retry]\n", RETRY);
    project.run(["nightly"]).exits(0);
    same_as_loaded(&project);
}

#[test]
fn a_wrong_secret_is_told_apart_from_a_platform_that_is_down() {
    let platform = Platform::serve_with(&world(), &["--dialect", "zj"]);
    let project = fresh(&platform);
    zj(&project);
    project.run(["doctor"]).exits(0);
    secret(&project, "not-the-secret");
    let run = project.run(["load"]).exits(2);
    assert!(run.stderr.contains("E-SRC-007") && run.stderr.contains("签名验证失败"), "{run}");
    assert!(!run.stderr.contains("not-the-secret") && !run.stdout.contains("not-the-secret"), "{run}");
}
