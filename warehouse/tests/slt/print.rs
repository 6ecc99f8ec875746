//! Result rows as text, the same whatever the engine's own way of showing them.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::Why;
use super::file::single_blanks;

/// The rows of batches, one blank between the values: NULL, `(empty)`, decimals without zeros at their end, instants as `2024-03-01T00:00:00`.
pub fn rows(batches: &[RecordBatch], types: &str) -> Result<Vec<String>, Why> {
    let mut rows = Vec::new();
    for batch in batches {
        check(batch, types)?;
        let options = FormatOptions::new().with_null("NULL");
        let columns = batch.columns().iter();
        let formats = columns
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| e.to_string())?;
        for row in 0..batch.num_rows() {
            let values: Vec<String> =
                formats.iter().zip(batch.columns()).map(|(format, column)| value(&format.value(row).to_string(), column, row)).collect();
            rows.push(single_blanks(&values.join(" ")));
        }
    }
    Ok(rows)
}

fn value(text: &str, column: &dyn Array, row: usize) -> String {
    let kind = column.data_type();
    if column.is_valid(row) && text.is_empty() {
        "(empty)".to_owned()
    } else if column.is_valid(row) && (kind.is_decimal() || kind.is_floating()) && text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// Checks the letters: T text, I whole number, R decimal or double, D date, P instant, B flag, ? anything.
fn check(batch: &RecordBatch, types: &str) -> Result<(), Why> {
    let given: String = batch.columns().iter().map(|column| letter(column.data_type())).collect();
    let fits = given.len() == types.len() && given.chars().zip(types.chars()).all(|(is, wanted)| is == wanted || wanted == '?');
    if fits { Ok(()) } else { Err(format!("the columns are `{given}`, not `{types}`")) }
}

fn letter(kind: &DataType) -> char {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => 'T',
        DataType::Date32 => 'D',
        DataType::Timestamp(..) => 'P',
        DataType::Boolean => 'B',
        kind if kind.is_integer() => 'I',
        kind if kind.is_decimal() || kind.is_floating() => 'R',
        _ => '?',
    }
}
