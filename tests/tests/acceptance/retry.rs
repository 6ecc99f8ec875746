//! `retry`: what failed, what follows from it, and nothing else.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::delta::{differences, gold};
use crate::partial::{released, replays_exactly, stricter};
use crate::support::{Platform, Project, copy_of_world, files, loaded, workspace, world};

fn undone(project: &Project) -> Vec<String> {
    let status = project.run(["status", "--json"]).exits(0).json();
    let all = status["undone"].as_array().expect("what is undone").clone();
    all.iter().map(|of| format!("{} {}", of["kind"].as_str().expect("a kind"), of["name"].as_str().expect("a name"))).collect()
}

#[test]
fn a_platform_that_was_away_is_read_and_nothing_else() {
    let (_held, landing) = copy_of_world();
    let mut project = Project::fresh(&landing, "http://127.0.0.1:9/nobody");
    // One file comes after the night: it is not the retry's.
    let late = files(&landing.join("exports")).into_iter().find(|file| file.starts_with("stock_month/") && file.ends_with(".csv"));
    let late = late.expect("a file of stock_month");
    let (file, away) = (landing.join("exports").join(&late), landing.join("late.csv"));
    fs::rename(&file, &away).expect("the file, put away");
    let down = project.run(["nightly", "--json"]).exits(3).json();
    let left: BTreeSet<&str> =
        down["undone"].as_array().expect("what is undone").iter().map(|of| of["kind"].as_str().expect("a kind")).collect();
    assert_eq!(left, BTreeSet::from(["dataset"]), "{down}");
    assert_eq!(undone(&project).len(), 15);
    // Again in vain: as much is undone as before, so nothing is written.
    let before = files(&project.warehouse());
    project.run(["retry"]).exits(3);
    assert_eq!(files(&project.warehouse()), before);

    fs::rename(&away, &file).expect("the file, delivered");
    let platform = Platform::serve(&world());
    project.url.clone_from(&platform.url);
    let run = project.run(["retry", "--json"]).exits(0).json();
    assert_eq!(run["retried"].as_array().map(Vec::len), Some(15), "{run}");
    assert_eq!(run["load"]["files"].as_u64(), Some(0), "{run}");
    assert!(run["load"]["datasets"].as_object().is_some_and(|of| of.len() == 15 && of["shp"]["appended"].as_u64() > Some(0)), "{run}");
    assert!(run["build"]["waits"].is_null() && run["undone"].is_null(), "{run}");
    assert_eq!((released(&project), undone(&project)), (2, Vec::new()));

    let before = files(&project.warehouse());
    let nothing = project.run(["retry"]).exits(0);
    assert!(nothing.stdout.contains("nothing to retry"), "{nothing}");
    assert_eq!(files(&project.warehouse()), before);
    // The late file is the next night's; then all is as if nothing had happened.
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["load"]["files"].as_u64(), Some(1));
    let wrong = differences(&gold(&loaded().warehouse()), &gold(&project.warehouse()));
    assert!(wrong.is_empty(), "{} gold cells differ from an undisturbed run:\n{}", wrong.len(), wrong.join("\n"));
    replays_exactly(&project);
}

#[test]
fn a_refused_table_is_built_with_what_waited_for_it() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    let folder = project.dir.join("sql-local/fact");
    fs::create_dir_all(&folder).expect("a folder");
    let own = fs::read_to_string(workspace().join("sql/fact/fact_stock.sql")).expect("the model");
    let lossy = format!("{own}WHERE stock.fixmedins_code <> (SELECT MIN(other.fixmedins_code) FROM silver.stock_month AS other)\n");
    fs::write(folder.join("fact_stock.sql"), &lossy).expect("the model");
    stricter(&project, "D13_on_time_delivery");
    project.run(["build"]).exits(4);
    // D13 was not reached.
    assert_eq!(undone(&project), ["table gold.fact_stock", "indicator D13"]);
    project.run(["retry"]).exits(4);
    assert_eq!((released(&project), undone(&project).len()), (1, 2));

    // Mended; and D05 changed meanwhile, which is no failure: it is the next build's.
    fs::write(folder.join("fact_stock.sql"), format!("{own}-- mended\n")).expect("the model");
    stricter(&project, "D05_online_purchase_rate");
    let run = project.run(["retry", "--json"]).exits(0).json();
    let tables: Vec<&String> = run["build"]["stale"].as_object().expect("tables").keys().collect();
    assert_eq!(tables, ["gold.fact_stock"], "{run}");
    assert!(run["load"]["datasets"].as_object().is_some_and(serde_json::Map::is_empty), "{run}");
    assert!(run["build"]["judged"].as_u64() > Some(0) && run["build"]["waits"].as_u64() > Some(0), "{run}");
    assert_eq!((released(&project), undone(&project)), (1, Vec::new()));
    assert_eq!(project.run(["build", "--json"]).exits(0).json()["release"], Value::from(2));
    replays_exactly(&project);
}

#[test]
fn an_indicator_that_could_not_be_computed_is_computed() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    stricter(&project, "D05_online_purchase_rate");
    let sql = project.dir.join("sql-local/indicators/D05_online_purchase_rate/rows.sql");
    let own = fs::read_to_string(&sql).expect("the SQL");
    let broken = format!(
        "WITH bad AS (SELECT CAST('x' AS INT) AS n)\nSELECT * FROM ({}) AS own WHERE 0 < (SELECT MAX(bad.n) FROM bad)",
        own.trim().trim_end_matches(';')
    );
    fs::write(&sql, broken).expect("the SQL");
    let failed = project.run(["build", "--json"]);
    assert!(failed.code != Some(0), "{failed}");
    // C05 shares its SQL.
    assert_eq!(undone(&project), ["indicator C05", "indicator D05"], "{failed}");
    fs::write(&sql, own).expect("the SQL");
    let run = project.run(["retry", "--json"]).exits(0).json();
    assert_eq!(run["retried"], serde_json::json!(["indicator C05", "indicator D05"]));
    assert!(run["build"]["waits"].is_null(), "{run}");
    assert_eq!(undone(&project), Vec::<String>::new());
    let plan = project.run(["plan", "--json"]).exits(0).json();
    assert_eq!(plan["indicators"], serde_json::json!([]), "{plan}");
}
