//! Lineage as its users ask for it, the events a run leaves, and what is made of cards.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{Project, Run, loaded, workspace, yaojia};

fn names(found: &Value) -> Vec<&str> {
    found["nodes"].as_array().expect("nodes").iter().filter_map(|node| node["name"].as_str()).collect()
}

#[test]
fn a_column_is_followed_to_the_message_and_to_the_alert() {
    let project = loaded();
    let run = project.run(["lineage", "fact_receipt.shpp_time", "--json"]).exits(0);
    let found = run.json();
    assert_eq!(found["subject"], "gold.fact_receipt.shpp_time");
    let up = names(&found["upstream"]);
    assert!(up.contains(&"bronze.shp.shpp_time") && up.iter().any(|name| name.starts_with("platform.C")), "{up:?}");
    let text = project.run(["lineage", "D13.main"]).exits(0);
    for wanted in ["配送及时率", "indicator.D13.main.numerator", "gold.fact_receipt.shpp_time", "gold.indicator_value.value", "decided by"]
    {
        assert!(text.stdout.contains(wanted), "no `{wanted}` in\n{text}");
    }
    let one = project.run(["lineage", "fact_receipt", "--up", "--depth", "1", "--json"]).exits(0).json();
    assert!(one["downstream"].is_null());
    assert_eq!(names(&one["upstream"]).first(), Some(&"gold.fact_receipt"));
    assert!(names(&one["upstream"]).contains(&"silver.shp") && !names(&one["upstream"]).contains(&"bronze.shp"));
    let drawn = project.run(["lineage", "fact_receipt.shpp_time", "--up", "--mermaid"]).exits(0);
    assert!(drawn.stdout.starts_with("flowchart LR\n") && drawn.stdout.contains(" --> "), "{drawn}");
    let missing = project.run(["lineage", "shpp_time"]).exits(1);
    assert!(missing.stderr.contains("gold.fact_receipt.shpp_time"), "{missing}");
}

#[test]
fn lineage_works_without_a_project() {
    let empty = tempfile::tempdir().expect("a folder");
    let mut command = yaojia();
    command.arg("--project").arg(empty.path()).args(["lineage", "--json"]);
    let found = Run::of(command).exits(0).json();
    let graph = names(&found["graph"]);
    assert!(graph.contains(&"indicator.E05") && graph.contains(&"export.fee_list"), "{graph:?}");
}

#[test]
fn a_run_leaves_openlineage_events_without_a_row_in_them() {
    let project = loaded();
    let runs = project.warehouse().join("_ops/runs");
    let folder = fs::read_dir(&runs).expect("runs").next().expect("a run").expect("an entry").path();
    let text = fs::read_to_string(folder.join("openlineage.jsonl")).expect("the events");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let kind = |event: &Value| event["eventType"].as_str().expect("a type").to_owned();
    assert_eq!(kind(&events[0]), "START");
    assert_eq!(kind(events.last().expect("events")), "COMPLETE");
    let (mut started, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for event in &events {
        for key in ["eventTime", "producer", "schemaURL"] {
            assert!(event[key].is_string(), "{event}");
        }
        assert_eq!(event["schemaURL"], "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
        assert_eq!(event["eventTime"], "2024-04-16T02:00:00+08:00");
        let run = event["run"]["runId"].as_str().expect("a run id").to_owned();
        assert_eq!(run.len(), 36);
        assert!(if kind(event) == "START" { started.insert(run) } else { ended.insert(run) }, "a pair a run: {event}");
    }
    assert_eq!(started, ended);
    let made = |table: &str| {
        events.iter().find(|event| event["job"]["name"] == table && kind(event) == "COMPLETE").unwrap_or_else(|| panic!("no {table}"))
    };
    let receipt = made("gold.fact_receipt");
    let output = &receipt["outputs"][0];
    assert!(output["facets"]["schema"]["fields"].as_array().is_some_and(|fields| fields.iter().any(|field| field["name"] == "shpp_time")));
    let fields = &output["facets"]["columnLineage"]["fields"]["shpp_time"]["inputFields"];
    let from: Vec<String> =
        fields.as_array().expect("inputs").iter().map(|input| format!("{}.{}", input["name"], input["field"]).replace('"', "")).collect();
    assert!(from.contains(&"silver.shp.shpp_time".to_owned()), "{from:?}");
    assert_eq!(fields[0]["transformations"][0]["type"], "DIRECT");
    assert!(receipt["inputs"].as_array().is_some_and(|inputs| inputs.iter().any(|input| input["name"] == "silver.shp")));
    assert_eq!(receipt["run"]["facets"]["parent"]["run"]["runId"], events[0]["run"]["runId"]);
    made("bronze.ord_detl");
    made("silver.ord_detl");
    made("gold.indicator_value");
    // Nothing of a row: no code of an institution, no name.
    for row in project.query("SELECT i.org_code AS code, i.org_name AS name FROM gold.dim_institution AS i LIMIT 20") {
        assert!(!text.contains(&row["code"]) && !text.contains(&row["name"]), "{row:?} is in the events");
    }
}

#[test]
fn a_skeleton_of_an_indicator_checks_and_computes() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    let refused = project.run(["indicator", "new", "X07", "--name", "订单行数"]).exits(2);
    assert!(refused.stderr.contains("paths"), "{refused}");
    project.configure("#paths = [\"sql-local\"]", "paths = [\"sql-local\"]");
    let made = project.run(["indicator", "new", "X07", "--name", "订单行数", "--name-en", "Order lines"]).exits(0);
    let folder = project.dir.join("sql-local/indicators/X07_order_lines");
    assert!(folder.join("rows.sql").is_file() && folder.join("tests/lines.slt").is_file(), "{made}");
    project.run(["indicator", "check"]).exits(0);
    project.run(["indicator", "new", "X07", "--name", "再来"]).exits(2);
    project.run(["indicator", "new", "D13", "--name", "重号"]).exits(2);
    project.run(["indicator", "new", "x7", "--name", "小写"]).exits(2);
    let lineage = project.run(["lineage", "X07.main", "--up", "--influence", "--json"]).exits(0).json();
    assert!(names(&lineage["upstream"]).contains(&"gold.fact_order.send_time"), "{lineage}");
    project.run(["build"]).exits(0);
    assert!(project.number("SELECT COUNT(*) AS n FROM gold.indicator_value AS v WHERE v.indicator_id = 'X07'") > 0);
    // Its pages, and what they and `show` say of its standing.
    let out = project.dir.join("pages");
    project.run(["indicator".as_ref(), "pages".as_ref(), "--out".as_ref(), out.as_os_str()]).exits(0);
    let page = fs::read_to_string(out.join("zh/X07.md")).expect("its page");
    assert!(page.contains("自定指标") && page.contains("1001") && page.contains("gold.fact_order"), "{page}");
    let show = project.run(["indicator", "show", "D13"]).exits(0);
    assert!(show.stdout.contains("重建") && show.stdout.contains("our reconstruction"), "{show}");
    let show = project.run(["indicator", "show", "D13", "--json"]).exits(0).json();
    assert_eq!(show["card"]["standing"], "reconstruction");
    // A page of an indicator that is gone goes too; what is not ours stays.
    fs::write(out.join("zh/NOTES.md"), "mine").expect("a note");
    fs::remove_dir_all(&folder).expect("the folder");
    project.run(["indicator".as_ref(), "pages".as_ref(), "--out".as_ref(), out.as_os_str()]).exits(0);
    assert!(!out.join("zh/X07.md").exists() && out.join("zh/NOTES.md").exists() && out.join("en/D13.md").exists());
    assert!(workspace().join("docs/official-list.md").is_file());
}
