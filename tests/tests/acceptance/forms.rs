//! Files as people make them: a check and a nightly run tell what they do with them.

use std::fs;

use rust_xlsxwriter::Workbook;

use crate::support::{Project, yaojia};

const CONFIG: &str = "[region]\ncode = \"652800\"\nname = \"州\"\nfirst_month = \"2024-01\"\n[export]\nroot = \"landing\"\n\
[audit]\nrecipient = \"age1chrqc73y48d4qslk20vevjf9nfft4zus2gq9s3uhazuvh7txr4eswjhc44\"\n";

const PROFILE: &str = r#"
name = "agreements"
[files]
paths = ["mapped/*.csv"]
[[target]]
dataset = "pay_detl"
[target.columns]
pay_detl_id = "id"
shp_id = "id"
pay_amt = "amount"
pay_time = { const = "2024-01-05" }
pay_mode = { const = "2" }
updt_time = { const = "2024-01-05" }
[[target]]
dataset = "institution"
[target.columns]
org_code = "id"
org_name = { join = ["amount", "id"] }
org_type = { const = "1" }
admdvs = { const = "652801" }
updt_time = { const = "2024-01-05" }
"#;

fn project() -> Project {
    let project = Project::of(CONFIG);
    for folder in ["profiles", "landing/mapped", "landing/stock_month/652801/202401"] {
        fs::create_dir_all(project.dir.join(folder)).expect("a folder");
    }
    fs::write(project.dir.join("profiles/p.toml"), PROFILE).expect("the profile");
    project
}

/// Stock over two sheets, the header on the first one only, and notes.
fn split_workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let first = book.add_worksheet().set_name("甲").expect("a name");
    first.write_row(0, 0, ["FIXMEDINS_CODE", "MED_LIST_CODG", "INV_MONTH", "INV_END_CNT", "UPDT_TIME"]).expect("a header");
    first.write_row(1, 0, ["H1", "X1", "2024-01", "10", "2024-02-01"]).expect("a row");
    book.add_worksheet().set_name("乙").expect("a name").write_row(0, 0, ["H1", "X2", "2024-01", "5", "2024-02-01"]).expect("a row");
    book.add_worksheet().set_name("说明").expect("a name").write(0, 0, "按月填报").expect("a note");
    book.save_to_buffer().expect("a workbook")
}

#[test]
fn a_night_tells_sheets_keys_and_rounding() {
    let project = project();
    fs::write(project.dir.join("landing/stock_month/652801/202401/a.xlsx"), split_workbook()).expect("the workbook");
    let rows = "id,amount\nH1,\"10.005\"\nH1,11.25\nH1,11.25\nH2,3\n";
    fs::write(project.dir.join("landing/mapped/a.csv"), rows).expect("the file");
    let check = project.run(["profile", "check", "mapped/a.csv", "--json"]).exits(1).json();
    let problem = |kind: &str, target: &str| {
        let found = check["problems"].as_array().expect("problems").iter().find(|p| p["kind"] == kind && p["target"] == target);
        found.unwrap_or_else(|| panic!("no {kind} of {target} in {check}")).clone()
    };
    let key = problem("same_key", "institution");
    assert_eq!((key["count"].as_u64(), key["row"].as_u64(), key["column"].as_str()), (Some(1), Some(3), Some("org_code")));
    let rounded = problem("rounded", "pay_detl");
    assert_eq!((rounded["count"].as_u64(), rounded["column"].as_str()), (Some(1), Some("pay_amt")));
    assert!(rounded["value"].as_str().expect("sums").contains("sum 10.005 becomes 10.01"), "{rounded}");

    let run = project.run(["nightly", "--json"]).exits(0);
    let json = run.json();
    let loaded = &json["load"]["datasets"];
    assert_eq!(loaded["pay_detl"]["rounded"]["pay_amt"]["sum_after"], "10.01", "{run}");
    let sheets: Vec<String> = loaded["stock_month"]["sheets"]
        .as_array()
        .expect("sheets")
        .iter()
        .map(|s| format!("{} {} {}", s["sheet"], s["state"], s["rows"]))
        .collect();
    assert_eq!(sheets, ["\"乙\" \"continued\" 1", "\"说明\" \"notes\" 1"]);
    assert_eq!(json["build"]["silver"]["institution"]["contested"], 1, "{run}");
    let stock = project.query("SELECT b.med_list_codg FROM bronze.stock_month AS b ORDER BY b.med_list_codg");
    assert_eq!(stock.iter().map(|row| row["med_list_codg"].as_str()).collect::<Vec<_>>(), ["X1", "X2"]);
    // no platform is configured: nobody says how much it has, and nothing of it is missing
    let states = project.query("SELECT DISTINCT c.state, c.reason FROM ops.completeness AS c WHERE c.dataset = 'ord_detl'");
    assert!(states.len() == 1 && states[0]["state"] == "undeclared" && states[0]["reason"] == "没有配置平台接口", "{states:?}");
    // where a row in quarantine stands, as an editor shows it: nobody knows these institutions' shipments
    let shown = project.run(["quarantine", "show", "--dataset", "pay_detl", "--json"]).exits(0).json();
    let rows: Vec<&serde_json::Value> = shown["rows"].as_array().expect("rows").iter().map(|row| &row["place"]["row"]).collect();
    assert_eq!(rows, [&serde_json::json!(2), &serde_json::json!(3), &serde_json::json!(5)], "{shown}");
}

#[test]
fn a_check_needs_no_project_and_no_key() {
    let dir = tempfile::tempdir().expect("a folder");
    let profile = r#"
name = "fees"
[files]
paths = ["f/*.csv"]
[[target]]
dataset = "fee_list"
[target.columns]
bkkp_sn = "id"
psn_no = "person"
fee_ocur_time = { const = "2024-01-05" }
fixmedins_code = { const = "H1" }
list_type = { const = "101" }
medins_list_codg = "id"
hilist_name = "id"
cnt = { const = "1" }
pric = { const = "1" }
det_item_fee_sumamt = { const = "1" }
hi_feesetl_type = { const = "1" }
vali_flag = { const = "1" }
updt_time = { const = "2024-01-05" }
"#;
    fs::write(dir.path().join("p.toml"), profile).expect("the profile");
    fs::write(dir.path().join("a.csv"), "id,person\n1,P1\n2,\"two\nlines\"\n3\n").expect("the file");
    let mut command = yaojia();
    command.current_dir(dir.path()).args(["--json", "profile", "check", "a.csv", "--profile", "p.toml"]);
    let run = crate::support::Run::of(command).exits(1);
    let json = run.json();
    assert_eq!((json["file"]["rows"].as_u64(), json["file"]["bad_rows"].as_u64()), (Some(3), Some(1)), "{run}");
    let bad = json["problems"].as_array().expect("problems").iter().find(|problem| problem["kind"] == "bad_row").expect("the row");
    // the second record has two lines
    assert_eq!((bad["count"].as_u64(), bad["row"].as_u64()), (Some(1), Some(5)), "{run}");
    assert!(!run.stdout.contains("P1"), "{run}");
}

#[test]
fn a_project_of_files_only() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = dir.path().join("p");
    let init = |arguments: &[&str]| {
        let mut command = yaojia();
        command.arg("--project").arg(&at).arg("init").args(arguments);
        crate::support::Run::of(command)
    };
    init(&["--no-platform", "--platform-url", "http://x"]).exits(2);
    init(&["--no-platform"]).exits(0);
    let text = fs::read_to_string(at.join("yaojia.toml")).expect("the configuration");
    assert!(!text.contains("[platform") && text.contains("[export]"), "{text}");
}
