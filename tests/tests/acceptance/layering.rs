//! Who may depend on whom: architecture §1, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::support::{Run, files, workspace};

/// Member → members it may depend on. A new member is added here together with the architecture.
const ARROWS: [(&str, &[&str]); 7] = [
    ("yaojia-models", &[]),
    ("yaojia-connectors", &["yaojia-models"]),
    ("yaojia-warehouse", &["yaojia-models"]),
    ("yaojia-serving", &["yaojia-models", "yaojia-warehouse"]),
    ("yaojia-simulator", &["yaojia-models"]),
    ("yaojia-pipelines", &["yaojia-models", "yaojia-connectors", "yaojia-warehouse", "yaojia-serving", "yaojia-simulator"]),
    ("yaojia-tests", &["yaojia-models", "yaojia-connectors", "yaojia-warehouse", "yaojia-serving", "yaojia-simulator", "yaojia-pipelines"]),
];

fn metadata(more: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(workspace()).args(["metadata", "--format-version", "1", "--offline"]).args(more);
    let run = Run::of(command).exits(0);
    serde_json::from_str(&run.stdout).expect("JSON of cargo metadata")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("no `{key}` in {value}"))
}

#[test]
fn only_the_arrows_of_the_architecture_exist() {
    let metadata = metadata(&["--no-deps"]);
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let members: BTreeSet<&str> = list(&metadata, "packages").iter().map(|package| text(package, "name")).collect();
    for name in
        ["yaojia-models", "yaojia-connectors", "yaojia-warehouse", "yaojia-serving", "yaojia-pipelines", "yaojia-simulator", "yaojia-tests"]
    {
        assert!(members.contains(name), "{name} is no member of {members:?}");
    }
    let mut wrong = Vec::new();
    for package in list(&metadata, "packages") {
        let name = text(package, "name");
        let Some(may) = allowed.get(name) else {
            wrong.push(format!("{name} is not in the architecture"));
            continue;
        };
        // Of any kind: a dev-dependency is built by `cargo test` too.
        for to in list(package, "dependencies").iter().map(|dependency| text(dependency, "name")) {
            if members.contains(to) && !may.contains(&to) {
                wrong.push(format!("{name} -> {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the architecture does not have: {wrong:#?}");
}

#[test]
fn tests_have_test_targets_only() {
    let metadata = metadata(&["--no-deps"]);
    let package = list(&metadata, "packages").iter().find(|package| text(package, "name") == "yaojia-tests").expect("yaojia-tests");
    let kinds: Vec<String> = list(package, "targets")
        .iter()
        .flat_map(|target| list(target, "kind"))
        .map(|kind| kind.as_str().expect("a kind").to_owned())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "test").count(), 1, "one acceptance binary, each links the whole: {kinds:?}");
    assert!(kinds.iter().all(|kind| kind == "test" || kind == "lib"), "{kinds:?}");
}

/// Names of all packages that a member needs, dev-dependencies of itself included.
fn closure(metadata: &Value, root: &str) -> BTreeSet<String> {
    let names: BTreeMap<&str, &str> =
        list(metadata, "packages").iter().map(|package| (text(package, "id"), text(package, "name"))).collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"], "nodes").iter().map(|node| (text(node, "id"), node)).collect();
    let start = names.iter().find(|(_, name)| **name == root).map(|(id, _)| *id).unwrap_or_else(|| panic!("no package {root}"));
    let (mut todo, mut seen) = (vec![start], BTreeSet::from([start]));
    while let Some(id) = todo.pop() {
        for dependency in list(nodes[id], "deps") {
            let dev_only = list(dependency, "dep_kinds").iter().all(|kind| kind["kind"].as_str() == Some("dev"));
            let to = text(dependency, "pkg");
            if (id == start || !dev_only) && seen.insert(to) {
                todo.push(to);
            }
        }
    }
    seen.remove(start);
    seen.into_iter().map(|id| names[id].to_owned()).collect()
}

/// The triple of this machine: packages of other platforms may not have been downloaded.
fn host() -> String {
    let mut command = Command::new(env!("CARGO"));
    command.arg("-vV");
    let run = Run::of(command).exits(0);
    run.stdout.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_else(|| panic!("no host:\n{run}")).to_owned()
}

#[test]
fn models_and_connectors_build_without_the_engine() {
    let metadata = metadata(&["--filter-platform", &host()]);
    let engine = |name: &str| ["datafusion", "deltalake", "delta_kernel", "buoyant_kernel"].iter().any(|prefix| name.starts_with(prefix));
    let warehouse = closure(&metadata, "yaojia-warehouse");
    assert!(
        warehouse.iter().any(|name| name == "datafusion") && warehouse.iter().any(|name| name == "deltalake"),
        "this test reads the graph wrongly: {warehouse:?}"
    );
    for member in ["yaojia-models", "yaojia-connectors"] {
        let found: Vec<String> = closure(&metadata, member).into_iter().filter(|name| engine(name)).collect();
        assert!(found.is_empty(), "{member} needs {found:?}");
    }
    let models = closure(&metadata, "yaojia-models");
    let found: Vec<&String> = models.iter().filter(|name| ["tokio", "reqwest", "hyper", "object_store"].contains(&name.as_str())).collect();
    assert!(found.is_empty(), "yaojia-models needs {found:?}");
    assert!(!closure(&metadata, "yaojia-simulator").contains("yaojia-warehouse"), "the simulator needs the warehouse");
}

#[test]
fn sql_is_content_only() {
    let dir = workspace().join("sql");
    let odd: Vec<String> =
        files(&dir).into_iter().filter(|file| !["sql", "toml", "md", "slt"].iter().any(|ext| file.ends_with(&format!(".{ext}")))).collect();
    assert!(odd.is_empty(), "other than SQL, TOML, MD and tests in sql/: {odd:?}");
}
