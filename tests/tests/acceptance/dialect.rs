//! The same world in another dialect, and from a platform that misbehaves: the same warehouse.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Platform, Project, files, first_report, loaded, world};

/// Patience for a platform that does everything wrong, without its waits.
const RETRY: &str = "[platform.retry]\nfirst_wait_ms = 5\nrate_wait_ms = 20\nmax_rate_wait_ms = 50\n";

/// The cells of a layer with the digests of their rows, which are in the names of their files.
fn digests(project: &Project, layer: &str) -> BTreeSet<String> {
    let cells =
        files(&project.warehouse().join(layer)).into_iter().filter(|file| file.ends_with(".parquet") && !file.contains("_delta_log"));
    cells.filter_map(|file| Some(file.rsplit_once('-')?.0.to_owned())).collect()
}

#[track_caller]
fn same_as_loaded(project: &Project) {
    let counts = |project: &Project| project.run(["status", "--silver-counts"]).exits(0).stdout;
    assert_eq!(counts(project), counts(&loaded()), "silver counts");
    for layer in ["silver", "gold"] {
        let (want, got) = (digests(&loaded(), layer), digests(project, layer));
        assert!(want.len() > 100, "{layer} has only {} cells", want.len());
        let differing: Vec<&String> = want.symmetric_difference(&got).collect();
        assert!(differing.is_empty(), "{layer}: {} cells differ: {differing:#?}", differing.len());
    }
}

fn zj(project: &Project, secret: &str) {
    fs::write(project.dir.join("secrets/ca_secret"), secret).expect("a secret");
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
    let project = Project::fresh(&world(), &platform.url);
    zj(&project, "yaojia-demo-secret");
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
    // as many rows announced, received and unknown keys counted: results of lines are no columns, no line was left out or came twice
    assert_eq!(report["load"], first_report()["load"]);
    let again = project.run(["nightly", "--json"]).exits(0).json();
    assert_eq!(again["changed"], false, "a second night brought something: {again}");
}

#[test]
fn a_hostile_platform_with_short_windows_and_few_pages_gives_the_same_warehouse() {
    let caps = ["--mode", "hostile", "--max-window-days", "200", "--max-pages", "3", "--page-size", "100"];
    let platform = Platform::serve_with(&world(), &caps);
    let project = Project::fresh(&world(), &platform.url);
    project.configure("#parallel = 1", "parallel = 2");
    project.configure("[platform.retry]\n", RETRY);
    project.run(["nightly"]).exits(0);
    same_as_loaded(&project);
}

#[test]
fn a_wrong_secret_is_told_apart_from_a_platform_that_is_down() {
    let platform = Platform::serve_with(&world(), &["--dialect", "zj"]);
    let project = Project::fresh(&world(), &platform.url);
    zj(&project, "yaojia-demo-secret");
    project.run(["doctor"]).exits(0);
    fs::write(project.dir.join("secrets/ca_secret"), "not-the-secret").expect("a secret");
    let run = project.run(["load"]).exits(2);
    assert!(run.stderr.contains("E-SRC-007") && run.stderr.contains("签名验证失败"), "{run}");
    assert!(!run.stderr.contains("not-the-secret") && !run.stdout.contains("not-the-secret"), "{run}");
}
