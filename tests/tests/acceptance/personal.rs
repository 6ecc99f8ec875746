//! Personal data: planted in every kind of delivery, found nowhere in the warehouse, the logs or the reports.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};

use crate::support::{Platform, Project, Run, copy, files, loaded, world};

/// What must be found nowhere.
const PLANTED: [&str; 8] = [
    "欧阳查无此人",
    "65280119870401997X",
    "13909960417",
    "库尔勒市查无此路77号",
    "P6528017700000000042",
    "P6528017700000000043",
    "ouyang.nobody@example.invalid",
    "0996-7700417",
];
const PERSONS: [&str; 2] = [PLANTED[4], PLANTED[5]];

/// Columns of a fee line without those that are personal.
const FEE: [(&str, &str, &str); 12] = [
    ("BKKP_SN", "记账流水号", ""),
    ("FEE_OCUR_TIME", "费用发生时间", "2024-02-03 10:00:00"),
    ("FIXMEDINS_CODE", "定点医药机构编号", ""),
    ("LIST_TYPE", "目录类别", "201"),
    ("MEDINS_LIST_CODG", "医药机构目录编码", "M1"),
    ("HILIST_NAME", "医保目录名称", "诊查费"),
    ("CNT", "数量", "1"),
    ("PRIC", "单价", "5"),
    ("DET_ITEM_FEE_SUMAMT", "明细项目费用总额", "5"),
    ("HI_FEESETL_TYPE", "费用结算类型", "1"),
    ("VALI_FLAG", "有效标志", "1"),
    ("UPDT_TIME", "数据更新时间", "2024-02-04 00:00:00"),
];

/// A fee file as rows of text: the contract's columns, then personal ones under the headings given.
fn fee(headings: &[&str; 6], titles: bool, org: &str, keys: &[&str]) -> Vec<Vec<String>> {
    let mut rows = vec![FEE.iter().map(|(name, title, _)| if titles { *title } else { *name }.to_owned()).collect::<Vec<_>>()];
    rows[0].extend(headings.map(str::to_owned));
    for (n, key) in keys.iter().enumerate() {
        let mut row: Vec<String> = FEE.iter().map(|(_, _, value)| (*value).to_owned()).collect();
        (row[0], row[2]) = ((*key).to_owned(), org.to_owned());
        row.extend([PERSONS[n % 2], PLANTED[0], PLANTED[1], PLANTED[2], PLANTED[3], PLANTED[6]].map(str::to_owned));
        rows.push(row);
    }
    rows
}

fn text(rows: &[Vec<String>], separator: &str) -> String {
    rows.iter().map(|row| row.join(separator) + "\n").collect()
}

const DICTIONARY: [&str; 6] = ["PSN_NO", "PSN_NAME", "CERTNO", "Tel", "ADDR", "email"];
const CHINESE: [&str; 6] = ["人员编号", "姓 名", "身份证号码（必填）", "联系电话", "＊家庭住址", "电子邮箱"];
const WIDE: [&str; 6] = ["psn_no", "Psn-Name", "ＣＥＲＴＮＯ", "手机号码:", "联系地址(现)", "EMAIL"];

/// Lays the planted files down; gives the dropped headings that must be counted.
fn plant(landing: &Path, org: &str) {
    let at = |dataset: &str, name: &str| -> PathBuf {
        let folder = landing.join(dataset).join("652801/202402");
        fs::create_dir_all(&folder).unwrap();
        folder.join(name)
    };
    // a row with a field too many, all of it personal
    let spoilt = format!("{},{}\n", fee(&DICTIONARY, false, org, &["PLANT-A3"])[1].join(","), PLANTED[0]);
    fs::write(at("fee_list", "plant-a.csv"), text(&fee(&DICTIONARY, false, org, &["PLANT-A1", "PLANT-A2"]), ",") + &spoilt).unwrap();
    let chinese = text(&fee(&CHINESE, true, org, &["PLANT-B1", "PLANT-B2"]), "\t");
    fs::write(at("fee_list", "plant-b.txt"), encoding_rs::GB18030.encode(&chinese).0).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text(&fee(&WIDE, false, org, &["PLANT-C1"]), ",").as_bytes()).unwrap();
    fs::write(at("fee_list", "plant-c.csv.gz"), gz.finish().unwrap()).unwrap();
    // a control file that quotes a person, and refuses the file
    fs::write(at("fee_list", "plant-d.csv"), text(&fee(&DICTIONARY, false, org, &["PLANT-D1"]), ",")).unwrap();
    let control = format!(r#"{{"rows":9,"contact":"{}","tel":"{}"}}"#, PLANTED[0], PLANTED[7]);
    fs::write(at("fee_list", "plant-d.ctl.json"), control).unwrap();
    fs::write(at("fee_list", "plant-e.csv"), text(&fee(&DICTIONARY, false, org, &["PLANT-E1"]), ",")).unwrap();
    fs::write(at("fee_list", "plant-e.ctl.json"), format!(r#"{{"rows":1,"sums":"{}","sha256":7}}"#, PLANTED[0])).unwrap();
    // the same in a workbook, with a title that names a person, and in Parquet
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, format!("填报人：{} 联系电话：{}", PLANTED[0], PLANTED[7])).unwrap();
    for (row, cells) in fee(&CHINESE, true, org, &["PLANT-F1", "PLANT-F2"]).iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            sheet.write(u32::try_from(row).unwrap() + 2, u16::try_from(column).unwrap(), cell).unwrap();
        }
    }
    workbook.save(at("fee_list", "plant-f.xlsx")).unwrap();
    let rows = fee(&DICTIONARY, false, org, &["PLANT-G1", "PLANT-G2"]);
    let columns = rows[0].iter().enumerate().map(|(n, name)| {
        let array: ArrayRef = Arc::new(StringArray::from_iter_values(rows[1..].iter().map(|row| &row[n])));
        (name.clone(), array)
    });
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(at("fee_list", "plant-g.parquet")).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    // datasets without personal columns of their own: personal ones that nobody asked for, no header, no encoding, a sheet of something else
    let map = |headings: &str, tail: &str| {
        format!("FIXMEDINS_CODE,MEDINS_LIST_CODG,MED_LIST_CODG,CONVRAT,UPDT_TIME,{headings}\n{org},PLANT,X,1,2024-02-04,{tail}\n")
    };
    let tail = [PLANTED[0], PLANTED[2], PLANTED[4]].join(",");
    fs::write(at("list_map", "plant-h.csv"), map("经办人姓名,手机,PSN_NO", &tail) + &format!("{},{}\n", PLANTED[0], PLANTED[1])).unwrap();
    fs::write(at("list_map", "plant-i.csv"), format!("{},{},{}\n", PLANTED[0], PLANTED[1], PLANTED[2])).unwrap();
    let broken = [map("RMK", PLANTED[0]).as_bytes(), b"\xff\xff", PLANTED[1].as_bytes()].concat();
    fs::write(at("list_map", "plant-j.csv"), broken).unwrap();
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, (title, value)) in
        [("定点医药机构编号", org), ("项目编码", "PLANT"), ("成本月份", "2024-02"), ("单位成本", "1"), ("数据更新时间", "2024-02-04")]
            .iter()
            .enumerate()
    {
        sheet.write(0, u16::try_from(column).unwrap(), *title).unwrap();
        sheet.write(1, u16::try_from(column).unwrap(), *value).unwrap();
    }
    let staff = workbook.add_worksheet();
    staff.write(0, 0, "姓名").unwrap();
    staff.write(1, 0, PLANTED[0]).unwrap();
    staff.write(1, 1, PLANTED[1]).unwrap();
    workbook.save(at("serv_cost", "plant-k.xlsx")).unwrap();
}

/// Plants persons in order lines of the platform: as unknown keys, and within values.
fn plant_pages(folder: &Path) {
    let path = folder.join("ord_detl.jsonl");
    let lines = fs::read_to_string(&path).unwrap();
    let planted = format!(
        r#""psnName":"{}","TEL":"{}","patient":{{"rows":[{{"certNo":"{}","addr":"{}"}}]}},"psnNo":"{}","#,
        PLANTED[0], PLANTED[2], PLANTED[1], PLANTED[3], PLANTED[4]
    );
    let lines: Vec<String> = lines.lines().map(|line| line.replacen('{', &format!("{{{planted}"), 1)).collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
}

/// HMAC-SHA-256 by its definition (RFC 2104), hex.
fn hmac(key: &[u8], text: &str) -> String {
    let key = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|n| key.get(n).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::digest([pad(0x36), text.as_bytes().to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The planted values in some bytes, in the encodings they came in.
fn found(bytes: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let in_gb18030 = |needle: &str| {
        let needle = encoding_rs::GB18030.encode(needle).0;
        bytes.windows(needle.len()).any(|part| part == needle.as_ref())
    };
    PLANTED.into_iter().filter(|needle| text.contains(needle) || (!needle.is_ascii() && in_gb18030(needle))).collect()
}

/// All of a file that can be read without the auditor's identity.
fn readable(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => {
            let mut text = Vec::new();
            for batch in ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes.clone())).unwrap().build().unwrap() {
                let batch = batch.unwrap();
                let options = FormatOptions::default();
                let columns: Vec<_> = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
                for row in 0..batch.num_rows() {
                    columns.iter().for_each(|column| writeln!(text, "{}", column.value(row)).unwrap());
                }
            }
            [bytes, text].concat()
        }
        Some("zst") => {
            let plain = zstd::decode_all(bytes.as_slice()).unwrap();
            let mut unzipped = Vec::new();
            // a workbook's parts are compressed once more: an archived one must not be readable either
            if plain.starts_with(b"PK") {
                let at = plain.windows(4).position(|part| part == b"PK\x05\x06").unwrap();
                assert!(at > 0);
                unzipped = workbook_text(&plain);
            }
            [bytes, plain, unzipped].concat()
        }
        _ => bytes,
    }
}

/// The parts of a workbook, unpacked: each local file header is followed by a deflate stream.
fn workbook_text(zip: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let heads = zip.windows(4).enumerate().filter(|(_, part)| *part == b"PK\x03\x04").map(|(at, _)| at);
    for at in heads {
        let length = |from: usize| usize::from(u16::from_le_bytes([zip[at + from], zip[at + from + 1]]));
        let body = at + 30 + length(26) + length(28);
        // What is no deflate stream is not read; the bytes themselves are searched anyway.
        let _ = flate2::read::DeflateDecoder::new(&zip[body.min(zip.len())..]).read_to_end(&mut text);
    }
    text
}

#[test]
fn nobody_is_named_in_the_warehouse() {
    let held = tempfile::tempdir().unwrap();
    let planted = held.path().join("world");
    copy(&world(), &planted);
    plant_pages(&planted.join("platform"));
    let org = loaded()
        .query("SELECT i.org_code AS c FROM silver.institution AS i WHERE i.admdvs = '652801' ORDER BY i.org_code LIMIT 1")
        .remove(0)["c"]
        .clone();
    plant(&planted.join("exports"), &org);
    let platform = Platform::serve(&planted);
    let project = Project::fresh(&planted, &platform.url);
    project.configure("#memory_bytes = 16777216", "memory_bytes = 1000"); // temporary files too
    let temporary = held.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut nightly = project.command(["nightly", "--json", "-vvv"]);
    nightly.env("YAOJIA_LOG", "trace").env("TMPDIR", &temporary);
    let run = Run::of(nightly).exits(0);
    let report = run.json();
    let fees = &report["load"]["datasets"]["fee_list"];

    // nothing anywhere
    assert!(run.stderr.len() > 100_000, "the logs are not at their most verbose: {} bytes", run.stderr.len());
    assert_eq!(found(run.stdout.as_bytes()), [""; 0], "in the report");
    let said: Vec<&str> = run.stderr.lines().filter(|line| PLANTED.iter().any(|text| line.contains(text))).take(3).collect();
    assert_eq!(said, [""; 0], "in the logs");
    assert_eq!(files(&temporary), [""; 0], "temporary files are left");
    let kept = files(&project.dir);
    for file in &kept {
        let named = found(&readable(&project.dir.join(file)));
        assert!(named.is_empty(), "{named:?} in {file}");
    }
    for ending in [".parquet", ".zst", ".zst.age", ".json"] {
        assert!(kept.iter().filter(|file| file.ends_with(ending)).count() > 3, "no files {ending} were searched");
    }

    // and yet it is all there: hashed, counted, refused, and to be opened by the auditor alone
    let key = fs::read_to_string(project.dir.join("secrets/personal-hash.key")).unwrap();
    let hash = |person: &str| hmac(key.trim_end_matches('\n').as_bytes(), person);
    let rows =
        project.query("SELECT f.bkkp_sn AS k, f.psn_no AS p FROM silver.fee_list AS f WHERE f.bkkp_sn LIKE 'PLANT-%' ORDER BY f.bkkp_sn");
    let got: Vec<(&str, &str)> = rows.iter().map(|row| (row["k"].as_str(), row["p"].as_str())).collect();
    let (one, two) = (hash(PERSONS[0]), hash(PERSONS[1]));
    let want = ["A1", "A2", "B1", "B2", "C1", "F1", "F2", "G1", "G2"]
        .map(|key| (format!("PLANT-{key}"), if key.ends_with('2') { &two } else { &one }));
    assert_eq!(got, want.iter().map(|(key, hash)| (key.as_str(), hash.as_str())).collect::<Vec<_>>());
    let dropped = fees["dropped_personal"].as_object().unwrap();
    for heading in DICTIONARY.iter().chain(&CHINESE).chain(&WIDE).filter(|heading| !["PSN_NO", "人员编号", "psn_no"].contains(*heading))
    {
        let counted = dropped.keys().any(|key| key.trim_end_matches([':', '：']) == heading.trim_end_matches([':', '：']));
        assert!(counted, "`{heading}` is not counted among {dropped:?}");
    }
    let pages = report["load"]["datasets"]["ord_detl"]["dropped_personal"].as_object().unwrap();
    for name in ["psnName", "TEL", "patient", "psnNo"] {
        assert!(pages[name].as_u64().unwrap() > 10, "{name} in {pages:?}");
    }
    let refused = report["load"]["refused"].to_string();
    for file in ["plant-d.csv", "plant-e.csv", "plant-i.csv", "plant-j.csv"] {
        assert!(refused.contains(file), "{file} was not refused: {refused}");
    }
    let identity = fs::read_to_string(project.dir.join("secrets/audit-identity.txt")).unwrap();
    let identity = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    let identity = age::x25519::Identity::from_str(identity).unwrap();
    let archived: BTreeSet<&String> = kept.iter().filter(|file| file.contains("/archive/")).collect();
    let mut opened = 0;
    for file in files(&planted.join("exports")).iter().filter(|file| file.contains("plant-") && !file.ends_with(".ctl.json")) {
        let original = fs::read(planted.join("exports").join(file)).unwrap();
        let sha256: String = Sha256::digest(&original).iter().map(|byte| format!("{byte:02x}")).collect();
        let name = archived.iter().find(|name| name.contains(&sha256)).unwrap_or_else(|| panic!("{file} is not archived"));
        assert!(name.ends_with(".zst.age"), "{file} is archived as {name}");
        let sealed = fs::read(project.dir.join(name)).unwrap();
        let stranger = age::x25519::Identity::generate();
        assert!(age::Decryptor::new(sealed.as_slice()).unwrap().decrypt(std::iter::once(&stranger as &dyn age::Identity)).is_err());
        let plain = age::Decryptor::new(sealed.as_slice()).unwrap().decrypt(std::iter::once(&identity as &dyn age::Identity)).unwrap();
        assert!(zstd::decode_all(plain).unwrap() == original, "{file} does not come back");
        opened += 1;
    }
    assert_eq!(opened, 11);
}

#[test]
fn explain_opens_a_personal_file_with_the_identity_alone() {
    let project = Project::copy_of_loaded("http://127.0.0.1:9/nobody");
    let alerts = project.query("SELECT a.alert_id AS id FROM gold.alert AS a WHERE a.indicator_id IN ('D06', 'D15', 'D16', 'S03', 'D05') AND a.level = 'subject' ORDER BY a.alert_id");
    let explain = |id: &str| project.run(["explain", id, "--json"]).exits(0).json();
    let of_fees = |id: &&str| explain(id)["original"]["dataset"] == "fee_list";
    let ids: Vec<&str> = alerts.iter().map(|row| row["id"].as_str()).collect();
    let id = *ids.iter().take(40).find(|id| of_fees(id)).expect("an alert that rests on a fee line");
    assert!(explain(id)["original"]["bytes"].as_str().is_some_and(|bytes| !bytes.is_empty()));
    fs::rename(project.dir.join("secrets/audit-identity.txt"), project.dir.join("secrets/elsewhere.txt")).unwrap();
    let closed = explain(id);
    assert!(closed["original"]["bytes"].is_null(), "the bytes were opened without the identity: {closed:#}");
    assert!(closed["original"]["why_not"].as_str().is_some_and(|why| why.contains("identity")), "{closed:#}");
}
