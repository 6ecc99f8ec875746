//! Answers of a platform: well-formed ones against `serde_json`, spoilt ones for panics, hangs and memory.

use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use yaojia_models::contract::Registry;

use super::answer::judge;
use super::envelope::{Envelope, decode, open};
use super::json::Json;
use super::page::PageMap;
use super::{Dialect, Message, WordsConfig};
use crate::fuzz::{edited, fuzz};
use crate::kit::artifact::Artifact;
use crate::kit::http::HttpAnswer;
use crate::kit::personal::{PersonalConfig, PersonalRules};

/// JSON text with blanks and escapes as somebody else may write them.
fn json() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        4 => "[a-zA-Z价格0-9 ]{0,6}",
        1 => any::<String>(),
    ];
    let text = (text, any::<bool>()).prop_map(|(text, escaped)| {
        if !escaped {
            return Value::from(text).to_string();
        }
        let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        format!("\"{units}\"")
    });
    let number = prop_oneof!["-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,8})?([eE][+-]?[0-9]{1,4})?", "-?(0|[1-9][0-9]{0,5})"];
    let leaf = prop_oneof![Just("null".to_owned()), Just("true".to_owned()), Just("false".to_owned()), number, text.clone()];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let blank = "[ \\n\\t\\r]{0,2}";
        prop_oneof![
            (vec(inner.clone(), 0..4), blank).prop_map(|(items, b)| format!("[{b}{}{b}]", items.join(&format!("{b},{b}")))),
            (vec((text.clone(), inner), 0..4), blank).prop_map(|(members, b)| {
                let members: Vec<String> = members.into_iter().map(|(key, value)| format!("{key}{b}:{b}{value}")).collect();
                format!("{{{b}{}{b}}}", members.join(","))
            }),
        ]
    })
}

/// What `serde_json` makes of it; a number's exponent, which it rewrites, in one spelling.
fn value(json: &Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(text) => Value::from(number(text)),
        Json::Text(text) => Value::from(text.as_str()),
        Json::Array(items, _) => items.iter().map(value).collect(),
        Json::Object(members, _) => Value::Object(members.iter().map(|(key, held)| (key.clone(), value(held))).collect()),
    }
}

fn number(text: &str) -> String {
    text.to_ascii_lowercase().replace("e+", "e")
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Number(held) => Value::from(number(&held.to_string())),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => Value::Object(members.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        other => other.clone(),
    }
}

#[test]
fn fuzz_json() {
    let text = prop_oneof![
        3 => json().boxed(),
        3 => edited(json(), "{}[]\",:\\u0dD8e+-.1\n\u{1} ").boxed(),
        1 => "[\\[\\]{}\",:\\\\0-9eE+\\-. a]{0,24}".boxed(),
        1 => (0..200_usize, "[\\[{\"]{1,2}").prop_map(|(depth, text)| text.repeat(depth)).boxed(),
    ];
    fuzz("json", 150_000, text, |text| {
        let ours = Json::parse(&text);
        let theirs = serde_json::from_str::<Value>(&text);
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(value(ours), plain(theirs), "{:?}", text),
            (Err(_), Err(_)) => {}
            // we go less deep than it does
            (Err(error), Ok(_)) => prop_assert!(error.to_string().contains("deep"), "{:?} is JSON: {}", text, error),
            (Ok(_), Err(error)) => prop_assert!(false, "{:?} is no JSON: {}", text, error),
        }
        Ok(())
    });
}

fn rows() -> impl Strategy<Value = Vec<String>> {
    let key = prop::sample::select(vec!["ordDetlId", "purcCnt", "purcpric", "sendTime", "updtTime", "PurcCode", "rid", "psnName", "tel"]);
    let member = (key, json()).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    vec(vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))), 0..4)
}

fn envelopes() -> impl Strategy<Value = (String, usize, Option<u64>)> {
    let code = prop::sample::select(vec!["0", "\"0\"", " 0 "]);
    let count = prop_oneof![any::<u32>().prop_map(Some), Just(None)];
    (code, rows(), count, any::<bool>()).prop_map(|(code, rows, count, text)| {
        let number = match (count, text) {
            (Some(count), false) => count.to_string(),
            (Some(count), true) => format!("\"{count}\""),
            (None, _) => "\"\"".to_owned(),
        };
        let list = format!("[{}]", rows.join(","));
        let envelope = format!(
            r#"{{"infcode":{code},"err_msg":"","output":{{"data":{{"returnCode":"200","dataList":{list},"totalPageCount":{number},"totalRecordCount":{number}}}}}}}"#
        );
        (envelope, rows.len(), count.map(u64::from))
    })
}

#[test]
fn fuzz_envelopes() {
    fuzz("envelope", 60_000, envelopes(), |(text, rows, count)| {
        let envelope = open(&text, Dialect::Tps.form()).map_err(TestCaseError::fail)?;
        prop_assert!(envelope.ok && envelope.return_ok == Some(true));
        prop_assert_eq!((envelope.rows.len(), envelope.pages, envelope.records), (rows, count, count));
        Ok(())
    });
}

#[test]
fn fuzz_spoilt_answers() {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    let registry = REGISTRY.get_or_init(|| Registry::embedded().unwrap());
    let rules = PersonalRules::new(&PersonalConfig::default()).unwrap();
    let message = Message::plain("C1004");
    let map = PageMap::new(registry.dataset("ord_detl").unwrap(), &rules, &message, Dialect::Tps.form());
    let spoilt = edited(envelopes().prop_map(|(text, ..)| text), "{}[]\",:\\0null<html>\u{1}").prop_map(String::into_bytes);
    let bytes = prop_oneof![
        6 => spoilt.boxed(),
        2 => (envelopes(), any::<prop::sample::Index>()).prop_map(|((text, ..), at)| text.as_bytes()[..at.index(text.len())].to_vec()).boxed(),
        1 => "(<html>|<TITLE>|</title>|该接口访问间隔为|５|[0-9]{1,30}|秒|分|令牌无效|\\PC){0,8}".prop_map(|text| format!(r#"{{"infcode":-1,"err_msg":{}}}"#, Value::from(text)).into_bytes()).boxed(),
        1 => vec(any::<u8>(), 0..64).boxed(),
        1 => "(<html>|<TITLE>|</title>|<title>|é|\\PC){0,8}".prop_map(String::into_bytes).boxed(),
    ];
    fuzz("spoilt answer", 90_000, bytes, |bytes| {
        let answer = HttpAnswer {
            status: reqwest::StatusCode::from_u16(200 + u16::from(bytes.len() % 3 == 0) * 229).unwrap(),
            headers: reqwest::header::HeaderMap::new(),
            body: bytes::Bytes::from(bytes.clone()),
        };
        let good = |envelope: &Envelope<'_>| envelope.ok && envelope.return_ok == Some(true);
        let judged = judge(&answer, Dialect::Tps.form(), &WordsConfig::default(), good, |envelope| envelope.rows.len());
        let page = Artifact::from_bytes("page", bytes.clone(), false);
        let parsed = map.parse(&page);
        if let (Ok(rows), true) = (&judged, answer.status.is_success()) {
            let parsed = parsed.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(parsed.batch.num_rows(), *rows);
            let text = decode(&bytes).expect("it was judged");
            prop_assert_eq!(map.scan(open(&text, Dialect::Tps.form()).expect("it was judged")).keys.len(), *rows);
        } else {
            prop_assert!(parsed.is_err() || !answer.status.is_success(), "a failure gives rows");
        }
        Ok(())
    });
}
