//! Parquet as other systems write it: times of the old kind, texts that nobody calls text, groups of columns.

use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int96, Int96Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::tests::{column, read_file, reason, some};

const AT: &str = "list_map/1/202401/a.parquet";

/// A value of a column.
#[derive(Clone)]
enum Of {
    Bytes(&'static [u8]),
    Fixed(&'static [u8]),
    /// Days since 1970-01-01 and seconds of the day.
    Int96(i32, u64),
}

fn int96(days: i32, seconds: u64) -> Int96 {
    let nanos = seconds * 1_000_000_000;
    let mut value = Int96::new();
    let half = |bits: u64| u32::try_from(bits & 0xffff_ffff).unwrap();
    value.set_data(half(nanos), half(nanos >> 32), u32::try_from(days + 2_440_588).unwrap());
    value
}

/// A file of one row: columns as written in a schema, with their values.
fn file(created_by: &str, keys: &[(&str, &str)], columns: &[(&str, Of)]) -> Vec<u8> {
    let message = columns.iter().fold("message m {".to_owned(), |text, (column, _)| format!("{text} {column};")) + "}";
    let schema = Arc::new(parse_message_type(&message).unwrap());
    let keys = keys.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), (*value).to_owned())).collect();
    let properties = WriterProperties::builder().set_created_by(created_by.to_owned()).set_key_value_metadata(Some(keys)).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, value) in columns {
        let mut column = group.next_column().unwrap().unwrap();
        match value.clone() {
            Of::Bytes(bytes) => column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(bytes.to_vec())], Some(&[1]), None),
            Of::Fixed(bytes) => {
                let value = FixedLenByteArray::from(bytes.to_vec());
                column.typed::<FixedLenByteArrayType>().write_batch(&[value], Some(&[1]), None)
            }
            Of::Int96(days, seconds) => column.typed::<Int96Type>().write_batch(&[int96(days, seconds)], Some(&[1]), None),
        }
        .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

fn text(name: &'static str) -> (&'static str, Of) {
    (name, Of::Bytes(b"1"))
}

/// A file of `list_map` whose update time is 2024-01-31 16:30:00 in INT96.
fn timed(created_by: &str, keys: &[(&str, &str)], days: i32) -> Vec<u8> {
    let columns = [
        text("optional binary FIXMEDINS_CODE (STRING)"),
        text("optional binary MEDINS_LIST_CODG (UTF8)"),
        text("optional binary MED_LIST_CODG"),
        text("optional binary CONVRAT (STRING)"),
        ("optional int96 UPDT_TIME", Of::Int96(days, 16 * 3600 + 1800)),
    ];
    file(created_by, keys, &columns)
}

const DAY: i32 = 19_753;
const MR: &str = "parquet-mr version 1.12.3 (build f8dced182c4c1fbdec6ccb3185537b5a01e6ed6b)";

#[test]
fn int96_is_what_its_writer_says() {
    for (writer, keys, want) in [
        (MR, vec![("org.apache.spark.version", "3.5.0")], "2024-02-01 00:30:00"),
        (MR, vec![], "2024-02-01 00:30:00"),
        (MR, vec![("writer.time.zone", "Asia/Shanghai"), ("writer.model.name", "3.1.3")], "2024-02-01 00:30:00"),
        (MR, vec![("writer.time.zone", "UTC")], "2024-01-31 16:30:00"),
        ("impala version 4.1.0-RELEASE (build 1)", vec![], "2024-01-31 16:30:00"),
    ] {
        let (_, batches) = read_file(AT, &timed(writer, &keys, DAY), None).unwrap();
        assert_eq!(column(&batches, "updt_time"), some(&[want]), "{writer} {keys:?}");
    }
    for writer in ["parquet-cpp-arrow version 26.0.1", "DuckDB version v1.1", ""] {
        assert_eq!(reason(read_file(AT, &timed(writer, &[], DAY), None)), "ambiguous_time", "{writer}");
    }
    assert_eq!(reason(read_file(AT, &timed(MR, &[("writer.time.zone", "Europe/Berlin")], DAY), None)), "ambiguous_time");
    // a hint of nobody's is no reason to refuse a file without such times
    let plain = [
        text("optional binary FIXMEDINS_CODE"),
        text("optional binary MEDINS_LIST_CODG"),
        text("optional binary MED_LIST_CODG"),
        text("optional binary CONVRAT"),
        ("optional binary UPDT_TIME", Of::Bytes(b"2024-01-31")),
        ("optional int96 LOADED_AT", Of::Int96(DAY, 59_400)),
    ];
    let (_, batches) = read_file(AT, &file("DuckDB", &[], &plain), None).unwrap();
    assert_eq!(column(&batches, "_extra"), some(&[r#"{"LOADED_AT":"2024-01-31 16:30:00 INT96"}"#]));
}

#[test]
fn int96_beyond_the_year_2262_is_not_another_time() {
    // 9999-12-31, a common "for ever"
    let (_, batches) = read_file(AT, &timed("impala version 3.4.0", &[], 2_932_896), None).unwrap();
    assert_eq!(column(&batches, "updt_time"), some(&["9999-12-31 16:30:00"]));
}

#[test]
fn texts_that_nobody_calls_text_are_utf8_or_the_file_is_refused() {
    let of = |code: Of, kind: &'static str| {
        vec![
            (kind, code),
            text("optional binary MEDINS_LIST_CODG"),
            text("optional binary MED_LIST_CODG (ENUM)"),
            text("optional binary CONVRAT"),
            ("optional binary UPDT_TIME", Of::Bytes(b"2024-01-31 08:00:00")),
            ("optional binary RMK", Of::Bytes("甲".as_bytes())),
        ]
    };
    let read = |columns: &[(&'static str, Of)]| read_file(AT, &file(MR, &[], columns), None);
    let (report, batches) = read(&of(Of::Bytes("药A1".as_bytes()), "optional binary FIXMEDINS_CODE")).unwrap();
    assert_eq!((report.rows, column(&batches, "fixmedins_code")), (1, some(&["药A1"])));
    assert_eq!(column(&batches, "updt_time"), some(&["2024-01-31 08:00:00"]));
    assert_eq!(column(&batches, "_extra"), some(&[r#"{"RMK":"甲"}"#]));
    let (_, batches) = read(&of(Of::Fixed(b"H652"), "optional fixed_len_byte_array(4) FIXMEDINS_CODE")).unwrap();
    assert_eq!(column(&batches, "fixmedins_code"), some(&["H652"]));
    let gb: &[u8] = b"\xb1\xe0A1";
    assert_eq!(reason(read(&of(Of::Bytes(gb), "optional binary FIXMEDINS_CODE"))), "undecodable");
    assert_eq!(reason(read(&of(Of::Bytes(b"H1"), "optional binary FIXMEDINS_CODE (BSON)"))), "undecodable");
    // a column that nobody needs keeps the rest: as digits that say what they are
    let mut picture = of(Of::Bytes(b"H1"), "optional binary FIXMEDINS_CODE");
    picture[5].1 = Of::Bytes(gb);
    assert_eq!(column(&read(&picture).unwrap().1, "_extra"), some(&[r#"{"RMK":"0xb1e04131"}"#]));
}

#[test]
fn a_uuid_is_written_as_one() {
    let uuid: &[u8] = &[0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00];
    let columns = [
        ("optional fixed_len_byte_array(16) FIXMEDINS_CODE (UUID)", Of::Fixed(uuid)),
        text("optional binary MEDINS_LIST_CODG"),
        text("optional binary MED_LIST_CODG"),
        text("optional binary CONVRAT"),
        text("optional binary UPDT_TIME"),
    ];
    let (_, batches) = read_file(AT, &file(MR, &[], &columns), None).unwrap();
    assert_eq!(column(&batches, "fixmedins_code"), some(&["123e4567-e89b-12d3-a456-426614174000"]));
}

/// A file whose columns are groups, written by Arrow.
fn grouped(outer: &str, inner: &str) -> Vec<u8> {
    use arrow::array::{ArrayRef, RecordBatch, StringArray, StructArray};
    use arrow::datatypes::{DataType, Field};
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    let group: ArrayRef = Arc::new(StructArray::from(vec![(Arc::new(Field::new(inner, DataType::Utf8, true)), Arc::clone(&text))]));
    let names = ["FIXMEDINS_CODE", "MEDINS_LIST_CODG", "MED_LIST_CODG", "CONVRAT", "UPDT_TIME", "MORE"];
    let columns = names.map(|name| if name == outer { (name, Arc::clone(&group)) } else { (name, Arc::clone(&text)) });
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn a_group_of_columns_is_no_value() {
    assert_eq!(reason(read_file(AT, &grouped("MED_LIST_CODG", "code"), None)), "undecodable");
    let (report, batches) = read_file(AT, &grouped("MORE", "batch"), None).unwrap();
    assert_eq!((column(&batches, "_extra"), report.personal), (some(&[r#"{"MORE":"{batch: 1}"}"#]), false));
    let (report, batches) = read_file(AT, &grouped("MORE", "psn_name"), None).unwrap();
    assert_eq!((column(&batches, "_extra"), report.personal), (vec![None], true));
    assert!(report.dropped.contains_key("MORE"));
}
