//! A file of another system's layout, through a profile: every row is accounted for, and `profile check` says what is wrong.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Project, workspace};

const CONFIG: &str = "[region]\ncode = \"900000\"\nname = \"SCMS\"\nfirst_month = \"2024-03\"\n[export]\nroot = \"landing\"\n\
[audit]\nrecipient = \"age1chrqc73y48d4qslk20vevjf9nfft4zus2gq9s3uhazuvh7txr4eswjhc44\"\n";

const HEADER: &str = "id,project code,pq #,po / so #,asn/dn #,country,po sent to vendor date,scheduled delivery date,delivered to client date,\
delivery recorded date,product group,vendor,item description,molecule/test type,dosage,dosage form,unit of measure (per pack),\
line item quantity,line item value,pack price,manufacturing site,weight (kilograms)";

/// Two date formats, words for dates and numbers, a price of zero, a name that is not ASCII, a newline in a quoted field, a country
/// nobody knows, a row cut off.
const ROWS: &str = "\
1,100-CI-T01,Pre-PQ Process,PO-1,ASN-1,Côte d'Ivoire,8/27/2014,2-Jun-14,2-Sep-14,3-Sep-14,ARV,Maker Ltd,\"Tablets, 60\ncoated\",Drug A,150mg,Tablet,60,10,0,0,\"Unit III, India\",13
2,100-CI-T01,Q-1,PO-1,ASN-2,Côte d'Ivoire,2-Jun-14,9-Jun-14,9-Jun-14,9-Jun-14,HRDT,Tests GmbH,\"Kit, 100 Tests\",Kit,,Test kit,100,500,\"40,000\",80,Wiesbaden,See DN-304 (ID#:10589)
3,108-VN-T01,Q-2,PO-2,ASN-3,Vietnam,N/A - From RDC,14-Nov-06,14-Nov-06,14-Nov-06,ARV,SCMS from RDC,\"Syrup, 240 ml\",Drug B,10mg/ml,Oral solution,240,1000,6200.25,6.2,India,358
4,108-VN-T01,Q-2,PO-2,ASN-4,Vietnam,8/27/2014,2-Sep-14,2-Sep-14,2-Sep-14,ARV,Maker Ltd,\"Syrup, 240 ml\",Drug B,10mg/ml,Oral solution,240,see remark,1,1,India,1
5,999-AT-T01,Q-3,PO-3,ASN-5,Atlantis,8/28/2014,2-Sep-14,2-Sep-14,2-Sep-14,ARV,Maker Ltd,\"Syrup, 240 ml\",Drug B,10mg/ml,Oral solution,240,7,43.4,6.2,India,1
6,999-AT-T01
";

/// `ô`.
const O_IN_GB18030: &[u8] = b"\x81\x30\x8b\x30";

fn file() -> String {
    format!("{HEADER}\n{ROWS}")
}

fn project() -> Project {
    let project = Project::of(CONFIG);
    let examples = workspace().join("docs/examples/profiles");
    for folder in ["profiles", "landing/scms"] {
        fs::create_dir_all(project.dir.join(folder)).expect("a folder");
    }
    for name in ["scms.toml", "scms-countries.csv"] {
        fs::copy(examples.join(name), project.dir.join("profiles").join(name)).expect("the example profile");
    }
    project
}

fn counts(project: &Project, dataset: &str) -> Value {
    let run = project.run(["status", "--silver-counts"]).exits(0);
    let all: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("not one JSON object ({error}):\n{run}"));
    all[dataset].clone()
}

#[test]
fn every_row_of_a_foreign_file_is_accounted_for() {
    let project = project();
    let landing = project.dir.join("landing/scms");
    fs::write(landing.join("a.csv"), file()).expect("the file");
    let control = r#"{"rows": 6, "sums": {"line item quantity": "1517", "line item value": "46244.65", "weight (kilograms)": "373"}}"#;
    fs::write(landing.join("a.ctl.json"), control).expect("its control file");
    // Other rows in GB18030, a copy under a second name, and one that lacks a mapped column.
    let second = file().replace("ASN-", "BSN-").replacen("\n1,", "\n11,", 1).replacen("\n2,", "\n12,", 1);
    let second: Vec<&str> = second.split_inclusive('\n').take(4).collect();
    let mut bytes = Vec::new();
    for part in second.concat().split_inclusive('ô') {
        match part.strip_suffix('ô') {
            Some(plain) => bytes.extend_from_slice(&[plain.as_bytes(), O_IN_GB18030].concat()),
            None => bytes.extend_from_slice(part.as_bytes()),
        }
    }
    assert!(std::str::from_utf8(&bytes).is_err());
    fs::write(landing.join("b.csv"), &bytes).expect("the second file");
    fs::write(landing.join("c.csv"), file()).expect("the copy");
    fs::write(landing.join("d.csv"), file().replacen("pack price", "price", 1)).expect("the third file");
    let run = project.run(["nightly", "--json"]).exits(0).json();
    assert_eq!(run["load"]["refused"], json!([["scms/d.csv", "no_header"]]));
    assert_eq!((&run["load"]["same_content"], run["load"]["files"].as_u64()), (&json!(["scms/c.csv"]), Some(2)));

    let orders = counts(&project, "ord_detl");
    assert_eq!((orders["received"].as_u64(), orders["accepted"].as_u64()), (Some(8), Some(4)), "{orders}");
    assert_eq!(orders["quarantined"], json!({"bad_date": 1, "bad_number": 1, "bad_row": 1, "unknown_org": 1}), "{orders}");
    let shipments = counts(&project, "shp");
    assert_eq!((shipments["received"].as_u64(), shipments["accepted"].as_u64()), (Some(7), Some(4)), "{shipments}");
    assert_eq!(shipments["quarantined"], json!({"bad_number": 1, "orphan": 2}), "{shipments}");
    let orgs = counts(&project, "institution");
    assert_eq!((orgs["received"].as_u64(), orgs["accepted"].as_u64()), (Some(3), Some(2)), "{orgs}");

    let rows = project.query("SELECT o.ord_detl_id, o.county, o.month, o.purc_amt, o.prod_type, o._source, o._row FROM silver.ord_detl AS o ORDER BY o.ord_detl_id");
    let texts: Vec<String> = rows.iter().map(|row| row.values().cloned().collect::<Vec<_>>().join(" ")).collect();
    // in the order of the columns' names: _row, _source, county, month, ord_detl_id, prod_type, purc_amt
    assert_eq!(
        texts,
        [
            "1 scms/a.csv 900384 2014-08 1 1 0.00",
            "1 scms/b.csv 900384 2014-08 11 1 0.00",
            "2 scms/b.csv 900384 2014-06 12 2 40000.00",
            "2 scms/a.csv 900384 2014-06 2 2 40000.00"
        ]
    );
    assert_eq!(project.query("SELECT a.admdvs_name FROM silver.admdvs AS a WHERE a.admdvs = '900384'")[0]["admdvs_name"], "Côte d'Ivoire");
    let word = project.query("SELECT q.column_value FROM silver.quarantine AS q WHERE q.dataset = 'ord_detl' AND q.reason = 'bad_date'");
    assert_eq!(word[0]["column_value"], "N/A - From RDC");
    // what has no place in the contract is kept beside the order line, as it was
    let extra = project.query("SELECT b._extra FROM bronze.ord_detl AS b WHERE b.ord_detl_id = '2'");
    assert_eq!(extra[0]["_extra"], r#"{"scheduled delivery date":"9-Jun-14","weight (kilograms)":"See DN-304 (ID#:10589)"}"#);
    // the ledger says which profile read a file; in which wording, its parser does
    let marks = project.query("SELECT DISTINCT l.reason FROM ops.load AS l WHERE l.state = 'loaded'");
    assert!(marks.len() == 1 && marks[0]["reason"] == "profile:scms", "{marks:?}");
    assert_eq!(project.run(["nightly", "--json"]).exits(0).json()["changed"], false);
}

#[test]
fn a_check_says_what_a_load_would_meet() {
    let project = project();
    let path = project.dir.join("landing/scms/a.csv");
    fs::write(&path, file()).expect("the file");
    let run = project.run(["profile", "check", "scms/a.csv", "--rows", "1", "--json"]).exits(1);
    let json = run.json();
    assert_eq!((json["profile"]["name"].as_str(), json["file"]["rows"].as_u64()), (Some("scms"), Some(6)), "{run}");
    assert_eq!(json["targets"][0]["first"][0]["send_time"], "2014-08-27");
    let problems: Vec<String> = json["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|p| {
            format!(
                "{} {} {} {} {}",
                p["target"].as_str().unwrap(),
                p["column"].as_str().unwrap(),
                p["kind"].as_str().unwrap(),
                p["count"],
                p["row"]
            )
        })
        .collect();
    // lines of the file: the header is the first one, and the first record has two
    for wanted in [
        "ord_detl send_time bad_date 1 5",
        "ord_detl purc_cnt bad_number 1 6",
        "ord_detl  bad_row 1 8",
        "shp shp_cnt bad_number 1 6",
        "institution admdvs unmatched 1 7",
        "institution admdvs missing_key 1 7",
    ] {
        assert!(problems.iter().any(|problem| problem == wanted), "`{wanted}` is not in {problems:#?}");
    }
    let text = project.run(["profile", "check", path.to_str().unwrap()]).exits(1);
    assert!(text.stdout.contains("po sent to vendor date") && text.stdout.contains("N/A - From RDC"), "{text}");

    let clean: String = file().split_inclusive('\n').take(4).collect();
    fs::write(&path, clean).expect("the clean file");
    project.run(["profile", "check", "scms/a.csv", "--profile", "scms"]).exits(0);
    fs::write(&path, file().replacen("pack price", "price", 1)).expect("a file that lacks a column");
    assert!(project.run(["profile", "check", "scms/a.csv"]).exits(1).stdout.contains("refused: no_header"));

    let toml = project.dir.join("profiles/scms.toml");
    let good = fs::read_to_string(&toml).expect("the profile");
    fs::write(&toml, good.replace("purc_cnt        = \"line item quantity\"", "purc_count = \"line item quantity\""))
        .expect("a broken profile");
    let broken = project.run(["profile", "check", "scms/a.csv"]).exits(2);
    assert!(broken.stdout.contains("no columns purc_count") && broken.stdout.contains("neither mapped nor constant: purc_cnt"), "{broken}");
    assert!(broken.stderr.contains("error[E-PRF-003]"), "{broken}");
    project.run(["nightly"]).exits(2);
}
