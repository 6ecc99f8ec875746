//! Values as bytes and back, to the last digit: for keeping what was computed.

use std::collections::BTreeMap;

use yaojia_models::card::Level;

use super::value::{Fold, Input, Value};
use super::{Exact, RowKey};

/// Bytes of an exact number.
const NUMBER: usize = 32;

/// Values as bytes, by month and county.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed(pub BTreeMap<(String, String), Vec<u8>>);

impl Packed {
    /// Packs values; each month and county in their order.
    #[must_use]
    pub fn of(values: &[Value]) -> Self {
        let mut all: BTreeMap<(String, String), Vec<u8>> = BTreeMap::new();
        for value in values {
            pack(all.entry((value.key.month.clone(), value.key.county.clone())).or_default(), value);
        }
        Self(all)
    }
}

/// Writes a value behind others.
fn pack(out: &mut Vec<u8>, value: &Value) {
    let key = &value.key;
    for part in [&key.measure, &key.month, &key.county, &key.subject_code, &key.product_code, &key.batch_code, &key.group_code, &value.mark]
    {
        put_text(out, part);
    }
    out.push(level_byte(key.level));
    for number in [value.numerator, value.denominator, value.given, value.amount] {
        put_number(out, number);
    }
    out.push(u8::from(value.sample_n.is_some()));
    out.extend(value.sample_n.unwrap_or_default().to_le_bytes());
    out.push(u8::from(value.na) | u8::from(value.insufficient) << 1);
    put_count(out, value.inputs.len());
    for (name, (fold, content)) in &value.inputs {
        put_text(out, name);
        out.push(match fold {
            Fold::Sum => 0,
            Fold::Max => 1,
            Fold::None => 2,
        });
        match content {
            Input::Number(number) => put_number(out, Some(*number)),
            Input::Text(text) => {
                put_number(out, None);
                put_text(out, text);
            }
        }
    }
}

/// Values from what was packed; `None` for anything else.
#[must_use]
pub fn unpack(bytes: &[u8]) -> Option<Vec<Value>> {
    let mut rest = Rest(bytes);
    let mut values = Vec::new();
    while !rest.0.is_empty() {
        values.push(rest.value()?);
    }
    Some(values)
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    // What a column holds is far below 4 GiB; a longer text would not be read back.
    out.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend(text.as_bytes());
}

fn put_number(out: &mut Vec<u8>, number: Option<Exact>) {
    out.push(u8::from(number.is_some()));
    if let Some(number) = number {
        out.extend(number.to_bytes());
    }
}

fn level_byte(level: Level) -> u8 {
    match level {
        Level::Subject => 0,
        Level::County => 1,
        Level::Region => 2,
    }
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.take(4)?.try_into().ok()?)).ok()
    }

    fn text(&mut self) -> Option<String> {
        let count = self.count()?;
        String::from_utf8(self.take(count)?.to_vec()).ok()
    }

    /// The outer none: these bytes are no number.
    #[allow(clippy::option_option, reason = "the inner option is a null number")]
    fn number(&mut self) -> Option<Option<Exact>> {
        match self.byte()? {
            0 => Some(None),
            1 => Some(Some(Exact::from_bytes(self.take(NUMBER)?.try_into().ok()?))),
            _ => None,
        }
    }

    fn value(&mut self) -> Option<Value> {
        let (measure, month, county) = (self.text()?, self.text()?, self.text()?);
        let (subject_code, product_code, batch_code, group_code) = (self.text()?, self.text()?, self.text()?, self.text()?);
        let mark = self.text()?;
        let level = match self.byte()? {
            0 => Level::Subject,
            1 => Level::County,
            2 => Level::Region,
            _ => return None,
        };
        let mut value = Value::new(RowKey { measure, month, county, level, subject_code, product_code, batch_code, group_code });
        value.mark = mark;
        (value.numerator, value.denominator) = (self.number()?, self.number()?);
        (value.given, value.amount) = (self.number()?, self.number()?);
        let (known, sample) = (self.byte()? == 1, i64::from_le_bytes(self.take(8)?.try_into().ok()?));
        value.sample_n = known.then_some(sample);
        let flags = self.byte()?;
        (value.na, value.insufficient) = (flags & 1 == 1, flags & 2 == 2);
        let mut inputs = BTreeMap::new();
        for _ in 0..self.count()? {
            let name = self.text()?;
            let fold = match self.byte()? {
                0 => Fold::Sum,
                1 => Fold::Max,
                2 => Fold::None,
                _ => return None,
            };
            let content = match self.number()? {
                Some(number) => Input::Number(number),
                None => Input::Text(self.text()?),
            };
            inputs.insert(name, (fold, content));
        }
        value.inputs = inputs;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> Value {
        let key = RowKey {
            measure: "main".into(),
            month: "2024-01".into(),
            county: "652801".into(),
            level: Level::County,
            subject_code: "H1".into(),
            product_code: "XA01".into(),
            batch_code: String::new(),
            group_code: "组".into(),
        };
        let mut value = Value::new(key);
        value.numerator = Exact::parse("-0.000000000001");
        value.amount = Exact::parse("99999999999999999999999999");
        value.sample_n = Some(-3);
        value.mark = "红".into();
        value.insufficient = true;
        value.inputs.insert("least".into(), (Fold::Max, Input::Text("1.50".into())));
        value.inputs.insert("stock".into(), (Fold::None, Input::Number(Exact::whole(2))));
        value
    }

    #[test]
    fn values_come_back_as_they_were() {
        let bare = Value { sample_n: None, na: true, inputs: BTreeMap::new(), ..value() };
        let values = [value(), bare];
        let packed = Packed::of(&values);
        let all: Vec<_> = packed.0.values().map(|bytes| unpack(bytes)).collect();
        assert_eq!(all, [Some(values.to_vec())]);
        assert_eq!(unpack(&[]), Some(Vec::new()));
    }

    #[test]
    fn each_county_and_month_is_by_itself() {
        let of = |county: &str, month: &str| {
            let mut value = value();
            (value.key.county, value.key.month) = (county.to_owned(), month.to_owned());
            value
        };
        let values = [of("1", "2024-01"), of("2", "2024-01"), of("1", "2024-01"), of("1", "2024-02")];
        let packed = Packed::of(&values);
        let counts: Vec<_> =
            packed.0.iter().map(|((month, county), bytes)| (&month[..], &county[..], unpack(bytes).unwrap().len())).collect();
        assert_eq!(counts, [("2024-01", "1", 2), ("2024-01", "2", 1), ("2024-02", "1", 1)]);
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        let mut bytes = Vec::new();
        pack(&mut bytes, &value());
        for end in 1..bytes.len() {
            assert_eq!(unpack(&bytes[..end]), None, "{end} bytes");
        }
    }
}
