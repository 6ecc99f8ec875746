//! Reading delivered files, from bytes to text batches.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float32Array, Float64Array, RecordBatch, StringArray};
use flate2::write::GzEncoder;
use rust_xlsxwriter::{Format as CellFormat, Workbook};
use yaojia_models::contract::Registry;

use super::*;
use crate::kit::artifact::Artifact;
use crate::kit::personal::{PersonalConfig, PersonalRules};
use crate::kit::secret::SecretRef;

/// A file's report and its rows: columns asked for, then note, raw and extra.
pub(super) fn read_file(name: &str, bytes: &[u8], control: Option<&str>) -> Result<(FileReport, Vec<RecordBatch>), ReadError> {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, "k").unwrap();
    let personal = PersonalConfig { hash_key: Some(SecretRef::File(key.display().to_string())), names: None };
    let rules = PersonalRules::new(&personal).unwrap();
    let registry = Registry::embedded().unwrap();
    let file = LandingFile::of(name, bytes.len() as u64).unwrap();
    let dataset = registry.dataset(&file.dataset).unwrap();
    let delivery = Delivery {
        artifact: Artifact::from_bytes(name, bytes.to_vec(), false),
        control: control.map(|text| Artifact::from_bytes("c", text.as_bytes().to_vec(), false)),
        file,
    };
    let config = ExportConfig { batch_rows: 2, ..ExportConfig::new("x") };
    let mut batches = Vec::new();
    let report = read(&config, &rules, dataset, &delivery, &mut |batch| {
        batches.push(batch);
        Ok(())
    })?;
    Ok((report, batches))
}

pub(super) fn column(batches: &[RecordBatch], name: &str) -> Vec<Option<String>> {
    let texts = |batch: &RecordBatch| -> Vec<Option<String>> {
        let array = batch.column_by_name(name).unwrap().as_string::<i32>();
        array.iter().map(|text| text.map(str::to_owned)).collect()
    };
    batches.iter().flat_map(texts).collect()
}

pub(super) fn reason(result: Result<(FileReport, Vec<RecordBatch>), ReadError>) -> String {
    match result {
        Err(ReadError::Refused(refused)) => refused.reason.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

pub(super) fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

const MAP: &str = "FIXMEDINS_CODE,MEDINS_LIST_CODG,MED_LIST_CODG,CONVRAT,UPDT_TIME,RMK";

#[test]
fn quoted_newlines_and_bad_rows() {
    let text = format!("{MAP}\r\nH1,\"a\nb\",X,1.50,2024,\"x,\"\"y\"\"\"\r\nH2,a,X\r\n\r\nH3,,X,2,2024,\r\n");
    let (report, batches) = read_file("list_map/1/202401/a.csv", text.as_bytes(), None).unwrap();
    assert_eq!((report.rows, report.bad_rows, report.unknown.get("RMK")), (3, 1, Some(&1)));
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(column(&batches, "medins_list_codg"), [Some("a\nb".to_owned()), None, None]);
    assert_eq!(column(&batches, "convrat"), [Some("1.50".to_owned()), None, Some("2".to_owned())]);
    assert_eq!(column(&batches, "_note"), [None, Some("bad_row".to_owned()), None]);
    assert_eq!(column(&batches, "_raw"), [None, Some("H2,a,X".to_owned()), None]);
    assert_eq!(column(&batches, "_extra"), [Some(r#"{"RMK":"x,\"y\""}"#.to_owned()), None, None]);
}

#[test]
fn tabs_titles_gb18030_and_gzip() {
    let text = "定点医药机构编号\t医药机构目录编码\t医疗目录编码\t转换比\t数据更新时间\nH1\t药,一\tX\t1\t2024\n";
    let (bytes, _, _) = encoding_rs::GB18030.encode(text);
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&bytes).unwrap();
    let bytes = gzip.finish().unwrap();
    let (_, batches) = read_file("list_map/1/202401/a.txt.gz", &bytes, None).unwrap();
    assert_eq!(column(&batches, "medins_list_codg"), some(&["药,一"]));
    let cut = bytes.get(..bytes.len() - 9).unwrap();
    assert_eq!(reason(read_file("list_map/1/202401/a.txt.gz", cut, None)), "undecodable");
}

#[test]
fn personal_columns_are_hashed_dropped_and_kept_out_of_raw_texts() {
    let header = "BKKP_SN,PSN_NO,FEE_OCUR_TIME,FIXMEDINS_CODE,LIST_TYPE,MEDINS_LIST_CODG,HILIST_NAME,CNT,PRIC,DET_ITEM_FEE_SUMAMT,HI_FEESETL_TYPE,VALI_FLAG,UPDT_TIME,PSN_NAME";
    let text = format!(
        "{header}\n1,P1,t,H1,101,m,n,1,1,1,1,1,t,张三\n2, P1 ,t,H1,101,m,n,1,1,1,1,1,t,李四\n3,,t,H1,101,m,n,1,1,1,1,1,t,\n4,P1,张三\n"
    );
    let (report, batches) = read_file("fee_list/1/202401/a.csv", text.as_bytes(), None).unwrap();
    let hashes = column(&batches, "psn_no");
    assert_eq!(hashes.first().unwrap().as_ref().unwrap().len(), 64);
    assert_eq!((hashes.first(), hashes.get(2)), (hashes.get(1), Some(&None)));
    assert_eq!(column(&batches, "_extra"), [None, None, None, None]);
    assert_eq!(column(&batches, "_raw").last().unwrap().as_ref().unwrap().len(), 64);
    assert!(report.personal && report.dropped.contains_key("PSN_NAME") && report.unknown.contains_key("PSN_NAME"));
}

#[test]
fn control_files_refuse_what_differs() {
    let text = format!("{MAP}\nH1,a,X,１.5,2024,\nH1,b,X,bad,2024,\nH1,c,X,-0.25,2024\nH1,d,X,\"1,000\",2024,\n");
    let at = "list_map/1/202401/a.csv";
    let check = |control: &str| read_file(at, text.as_bytes(), Some(control));
    assert_eq!(check(r#"{"rows":4,"sums":{"CONVRAT":"1001.5"}}"#).unwrap().0.rows, 4);
    assert_eq!(reason(check(r#"{"rows":3}"#)), "rows");
    assert_eq!(reason(check(r#"{"sums":{"CONVRAT":"1001.25"}}"#)), "sums:CONVRAT");
    assert_eq!(reason(check(r#"{"sums":{"NO_SUCH":"1"}}"#)), "sums:NO_SUCH");
    assert_eq!(reason(check(r#"{"sha256":"00"}"#)), "sha256");
    assert_eq!(reason(check("rows: 4")), "control");
    let sha256 = Artifact::from_bytes("a", text.clone().into_bytes(), false).sha256.to_uppercase();
    assert!(check(&format!(r#"{{"sha256":"{sha256}"}}"#)).is_ok());
}

#[test]
fn files_without_header_or_encoding_are_refused() {
    assert_eq!(reason(read_file("list_map/1/202401/a.csv", b"", None)), "no_header");
    assert_eq!(reason(read_file("list_map/1/202401/a.csv", b"A,B\n1,2\n", None)), "no_header");
    assert_eq!(reason(read_file("list_map/1/202401/a.csv", b"A,\xff\xff\n", None)), "undecodable");
    assert_eq!(reason(read_file("list_map/1/202401/a.xlsx", b"PK", None)), "undecodable");
    assert_eq!(reason(read_file("list_map/1/202401/a.parquet", b"PAR1", None)), "undecodable");
}

#[test]
fn a_quote_never_closed_does_not_swallow_memory() {
    let text = format!("{MAP}\nH1,\"{}", "x".repeat(1 << 20));
    let rules = PersonalRules::new(&PersonalConfig::default()).unwrap();
    let registry = Registry::embedded().unwrap();
    let file = LandingFile::of("list_map/1/202401/a.csv", 0).unwrap();
    let delivery = Delivery { file, artifact: Artifact::from_bytes("a", text.into_bytes(), false), control: None };
    let config = ExportConfig { max_row_bytes: 1 << 17, ..ExportConfig::new("x") };
    let result = read(&config, &rules, registry.dataset("list_map").unwrap(), &delivery, &mut |_| Ok(()));
    assert!(matches!(result, Err(ReadError::Refused(refused)) if refused.reason == Reason::NotDecodable));
}

#[test]
fn workbooks_with_titles_dates_and_lost_digits() {
    let mut workbook = Workbook::new();
    let date = CellFormat::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet();
    sheet.merge_range(0, 0, 0, 5, "医疗服务项目成本表", &CellFormat::new()).unwrap();
    for (column, title) in ["定点医药机构编号", "项目编码", "项目名称", "成本月份", "单位成本(元)", "数据更新时间"].iter().enumerate()
    {
        sheet.write(2, u16::try_from(column).unwrap() + 1, *title).unwrap();
    }
    sheet.write(3, 1, "H1").unwrap();
    sheet.write(3, 2, 110_100_001.0).unwrap();
    sheet.write_with_format(3, 4, 45_292.0, &date).unwrap();
    sheet.write(3, 5, 81.6 - 0.000_000_000_000_01).unwrap();
    sheet.write(3, 6, 45_292.375).unwrap();
    sheet.write(4, 0, " ").unwrap();
    sheet.write(4, 1, "无").unwrap();
    sheet.write(5, 1, "H2").unwrap();
    sheet.write(5, 2, 1_234_567_890_123_456.0).unwrap();
    sheet.write(5, 4, "2024-01").unwrap();
    sheet.write_with_format(5, 5, 45_292.0, &date).unwrap();
    workbook.add_worksheet().write(0, 0, "一、本表由医疗机构填报").unwrap();
    let bytes = workbook.save_to_buffer().unwrap();
    let (report, batches) = read_file("serv_cost/1/202401/a.xlsx", &bytes, Some(r#"{"rows":2,"sums":{"UNIT_COST":"45373.6"}}"#)).unwrap();
    assert_eq!(report.rows, 2);
    assert_eq!(column(&batches, "serv_code"), some(&["110100001", "1234567890123456"]));
    assert_eq!(column(&batches, "cost_month"), some(&["2024-01-01 00:00:00", "2024-01"]));
    assert_eq!(column(&batches, "unit_cost"), some(&["81.59999999999998", "45292"]));
    assert_eq!(column(&batches, "updt_time"), [Some("2024-01-01 09:00:00".to_owned()), None]);
    assert_eq!(column(&batches, "_note"), [None, Some("lossy:serv_code".to_owned())]);
}

#[test]
fn parquet_files() {
    let columns = ["BTCH_CODE", "GRP_CODE", "PRE_UNIT_PRIC", "UPDT_TIME", "RMK"];
    let array: ArrayRef = Arc::new(StringArray::from(vec![Some("1.50"), None, Some("无")]));
    let batch = RecordBatch::try_from_iter(columns.map(|name| (name, Arc::clone(&array)))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let (report, batches) = read_file("surplus_base/1/202401/a.parquet", &bytes, None).unwrap();
    assert_eq!(report.rows, 3);
    assert_eq!(column(&batches, "pre_unit_pric"), [Some("1.50".to_owned()), None, Some("无".to_owned())]);
    assert_eq!(column(&batches, "_extra").first().unwrap().as_deref(), Some(r#"{"RMK":"1.50"}"#));
    let rows = batches
        .iter()
        .flat_map(|batch| batch.column_by_name("_row").unwrap().as_primitive::<arrow::datatypes::Int64Type>().values().to_vec());
    assert_eq!(rows.collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn ids_that_came_as_binary_floats_have_lost_their_digits() {
    let ids: [(&str, ArrayRef); 2] = [
        ("double", Arc::new(Float64Array::from(vec![Some(342_024_020_000_000_128.0), Some(123_456_789_012_345.0), Some(f64::NAN), None]))),
        ("float", Arc::new(Float32Array::from(vec![Some(16_777_217.0), Some(1_234_567.0), Some(f32::NAN), None]))),
    ];
    for (kind, ids) in ids {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["1"; 4]));
        let amount: ArrayRef = Arc::new(Float64Array::from(vec![12_345_678_901_234_567.0; 4]));
        let batch = RecordBatch::try_from_iter([
            ("BTCH_CODE", ids),
            ("GRP_CODE", Arc::clone(&text)),
            ("PRE_UNIT_PRIC", amount),
            ("UPDT_TIME", text),
        ])
        .unwrap();
        let mut bytes = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let (_, batches) = read_file("surplus_base/1/202401/a.parquet", &bytes, None).unwrap();
        let lossy = Some("lossy:btch_code".to_owned());
        assert_eq!(column(&batches, "_note"), [lossy.clone(), None, lossy, None], "{kind}");
    }
}

#[tokio::test]
async fn a_landing_folder_is_listed_and_fetched() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("list_map/652801/202401");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("目录.csv"), format!("{MAP}\nH1,a,X,1,2024,\n")).unwrap();
    std::fs::write(folder.join("目录.ctl.json"), r#"{"rows":1}"#).unwrap();
    let mut config = ExportConfig::new(root.path().display().to_string());
    config.memory_bytes = 10;
    for location in [config.root.clone(), url::Url::from_directory_path(root.path()).unwrap().to_string()] {
        let source = ExportSource::open(ExportConfig { root: location, ..config.clone() }).unwrap();
        let files = source.list().await.unwrap().files;
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["list_map/652801/202401/目录.csv"]);
        let registry = Registry::embedded().unwrap();
        let dataset = registry.dataset("list_map").unwrap();
        let delivery = source.fetch(dataset, files.first().unwrap()).await.unwrap();
        assert!(delivery.control.is_some() && !delivery.artifact.personal);
        let report = source.read(dataset, &delivery, &mut |_| Ok(())).unwrap();
        assert_eq!(report.rows, 1);
        assert!(matches!(delivery.artifact.bytes, crate::ArtifactBytes::File(_)), "not spilled");
    }
    assert!(ExportSource::open(ExportConfig::new(root.path().join("no").display().to_string())).is_err());
}

#[tokio::test]
async fn a_landing_root_in_an_object_store() {
    let store = Arc::new(object_store::memory::InMemory::new());
    let prefix = object_store::path::Path::from("bucket/landing");
    let put = |path: &str, text: String| {
        let (store, path) = (Arc::clone(&store), object_store::path::Path::parse(path).unwrap());
        async move { object_store::ObjectStoreExt::put(store.as_ref(), &path, text.into()).await.unwrap() }
    };
    put("bucket/landing/list_map/652801/202401/目录.csv", format!("{MAP}\nH1,a,X,1,2024,\n")).await;
    put("bucket/landing/list_map/652801/202401/目录.ctl.json", r#"{"rows":1}"#.to_owned()).await;
    put("bucket/elsewhere/list_map/652801/202401/a.csv", format!("{MAP}\n")).await;
    for memory_bytes in [10, 1 << 20] {
        let config = ExportConfig { memory_bytes, ..ExportConfig::new("memory:///bucket/landing") };
        let source = ExportSource::over(store.clone(), prefix.clone(), config).unwrap();
        let files = source.list().await.unwrap().files;
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["list_map/652801/202401/目录.csv"]);
        let registry = Registry::embedded().unwrap();
        let dataset = registry.dataset("list_map").unwrap();
        let delivery = source.fetch(dataset, files.first().unwrap()).await.unwrap();
        assert!(delivery.control.is_some());
        assert_eq!(source.read(dataset, &delivery, &mut |_| Ok(())).unwrap().rows, 1);
    }
}

#[tokio::test]
async fn options_of_the_store_are_resolved_and_unknown_stores_refused() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "s3cret").unwrap();
    let mut config = ExportConfig::new("memory:///landing");
    config.options.insert("aws_secret_access_key".to_owned(), format!("file:{}", secret.display()));
    assert!(ExportSource::open(config.clone()).unwrap().list().await.unwrap().files.is_empty());
    assert!(!format!("{:?}", ExportSource::open(config.clone()).unwrap()).contains("s3cret"));
    config.options.insert("aws_session_token".to_owned(), "env:YAOJIA_NO_SUCH_VARIABLE".to_owned());
    assert!(matches!(ExportSource::open(config), Err(crate::SourceError::Secret { .. })));
    let unknown = ExportSource::open(ExportConfig::new("gopher://bucket/landing"));
    assert!(matches!(unknown, Err(crate::SourceError::Config { .. })));
}

#[tokio::test]
async fn a_workbook_that_speaks_of_persons_is_personal() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("serv_cost/652801/202401");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, title, other) in
        [("a.xlsx", "成本表", "说明"), ("b.xlsx", "填报人：张三 联系电话：13800000000", "说明"), ("c.xlsx", "成本表", "姓名")]
    {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        sheet.write(0, 0, title).unwrap();
        for (column, title) in ["定点医药机构编号", "项目编码", "成本月份", "单位成本", "数据更新时间"].iter().enumerate()
        {
            sheet.write(1, u16::try_from(column).unwrap(), *title).unwrap();
            sheet.write(2, u16::try_from(column).unwrap(), "1").unwrap();
        }
        workbook.add_worksheet().write(0, 0, other).unwrap();
        workbook.save(folder.join(name)).unwrap();
    }
    let source = ExportSource::open(ExportConfig::new(root.path().display().to_string())).unwrap();
    let registry = Registry::embedded().unwrap();
    let dataset = registry.dataset("serv_cost").unwrap();
    let mut personal = Vec::new();
    for file in source.list().await.unwrap().files {
        let delivery = source.fetch(dataset, &file).await.unwrap();
        assert_eq!(source.read(dataset, &delivery, &mut |_| Ok(())).unwrap().rows, 1);
        personal.push(delivery.artifact.personal);
    }
    assert_eq!(personal, [false, true, true]);
}
