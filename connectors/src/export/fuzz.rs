//! Delivered files: well-formed ones against what was written, spoilt ones for panics, hangs and memory.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::*;
use rust_xlsxwriter::Workbook;
use yaojia_models::contract::{Dataset, Registry};
use yaojia_models::text;

use super::header::{Header, Slot};
use super::*;
use crate::fuzz::{edited, fuzz};
use crate::kit::artifact::Artifact;
use crate::kit::personal::{PersonalConfig, PersonalRules};

const COLUMNS: [&str; 6] = ["FIXMEDINS_CODE", "MEDINS_LIST_CODG", "MED_LIST_CODG", "CONVRAT", "UPDT_TIME", "RMK"];
const TITLES: [&str; 6] = ["定点医药机构编号", "医药机构目录编码", "医疗目录编码", "转换比", "数据更新时间", "备注"];

fn dataset() -> &'static Dataset {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::embedded().unwrap()).dataset("list_map").unwrap()
}

fn rules() -> &'static PersonalRules {
    static RULES: OnceLock<PersonalRules> = OnceLock::new();
    RULES.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        std::fs::write(&key, "k").unwrap();
        let hash_key = Some(crate::kit::secret::SecretRef::File(key.display().to_string()));
        PersonalRules::new(&PersonalConfig { hash_key, names: None }).unwrap()
    })
}

/// Reads a file; its batches must hold as many rows as its report says.
pub(super) fn read_file(name: &str, bytes: Vec<u8>) -> Result<Result<(FileReport, Vec<RecordBatch>), Refused>, TestCaseError> {
    let file = LandingFile::of(&format!("list_map/1/202401/{name}"), 0).expect("a landing file");
    let delivery = Delivery { file, artifact: Artifact::from_bytes(name, bytes, false), control: None };
    let config = ExportConfig { batch_rows: 3, max_row_bytes: 1 << 16, ..ExportConfig::new("x") };
    let mut batches = Vec::new();
    let mut take = |batch| {
        batches.push(batch);
        Ok(())
    };
    match read(&config, rules(), dataset(), &delivery, &mut take) {
        Ok(report) => {
            let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
            prop_assert_eq!(rows as u64, report.rows);
            Ok(Ok((report, batches)))
        }
        Err(ReadError::Refused(refused)) => {
            prop_assert!(batches.is_empty(), "rows of a refused file");
            Ok(Err(refused))
        }
        Err(ReadError::Failed(error)) => Err(TestCaseError::fail(error.to_string())),
    }
}

fn column(batches: &[RecordBatch], name: &str) -> Vec<Option<String>> {
    let texts = |batch: &RecordBatch| -> Vec<Option<String>> {
        batch.column_by_name(name).unwrap().as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    };
    batches.iter().flat_map(texts).collect()
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Z0-9.]{0,6}",
        2 => "[药,\\t\"\\n\\r ;无a]{0,5}",
        1 => "\\PC{0,6}",
    ]
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    vec(vec(cell(), COLUMNS.len()), 0..5)
}

/// How a text file is written.
#[derive(Debug, Clone)]
struct Manner {
    delimiter: u8,
    crlf: bool,
    always_quoted: bool,
    titles: bool,
    encoding: u8,
    gzip: bool,
}

fn manner() -> impl Strategy<Value = Manner> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 0..3_u8, any::<bool>()).prop_map(
        |(tab, crlf, always_quoted, titles, encoding, gzip)| {
            // short GB18030 may by chance be UTF-8 too; Chinese titles never are
            Manner { delimiter: if tab { b'\t' } else { b',' }, crlf, always_quoted, titles: titles || encoding == 2, encoding, gzip }
        },
    )
}

fn write(table: &[Vec<String>], manner: &Manner) -> (String, Vec<u8>) {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(manner.delimiter)
        .terminator(if manner.crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
        .quote_style(if manner.always_quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
        .from_writer(Vec::new());
    writer.write_record(if manner.titles { TITLES } else { COLUMNS }).unwrap();
    table.iter().for_each(|row| writer.write_record(row).unwrap());
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    let bytes = match manner.encoding {
        1 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        2 => encoding_rs::GB18030.encode(&text).0.into_owned(),
        _ => text.into_bytes(),
    };
    let ending = if manner.delimiter == b'\t' { "txt" } else { "csv" };
    if !manner.gzip {
        return (format!("a.{ending}"), bytes);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&bytes).unwrap();
    (format!("a.{ending}.gz"), encoder.finish().unwrap())
}

#[test]
fn fuzz_written_text() {
    fuzz("csv written", 60_000, (table(), manner()), |(table, manner)| {
        let (name, bytes) = write(&table, &manner);
        let (report, batches) = read_file(&name, bytes)?.map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        prop_assert_eq!((report.rows, report.bad_rows), (table.len() as u64, 0));
        for (position, title) in COLUMNS.iter().take(5).enumerate() {
            let want: Vec<_> = table.iter().map(|row| Some(row[position].clone()).filter(|cell| !cell.is_empty())).collect();
            prop_assert_eq!(column(&batches, &title.to_ascii_lowercase()), want, "{}", title);
        }
        Ok(())
    });
}

/// Bytes with a few of them changed, cut or repeated.
pub(super) fn spoilt(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (bytes, vec((any::<prop::sample::Index>(), 0..5_u8, any::<u8>()), 1..5)).prop_map(|(mut bytes, edits)| {
        for (at, what, byte) in edits {
            let at = at.index(bytes.len() + 1);
            match what {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                2 => {
                    let part: Vec<u8> = bytes.iter().skip(at).take(usize::from(byte)).copied().collect();
                    bytes.extend(part);
                }
                _ => {
                    if let Some(held) = bytes.get_mut(at) {
                        *held = if what == 3 { byte } else { *held ^ (1 << (byte % 8)) };
                    }
                }
            }
        }
        bytes
    })
}

#[test]
fn fuzz_spoilt_text() {
    let files =
        (table(), manner(), any::<bool>()).prop_map(|(table, manner, gzip)| write(&table, &Manner { gzip: gzip && manner.gzip, ..manner }));
    let files = files.prop_flat_map(|(name, bytes)| (Just(name), spoilt(Just(bytes))));
    let garbage = (prop::sample::select(vec!["a.csv", "a.txt", "a.csv.gz"]), vec(any::<u8>(), 0..96))
        .prop_map(|(name, bytes)| (name.to_owned(), bytes));
    let lines = (Just("a.csv".to_owned()), "FIXMEDINS_CODE,MEDINS_LIST_CODG,MED_LIST_CODG,CONVRAT,UPDT_TIME\n([a,\"\\n\\r\\t]{0,30})")
        .prop_map(|(name, text)| (name, text.into_bytes()));
    fuzz("csv spoilt", 90_000, prop_oneof![4 => files.boxed(), 1 => garbage.boxed(), 2 => lines.boxed()], |(name, bytes)| {
        read_file(&name, bytes)?.ok();
        Ok(())
    });
}

/// Lines of a table in which quotes stand anywhere.
#[test]
fn fuzz_stray_quotes() {
    let lines = vec(("[A-Z]{0,2}\"?[0-9]{1,2}\"?", "[a-z]{0,2}\"?", "\"?[A-Z]{0,3}\"?"), 0..6);
    fuzz("stray quotes", 60_000, lines, |lines| {
        let text: String = lines.iter().map(|(a, b, c)| format!("{a},{b},{c},1,t\n")).collect();
        let bytes = format!("FIXMEDINS_CODE,MEDINS_LIST_CODG,MED_LIST_CODG,CONVRAT,UPDT_TIME\n{text}").into_bytes();
        match read_file("a.csv", bytes)? {
            // every line is a row of its own, or none is handed on, or fewer fields stand together and are told
            Ok((report, _)) => prop_assert!(report.rows == lines.len() as u64 || report.bad_rows > 0, "{:?} gives {:?}", text, report),
            Err(refused) => prop_assert!(matches!(refused.reason, Reason::OpenQuote | Reason::SuspiciousQuote), "{:?}: {}", text, refused),
        }
        Ok(())
    });
}

/// Whatever stands in unknown columns, below the table or beside it: no number of a person leaves.
#[test]
fn fuzz_numbers_of_persons() {
    let noise = "[a-z药 ：:，。/]{0,6}";
    let number = (3..10_u32, 0..1_000_000_000_u64, prop::sample::select(vec!["", " ", "-", "－", "\u{3000}"]))
        .prop_map(|(second, rest, between)| (format!("{rest:09}"), second, between));
    fuzz("numbers of persons", 40_000, (noise, noise, number, 0..4_u8), |(before, after, (rest, second, between), place)| {
        // a letter against the number makes another number of it
        let (before, after) =
            (before.trim_end_matches(|c: char| c.is_ascii_alphabetic()), after.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
        let (middle, end) = rest.split_at(5);
        let written = format!("{before}1{second}{}{between}{}{between}{end}{after}", &middle[..1], &middle[1..]);
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let mut record = |fields: &[&str]| writer.write_record(fields).unwrap();
        record(&["FIXMEDINS_CODE", "MEDINS_LIST_CODG", "MED_LIST_CODG", "CONVRAT", "UPDT_TIME", "RMK", ""]);
        record(&["H1", "a", "X", "1", "t", "", ""]);
        match place {
            0 => record(&["H1", "b", "X", "1", "t", &written, ""]),
            1 => record(&["H1", "b", "X", "1", "t", "", &written]),
            2 => record(&[&written, "", "", "", "", "", ""]),
            _ => record(&[&written]),
        }
        let bytes = writer.into_inner().unwrap();
        let (report, batches) = read_file("a.csv", bytes)?.map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        prop_assert!(report.personal, "{:?}", written);
        prop_assert!(!format!("{batches:?}").contains(&written), "{:?}", written);
        prop_assert_eq!(report.bad_rows, u64::from(place > 1));
        Ok(())
    });
}

#[test]
fn fuzz_headers() {
    let names: Vec<String> = dataset().columns.iter().map(|column| column.name.clone()).collect();
    let name = prop_oneof![
        6 => prop::sample::select(names).prop_flat_map(|name| (Just(name), any::<u16>()).prop_map(|(name, upper)| {
            name.chars().enumerate().map(|(n, c)| if upper >> (n % 16) & 1 == 1 { c.to_ascii_uppercase() } else { c }).collect::<String>()
        })).boxed(),
        2 => prop::sample::select(TITLES.to_vec()).prop_map(str::to_owned).boxed(),
        1 => prop::sample::select(vec!["", " ", "无", "TEL", "Psn_Name", "姓 名", "身份证号", "患者证号", "patnCertno", "备注"]).prop_map(str::to_owned).boxed(),
        1 => any::<String>().boxed(),
    ];
    let cells = vec(prop_oneof![5 => name.clone().boxed(), 1 => edited(name, " _-\u{3000}（）").boxed()], 0..14);
    fuzz("header", 60_000, cells, |cells| {
        let header = Header::of(dataset(), rules(), cells.iter().map(|cell| Some(cell.as_str())));
        let known = |want: &str| {
            let title = TITLES.iter().zip(COLUMNS).take(5).find(|(_, name)| name.eq_ignore_ascii_case(want)).map(|(title, _)| *title);
            cells.iter().any(|cell| text::trim(cell).eq_ignore_ascii_case(want) || title == Some(text::trim(cell)))
        };
        let whole = dataset().columns.iter().filter(|column| column.required).all(|column| known(&column.name));
        // a title in looser spelling may make more headers whole, never fewer
        prop_assert!(header.is_some() || !whole, "{:?} is a header", cells);
        if let Some(header) = header {
            prop_assert_eq!(header.slots.len(), cells.len());
            for (slot, cell) in header.slots.iter().zip(&cells) {
                prop_assert_eq!(*slot == Slot::Blank, text::Form::Prose.clean(cell).value.is_none());
            }
        }
        Ok(())
    });
}

#[test]
fn fuzz_control_files() {
    let value = prop_oneof![
        "-?[0-9]{1,25}",
        "\"[0-9.,a ]{0,8}\"",
        Just("null".to_owned()),
        Just("[1]".to_owned()),
        Just("{}".to_owned()),
        "-?[0-9]{1,3}\\.[0-9]{1,3}"
    ];
    let sums = (value.clone(), value.clone()).prop_map(|(a, b)| format!(r#"{{"CONVRAT":{a},"转换比":{b}}}"#));
    let well = (value.clone(), prop_oneof![sums, value.clone()], value, any::<bool>()).prop_map(|(rows, sums, sha256, bom)| {
        format!("{}{{\"rows\":{rows},\"sums\":{sums},\"sha256\":{sha256},\"contact\":\"张三\"}}", if bom { "\u{feff}" } else { "" })
    });
    let bytes = prop_oneof![4 => well.clone().prop_map(String::into_bytes).boxed(), 2 => edited(well, "{}\",:019").prop_map(String::into_bytes).boxed(), 1 => vec(any::<u8>(), 0..40).boxed()];
    fuzz("control file", 60_000, bytes, |bytes| {
        match Control::parse(&bytes) {
            Ok(control) => {
                for wanted in control.wanted(dataset()) {
                    prop_assert!(control.sums.contains_key(wanted.name));
                }
            }
            Err(what) => prop_assert!(!what.contains("张三"), "a message quotes the file: {}", what),
        }
        Ok(())
    });
}

/// A zip archive of stored files, made by hand so that its parts can be spoilt behind right checksums.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let at = u32::try_from(out.len()).unwrap();
        let size = u32::try_from(bytes.len()).unwrap();
        let mut common = Vec::new();
        common.extend([20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        common.extend(crc.sum().to_le_bytes());
        common.extend([size.to_le_bytes(), size.to_le_bytes()].concat());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        out.extend([b"PK\x03\x04", common.as_slice(), &[0, 0], name.as_bytes(), bytes].concat());
        directory.extend([b"PK\x01\x02\x14\x00", common.as_slice(), &[0; 12], &at.to_le_bytes(), name.as_bytes()].concat());
    }
    let (count, size, at) =
        (u16::try_from(files.len()).unwrap(), u32::try_from(directory.len()).unwrap(), u32::try_from(out.len()).unwrap());
    out.extend(directory);
    out.extend(
        [b"PK\x05\x06\0\0\0\0".as_slice(), &count.to_le_bytes(), &count.to_le_bytes(), &size.to_le_bytes(), &at.to_le_bytes(), &[0, 0]]
            .concat(),
    );
    out
}

const RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
pub(super) const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="0"/><sheets><sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
pub(super) const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>"#;
pub(super) const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="2"><si><t>H1</t></si><si><r><t>药</t></r><r><t xml:space="preserve"> 品</t></r></si></sst>"#;

pub(super) fn workbook(sheet: &str, strings: &str, styles: &str, book: &str) -> Vec<u8> {
    zip(&[
        ("_rels/.rels", ROOT.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELS.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

pub(super) fn sheet() -> String {
    let title =
        |n: usize| format!(r#"<c r="{}2" t="inlineStr"><is><t>{}</t></is></c>"#, char::from(b'A' + u8::try_from(n).unwrap()), COLUMNS[n]);
    let header: String = (0..6).map(title).collect();
    format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:F4"/><sheetData><row r="1"><c r="A1" t="s"><v>1</v></c></row><row r="2">{header}</row><row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="str"><v>a</v></c><c r="C3" t="inlineStr"><is><t>X</t></is></c><c r="D3"><v>1.5</v></c><c r="E3" s="1"><v>45292.5</v></c><c r="F3" t="b"><v>1</v></c></row><row r="4"><c r="A4" t="e"><v>#N/A</v></c><c r="D4"><f>1+1</f><v>2</v></c></row></sheetData><mergeCells count="1"><mergeCell ref="A1:F1"/></mergeCells></worksheet>"#
    )
}

#[test]
fn the_workbook_made_by_hand_is_one() {
    let (report, batches) = read_file("a.xlsx", workbook(&sheet(), STRINGS, STYLES, BOOK)).unwrap().unwrap();
    assert_eq!(report.rows, 2);
    assert_eq!(column(&batches, "fixmedins_code"), [Some("H1".to_owned()), Some("#N/A".to_owned())]);
    assert_eq!(column(&batches, "updt_time"), [Some("2024-01-01 12:00:00".to_owned()), None]);
}

#[test]
fn fuzz_workbooks() {
    const XML: &str = "<>/\"= &;:A19-.csrtv#\u{0}";
    let parts = prop_oneof![
        8 => edited(Just(sheet()), XML).prop_map(|sheet| workbook(&sheet, STRINGS, STYLES, BOOK)).boxed(),
        2 => edited(Just(STRINGS.to_owned()), XML).prop_map(|strings| workbook(&sheet(), &strings, STYLES, BOOK)).boxed(),
        1 => edited(Just(STYLES.to_owned()), XML).prop_map(|styles| workbook(&sheet(), STRINGS, &styles, BOOK)).boxed(),
        1 => edited(Just(BOOK.to_owned()), XML).prop_map(|book| workbook(&sheet(), STRINGS, STYLES, &book)).boxed(),
        2 => ("[A-Z]{1,8}[0-9]{0,12}", "[a-z]{0,3}", "-?[0-9]{0,20}(\\.[0-9]{0,20})?(e[0-9]{1,4})?").prop_map(|(at, kind, value)| {
            let sheet = sheet().replace(r#"<row r="4">"#, &format!(r#"<row r="4"><c r="{at}" t="{kind}" s="{value}"><v>{value}</v></c>"#));
            workbook(&sheet, STRINGS, STYLES, BOOK)
        }).boxed(),
    ];
    fuzz("xlsx parts", 60_000, parts, |bytes| {
        read_file("a.xlsx", bytes)?.ok();
        Ok(())
    });
}

#[test]
fn fuzz_workbook_bytes() {
    let mut book = Workbook::new();
    let held = book.add_worksheet();
    for (column, title) in COLUMNS.iter().enumerate() {
        let column = u16::try_from(column).unwrap();
        held.write(0, column, *title).unwrap();
        held.write(1, column, 1.25).unwrap();
    }
    let packed = book.save_to_buffer().unwrap();
    let stored = workbook(&sheet(), STRINGS, STYLES, BOOK);
    let bytes = prop_oneof![3 => spoilt(Just(packed)).boxed(), 3 => spoilt(Just(stored)).boxed(), 1 => vec(any::<u8>(), 0..200).prop_map(|tail| [b"PK\x03\x04", tail.as_slice()].concat()).boxed()];
    fuzz("xlsx bytes", 40_000, bytes, |bytes| {
        read_file("a.xlsx", bytes)?.ok();
        Ok(())
    });
}

/// A small file, as the usual writer writes it, Arrow schema included.
fn parquet_file() -> Vec<u8> {
    let array: ArrayRef = Arc::new(StringArray::from(vec![Some("1.50"), None, Some("无"), Some("1.50")]));
    let batch = RecordBatch::try_from_iter(COLUMNS.map(|name| (name, Arc::clone(&array)))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn a_broken_arrow_schema_in_a_parquet_file_is_passed_over() {
    let mut bytes = parquet_file();
    let name = b"ARROW:schema";
    let at = bytes.windows(name.len()).position(|part| part == name).expect("the writer's hint");
    // the base64 text behind the name: zeros decode, and are no schema
    bytes[at + name.len() + 12..at + name.len() + 300].fill(b'A');
    let (report, _) = read_file("a.parquet", bytes).unwrap().unwrap();
    assert_eq!(report.rows, 4);
}

#[test]
fn fuzz_parquet_bytes() {
    let bytes = parquet_file();
    assert!(read_file("a.parquet", bytes.clone()).unwrap().is_ok());
    let files = prop_oneof![6 => spoilt(Just(bytes)).boxed(), 1 => vec(any::<u8>(), 0..200).prop_map(|body| [b"PAR1", body.as_slice(), b"PAR1"].concat()).boxed()];
    fuzz("parquet bytes", 60_000, files, |bytes| {
        read_file("a.parquet", bytes)?.ok();
        Ok(())
    });
}

#[test]
fn fuzz_landing_paths() {
    let path = prop_oneof!["[a-z_.]{0,8}(/[0-9a-z.]{0,6}){0,4}(\\.(csv|CSV|txt|xlsx|parquet|gz|ctl\\.json)){0,3}", any::<String>()];
    fuzz("landing path", 60_000, path, |path| {
        if let Some(file) = LandingFile::of(&path, 1) {
            prop_assert_eq!(&file.path, &path);
            prop_assert_eq!(path.matches('/').count(), 3);
            prop_assert_eq!(format!("{}/{}/{}/{}", file.dataset, file.admdvs, file.month, file.name), path);
        }
        Ok(())
    });
}
