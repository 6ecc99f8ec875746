//! Parquet files, each value as text.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, TimeDelta};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use yaojia_models::contract::Dataset;
use yaojia_models::field::FieldType;

use super::header::{Header, Slot};
use super::nearest::Nearest;
use super::read::{FileRow, Input, ReadError, Visit};
use super::refused::Reason;
use super::rule::FileRule;
use super::spreadsheet::{shortest, whole_digits};
use crate::kit::artifact::ArtifactBytes;

/// Gives header and rows to the visitor.
pub(crate) fn scan(input: &Input<'_>, visit: &mut dyn Visit) -> Result<(), ReadError> {
    let reader = match &input.artifact.bytes {
        ArtifactBytes::Memory(bytes) => build(bytes.clone(), input),
        ArtifactBytes::File(file) => build(file.clone(), input),
    };
    let reader = reader.map_err(|error| input.refuse(Reason::NotDecodable, error))?;
    let schema = arrow::array::RecordBatchReader::schema(&reader);
    let names = || schema.fields().iter().map(|field| Some(field.name().as_str()));
    let header = Header::of(input.dataset, input.rules, names()).filter(|header| FileRule::accepts(input.rule, header));
    let Some(header) = header else {
        let mut nearest = Nearest::new(input.dataset, input.rules);
        nearest.see(|| "its schema".to_owned(), names());
        return Err(input.refuse(Reason::NoHeader, nearest.words()));
    };
    visit.header(&header)?;
    for batch in reader {
        let broken = |error: ArrowError| input.refuse(Reason::NotDecodable, error);
        let batch = batch.map_err(broken)?;
        let columns: Vec<Vec<Option<String>>> = batch.columns().iter().map(texts).collect::<Result<_, _>>().map_err(broken)?;
        let inexact = inexact(input.dataset, &header, &batch);
        for row in 0..batch.num_rows() {
            let cells: Vec<Option<Cow<'_, str>>> = columns.iter().map(|column| column.get(row)?.as_deref().map(Cow::Borrowed)).collect();
            let lost = |(position, _, digits): &&(usize, usize, usize)| {
                cells.get(*position).and_then(Option::as_deref).is_some_and(|text| !(1..=*digits).contains(&whole_digits(text)))
            };
            let lossy = inexact.iter().filter(lost).map(|(_, column, _)| *column).collect();
            visit.row(&header, FileRow { cells, lossy, ..FileRow::default() })?;
        }
    }
    Ok(())
}

/// A reader by Parquet's own types: the Arrow schema that some writers leave beside them is a hint we do not need, and a broken one makes
/// its decoder panic.
fn build<T: ChunkReader + 'static>(file: T, input: &Input<'_>) -> Result<ParquetRecordBatchReader, ParquetError> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?.with_batch_size(input.batch_rows).build()
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

/// A column as text: decimals with their scale, doubles shortest, dates and times ISO.
fn texts(array: &ArrayRef) -> Result<Vec<Option<String>>, ArrowError> {
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
                .map(|row| if array.is_valid(row) { array.value_as_date(row).map(|date| date.to_string()) } else { None })
                .collect()
        }
        DataType::Timestamp(unit, zone) => {
            let zoned = zone.is_some();
            match unit {
                TimeUnit::Second => times::<TimestampSecondType>(array, zoned, |value| DateTime::from_timestamp(value, 0)),
                TimeUnit::Millisecond => times::<TimestampMillisecondType>(array, zoned, DateTime::from_timestamp_millis),
                TimeUnit::Microsecond => times::<TimestampMicrosecondType>(array, zoned, DateTime::from_timestamp_micros),
                TimeUnit::Nanosecond => times::<TimestampNanosecondType>(array, zoned, |value| Some(DateTime::from_timestamp_nanos(value))),
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

/// Times as text; one with a zone, which Parquet stores as UTC, at Asia/Shanghai.
fn times<T: ArrowPrimitiveType<Native = i64>>(
    array: &ArrayRef,
    zoned: bool,
    time: impl Fn(i64) -> Option<DateTime<chrono::Utc>>,
) -> Vec<Option<String>> {
    let shift = if zoned { TimeDelta::hours(8) } else { TimeDelta::zero() };
    let text = |value| Some((time(value)?.naive_utc() + shift).format("%Y-%m-%d %H:%M:%S%.f").to_string());
    array.as_primitive::<T>().iter().map(|value| value.and_then(text)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, TimestampMicrosecondArray};

    use super::*;

    fn first(array: impl Array + 'static) -> Option<String> {
        let array: ArrayRef = Arc::new(array);
        texts(&array).unwrap().swap_remove(0)
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
    }
}
