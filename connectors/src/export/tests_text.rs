//! What text files hold that is no row, no value or nobody's business.

use rust_xlsxwriter::Workbook;

use super::tests::{column, read_file, reason, some};
use super::*;
use crate::kit::personal::{PersonalConfig, PersonalRules};

const STOCK: &str = "定点医药机构编号,医疗目录编码,库存月份,月末库存数量,数据更新时间";

fn stock(text: &str, control: Option<&str>) -> Result<(FileReport, Vec<arrow::array::RecordBatch>), ReadError> {
    read_file("stock_month/652801/202401/a.csv", text.as_bytes(), control)
}

fn detail(result: Result<(FileReport, Vec<arrow::array::RecordBatch>), ReadError>) -> String {
    match result {
        Err(ReadError::Refused(refused)) => refused.detail,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn compound_personal_columns_are_dropped_counted_and_named() {
    let names = ["患者身份证号", "病人手机号", "家属电话", "监护人姓名", "patnCertno", "RECEIVER_MOBILE_PHONE"];
    let text = format!("{STOCK},{},备注\nH1,A,2024-01,1,t,1,2,3,4,5,6,退回3盒\n", names.join(","));
    let (report, batches) = stock(&text, None).unwrap();
    assert_eq!(report.dropped.keys().collect::<Vec<_>>(), names);
    assert_eq!(column(&batches, "_extra"), some(&[r#"{"备注":"退回3盒"}"#]));
    assert!(report.personal && names.iter().all(|name| report.unknown.contains_key(*name)));
}

#[test]
fn numbers_of_persons_in_unknown_columns_are_dropped_and_the_rest_is_kept() {
    let text = format!(
        "{STOCK},备注,\nH1,A,2024-01,1,t,退回3盒,\nH1,B,2024-01,1,t,13800000000,\nH1,C,2024-01,1,t,,11010519491231002x\nH1,D,2024-01,1,t,经办人：测试丁,\nH1,E,2024-01,1,t,x,y\n"
    );
    let (report, batches) = stock(&text, None).unwrap();
    let want = [Some(r#"{"备注":"退回3盒"}"#), None, None, None, Some(r#"{"备注":"x","第7列":"y"}"#)];
    assert_eq!(column(&batches, "_extra"), want.map(|text| text.map(str::to_owned)));
    assert_eq!(report.dropped.keys().collect::<Vec<_>>(), ["备注", "第7列"]);
    assert_eq!(report.unknown.keys().collect::<Vec<_>>(), ["备注", "第7列"]);
    assert!(report.personal);
    // a contract's own columns are never judged so
    let (report, batches) = stock(&format!("{STOCK}\nH1,13800000000,2024-01,1,t\n"), None).unwrap();
    assert_eq!(column(&batches, "med_list_codg"), some(&["13800000000"]));
    assert!(!report.personal);
}

#[test]
fn nameless_columns_are_kept_where_they_hold_anything() {
    let (report, batches) = stock(&format!("{STOCK},,备注,备注\nH1,A,2024-01,1,t,,a,b\nH1,B,2024-01,1,t, ,,\n"), None).unwrap();
    assert_eq!(column(&batches, "_extra"), [Some(r#"{"备注":"a","备注（第8列）":"b"}"#.to_owned()), None]);
    assert_eq!(report.unknown.keys().collect::<Vec<_>>(), ["备注", "备注（第8列）"]);
}

#[test]
fn what_stands_below_a_table_and_speaks_of_persons_is_withheld() {
    let words = "制表人：测试丙 联系电话：13800000002";
    for footer in
        [words.to_owned(), format!("{words},,,,"), format!(",,,{words},"), "制表人：测试丙,联系电话：1,审核人：测试丁,2024,x".to_owned()]
    {
        let (report, batches) = stock(&format!("{STOCK}\nH1,A,2024-01,1,t\n{footer}\n"), None).unwrap();
        assert_eq!((report.rows, report.bad_rows, report.personal), (2, 1, true), "{footer}");
        assert_eq!(column(&batches, "_note"), [None, Some("bad_row".to_owned())]);
        let everything = format!("{batches:?}");
        assert!(!everything.contains("测试丙") && !everything.contains("13800000002"), "{everything}");
        assert_eq!(column(&batches, "_raw").last().unwrap().as_ref().unwrap().len(), 64);
    }
    // a row of the table that is wrong otherwise is kept as it is
    let (report, batches) = stock(&format!("{STOCK}\nH1,A,2024-13,电话,t\nH1,B,2024-01,,t\n"), None).unwrap();
    assert_eq!((report.bad_rows, report.personal), (0, false));
    assert_eq!(column(&batches, "inv_end_cnt"), [Some("电话".to_owned()), None]);
}

#[test]
fn what_stands_below_or_beside_a_sheet_is_read() {
    for (at, words) in [((3, 0), "制表人：测试丙"), ((4, 2), "联系电话 0990-0000000"), ((1, 8), "患者：测试丙"), ((0, 9), "填报人：测试丙")]
    {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        for (position, title) in STOCK.split(',').enumerate() {
            sheet.write(0, u16::try_from(position).unwrap(), title).unwrap();
            sheet.write(1, u16::try_from(position).unwrap(), ["H1", "A", "2024-01", "1", "t"][position]).unwrap();
        }
        sheet.write(at.0, at.1, words).unwrap();
        let (report, batches) = read_file("stock_month/652801/202401/a.xlsx", &workbook.save_to_buffer().unwrap(), None).unwrap();
        assert!(report.personal && !format!("{batches:?}").contains("测试丙"), "{words}");
        assert_eq!(column(&batches, "med_list_codg").first().unwrap().as_deref(), Some("A"));
    }
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (position, title) in STOCK.split(',').enumerate() {
        sheet.write(0, u16::try_from(position).unwrap(), title).unwrap();
        sheet.write(1, u16::try_from(position).unwrap(), ["H1", "A", "2024-01", "1", "t"][position]).unwrap();
    }
    sheet.write(1, 6, "退回3盒").unwrap();
    let (report, batches) = read_file("stock_month/652801/202401/a.xlsx", &workbook.save_to_buffer().unwrap(), None).unwrap();
    assert_eq!((column(&batches, "_extra"), report.personal), (some(&[r#"{"第7列":"退回3盒"}"#]), false));
    assert_eq!(report.unknown.get("第7列"), Some(&1));
}

#[test]
fn two_columns_that_mean_one_must_agree() {
    let double = "定点医药机构编号,医疗目录编码,库存月份,月末库存数量,期末库存数量,数据更新时间";
    let refused = || stock(&format!("{double}\nH1,A,2024-01,10,10.0,t\nH1,B,2024-01,10,90,t\n"), None);
    assert_eq!(reason(refused()), "double_title");
    let words = detail(refused());
    assert!(["月末库存数量", "期末库存数量", "inv_end_cnt", "data row 2"].iter().all(|word| words.contains(word)), "{words}");
    let same = format!("{double}\nH1,A,2024-01,10,10.00,t\nH1,B,2024-01,,20,t\nH1,C,2024-01,\u{200b}30,30,t\n");
    let (_, batches) = stock(&same, None).unwrap();
    assert_eq!(column(&batches, "inv_end_cnt"), some(&["10", "20", "\u{200b}30"]));
}

#[test]
fn quotes_that_swallow_lines_set_the_file_aside() {
    let swallowed = format!("{STOCK}\nH1,\"A,2024-01,1,t\nH1,B,2024-01,2,t\nH1,C\",2024-01,3,t\nH1,D,2024-01,4,t\n");
    assert_eq!(reason(stock(&swallowed, None)), "suspicious_quote");
    assert!(detail(stock(&swallowed, None)).starts_with("line 2:"), "{}", detail(stock(&swallowed, None)));
    // two lines made one
    let two = format!("{STOCK}\nH1,A,2024-01,1,t\n\nH1,\"B,2024-01,1,t\nH1,C\",2024-01,3,t\n");
    assert_eq!(reason(stock(&two, None)), "suspicious_quote");
    assert!(detail(stock(&two, None)).starts_with("line 4:"), "{}", detail(stock(&two, None)));
    // who sent it knows how many rows there are
    assert_eq!(stock(&swallowed, Some(r#"{"rows":2}"#)).unwrap().0.rows, 2);
    assert_eq!(reason(stock(&swallowed, Some(r#"{"rows":4}"#))), "rows");
    assert_eq!(reason(stock(&swallowed, Some(r#"{"sums":{}}"#))), "suspicious_quote");
    let meant = format!("{STOCK},备注\nH1,A,2024-01,1,t,\"第一行\n第二行，完\"\n");
    assert_eq!(stock(&meant, None).unwrap().0.rows, 1);
}

#[test]
fn a_quote_open_at_the_end_refuses_the_file() {
    for text in ["H1,A,2024-01,1,\"t\nH1,B,2024-01,1,t\n", "H1,A,2024-01,1,\"t", "H1,A,2024-01,1,\"t\"\""] {
        assert_eq!(reason(stock(&format!("{STOCK}\n{text}"), None)), "open_quote", "{text}");
    }
    let words = detail(stock(&format!("{STOCK}\nH1,A,2024-01,1,t\n\nH1,\"B\",2024-01,1,\"t\nx"), None));
    assert!(words.contains("line 4"), "{words}");
    assert_eq!(stock(&format!("{STOCK}\nH1,A,2024-01,1,\"t\""), None).unwrap().0.rows, 1);
}

#[test]
fn a_person_is_one_however_the_number_is_guarded() {
    let header = "BKKP_SN,PSN_NO,FEE_OCUR_TIME,FIXMEDINS_CODE,LIST_TYPE,MEDINS_LIST_CODG,HILIST_NAME,CNT,PRIC,DET_ITEM_FEE_SUMAMT,HI_FEESETL_TYPE,VALI_FLAG,UPDT_TIME";
    let row = |person: &str| format!("1,{person},t,H1,101,m,n,1,1,1,1,1,t\n");
    let text = format!("{header}\n{}{}{}", row("P1"), row("\u{200e}'P1"), row("1.23457E+17"));
    let (_, batches) = read_file("fee_list/1/202401/a.csv", text.as_bytes(), None).unwrap();
    let persons = column(&batches, "psn_no");
    assert_eq!(persons.first(), persons.get(1));
    assert_eq!(column(&batches, "_note"), [None, Some("cleaned:psn_no".to_owned()), Some("lossy:psn_no".to_owned())]);
}

#[tokio::test]
async fn files_that_speak_of_persons_anywhere_are_archived_encrypted() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("stock_month/652801/202401");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, more) in [
        ("a.csv", ""),
        ("b.csv", "制表人：测试丙\n"),
        ("c.csv", "H1,B,2024-01,1,t,13800000000\n"),
        ("d.csv", "联系电话,0990-0000000,,,,\n"),
        ("e.csv", "H1,B,2024-01,1,t,退回3盒\n"),
    ] {
        std::fs::write(folder.join(name), format!("{STOCK},备注\nH1,A,2024-01,1,t,\n{more}")).unwrap();
    }
    let source = ExportSource::open(ExportConfig::new(root.path().display().to_string())).unwrap();
    let registry = yaojia_models::contract::Registry::embedded().unwrap();
    let mut personal = Vec::new();
    for file in source.list().await.unwrap().files {
        personal.push(source.fetch(registry.dataset("stock_month").unwrap(), &file).await.unwrap().artifact.personal);
    }
    assert_eq!(personal, [false, true, true, true, false]);
    // names of one's own take the place of the built-in ones
    let rules =
        PersonalRules::new(&PersonalConfig { hash_key: None, names: Some(vec!["暗号".to_owned(), "secret_no".to_owned()]) }).unwrap();
    assert!(rules.looks_personal("患者暗号") && rules.looks_personal("SecretNo") && !rules.looks_personal("患者姓名"));
    assert!(rules.mentions_personal("暗号：1") && rules.mentions_personal("13800000000") && !rules.mentions_personal("姓名"));
}
