//! Gold tables say what they hold, and a candidate that does not add up is not published.

use std::fs;

use serde_json::Value;
use yaojia_models::contract::Registry;

use crate::support::{Project, copy, files, loaded, workspace, world};

/// The table's own description: title, and column → comment, from the newest metadata of its log.
fn described(table: &std::path::Path) -> (String, Vec<(String, String)>) {
    let log = table.join("_delta_log");
    let mut found = None;
    for file in files(&log).into_iter().filter(|file| file.ends_with(".json")) {
        for line in fs::read_to_string(log.join(&file)).expect("a commit").lines() {
            let action: Value = serde_json::from_str(line).expect("JSON");
            if let Some(metadata) = action.get("metaData") {
                found = Some(metadata.clone());
            }
        }
    }
    let metadata = found.unwrap_or_else(|| panic!("no metadata in {}", log.display()));
    let schema: Value = serde_json::from_str(metadata["schemaString"].as_str().expect("a schema")).expect("JSON");
    let columns = schema["fields"].as_array().expect("fields").iter().map(|field| {
        let comment = field["metadata"]["comment"].as_str().unwrap_or_default();
        (field["name"].as_str().expect("a name").to_owned(), comment.to_owned())
    });
    (metadata["description"].as_str().unwrap_or_default().to_owned(), columns.collect())
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn every_column_of_gold_has_its_chinese_comment_in_the_delta_log() {
    let project = loaded();
    let registry = Registry::embedded().expect("the contracts");
    assert!(registry.gold().len() >= 33);
    for contract in registry.gold() {
        let (title, columns) = described(&project.warehouse().join("gold").join(&contract.name));
        assert_eq!(title, contract.title, "the description of {}", contract.name);
        for column in &contract.columns {
            let comment = columns.iter().find(|(name, _)| *name == column.name).map(|(_, comment)| comment.as_str());
            assert_eq!(comment, Some(column.title.as_str()), "{}.{}", contract.name, column.name);
        }
        let bare: Vec<_> = columns.iter().filter(|(_, comment)| !is_chinese(comment)).collect();
        assert!(bare.is_empty(), "{}: no Chinese comment on {bare:?}", contract.name);
    }
}

#[test]
fn every_table_says_which_questions_it_answers() {
    let registry = Registry::embedded().expect("the contracts");
    let root = workspace();
    for contract in registry.gold() {
        let places = [
            root.join(format!("sql/dim/{}.sql", contract.name)),
            root.join(format!("sql/fact/{}.sql", contract.name)),
            // The engine's own tables have no SQL: their contract says it.
            root.join(format!("models/contracts/gold/{}.toml", contract.name)),
        ];
        let text = places.iter().find_map(|path| fs::read_to_string(path).ok()).expect("SQL or a contract");
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("--") || line.starts_with('#')).collect();
        assert!(head.iter().any(|line| line.contains("Questions: ")), "{} names no question:\n{}", contract.name, head.join("\n"));
    }
}

#[test]
fn a_source_that_turns_out_incomplete_is_a_reason_of_its_own() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    // The landing folder once more, with a file that says nothing: refused, so its county and month are not complete.
    let landing = project.dir.join("landing");
    copy(&world().join("exports"), &landing);
    project.configure(&world().join("exports").display().to_string(), &landing.display().to_string());
    let folder =
        fs::read_dir(landing.join("fee_list")).expect("counties").map(|entry| entry.expect("a county").path()).max().expect("a county");
    fs::write(folder.join("202403/zz_empty_handed.csv"), "neither,a,header\n1,2,3\n").expect("a file");
    // The platform is away, which is told; the files are looked at all the same.
    project.run(["load"]).exits(3);
    let stale = |project: &Project| -> Vec<(String, String, String)> {
        let plan = project.run(["plan", "--why", "--json"]).exits(0).json();
        assert!(plan["gold"].as_array().is_some_and(Vec::is_empty) && plan["silver"].as_array().is_some_and(Vec::is_empty), "{plan:#}");
        let text = |month: &Value, key: &str| month[key].as_str().unwrap_or_default().to_owned();
        let months = plan["indicators"].as_array().expect("indicators");
        months.iter().map(|month| (text(month, "indicator"), text(month, "month"), text(month, "reason"))).collect()
    };
    let found = stale(&project);
    assert!(found.contains(&("D05".to_owned(), "2024-03".to_owned(), "source_incomplete".to_owned())), "{found:?}");
    // A rule that persists looks at the month before, so what is judged there is an input of the next.
    let persists = |id: &str| ["D05", "C05"].contains(&id);
    let right = |(id, month, reason): &(String, String, String)| match month.as_str() {
        "2024-03" => reason == "source_incomplete" && id != "D12",
        "2024-04" => reason == "input_changed" && persists(id),
        _ => false,
    };
    assert!(found.iter().all(right), "{found:?}");
    project.run(["build"]).exits(0);
    assert_eq!(stale(&project), Vec::new());
    let certified = "SELECT COUNT(*) AS n FROM gold.indicator_value AS v WHERE v.indicator_id = 'D05' AND v.month = '2024-03' AND v.completeness = 'incomplete'";
    assert!(project.number(certified) > 0);
}

#[test]
fn a_candidate_that_does_not_add_up_is_kept_and_not_published() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    let count = "SELECT COUNT(*) AS n FROM gold.fact_stock AS s";
    let release = |project: &Project| project.run(["status", "--json"]).exits(0).json()["release"].clone();
    let (rows, before) = (project.number(count), release(&project));
    assert!(rows > 0);
    project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    let folder = project.dir.join("sql-local/fact");
    fs::create_dir_all(&folder).expect("a folder");
    let own = fs::read_to_string(workspace().join("sql/fact/fact_stock.sql")).expect("the model");
    let lossy = format!("{own}WHERE stock.fixmedins_code <> (SELECT MIN(other.fixmedins_code) FROM silver.stock_month AS other)\n");
    fs::write(folder.join("fact_stock.sql"), &lossy).expect("the model");

    let reasons = |project: &Project| -> Vec<String> {
        let plan = project.run(["plan", "--why", "--json"]).exits(0).json();
        let gold = plan["gold"].as_array().expect("gold").clone();
        let mut reasons: Vec<String> =
            gold.iter().map(|cell| format!("{} {}", cell["table"].as_str().unwrap(), cell["reason"].as_str().unwrap())).collect();
        reasons.dedup();
        reasons
    };
    assert_eq!(reasons(&project), ["gold.fact_stock code_changed"]);
    let run = project.run(["build"]).exits(4);
    assert!(run.stderr.contains("error[E-CHK-001]") && run.stderr.contains("reconcile") && run.stderr.contains("gold.fact_stock"), "{run}");
    assert_eq!((project.number(count), release(&project)), (rows, before.clone()), "something was published");
    let kept: Vec<String> = files(&project.warehouse()).into_iter().filter(|file| file.starts_with("_ops/candidates/")).collect();
    assert!(
        !kept.is_empty() && kept.iter().all(|file| run.stderr.contains("_ops/candidates/") && file.contains("gold.fact_stock")),
        "{kept:?}\n{run}"
    );
    let failed = project.query("SELECT c.check_name AS name, c.table_name AS t, c.candidate AS candidate FROM ops.check AS c");
    assert!(failed.iter().all(|row| row["name"] == "reconcile" && row["t"] == "gold.fact_stock"), "{failed:?}");
    assert!(failed.iter().any(|row| kept.contains(&row["candidate"])), "{failed:?}");
    assert_eq!(reasons(&project), ["gold.fact_stock check_failed"]);

    // Put right, there is nothing left to do: the old rows are those of the old SQL.
    fs::remove_file(folder.join("fact_stock.sql")).expect("the model");
    assert_eq!(reasons(&project), Vec::<String>::new());
    let run = project.run(["build", "--json"]).exits(0).json();
    // It writes down that nothing is left undone, once, and no row that anybody reads.
    assert_eq!((run["changed"].as_bool(), &run["build"]["replaced"]), (Some(true), &serde_json::json!({})), "{run}");
    assert_eq!(release(&project), before);
    let again = project.run(["build", "--json"]).exits(0);
    assert_eq!(again.json()["changed"], Value::Bool(false), "{again}");
}
