//! Pages into text batches.

use std::borrow::Cow;
use std::collections::HashMap;

use arrow::array::RecordBatch;
use chrono::NaiveDateTime;
use indexmap::IndexMap;
use sha2::{Digest, Sha256};
use yaojia_models::contract::Dataset;
use yaojia_models::text::{self, Form};

use super::dialect::EnvelopeForm;
use super::envelope::{Envelope, decode, is_protocol, line_failure, open, shorten};
use super::json::Json;
use super::message::Message;
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
    /// Each unknown key of each row.
    pub seen: Vec<UnknownKey>,
}

/// An unknown key of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// Position of the row in the batch.
    pub row: usize,
    /// The key.
    pub key: String,
    /// Whether no column has it; a known one is here when a record of a person lay in it.
    pub unknown: bool,
    /// Whether it is personal and was dropped.
    pub dropped: bool,
}

/// What tells a row from another within a window: key and `updt_time`, or all of it where the key is not whole.
pub(crate) type RowKey = [u8; 32];

/// What a read needs to know of a page.
#[derive(Debug)]
pub(crate) struct PageScan {
    pub keys: Vec<RowKey>,
    /// The first line that says of itself that it did not arrive: its id, and the platform's words.
    pub refused: Option<(String, String)>,
    pub personal: bool,
    pub pages: Option<u64>,
    pub records: Option<u64>,
    pub words: String,
    /// The platform's own time.
    pub time: Option<NaiveDateTime>,
}

/// How a dataset's rows lie in the JSON of one of its messages.
pub(crate) struct PageMap<'a> {
    dataset: &'a Dataset,
    personal: &'a PersonalRules,
    form: &'static EnvelopeForm,
    /// JSON key → column, and whether it is the column's real key.
    slots: HashMap<String, (usize, bool)>,
    /// Column → the value of rows that do not carry it.
    constants: Vec<(usize, &'a str)>,
    key: Vec<usize>,
    updt_time: Option<usize>,
    hashed: Vec<usize>,
}

impl<'a> PageMap<'a> {
    pub(crate) fn new(dataset: &'a Dataset, personal: &'a PersonalRules, message: &'a Message, form: &'static EnvelopeForm) -> Self {
        let position = |name: &String| dataset.columns.iter().position(|column| &column.name == name);
        let mut slots: HashMap<String, (usize, bool)> = dataset
            .json_keys()
            .into_iter()
            .map(|(key, column)| {
                let real = !dataset.json_aliases.contains_key(&key);
                (key, (column, real))
            })
            .collect();
        slots.extend(message.keys.iter().filter_map(|(key, column)| Some((key.clone(), (position(column)?, false)))));
        Self {
            dataset,
            personal,
            form,
            slots,
            constants: message.constants.iter().filter_map(|(column, value)| Some((position(column)?, value.as_str()))).collect(),
            key: dataset.key.iter().filter_map(position).collect(),
            updt_time: position(&"updt_time".to_owned()),
            hashed: dataset.personal_hash.iter().filter_map(position).collect(),
        }
    }

    /// The rows' keys, counts and words of a good answer.
    pub(crate) fn scan(&self, envelope: Envelope<'_>) -> PageScan {
        let mut personal = !self.hashed.is_empty();
        let mut keys = Vec::with_capacity(envelope.rows.len());
        let mut refused = None;
        for (index, row) in envelope.rows.iter().enumerate() {
            let Json::Object(members, written) = row else {
                continue;
            };
            if let Some(words) = line_failure(members, self.form) {
                refused.get_or_insert_with(|| (self.line_id(members, index), words));
                continue;
            }
            personal = personal || members.iter().any(|(key, value)| self.is_personal(key, value));
            keys.push(self.row_key(&self.cells(members), written));
        }
        PageScan { keys, refused, personal, pages: envelope.pages, records: envelope.records, words: envelope.words, time: envelope.time }
    }

    /// What names a line in a message: its key, or its place where it has none or the key is personal.
    fn line_id(&self, members: &[(String, Json<'_>)], index: usize) -> String {
        let cells = self.cells(members);
        let parts: Vec<&str> = self
            .key
            .iter()
            .filter(|column| !self.hashed.contains(*column))
            .filter_map(|column| text::clean(cells.get(*column)?.as_deref()?))
            .collect();
        if parts.is_empty() { format!("number {}", index + 1) } else { shorten(&parts.join("|")) }
    }

    /// See [`super::PlatformSource::parse_page`].
    pub(crate) fn parse(&self, artifact: &Artifact) -> Result<Parsed, SourceError> {
        let fail = |what: String| SourceError::Page { artifact: artifact.name.clone(), what };
        let bytes = artifact.read_all().map_err(|source| SourceError::Io { path: artifact.name.clone(), source })?;
        let text = decode(&bytes).ok_or_else(|| fail("it is neither UTF-8 nor GB18030".to_owned()))?;
        let envelope = open(&text, self.form).map_err(&fail)?;
        if !envelope.ok || envelope.return_ok != Some(true) {
            return Err(fail(format!("it is a failure: {}", envelope.words)));
        }
        let mut batch = TextBatch::new(self.dataset);
        let mut seen: Vec<UnknownKey> = Vec::new();
        let mut rows = 0;
        for (index, row) in envelope.rows.iter().enumerate() {
            let Json::Object(members, _) = row else {
                continue;
            };
            if let Some(words) = line_failure(members, self.form) {
                return Err(fail(format!("its line {} did not arrive: {words}", self.line_id(members, index))));
            }
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
                extra: self.extra(members, rows, &mut seen),
                note: self.lossy(members),
                raw: None,
                row: i64::try_from(index + 1).unwrap_or(i64::MAX),
            });
            rows += 1;
        }
        let (mut unknown, mut dropped) = (IndexMap::new(), IndexMap::new());
        for one in &seen {
            if one.unknown {
                *unknown.entry(one.key.clone()).or_default() += 1;
            }
            if one.dropped {
                *dropped.entry(one.key.clone()).or_default() += 1;
            }
        }
        let batch = batch.take().map_err(|source| SourceError::Batch { artifact: artifact.name.clone(), source })?;
        Ok(Parsed { batch, unknown, dropped, seen })
    }

    /// One cell per column: where a column has several keys, the non-null one; among those its real key. A column of which the row
    /// carries no key at all has the message's constant.
    fn cells<'r>(&self, members: &'r [(String, Json<'_>)]) -> Vec<Option<Cow<'r, str>>> {
        let mut cells: Vec<Option<Cow<'r, str>>> = vec![None; self.dataset.columns.len()];
        let mut ranks = vec![0_u8; cells.len()];
        let mut carried = vec![false; cells.len()];
        for (key, value) in members {
            let Some(&(column, real)) = self.slots.get(key) else {
                continue;
            };
            if self.personal_within(value) {
                continue; // no column of a contract holds a record of a person
            }
            if let Some(carried) = carried.get_mut(column) {
                *carried = true;
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
        for (column, value) in &self.constants {
            if let (Some(false), Some(cell)) = (carried.get(*column), cells.get_mut(*column)) {
                *cell = Some(Cow::Owned((*value).to_owned()));
            }
        }
        cells
    }

    /// Whether a member may not be kept: by its unknown name or what it holds, or by a name or a text anywhere within its value.
    fn is_personal(&self, key: &str, value: &Json<'_>) -> bool {
        let unknown = !self.slots.contains_key(key) && !is_protocol(key, self.form);
        (unknown && (self.personal.looks_personal(key) || self.speaks(value))) || self.personal_within(value)
    }

    fn personal_within(&self, value: &Json<'_>) -> bool {
        match value {
            Json::Array(items, _) => items.iter().any(|item| self.speaks(item) || self.personal_within(item)),
            Json::Object(members, _) => {
                members.iter().any(|(key, value)| self.personal.looks_personal(key) || self.speaks(value) || self.personal_within(value))
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => false,
        }
    }

    /// Whether a text or a number that no contract names is personal.
    fn speaks(&self, value: &Json<'_>) -> bool {
        match value {
            Json::Number(text) => self.personal.is_personal_value(text),
            Json::Text(text) => self.personal.is_personal_value(text),
            Json::Null | Json::Bool(_) | Json::Array(..) | Json::Object(..) => false,
        }
    }

    /// Ids of a row that came as a number with an exponent: their digits are lost.
    fn lossy(&self, members: &[(String, Json<'_>)]) -> Option<String> {
        let written = |(key, value): &(String, Json<'_>)| match value {
            Json::Number(text) if text.contains(['e', 'E']) => {
                let column = self.slots.get(key).and_then(|(column, _)| self.dataset.columns.get(*column))?;
                (column.form() == Form::Code).then(|| column.name.clone())
            }
            _ => None,
        };
        let names: Vec<String> = members.iter().filter_map(written).collect();
        (!names.is_empty()).then(|| format!("lossy:{}", names.join(",")))
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

    /// Unknown keys as a JSON object of texts, personal-looking ones dropped; all are told once.
    fn extra(&self, members: &[(String, Json<'_>)], row: usize, seen: &mut Vec<UnknownKey>) -> Option<String> {
        let mut extra = serde_json::Map::new();
        let before = seen.len();
        for (key, value) in members {
            let personal = self.is_personal(key, value);
            let known = self.slots.contains_key(key) || is_protocol(key, self.form);
            if known && !personal {
                continue;
            }
            if !seen.iter().skip(before).any(|one| &one.key == key) {
                seen.push(UnknownKey { row, key: key.clone(), unknown: !known, dropped: personal });
            }
            if !personal {
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
    use crate::platform::Dialect;

    fn parse(dataset: &str, rows: &str) -> Parsed {
        let registry = Registry::embedded().unwrap();
        let personal = PersonalRules::new(&PersonalConfig::default()).unwrap();
        let text = format!(r#"{{"infcode":0,"output":{{"data":{{"returnCode":"200","dataList":{rows}}}}}}}"#);
        let page = Artifact::from_bytes("p", text.into_bytes(), false);
        PageMap::new(registry.dataset(dataset).unwrap(), &personal, &Message::plain("C"), Dialect::Tps.form()).parse(&page).unwrap()
    }

    /// A consumable order of dialect `zj`.
    fn parse_zj(rows: &str) -> Result<Parsed, SourceError> {
        let registry = Registry::embedded().unwrap();
        let personal = PersonalRules::new(&PersonalConfig::default()).unwrap();
        let message: Message = toml::from_str(
            "infno = \"ZJ9708\"\nkeys = { disCnt = \"purc_cnt\", UpdateTime = \"updt_time\" }\nconstants = { prod_type = \"2\" }",
        )
        .unwrap();
        let text = format!(r#"{{"infcode":"0","output":{{"data":{{"returnCode":0,"dataList":{rows}}}}}}}"#);
        let page = Artifact::from_bytes("p", text.into_bytes(), false);
        PageMap::new(registry.dataset("ord_detl").unwrap(), &personal, &message, Dialect::Zj.form()).parse(&page)
    }

    #[test]
    fn a_message_has_its_own_keys_and_constants() {
        let parsed = parse_zj(
            r#"[{"ordDetlId":"1","disCnt":"3","UpdateTime":"2024-01-01 00:00:00"},{"prodType":"9"},{"prodType":null},{"purcCnt":5,"disCnt":6}]"#,
        )
        .unwrap();
        let column = |name: &str| (0..4).map(|row| cell(&parsed, name, row)).collect::<Vec<_>>();
        assert_eq!(column("prod_type"), [Some("2"), Some("9"), None, Some("2")].map(|text| text.map(str::to_owned)));
        assert_eq!(column("purc_cnt"), [Some("3"), None, None, Some("5")].map(|text| text.map(str::to_owned)));
        assert_eq!(cell(&parsed, "updt_time", 0).as_deref(), Some("2024-01-01 00:00:00"));
        assert!(parsed.unknown.is_empty(), "{:?}", parsed.unknown);
    }

    #[test]
    fn results_of_lines_are_protocol_and_a_failed_one_is_no_row() {
        let parsed = parse_zj(r#"[{"ordDetlId":"1","returnCode":0,"returnMsg":"成功"},{"ordDetlId":"2","returnCode":"0"}]"#).unwrap();
        assert_eq!((parsed.batch.num_rows(), parsed.unknown.len(), cell(&parsed, "_extra", 0)), (2, 0, None));
        let error = parse_zj(r#"[{"ordDetlId":"1"},{"ordDetlId":"2","returnCode":500,"returnMsg":"处理中"}]"#).unwrap_err();
        assert!(error.to_string().contains("line 2 did not arrive: 处理中"), "{error}");
        // the other dialect knows no such thing: there it is a column nobody asked for
        let parsed = parse("ord_detl", r#"[{"returnCode":500}]"#);
        assert_eq!(parsed.unknown.get("returnCode"), Some(&1));
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
        let seen: Vec<(usize, &str, bool)> = parsed.seen.iter().map(|one| (one.row, one.key.as_str(), one.dropped)).collect();
        assert_eq!(seen, [(0, "rid", false), (0, "psnName", true), (0, "tel", true), (1, "rid", false)]);
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
        let message = Message::plain("C");
        let map = PageMap::new(registry.dataset("ord_detl").unwrap(), &rules, &message, Dialect::Tps.form());
        let text = format!(r#"{{"infcode":0,"output":{{"data":{{"returnCode":"200","dataList":{rows}}}}}}}"#);
        assert!(map.scan(open(&text, Dialect::Tps.form()).unwrap()).personal);
    }

    #[test]
    fn rows_are_told_apart_by_key_and_update() {
        let registry = Registry::embedded().unwrap();
        let personal = PersonalRules::new(&PersonalConfig::default()).unwrap();
        let message = Message::plain("C");
        let map = PageMap::new(registry.dataset("ord_detl").unwrap(), &personal, &message, Dialect::Tps.form());
        let text = r#"{"infcode":0,"output":{"data":{"returnCode":"200","dataList":[
            {"ordDetlId":"1","updtTime":"2024-01-01 00:00:00","purcCnt":1},
            {"ordDetlId":1,"updtTime":"2024-01-01 00:00:00","purcCnt":2},
            {"ordDetlId":"1","updtTime":"2024-01-02 00:00:00"},
            {"ordDetlId":"","updtTime":"2024-01-02 00:00:00"},
            {"ordDetlId":null,"updtTime":"2024-01-02 00:00:00"},
            {"ordDetlId":null,"updtTime":"2024-01-02 00:00:00"}]}}}"#;
        let scan = map.scan(open(text, Dialect::Tps.form()).unwrap());
        let distinct: std::collections::HashSet<_> = scan.keys.iter().collect();
        assert_eq!((scan.keys.len(), distinct.len()), (6, 4));
    }
}
