//! Parquet files, each value as text.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Schema, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, TimeDelta};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use parquet::schema::types::{Type, TypePtr};
use yaojia_models::contract::Dataset;
use yaojia_models::field::FieldType;

use super::header::{Header, Slot};
use super::nearest::Nearest;
use super::parquet_time::int96_minutes;
use super::read::{FileRow, Input, ReadError, Visit};
use super::refused::Reason;
use super::rule::FileRule;
use super::spreadsheet::{shortest, whole_digits};
use crate::kit::artifact::{ArtifactBytes, hex};

/// How the values of a file's column become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// As its type says.
    Plain,
    /// Bytes that nobody calls text: they are UTF-8, or the file is refused.
    Utf8,
    /// Bytes that are something else (BSON, a geometry).
    Bytes,
    Uuid,
    /// Minutes from the stored time to the clock on the wall; none: nobody says.
    Int96(Option<i64>),
    /// A list, a map, a group of columns.
    Nested,
}

/// Gives header and rows to the visitor.
pub(crate) fn scan(input: &Input<'_>, visit: &mut dyn Visit) -> Result<(), ReadError> {
    let opened = match &input.artifact.bytes {
        ArtifactBytes::Memory(bytes) => build(bytes.clone(), input),
        ArtifactBytes::File(file) => build(file.clone(), input),
    };
    let (reader, root, hows) = opened.map_err(|error| input.refuse(Reason::NotDecodable, error))?;
    let names: Vec<&str> = root.get_fields().iter().map(|field| field.name()).collect();
    let header = match FileRule::positional(input) {
        Some(header) => Some(header).filter(|header| header.slots.len() == names.len()),
        None => Header::of(input.dataset, input.rules, names.iter().map(|name| Some(*name)))
            .filter(|header| FileRule::accepts(input.rule, header)),
    };
    let Some(mut header) = header else {
        let mut nearest = Nearest::new(input.dataset, input.rules);
        nearest.see(|| "its schema".to_owned(), names.iter().map(|name| Some(*name)));
        return Err(input.refuse(Reason::NoHeader, nearest.words()));
    };
    for ((slot, field), how) in header.slots.iter_mut().zip(root.get_fields()).zip(&hows) {
        match slot {
            Slot::Column(_) => usable(input, field.name(), *how)?,
            // a group whose parts look personal is personal, whatever its own name
            Slot::Extra(name) if *how == How::Nested && parts(field).any(|part| input.rules.looks_personal(part)) => {
                *slot = Slot::Dropped(std::mem::take(name));
                header.personal = true;
            }
            Slot::Extra(_) | Slot::Dropped(_) | Slot::Blank => {}
        }
    }
    let needed: Vec<bool> = header.slots.iter().map(|slot| matches!(slot, Slot::Column(_))).collect();
    let mut line = 0;
    visit.header(&header)?;
    for batch in reader {
        let broken = |error: ArrowError| input.refuse(Reason::NotDecodable, error);
        let batch = batch.map_err(broken)?;
        let mut columns: Vec<Vec<Option<String>>> = Vec::with_capacity(hows.len());
        for (((array, how), needed), name) in batch.columns().iter().zip(&hows).zip(&needed).zip(&names) {
            columns.push(match texts(array, *how).map_err(broken)? {
                Texts::All(texts) => texts,
                Texts::NotUtf8(hex) if !needed => hex,
                Texts::NotUtf8(_) => {
                    let what = format!("column `{name}` holds bytes that are not UTF-8, and nothing says what they are");
                    return Err(input.refuse(Reason::NotDecodable, what));
                }
            });
        }
        let inexact = inexact(input.dataset, &header, &batch);
        for row in 0..batch.num_rows() {
            let cells: Vec<Option<Cow<'_, str>>> = columns.iter().map(|column| column.get(row)?.as_deref().map(Cow::Borrowed)).collect();
            let lost = |(position, _, digits): &&(usize, usize, usize)| {
                cells.get(*position).and_then(Option::as_deref).is_some_and(|text| !(1..=*digits).contains(&whole_digits(text)))
            };
            let lossy = inexact.iter().filter(lost).map(|(_, column, _)| *column).collect();
            line += 1;
            visit.row(&header, FileRow { cells, lossy, line, ..FileRow::default() })?;
        }
    }
    Ok(())
}

/// A reader by Parquet's own types: the Arrow schema that some writers leave beside them is a hint we do not need, and a broken one makes
/// its decoder panic.
fn build<T: ChunkReader + 'static>(file: T, input: &Input<'_>) -> Result<(ParquetRecordBatchReader, TypePtr, Vec<How>), ParquetError> {
    let mut metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new().with_skip_arrow_metadata(true))?;
    let root = metadata.parquet_schema().root_schema_ptr();
    let footer = metadata.metadata().file_metadata();
    let keys = footer.key_value_metadata().into_iter().flatten().map(|pair| (pair.key.as_str(), pair.value.as_deref()));
    let minutes = int96_minutes(footer.created_by(), keys, input.int96);
    let hows: Vec<How> = root.get_fields().iter().map(|field| how(field, minutes)).collect();
    if hows.iter().any(|how| matches!(how, How::Int96(_))) {
        // nanoseconds in 64 bits end in 2262, and 9999-12-31 is a common "for ever"
        let fields = metadata.schema().fields().iter().zip(&hows).map(|(field, how)| match how {
            How::Int96(_) => Arc::new(field.as_ref().clone().with_data_type(DataType::Timestamp(TimeUnit::Microsecond, None))),
            _ => Arc::clone(field),
        });
        let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata.schema().metadata().clone());
        metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), ArrowReaderOptions::new().with_schema(Arc::new(schema)))?;
    }
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(input.batch_rows).build()?;
    Ok((reader, root, hows))
}

fn how(field: &Type, int96: Option<i64>) -> How {
    let info = field.get_basic_info();
    if !field.is_primitive() || info.has_repetition() && info.repetition() == Repetition::REPEATED {
        return How::Nested;
    }
    match (field.get_physical_type(), info.logical_type_ref(), info.converted_type()) {
        (Physical::INT96, ..) => How::Int96(int96),
        (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), _) => How::Uuid,
        (Physical::BYTE_ARRAY, Some(LogicalType::Enum), _) | (Physical::BYTE_ARRAY, None, ConvertedType::ENUM) => How::Utf8,
        (Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY, None, ConvertedType::NONE) => How::Utf8,
        (Physical::BYTE_ARRAY, None, ConvertedType::BSON) => How::Bytes,
        (Physical::BYTE_ARRAY, Some(logical), _)
            if !matches!(logical, LogicalType::String | LogicalType::Json | LogicalType::Decimal { .. }) =>
        {
            How::Bytes
        }
        _ => How::Plain,
    }
}

/// Refuses a file whose column of the contract cannot be read for certain.
fn usable(input: &Input<'_>, name: &str, how: How) -> Result<(), ReadError> {
    match how {
        How::Plain | How::Utf8 | How::Uuid | How::Int96(Some(_)) => Ok(()),
        How::Bytes => Err(input.refuse(Reason::NotDecodable, format!("column `{name}` holds binary data, not text"))),
        How::Nested => Err(input.refuse(Reason::NotDecodable, format!("column `{name}` is a list, a map or a group, not one value"))),
        How::Int96(None) => {
            let what = format!("column `{name}` holds INT96 times, and the file's writer does not tell whether they are UTC or local");
            Err(input.refuse(Reason::AmbiguousTime, what))
        }
    }
}

/// The names of a group's parts, at any depth.
fn parts(field: &Type) -> Box<dyn Iterator<Item = &str> + '_> {
    if field.is_primitive() {
        return Box::new(std::iter::empty());
    }
    Box::new(field.get_fields().iter().flat_map(|part| std::iter::once(part.name()).chain(parts(part))))
}

/// A column as text.
enum Texts {
    All(Vec<Option<String>>),
    /// Some value of a column of bytes is no text; such values as `0x…`.
    NotUtf8(Vec<Option<String>>),
}

/// Text columns of the contract that came as binary floats: position in the file, column, and how many digits before the point such a
/// number holds. More of them are lost, and a number that is none (NaN) never was an id.
fn inexact(dataset: &Dataset, header: &Header, batch: &RecordBatch) -> Vec<(usize, usize, usize)> {
    let columns = header.slots.iter().zip(batch.columns()).enumerate();
    columns
        .filter_map(|(position, (slot, array))| {
            let Slot::Column(column) = slot else { return None };
            let digits = match array.data_type() {
                DataType::Float64 => 15,
                DataType::Float32 => 7,
                DataType::Float16 => 3,
                _ => return None,
            };
            let text = dataset.columns.get(*column)?.ty == FieldType::Text;
            text.then_some((position, *column, digits))
        })
        .collect()
}

/// A column as text, as [`How`] says.
fn texts(array: &ArrayRef, how: How) -> Result<Texts, ArrowError> {
    if how == How::Utf8 {
        let bytes: Vec<Option<&[u8]>> = match array.data_type() {
            DataType::Binary => array.as_binary::<i32>().iter().collect(),
            DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().iter().collect(),
            _ => return Ok(Texts::All(plain(array)?)),
        };
        let mut all = true;
        let texts = bytes
            .into_iter()
            .map(|bytes| {
                bytes.map(|bytes| match std::str::from_utf8(bytes) {
                    Ok(text) => text.to_owned(),
                    Err(_) => {
                        all = false;
                        format!("0x{}", hex(bytes))
                    }
                })
            })
            .collect();
        return Ok(if all { Texts::All(texts) } else { Texts::NotUtf8(texts) });
    }
    let mut texts = plain(array)?;
    match how {
        How::Int96(Some(minutes)) if matches!(array.data_type(), DataType::Timestamp(TimeUnit::Microsecond, None)) => {
            texts = times::<TimestampMicrosecondType>(array, TimeDelta::minutes(minutes), DateTime::from_timestamp_micros);
        }
        // nobody needs it: it is kept as it is, and says what it is
        How::Int96(None) => texts.iter_mut().flatten().for_each(|text| text.push_str(" INT96")),
        How::Uuid => texts.iter_mut().flatten().for_each(|text| {
            for at in [20, 16, 12, 8] {
                if text.is_char_boundary(at) && at < text.len() {
                    text.insert(at, '-');
                }
            }
        }),
        _ => {}
    }
    Ok(Texts::All(texts))
}

/// A column as text: decimals with their scale, doubles shortest, dates and times ISO. What is outside any calendar is `@` and the number
/// stored, which is no date.
fn plain(array: &ArrayRef) -> Result<Vec<Option<String>>, ArrowError> {
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(|text| text.map(str::to_owned)).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(|text| text.map(str::to_owned)).collect(),
        DataType::Decimal128(..) => {
            let array = array.as_primitive::<Decimal128Type>();
            (0..array.len()).map(|row| array.is_valid(row).then(|| array.value_as_string(row))).collect()
        }
        DataType::Float64 => array.as_primitive::<Float64Type>().iter().map(|number| number.map(shortest)).collect(),
        DataType::Float32 => array
            .as_primitive::<Float32Type>()
            .iter()
            .map(|number| number.map(|number| if number == 0.0 { "0".to_owned() } else { number.to_string() }))
            .collect(),
        DataType::Date32 => {
            let array = array.as_primitive::<Date32Type>();
            (0..array.len())
                .map(|row| {
                    array
                        .is_valid(row)
                        .then(|| array.value_as_date(row).map_or_else(|| format!("@{}", array.value(row)), |date| date.to_string()))
                })
                .collect()
        }
        DataType::Timestamp(unit, zone) => {
            // one with a zone is stored as UTC
            let shift = if zone.is_some() { TimeDelta::hours(8) } else { TimeDelta::zero() };
            match unit {
                TimeUnit::Second => times::<TimestampSecondType>(array, shift, |value| DateTime::from_timestamp(value, 0)),
                TimeUnit::Millisecond => times::<TimestampMillisecondType>(array, shift, DateTime::from_timestamp_millis),
                TimeUnit::Microsecond => times::<TimestampMicrosecondType>(array, shift, DateTime::from_timestamp_micros),
                TimeUnit::Nanosecond => times::<TimestampNanosecondType>(array, shift, |value| Some(DateTime::from_timestamp_nanos(value))),
            }
        }
        _ => {
            let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())?;
            (0..array.len())
                .map(|row| array.is_valid(row).then(|| formatter.value(row).try_to_string()).transpose())
                .collect::<Result<_, _>>()?
        }
    })
}

/// Times as text, moved to the clock on the wall.
fn times<T: ArrowPrimitiveType<Native = i64>>(
    array: &ArrayRef,
    shift: TimeDelta,
    time: impl Fn(i64) -> Option<DateTime<chrono::Utc>>,
) -> Vec<Option<String>> {
    let text = |value| {
        let moved = time(value).and_then(|time| time.naive_utc().checked_add_signed(shift));
        moved.map_or_else(|| format!("@{value}"), |time| time.format("%Y-%m-%d %H:%M:%S%.f").to_string())
    };
    array.as_primitive::<T>().iter().map(|value| value.map(text)).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, TimestampMicrosecondArray};

    use super::*;

    fn first(array: impl Array + 'static) -> Option<String> {
        let array: ArrayRef = Arc::new(array);
        plain(&array).unwrap().swap_remove(0)
    }

    #[test]
    fn values_by_their_text() {
        let decimal = Decimal128Array::from(vec![Some(15_970_000)]).with_precision_and_scale(18, 6).unwrap();
        assert_eq!(first(decimal).as_deref(), Some("15.970000"));
        assert_eq!(first(Int64Array::from(vec![3_420_240_200_000_000_152])).as_deref(), Some("3420240200000000152"));
        assert_eq!(first(Float64Array::from(vec![1e-7])).as_deref(), Some("0.0000001"));
        assert_eq!(first(Date32Array::from(vec![19_723])).as_deref(), Some("2024-01-01"));
        assert_eq!(first(BooleanArray::from(vec![true])).as_deref(), Some("true"));
        assert_eq!(first(Int64Array::from(vec![None])), None);
        let micros = 1_704_067_200_500_000;
        assert_eq!(first(TimestampMicrosecondArray::from(vec![micros])).as_deref(), Some("2024-01-01 00:00:00.500"));
        let zoned = TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC");
        assert_eq!(first(zoned).as_deref(), Some("2024-01-01 08:00:00.500"));
        // what no calendar holds is no null
        assert_eq!(first(TimestampMicrosecondArray::from(vec![i64::MAX])).as_deref(), Some("@9223372036854775807"));
        assert_eq!(first(Date32Array::from(vec![i32::MAX])).as_deref(), Some("@2147483647"));
    }
}
