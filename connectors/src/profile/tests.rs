//! Profiles over made files with the traps of real ones.

use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use encoding_rs::GB18030;
use rust_xlsxwriter::{Format as CellFormat, Workbook};
use yaojia_models::contract::Registry;

use super::*;
use crate::kit::artifact::Artifact;
use crate::kit::personal::PersonalConfig;
use crate::kit::secret::SecretRef;

fn datasets() -> Vec<Dataset> {
    Registry::embedded().unwrap().datasets().to_vec()
}

pub(super) fn profile(text: &str) -> Profile {
    Profile::parse(Path::new("p.toml"), text, &datasets()).unwrap()
}

pub(super) fn problems(text: &str) -> String {
    Profile::parse(Path::new("p.toml"), text, &datasets()).unwrap_err().to_string()
}

pub(super) fn rules() -> PersonalRules {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, "k").unwrap();
    PersonalRules::new(&PersonalConfig { hash_key: Some(SecretRef::File(key.display().to_string())), names: None }).unwrap()
}

pub(super) fn delivery(profile: &Profile, path: &str, bytes: &[u8], control: Option<&str>) -> Delivery {
    Delivery {
        file: profile.files(path, bytes.len() as u64).swap_remove(0),
        artifact: Artifact::from_bytes(path, bytes.to_vec(), false),
        control: control.map(|text| Artifact::from_bytes("c", text.as_bytes().to_vec(), false)),
    }
}

pub(super) type Batches = Vec<Vec<RecordBatch>>;

pub(super) fn read(profile: &Profile, path: &str, bytes: &[u8], control: Option<&str>) -> Result<(MappedReport, Batches), ReadError> {
    let config = ExportConfig { batch_rows: 2, ..ExportConfig::new("x") };
    let mut batches = vec![Vec::new(); profile.targets().len()];
    let report = profile.read(&config, &rules(), &delivery(profile, path, bytes, control), &mut |at, mapped| {
        assert_eq!(mapped.places.len(), mapped.batch.num_rows());
        batches[at].push(mapped.batch);
        Ok(())
    })?;
    Ok((report, batches))
}

/// A column of a target's rows, `–` for null.
pub(super) fn column(batches: &[RecordBatch], name: &str) -> Vec<String> {
    let texts = |batch: &RecordBatch| -> Vec<String> {
        let array = batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        array.iter().map(|text| text.unwrap_or("–").to_owned()).collect()
    };
    batches.iter().flat_map(texts).collect()
}

fn numbers(batches: &[RecordBatch]) -> Vec<i64> {
    let rows = |batch: &RecordBatch| batch.column_by_name("_row").unwrap().as_primitive::<Int64Type>().values().to_vec();
    batches.iter().flat_map(rows).collect()
}

pub(super) fn refused(result: Result<(MappedReport, Batches), ReadError>) -> String {
    match result {
        Err(ReadError::Refused(refused)) => refused.reason.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

const TRADE: &str = r#"
name = "trade"
null = ["N/A"]
[files]
paths = "trade/**/*.csv"
[lookup.country]
values = { "Côte d'Ivoire" = "900384", "Vietnam" = "900704" }
missing = "null"
[[target]]
dataset = "institution"
[target.columns]
org_code = "project"
org_name = { join = ["country", "project"], separator = " " }
org_type = { const = "1" }
admdvs = { from = "country", lookup = "country" }
updt_time = { from = "recorded", date = ["%d-%b-%y", "%m/%d/%Y"] }
[[target]]
dataset = "retn"
when = [{ column = "kind", in = ["return"] }]
[target.columns]
retn_id = { from = "id", prefix = "R" }
shp_id = ["shipment", "id"]
ord_detl_id = "id"
retn_cnt = { from = "count", factor = "12" }
retn_amt = { from = "amount", unit = "万元", strip = ["$"] }
medins_retn_time = { from = "recorded", date = ["%d-%b-%y", "%m/%d/%Y"] }
retn_chk_stas = { const = "2" }
updt_time = { from = "recorded", date = ["%d-%b-%y", "%m/%d/%Y"] }
"#;

const ROWS: &str = "id,project,country,kind,shipment,count,amount,recorded,remark,tel\n\
1,P1,Côte d'Ivoire,return,S1,\"1,000\",$0.5,2-Jun-06,\"two\nlines\",1\n\
2,P2,Vietnam,sale,,3,0,8/27/2014,,2\n\
3,P3,Atlantis,return,N/A,See DN-304,Freight Included,Date Not Captured,x,3\n\
4,P4\n\
5,P5,Vietnam,return,,0,0,11/13/2006,,5\n";

#[test]
fn one_file_feeds_two_datasets_and_nothing_is_lost() {
    let (report, batches) = read(&profile(TRADE), "trade/a/x.csv", ROWS.as_bytes(), None).unwrap();
    let (orgs, returns) = (&batches[0], &batches[1]);
    assert_eq!((report.rows, report.bad_rows, report.skipped), (5, 1, 0));
    assert_eq!(numbers(orgs), [1, 2, 3, 4, 5]);
    assert_eq!(column(orgs, "org_name"), ["Côte d'Ivoire P1", "Vietnam P2", "Atlantis P3", "–", "Vietnam P5"]);
    assert_eq!(column(orgs, "admdvs"), ["900384", "900704", "–", "–", "900704"]);
    assert_eq!(column(orgs, "updt_time"), ["2006-06-02", "2014-08-27", "Date Not Captured", "–", "2006-11-13"]);
    assert_eq!(column(orgs, "_note"), ["–", "–", "–", "bad_row", "–"]);
    // the file has a telephone column: what cannot be split is kept as a keyed hash
    assert_eq!(column(orgs, "_raw")[3].len(), 64);
    let plain = ROWS.replacen("tel", "fax", 1);
    assert_eq!(column(&read(&profile(TRADE), "trade/x.csv", plain.as_bytes(), None).unwrap().1[0], "_raw")[3], "4,P4");
    // what no target asked for, and what is only asked for by a condition; the personal one is gone
    assert_eq!(column(orgs, "_extra")[0], r#"{"kind":"return","remark":"two\nlines"}"#);
    assert_eq!((report.unknown, report.dropped), (vec!["remark".to_owned(), "tel".to_owned()], vec!["tel".to_owned()]));
    assert!(report.personal);

    assert_eq!(numbers(returns), [1, 3, 5]);
    assert_eq!((report.targets[1].rows, report.targets[1].filtered), (3, 1));
    assert_eq!(column(returns, "retn_id"), ["R1", "R3", "R5"]);
    assert_eq!(column(returns, "shp_id"), ["S1", "3", "5"]);
    assert_eq!(column(returns, "retn_cnt"), ["12000", "See DN-304", "0"]);
    assert_eq!(column(returns, "retn_amt"), ["5000", "Freight Included", "0"]);
    assert_eq!(column(returns, "_extra"), ["–", "–", "–"]);
    let lacking = &report.targets[0].unmatched["admdvs"];
    // the first row's remark has two lines
    assert_eq!((lacking.count, lacking.place.to_string().as_str(), lacking.words.get("Atlantis")), (1, "row 5", Some(&1)));
}

#[test]
fn the_same_rows_in_gb18030_and_with_other_separators() {
    let profile = profile(TRADE);
    let plain = read(&profile, "trade/x.csv", ROWS.as_bytes(), None).unwrap().1;
    let (gb, _, lost) = GB18030.encode(ROWS);
    assert!(!lost);
    assert_eq!(read(&profile, "trade/x.csv", &gb, None).unwrap().1, plain);
    let bom = [b"\xef\xbb\xbf", ROWS.as_bytes()].concat();
    assert_eq!(read(&profile, "trade/x.csv", &bom, None).unwrap().1, plain);
    let semicolons = ROWS.replace(',', ";").replace("1;000", "1,000");
    assert_eq!(
        column(&read(&profile, "trade/x.csv", semicolons.as_bytes(), None).unwrap().1[1], "retn_cnt"),
        column(&plain[1], "retn_cnt")
    );
    // titles above the header
    let titled = format!("Report of 2006\n\n,,\n{ROWS}");
    assert_eq!(read(&profile, "trade/x.csv", titled.as_bytes(), None).unwrap().1, plain);
    let forced = TRADE.replace("[lookup.country]", "encoding = \"utf-8\"\nheader_row = 1\n[lookup.country]");
    let forced = self::profile(&forced);
    assert_eq!(refused(read(&forced, "trade/x.csv", &gb, None)), "undecodable");
    assert_eq!(refused(read(&forced, "trade/x.csv", titled.as_bytes(), None)), "no_header");
    assert_eq!(read(&forced, "trade/x.csv", ROWS.as_bytes(), None).unwrap().1, plain);
}

#[test]
fn a_control_file_speaks_of_the_files_own_columns() {
    let profile = profile(TRADE);
    let good = r#"{"rows": 5, "sums": {"count": "1003", "AMOUNT": "0", "tel": null}}"#;
    assert!(read(&profile, "trade/x.csv", ROWS.as_bytes(), Some(good)).is_ok());
    let unmapped = ROWS.replace("x,3\n", "2.5,3\n");
    let sums = r#"{"sums": {"remark": "2.5"}}"#;
    assert!(read(&profile, "trade/x.csv", unmapped.as_bytes(), Some(sums)).is_ok());
    for (control, reason) in [
        (r#"{"rows": 4}"#, "rows"),
        (r#"{"sums": {"count": "1003.1"}}"#, "sums:count"),
        (r#"{"sums": {"remark": "1"}}"#, "sums:remark"),
        (r#"{"sha256": "00"}"#, "sha256"),
        ("{", "control"),
    ] {
        assert_eq!(refused(read(&profile, "trade/x.csv", ROWS.as_bytes(), Some(control))), reason, "{control}");
    }
    assert_eq!(refused(read(&profile, "trade/x.csv", ROWS.replacen("recorded", "when", 1).as_bytes(), None)), "no_header");
}

#[test]
fn alternatives_and_optional_columns() {
    let profile = profile(TRADE);
    // `shipment` may be missing, `id` stands in
    let less = ROWS.replacen("shipment", "other", 1);
    assert_eq!(column(&read(&profile, "trade/x.csv", less.as_bytes(), None).unwrap().1[1], "shp_id"), ["1", "3", "5"]);
    let optional = TRADE.replace("shp_id = [\"shipment\", \"id\"]", "shp_id = { from = \"shipment\", optional = true }");
    let optional = self::profile(&optional);
    assert_eq!(column(&read(&optional, "trade/x.csv", less.as_bytes(), None).unwrap().1[1], "shp_id"), ["–", "–", "–"]);
}

const STOCK: &str = r#"
name = "hospital-stock"
title = "某医院库存月报"
null = ["--", "待定"]
when = [{ column = "药品编码", empty = false }, { column = "药品编码", not_in = ["合计"] }]
[files]
paths = ["hospital/*.xlsx"]
sheets = ["库存"]
[[target]]
dataset = "stock_month"
[target.columns]
fixmedins_code = { const = "H65280100123" }
med_list_codg = "药品编码"
inv_month = "盘点日期"
inv_end_cnt = { from = "期末（盒）", factor = "24" }
updt_time = "盘点日期"
"#;

#[test]
fn a_hospitals_workbook_with_title_rows() {
    let mut workbook = Workbook::new();
    let cover = workbook.add_worksheet().set_name("说明").unwrap();
    cover.write_row(0, 0, ["药品编码", "盘点日期", "期末(盒)"]).unwrap();
    cover.write_row(1, 0, ["X0", "2024-01-31", "1"]).unwrap();
    let sheet = workbook.add_worksheet().set_name("库存").unwrap();
    sheet.merge_range(0, 0, 0, 4, "某医院 2024年1月 库存月报", &CellFormat::new()).unwrap();
    sheet.write_string(1, 0, "填报人：张三").unwrap();
    sheet.write_row(2, 0, ["序号", "药品 编码", "药品名称", "盘点日期", "期末(盒)"]).unwrap();
    let codes = ["XA10BAE042A001010100001", "86900000000001", "", "合计"];
    for (row, (code, count)) in codes.iter().zip([10.5, 3.0, 0.0, 13.5]).enumerate() {
        let row = u32::try_from(row).unwrap() + 3;
        sheet.write_string(row, 1, *code).unwrap();
        sheet.write_number(row, 3, 45_322.0).unwrap();
        sheet.write_number(row, 4, count).unwrap();
    }
    sheet.write_string(7, 1, "X1").unwrap();
    sheet.write_string(7, 3, "二月底").unwrap();
    sheet.write_string(7, 4, "待定").unwrap();
    sheet.write_number(8, 1, 1_234_567_890_123_456_789.0).unwrap();
    sheet.write_string(8, 3, "2024/1/31").unwrap();
    sheet.write_number(8, 4, 1.0).unwrap();
    let bytes = workbook.save_to_buffer().unwrap();
    let profile = profile(STOCK);
    let (report, batches) = read(&profile, "hospital/1月.xlsx", &bytes, Some(r#"{"rows": 4, "sums": {"期末(盒)": "14.5"}}"#)).unwrap();
    let rows = &batches[0];
    assert_eq!((report.rows, report.skipped, report.targets[0].rows), (6, 2, 4));
    assert_eq!(numbers(rows), [1, 2, 5, 6]);
    assert_eq!(column(rows, "med_list_codg").get(..3).unwrap(), ["XA10BAE042A001010100001", "86900000000001", "X1"]);
    assert_eq!(column(rows, "inv_month"), ["2024-01-31 00:00:00", "2024-01-31 00:00:00", "二月底", "2024/1/31"]);
    assert_eq!(column(rows, "inv_end_cnt"), ["252", "72", "–", "24"]);
    assert_eq!(column(rows, "_note"), ["–", "–", "–", "lossy:med_list_codg"]);
    // the row an auditor sees is the sheet's own
    let of = delivery(&profile, "hospital/1月.xlsx", &bytes, None);
    let rows = original_rows(profile.targets()[0].dataset(), Some(&profile), &rules(), &of.file, &of.artifact, &[2, 7].into());
    assert_eq!(rows.len(), 1, "there is no seventh row");
    let row = &rows[&2];
    assert_eq!((&row.cells["期末（盒）"], row.place.to_string().as_str()), (&"3".into(), "sheet 库存, row 5"));
}

#[test]
fn personal_columns_are_hashed_or_refused() {
    let text = r#"
name = "fees"
[files]
paths = "fees.csv"
[[target]]
dataset = "fee_list"
[target.columns]
bkkp_sn = "流水号"
fee_ocur_time = "时间"
fixmedins_code = { const = "H65280100123" }
psn_no = { from = "姓名" }
list_type = { const = "101" }
medins_list_codg = "院内码"
hilist_name = "名称"
cnt = "数量"
pric = "单价"
det_item_fee_sumamt = "金额"
hi_feesetl_type = { const = "1" }
vali_flag = { const = "1" }
updt_time = "时间"
"#;
    let fees = profile(text);
    assert!(fees.is_personal() && fees.check_personal(&rules()).is_ok());
    let rows = "流水号,时间,姓名,院内码,名称,数量,单价,金额,住址\n1,2024-01-01,张三,A,甲,1,2,2,某处\n2,2024-01-01,张三\n";
    let (report, batches) = read(&fees, "fees.csv", rows.as_bytes(), None).unwrap();
    assert_eq!(column(&batches[0], "psn_no")[0].len(), 64);
    assert_eq!(column(&batches[0], "_raw")[1].len(), 64);
    assert_eq!((column(&batches[0], "_extra")[0].as_str(), report.dropped), ("–", vec!["住址".to_owned()]));
    let leaking = profile(&text.replace("hilist_name = \"名称\"", "hilist_name = \"姓名\""));
    assert!(leaking.check_personal(&rules()).unwrap_err().to_string().contains("`fee_list.hilist_name` would carry the personal column"));
}

#[test]
fn every_problem_of_a_profile_is_told() {
    let text = TRADE
        .replace("org_type = { const = \"1\" }", "org_type = { const = \"7\" }\ncolour = \"x\"")
        .replace("retn_chk_stas = { const = \"2\" }\n", "")
        .replace("lookup = \"country\"", "lookup = \"land\"")
        .replace("\"%m/%d/%Y\"", "\"%Q\"")
        .replace("unit = \"万元\"", "unit = \"两\"");
    let found = problems(&text);
    for part in [
        "the contract has no columns colour",
        "required columns are neither mapped nor constant: retn_chk_stas",
        "`institution.org_type`: the constant `7` is no value",
        "there is no `[lookup.land]`",
        "`%Q` is no date format",
        "the unit `两` is not known",
    ] {
        assert!(found.contains(part), "{part} is not in: {found}");
    }
    let unknown = problems(&TRADE.replace("prefix = \"R\"", "prefx = \"R\""));
    assert!(unknown.contains("line 21") && unknown.contains("prefx"), "{unknown}");
    assert!(problems(&TRADE.replace("dataset = \"retn\"", "dataset = \"nothing\"")).contains("there is no dataset `nothing`"));
    assert!(problems(&TRADE.replace("\"country\", \"project\"], separator", "\"country\"], separator")).contains("`join` needs two"));
}

#[test]
fn a_fingerprint_is_of_what_is_said_and_not_of_how() {
    let plain = profile(TRADE);
    let same = TRADE.replace("name = \"trade\"\nnull = [\"N/A\"]", "# a comment\nnull   = [\"N/A\"]\nname = 'trade'");
    assert_ne!(same, TRADE);
    assert_eq!(profile(&same).fingerprint(), plain.fingerprint());
    assert_eq!(plain.fingerprint().len(), 64);
    for (from, to) in [("\"12\"", "\"10\""), ("900704", "900705"), ("[\"N/A\"]", "[\"NA\"]"), ("missing = \"null\"", "default = \"x\"")] {
        assert_ne!(profile(&TRADE.replace(from, to)).fingerprint(), plain.fingerprint(), "{to}");
    }
}

#[test]
fn tables_beside_the_profile() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.toml");
    let text = TRADE.replace(
        "values = { \"Côte d'Ivoire\" = \"900384\", \"Vietnam\" = \"900704\" }",
        "file = \"c.csv\"\nkey = \"country\"\nvalue = \"code\"",
    );
    std::fs::write(&path, text).unwrap();
    assert!(Profile::load(&path, &datasets()).unwrap_err().to_string().contains("cannot be read"));
    let (gb, ..) = GB18030.encode("code,country\n900384,Côte d'Ivoire\n900704,Vietnam\n");
    std::fs::write(dir.path().join("c.csv"), &gb).unwrap();
    let before = Profile::load(&path, &datasets()).unwrap();
    assert_eq!(read(&before, "trade/x.csv", ROWS.as_bytes(), None).unwrap().1[0][0].column_by_name("admdvs").unwrap().null_count(), 0);
    std::fs::write(dir.path().join("c.csv"), "code,country\n1,Vietnam\n").unwrap();
    assert_ne!(Profile::load(&path, &datasets()).unwrap().fingerprint(), before.fingerprint());
    std::fs::write(dir.path().join("c.csv"), "code,country\n1,Vietnam\n2,Vietnam\n").unwrap();
    assert!(Profile::load(&path, &datasets()).unwrap_err().to_string().contains("twice"));
}

#[test]
fn the_example_profiles_fit_the_contracts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/profiles");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            Profile::load(&path, &datasets()).unwrap().check_personal(&rules()).unwrap();
            seen += 1;
        }
    }
    assert!(seen >= 2);
}
