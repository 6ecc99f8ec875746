//! The landing folder: one bad entry hides no other, every file that lies there is told, an unchanged one is not opened.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::Project;

const CONFIG: &str = "[region]\ncode = \"652800\"\nname = \"州\"\nfirst_month = \"2024-01\"\n[export]\nroot = \"landing\"\n\
[audit]\nrecipient = \"age1chrqc73y48d4qslk20vevjf9nfft4zus2gq9s3uhazuvh7txr4eswjhc44\"\n";
const HEADER: &str = "定点医药机构编号,医疗目录编码,库存月份,月末库存数量,数据更新时间";
const ROW: &str = "H65280100001,XA01AAA001A001010100001,2024-01,12,2024-02-01 00:00:00";

fn project() -> Project {
    let project = Project::of(CONFIG);
    put(&project, "stock_month/652801/202401/good.csv", format!("{HEADER}\n{ROW}\n"));
    project
}

fn put(project: &Project, path: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let file = project.dir.join("landing").join(path);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, bytes).expect("a file");
    file
}

/// Other bytes of the same length, listed as the same file.
fn swap(file: &Path, bytes: &[u8]) {
    let held = fs::metadata(file).expect("the file");
    assert_eq!(held.len(), bytes.len() as u64, "the bytes are of another length");
    fs::write(file, bytes).expect("other bytes");
    let open = File::options().write(true).open(file).expect("the file");
    open.set_modified(held.modified().expect("its time")).expect("its time, as it was");
}

/// What a document says of a file of the landing folder.
#[track_caller]
fn of<'a>(lines: &'a Value, file: &str) -> &'a Value {
    let found = lines.as_array().expect("lines").iter().find(|line| line["file"] == file);
    found.unwrap_or_else(|| panic!("nothing is said of `{file}`: {lines:#}"))
}

fn loaded_rows(project: &Project) -> u64 {
    project.number("SELECT COUNT(*) AS n FROM bronze.stock_month AS t")
}

/// Lays odd entries beside the good file; gives each with its reason.
#[cfg(unix)]
fn odd_entries(project: &Project) -> Vec<(String, &'static str)> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    let at = project.dir.join("landing/stock_month/652801/202401");
    fs::write(at.join(OsStr::from_bytes(b"\xd2\xbb\xd4\xc2.csv")), "x").expect("a name in GBK");
    fs::write(at.join("a\tb.csv"), "x").expect("a name with a TAB");
    symlink(project.dir.join("landing"), at.join("round")).expect("a link that makes a loop");
    symlink("gone.csv", at.join("dangling.csv")).expect("a link to nothing");
    std::os::unix::net::UnixListener::bind(at.join("s.csv")).expect("a socket");
    let folder = "stock_month/652801/202401";
    let named =
        [(r"\xd2\xbb\xd4\xc2.csv", "name"), (r"a\tb.csv", "name"), ("round", "link"), ("dangling.csv", "link"), ("s.csv", "special")];
    named.into_iter().map(|(name, reason)| (format!("{folder}/{name}"), reason)).collect()
}

#[cfg(not(unix))]
fn odd_entries(_: &Project) -> Vec<(String, &'static str)> {
    Vec::new()
}

#[test]
fn every_entry_is_loaded_or_told_with_its_reason() {
    let project = project();
    let mut strays = odd_entries(&project);
    for (path, reason) in [
        ("stock_month/652801/202401/库存.et", "format"),
        ("stock_month/652801/202401/stock.xlsm", "format"),
        ("stock_month/652801/202401/stock.csv.zip", "format"),
        ("stock_month/652801/202401/sub/deep.csv", "depth"),
        ("stock_month/652801/high.csv", "depth"),
        ("stock_month/652801/202401/~$stock.xlsx", "temporary"),
        ("stock_mouth/652801/202401/a.csv", "dataset"),
        ("ord_detl/652801/202401/a.csv", "dataset"),
        ("stock_month/652801/up.csv.ctl.json", "control"),
    ] {
        put(&project, path, "x");
        strays.push((path.to_owned(), reason));
    }
    let night = project.run(["nightly", "--json"]).exits(0);
    let run = night.json();
    let status = project.run(["status", "--json"]).exits(0).json();
    let kept = fs::read_to_string(project.warehouse().join(format!("_ops/runs/{}/run.json", run["run_id"].as_str().expect("a run"))));
    let kept: Value = serde_json::from_str(&kept.expect("run.json")).expect("JSON");
    for (file, reason) in &strays {
        for lines in [&run["load"]["landing"], &kept["load"]["landing"], &status["landing"]] {
            let said = of(lines, file);
            assert_eq!((&said["state"], &said["reason"]), (&json!("passed_over"), &json!(reason)), "{file}");
            let words = |name: &str| said[name].as_str().expect("words").to_owned();
            assert!(!words("detail").is_empty() && !words("hint").is_empty(), "{said}");
        }
        assert!(of(&status["passed_over"], file)["hint"].is_string());
    }
    assert_eq!(of(&run["load"]["landing"], "stock_month/652801/202401/good.csv")["state"], "loaded");
    assert_eq!(loaded_rows(&project), 1);
    let text = project.run(["status"]).exits(0).stdout;
    assert!(strays.iter().all(|(file, _)| text.contains(file.as_str())) && text.contains("save it as .xlsx"), "{text}");
    // As the night before: nothing is written, and yet it is told.
    let again = project.run(["nightly", "--json"]).exits(0).json();
    assert_eq!((&again["changed"], again["load"]["landing"].as_array().map(Vec::len)), (&json!(false), Some(strays.len())), "{again}");
    // What was put right is told no more.
    fs::remove_file(project.dir.join("landing/stock_month/652801/high.csv")).expect("the stray");
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], true);
    assert!(!project.run(["status"]).exits(0).stdout.contains("high.csv"));
}

#[test]
fn a_refusal_says_what_is_missing_or_what_the_bytes_are() {
    let project = project();
    let at = |name: &str| format!("stock_month/652801/202401/{name}");
    put(&project, &at("title.csv"), format!("{}\n{ROW}\n", HEADER.replace("月末库存数量", "月末库存量")));
    put(&project, &at("page.csv"), "<!DOCTYPE html><html><body>登录</body></html>");
    put(&project, &at("packed.csv"), b"PK\x03\x04\xff\xff\xff\xff");
    let utf16: Vec<u8> = format!("{HEADER}\r\n{ROW}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    put(&project, &at("wide.csv"), [b"\xff\xfe".to_vec(), utf16].concat());
    put(&project, &at("text.xlsx"), format!("{HEADER}\n{ROW}\n\n"));
    put(&project, &at("empty.csv"), "");
    let run = project.run(["nightly", "--json"]).exits(0);
    let (report, status) = (run.json(), project.run(["status", "--json"]).exits(0).json());
    for (name, reason, words) in [
        ("title.csv", "no_header", "inv_end_cnt"),
        ("title.csv", "no_header", "`月末库存量`"),
        ("page.csv", "no_header", "HTML"),
        ("packed.csv", "undecodable", "ZIP"),
        ("wide.csv", "undecodable", "UTF-16"),
        ("empty.csv", "no_header", "empty"),
        ("text.xlsx", "undecodable", ""),
    ] {
        for said in [of(&report["load"]["landing"], &at(name)), of(&status["refused"], &at(name))] {
            assert_eq!(said["reason"], reason, "{said}");
            assert!(said["detail"].as_str().is_some_and(|detail| detail.contains(words)) && said["hint"] != "", "{name}: {said}");
        }
    }
    assert!(project.run(["status"]).exits(0).stdout.contains("inv_end_cnt"));
    let text = project.run(["nightly"]).exits(0);
    assert!(text.stderr.contains("inv_end_cnt") && text.stderr.contains("hint:"), "{text}");
    assert_eq!(loaded_rows(&project), 1);
}

#[test]
fn a_control_file_is_read_with_its_mark_and_numbers_as_text() {
    let project = project();
    let controls = [("a.csv", "\u{feff}{\"rows\": 1}"), ("b.csv", "{\"rows\": \"1\"}"), ("c.csv", "\u{feff}{\"rows\": \" 1 \"}")];
    for (n, (name, control)) in controls.iter().enumerate() {
        let path = format!("stock_month/652801/202402/{name}");
        put(&project, &path, format!("{HEADER}\n{}\n", ROW.replace(",12,", &format!(",{n},"))));
        put(&project, &format!("{path}.ctl.json"), control);
    }
    project.run(["nightly"]).exits(0);
    let rows = project.query("SELECT l.name, l.declared FROM ops.load AS l WHERE l.name LIKE '%202402%' ORDER BY l.name");
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.get("declared").is_some_and(|n| n == "1")), "{rows:?}");
    let text = project.run(["status", "--completeness"]).exits(0).stdout;
    assert!(text.lines().any(|line| line.contains("stock_month") && line.contains("2024-02") && line.contains("complete")), "{text}");
}

#[test]
fn an_announced_file_that_is_not_there_is_told_and_makes_its_month_incomplete() {
    let project = project();
    let control = put(&project, "stock_month/652801/202402/lost.csv.ctl.json", "\u{feff}{\"rows\": \"2\"}");
    let certificate = |project: &Project| {
        let status = project.run(["status", "--json"]).exits(0).json();
        let all = status["completeness"].as_array().expect("certificates").clone();
        let of = all.into_iter().find(|of| of["dataset"] == "stock_month" && of["county"] == "652801" && of["month"] == "2024-02");
        of.expect("the certificate of the month")
    };
    let run = project.run(["nightly", "--json"]).exits(0).json();
    let file = "stock_month/652801/202402/lost.csv.ctl.json";
    assert_eq!(of(&run["load"]["landing"], file)["state"], "missing");
    assert!(
        of(&project.run(["status", "--json"]).exits(0).json()["missing"], file)["detail"].as_str().is_some_and(|d| d.contains("2 rows"))
    );
    let told = certificate(&project);
    assert_eq!((&told["state"], &told["declared"]), (&json!("incomplete"), &json!(2)), "{told}");
    assert!(told["reason"].as_str().is_some_and(|why| why.contains("lost.csv.ctl.json")), "{told}");
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], false);
    // It comes.
    let rows = [ROW.replace(",12,", ",3,"), ROW.replace(",12,", ",4,").replace("00001,XA", "00002,XA")].join("\n");
    put(&project, "stock_month/652801/202402/lost.csv", format!("{HEADER}\n{rows}\n"));
    let run = project.run(["nightly", "--json"]).exits(0).json();
    assert_eq!((run["load"]["files"].as_u64(), &certificate(&project)["state"]), (Some(1), &json!("complete")), "{run}");
    // A control file that stays behind when its file was put away announces nothing.
    fs::remove_file(control.with_file_name("lost.csv")).expect("the file, put away");
    project.run(["nightly"]).exits(0);
    assert_eq!(certificate(&project)["state"], "complete");
}

#[test]
fn a_night_without_news_opens_no_landing_file() {
    let project = project();
    let folder = "stock_month/652801/202401";
    let good = project.dir.join("landing").join(folder).join("good.csv");
    let wrong = put(&project, &format!("{folder}/wrong.csv"), format!("{HEADER}\n{ROW}\n").replace("数量", "数数"));
    let control = put(&project, &format!("{folder}/lost.csv.ctl.json"), "{\"rows\": 7}");
    project.run(["nightly"]).exits(0);
    // Other bytes under the same size and time: whoever opens a file sees them.
    swap(&good, format!("{HEADER}\n{}\n", ROW.replace(",12,", ",34,")).as_bytes());
    swap(&wrong, format!("{HEADER}\n{}\n", ROW.replace(",12,", ",56,")).as_bytes());
    swap(&control, b"{\"rows\": 9}");
    let quiet = project.run(["nightly", "--json"]).exits(0).json();
    assert_eq!((&quiet["changed"], quiet["load"]["files"].as_u64()), (&json!(false), Some(0)), "{quiet}");
    assert_eq!(of(&quiet["load"]["landing"], &format!("{folder}/wrong.csv"))["reason"], "no_header");
    assert!(of(&quiet["load"]["landing"], &format!("{folder}/lost.csv.ctl.json"))["detail"].as_str().is_some_and(|d| d.contains('7')));
    // Who doubts has them read.
    let read = project.run(["nightly", "--reread", "--json"]).exits(0).json();
    assert_eq!(read["load"]["files"].as_u64(), Some(2), "{read}");
    assert_eq!(loaded_rows(&project), 3);
    // A title that is mended is read under the same listing: the rules are others.
    let third =
        put(&project, &format!("{folder}/third.csv"), format!("{HEADER}\n{}\n", ROW.replace(",12,", ",78,")).replace("数量", "总数"));
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["load"]["refused"].as_array().map(Vec::len), Some(1));
    fs::write(project.dir.join("aliases.json"), r#"{"file_titles": {"stock_month": {"月末库存总数": "inv_end_cnt"}}}"#).expect("aliases");
    fs::write(project.dir.join("yaojia.toml"), format!("aliases_file = \"aliases.json\"\n{CONFIG}")).expect("yaojia.toml");
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["load"]["files"].as_u64(), Some(1), "{}", third.display());
    assert_eq!(loaded_rows(&project), 4);
}

#[test]
fn a_touched_file_is_opened_once_more_and_not_loaded_twice() {
    let project = project();
    project.run(["nightly"]).exits(0);
    let good = project.dir.join("landing/stock_month/652801/202401/good.csv");
    let open = File::options().write(true).open(&good).expect("the file");
    open.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).expect("another time");
    let touched = project.run(["nightly", "--json"]).exits(0).json();
    assert_eq!((&touched["changed"], touched["load"]["files"].as_u64()), (&json!(false), Some(0)), "{touched}");
    assert_eq!(loaded_rows(&project), 1);
}
