//! Pages into text batches.

use std::borrow::Cow;
use std::collections::HashMap;

use arrow::array::RecordBatch;
use indexmap::IndexMap;
use sha2::{Digest, Sha256};
use yaojia_models::contract::Dataset;
use yaojia_models::text;

use super::envelope::{Envelope, decode, open};
use super::json::Json;
use crate::batch::{RowText, TextBatch};
use crate::error::SourceError;
use crate::kit::artifact::Artifact;
use crate::kit::personal::PersonalRules;

/// A page as a text batch.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The rows.
    pub batch: RecordBatch,
    /// Unknown keys, personal-looking ones included → rows that carry them.
    pub unknown: IndexMap<String, u64>,
    /// Personal-looking unknown keys → rows they were dropped from.
    pub dropped: IndexMap<String, u64>,
}

/// What tells a row from another within a window: key and `updt_time`, or all of it where the key is not whole.
pub(crate) type RowKey = [u8; 32];

/// What a read needs to know of a page.
#[derive(Debug)]
pub(crate) struct PageScan {
    pub keys: Vec<RowKey>,
    pub personal: bool,
    pub pages: Option<u64>,
    pub records: Option<u64>,
    pub words: String,
}

/// How a dataset's rows lie in JSON.
pub(crate) struct PageMap<'a> {
    dataset: &'a Dataset,
    personal: &'a PersonalRules,
    /// JSON key → column, and whether it is the column's real key.
    slots: HashMap<String, (usize, bool)>,
    key: Vec<usize>,
    updt_time: Option<usize>,
    hashed: Vec<usize>,
}

impl<'a> PageMap<'a> {
    pub(crate) fn new(dataset: &'a Dataset, personal: &'a PersonalRules) -> Self {
        let position = |name: &String| dataset.columns.iter().position(|column| &column.name == name);
        let slots = dataset
            .json_keys()
            .into_iter()
            .map(|(key, column)| {
                let real = !dataset.json_aliases.contains_key(&key);
                (key, (column, real))
            })
            .collect();
        Self {
            dataset,
            personal,
            slots,
            key: dataset.key.iter().filter_map(position).collect(),
            updt_time: position(&"updt_time".to_owned()),
            hashed: dataset.personal_hash.iter().filter_map(position).collect(),
        }
    }

    /// The rows' keys, counts and words of a good answer.
    pub(crate) fn scan(&self, envelope: Envelope<'_>) -> PageScan {
        let mut personal = !self.hashed.is_empty();
        let mut keys = Vec::with_capacity(envelope.rows.len());
        for row in &envelope.rows {
            let Json::Object(members, written) = row else {
                continue;
            };
            personal = personal || members.iter().any(|(key, value)| self.is_personal(key, value));
            keys.push(self.row_key(&self.cells(members), written));
        }
        PageScan { keys, personal, pages: envelope.pages, records: envelope.records, words: envelope.words }
    }

    /// See [`super::PlatformSource::parse_page`].
    pub(crate) fn parse(&self, artifact: &Artifact) -> Result<Parsed, SourceError> {
        let fail = |what: String| SourceError::Page { artifact: artifact.name.clone(), what };
        let bytes = artifact.read_all().map_err(|source| SourceError::Io { path: artifact.name.clone(), source })?;
        let text = decode(&bytes).ok_or_else(|| fail("it is neither UTF-8 nor GB18030".to_owned()))?;
        let envelope = open(&text).map_err(&fail)?;
        if !envelope.ok || envelope.return_ok != Some(true) {
            return Err(fail(format!("it is a failure: {}", envelope.words)));
        }
        let mut batch = TextBatch::new(self.dataset);
        let (mut unknown, mut dropped) = (IndexMap::new(), IndexMap::new());
        for (index, row) in envelope.rows.iter().enumerate() {
            let Json::Object(members, _) = row else {
                continue;
            };
            let mut cells = self.cells(members);
            for &column in &self.hashed {
                if let Some(cell) = cells.get_mut(column)
                    && let Some(value) = cell.take()
                {
                    *cell = self.personal.hash(&value)?.map(Cow::Owned);
                }
            }
            batch.push(&RowText {
                cells,
                extra: self.extra(members, &mut unknown, &mut dropped),
                note: None,
                raw: None,
                row: i64::try_from(index + 1).unwrap_or(i64::MAX),
            });
        }
        let batch = batch.take().map_err(|source| SourceError::Batch { artifact: artifact.name.clone(), source })?;
        Ok(Parsed { batch, unknown, dropped })
    }

    /// One cell per column: where a column has several keys, the non-null one; among those its real key.
    fn cells<'r>(&self, members: &'r [(String, Json<'_>)]) -> Vec<Option<Cow<'r, str>>> {
        let mut cells: Vec<Option<Cow<'r, str>>> = vec![None; self.dataset.columns.len()];
        let mut ranks = vec![0_u8; cells.len()];
        for (key, value) in members {
            let Some(&(column, real)) = self.slots.get(key) else {
                continue;
            };
            if self.personal_within(value) {
                continue; // no column of a contract holds a record of a person
            }
            let Some(text) = value.as_text() else {
                continue;
            };
            let full = text::clean(text).is_some();
            let rank = 1 + 2 * u8::from(full) + u8::from(real);
            if let (Some(cell), Some(held)) = (cells.get_mut(column), ranks.get_mut(column))
                && rank >= *held
            {
                *held = rank;
                *cell = Some(Cow::Borrowed(text));
            }
        }
        cells
    }

    /// Whether a member may not be kept: by its unknown name, or by a name anywhere within its value.
    fn is_personal(&self, key: &str, value: &Json<'_>) -> bool {
        (!self.slots.contains_key(key) && self.personal.looks_personal(key)) || self.personal_within(value)
    }

    fn personal_within(&self, value: &Json<'_>) -> bool {
        match value {
            Json::Array(items, _) => items.iter().any(|item| self.personal_within(item)),
            Json::Object(members, _) => members.iter().any(|(key, value)| self.personal.looks_personal(key) || self.personal_within(value)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => false,
        }
    }

    fn row_key(&self, cells: &[Option<Cow<'_, str>>], written: &str) -> RowKey {
        let mut hasher = Sha256::new();
        for column in self.key.iter().chain(&self.updt_time) {
            let Some(value) = cells.get(*column).and_then(Option::as_deref).and_then(text::clean) else {
                // no whole key: the row is only equal to itself
                return Sha256::new().chain_update([1]).chain_update(written).finalize().into();
            };
            hasher.update((value.len() as u64).to_le_bytes());
            hasher.update(value);
        }
        hasher.finalize().into()
    }

    /// Unknown keys as a JSON object of texts, personal-looking ones dropped; all are counted.
    fn extra(
        &self,
        members: &[(String, Json<'_>)],
        unknown: &mut IndexMap<String, u64>,
        dropped: &mut IndexMap<String, u64>,
    ) -> Option<String> {
        let mut extra = serde_json::Map::new();
        let mut counted: Vec<&str> = Vec::new();
        for (key, value) in members {
            let personal = self.is_personal(key, value);
            let known = self.slots.contains_key(key);
            if known && !personal {
                continue;
            }
            let first = !counted.contains(&key.as_str());
            counted.push(key);
            if first && !known {
                *unknown.entry(key.clone()).or_default() += 1;
            }
            if personal {
                if first {
                    *dropped.entry(key.clone()).or_default() += 1;
                }
            } else {
                let text = value.as_text().map_or(serde_json::Value::Null, serde_json::Value::from);
                extra.insert(key.clone(), text);
            }
        }
        (!extra.is_empty()).then(|| serde_json::Value::Object(extra).to_string())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use yaojia_models::contract::Registry;

    use super::*;
    use crate::kit::personal::PersonalConfig;

    fn parse(dataset: &str, rows: &str) -> Parsed {
        let registry = Registry::embedded().unwrap();
        let personal = PersonalRules::new(&PersonalConfig::default()).unwrap();
        let text = format!(r#"{{"infcode":0,"output":{{"data":{{"returnCode":"200","dataList":{rows}}}}}}}"#);
        let page = Artifact::from_bytes("p", text.into_bytes(), false);
        PageMap::new(registry.dataset(dataset).unwrap(), &personal).parse(&page).unwrap()
    }

    fn cell(parsed: &Parsed, column: &str, row: usize) -> Option<String> {
        let array = parsed.batch.column_by_name(column).unwrap().as_string::<i32>();
        array.is_valid(row).then(|| array.value(row).to_owned())
    }

    #[test]
    fn values_stay_as_written() {
        let parsed = parse(
            "ord_detl",
            r#"[{"ordDetlId":3120240100000000002,"purcCnt":"１２,500","purcpric":15.970,"purcAmt":1e5,"emrgFlag":null,"ordCode":" x ","sendTime":{"a": 1}}]"#,
        );
        assert_eq!(cell(&parsed, "ord_detl_id", 0).as_deref(), Some("3120240100000000002"));
        assert_eq!(cell(&parsed, "purc_cnt", 0).as_deref(), Some("１２,500"));
        assert_eq!(cell(&parsed, "purcpric", 0).as_deref(), Some("15.970"));
        assert_eq!(cell(&parsed, "purc_amt", 0).as_deref(), Some("1e5"));
        assert_eq!(cell(&parsed, "emrg_flag", 0), None);
        assert_eq!(cell(&parsed, "ord_code", 0).as_deref(), Some(" x "));
        assert_eq!(cell(&parsed, "send_time", 0).as_deref(), Some(r#"{"a": 1}"#));
    }

    #[test]
    fn of_two_spellings_the_non_null_one_counts() {
        let parsed = parse(
            "ord_detl",
            r#"[{"PurcCode":"a","ordCode":null},{"PurcCode":"","ordCode":"b"},{"ordCode":"b","PurcCode":"a"},{"PurcCode":"无","ordCode":""},{"ordCode":"无","PurcCode":"c"}]"#,
        );
        let codes: Vec<_> = (0..5).map(|row| cell(&parsed, "ord_code", row)).collect();
        assert_eq!(codes, [Some("a"), Some("b"), Some("b"), Some(""), Some("c")].map(|code| code.map(str::to_owned)));
    }

    #[test]
    fn unknown_keys_are_kept_and_personal_ones_dropped() {
        let parsed = parse("ord_detl", r#"[{"rid":1.50,"psnName":"张三","tel":"1"},{"rid":null}]"#);
        assert_eq!(cell(&parsed, "_extra", 0).as_deref(), Some(r#"{"rid":"1.50"}"#));
        assert_eq!(cell(&parsed, "_extra", 1).as_deref(), Some(r#"{"rid":null}"#));
        assert_eq!(parsed.unknown.get("rid"), Some(&2));
        assert_eq!(parsed.unknown.get("psnName"), Some(&1));
        assert_eq!(parsed.dropped.keys().collect::<Vec<_>>(), ["psnName", "tel"]);
    }

    #[test]
    fn records_of_persons_within_a_value_are_dropped() {
        let rows =
            r#"[{"ordDetlId":1,"patient":{"id":1,"who":[{"psnName":"张三"}]},"rmk":{"a":1},"ordCode":{"姓 名":"张三"}},{"ordDetlId":2}]"#;
        let parsed = parse("ord_detl", rows);
        assert_eq!(cell(&parsed, "_extra", 0).as_deref(), Some(r#"{"rmk":"{\"a\":1}"}"#));
        assert_eq!((cell(&parsed, "ord_code", 0), cell(&parsed, "ord_detl_id", 0).as_deref()), (None, Some("1")));
        assert_eq!(parsed.dropped.keys().collect::<Vec<_>>(), ["patient", "ordCode"]);
        assert_eq!(parsed.unknown.keys().collect::<Vec<_>>(), ["patient", "rmk"]);
        let registry = Registry::embedded().unwrap();
        let rules = PersonalRules::new(&PersonalConfig::default()).unwrap();
        let map = PageMap::new(registry.dataset("ord_detl").unwrap(), &rules);
        let text = format!(r#"{{"infcode":0,"output":{{"data":{{"returnCode":"200","dataList":{rows}}}}}}}"#);
        assert!(map.scan(open(&text).unwrap()).personal);
    }

    #[test]
    fn rows_are_told_apart_by_key_and_update() {
        let registry = Registry::embedded().unwrap();
        let personal = PersonalRules::new(&PersonalConfig::default()).unwrap();
        let map = PageMap::new(registry.dataset("ord_detl").unwrap(), &personal);
        let text = r#"{"infcode":0,"output":{"data":{"returnCode":"200","dataList":[
            {"ordDetlId":"1","updtTime":"2024-01-01 00:00:00","purcCnt":1},
            {"ordDetlId":1,"updtTime":"2024-01-01 00:00:00","purcCnt":2},
            {"ordDetlId":"1","updtTime":"2024-01-02 00:00:00"},
            {"ordDetlId":"","updtTime":"2024-01-02 00:00:00"},
            {"ordDetlId":null,"updtTime":"2024-01-02 00:00:00"},
            {"ordDetlId":null,"updtTime":"2024-01-02 00:00:00"}]}}}"#;
        let scan = map.scan(open(text).unwrap());
        let distinct: std::collections::HashSet<_> = scan.keys.iter().collect();
        assert_eq!((scan.keys.len(), distinct.len()), (6, 4));
    }
}
