//! Money that came with more decimals than its column has: silver rounds it row by row, and the sums say what that does.

use std::collections::BTreeMap;
use std::fmt;

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use serde::Serialize;
use yaojia_models::contract::Dataset;
use yaojia_models::field::FieldType;
use yaojia_models::text;
use yaojia_models::value::decimal_text;

/// Decimals with which sums are kept: more than any amount has.
const PLACES: u8 = 12;

/// The rounded values of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rounded {
    /// How many there are.
    pub values: u64,
    /// Their sum as written, scaled by 10¹².
    before: i128,
    /// Their sum after each was rounded, scaled by 10¹².
    after: i128,
}

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values rounded, their sum {} becomes {}", self.values, plain(self.before), plain(self.after))
    }
}

impl Serialize for Rounded {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("Rounded", 3)?;
        fields.serialize_field("values", &self.values)?;
        fields.serialize_field("sum_before", &plain(self.before))?;
        fields.serialize_field("sum_after", &plain(self.after))?;
        fields.end()
    }
}

fn plain(sum: i128) -> String {
    let text = decimal_text(sum, u32::from(PLACES));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Adds up the money of text batches that is rounded.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Rounding {
    columns: BTreeMap<String, Rounded>,
}

impl Rounding {
    /// Takes the rows of a text batch.
    pub fn see(&mut self, dataset: &Dataset, batch: &RecordBatch) {
        for column in dataset.columns.iter().filter(|column| column.ty == FieldType::Money) {
            let Some((precision, scale)) = column.ty.decimal() else { continue };
            let Some(array) = batch.column_by_name(&column.name).and_then(|array| array.as_string_opt::<i32>()) else { continue };
            for value in array.iter().flatten().filter_map(text::clean) {
                if !text::has_more_decimals(value, scale) {
                    continue;
                }
                let whole = text::parse_decimal(value, 38, i8::try_from(PLACES).unwrap_or(12));
                let (Ok(before), Ok(after)) = (whole, text::parse_decimal(value, precision, scale)) else { continue };
                let held = self.columns.entry(column.name.clone()).or_default();
                held.values += 1;
                held.before = held.before.saturating_add(before);
                held.after =
                    held.after.saturating_add(after.saturating_mul(10_i128.pow(u32::from(PLACES) - u32::from(scale.unsigned_abs()))));
            }
        }
    }

    /// By column.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Rounded)> {
        self.columns.iter().map(|(name, rounded)| (name.as_str(), rounded))
    }

    /// Whether nothing is rounded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};
    use yaojia_models::contract::Registry;

    use super::*;

    #[test]
    fn sums_before_and_after() {
        let registry = Registry::embedded().unwrap();
        let dataset = registry.dataset("fee_list").unwrap();
        let amounts = ["12.34567", "0.005", "-0.005", "1.10000", "７．００５", "see remark", "", "1e-5", "100"];
        let batch = |name: &str| {
            let array: ArrayRef = Arc::new(StringArray::from(amounts.to_vec()));
            RecordBatch::try_from_iter([(name, array)]).unwrap()
        };
        let mut rounding = Rounding::default();
        // a price has six decimals, and a count four: only money is told
        rounding.see(dataset, &batch("pric"));
        assert!(rounding.is_empty());
        rounding.see(dataset, &batch("det_item_fee_sumamt"));
        let json = serde_json::to_value(&rounding).unwrap();
        assert_eq!(json, serde_json::json!({"det_item_fee_sumamt": {"values": 4, "sum_before": "19.35067", "sum_after": "19.36"}}));
        let (column, rounded) = rounding.columns().next().unwrap();
        assert_eq!(format!("{column}: {rounded}"), "det_item_fee_sumamt: 4 values rounded, their sum 19.35067 becomes 19.36");
    }
}
