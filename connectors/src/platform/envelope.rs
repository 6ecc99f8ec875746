//! The envelope of an answer: status, counts, rows, however they are spelled.

use std::borrow::Cow;

use chrono::NaiveDateTime;
use encoding_rs::GB18030;
use yaojia_models::text;

use super::dialect::EnvelopeForm;
use super::json::Json;

/// An answer taken apart.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    /// `infcode` is 0.
    pub ok: bool,
    /// `returnCode` is the dialect's word for success; none where there is no data.
    pub return_ok: Option<bool>,
    /// The platform's own words: `err_msg`, else `returnMsg`, else `infcode` and `returnCode`.
    pub words: String,
    /// `accessToken`.
    pub token: Option<String>,
    /// The rows.
    pub rows: Vec<Json<'a>>,
    /// `totalPageCount`; none: as on the page before.
    pub pages: Option<u64>,
    /// `totalRecordCount`; none: as on the page before.
    pub records: Option<u64>,
    /// When the platform answered, by its own clock: `respond_time`, else `refmsg_time`. Naive Asia/Shanghai.
    pub time: Option<NaiveDateTime>,
}

/// The text of an answer: UTF-8, or else GB18030.
pub(crate) fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(Cow::Borrowed(text)),
        Err(_) => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
    }
}

/// Takes an answer apart; the error says what is wrong with it.
pub(crate) fn open<'a>(text: &'a str, form: &EnvelopeForm) -> Result<Envelope<'a>, String> {
    if text.trim_start().starts_with('<') {
        return Err(format!("HTML instead of JSON: {}", html_words(text)));
    }
    let answer = Json::parse(text).map_err(|error| format!("not JSON: {error}"))?;
    let Json::Object(members, _) = answer else {
        return Err("the answer is no object".to_owned());
    };
    let mut infcode = None;
    let mut err_msg = None;
    let mut output = None;
    let (mut answered, mut asked) = (None, None);
    for (key, value) in members {
        match key.as_str() {
            "infcode" => infcode = value.as_text().and_then(text::clean).map(str::to_owned),
            "err_msg" => err_msg = value.as_text().and_then(text::clean).map(str::to_owned),
            "output" => output = Some(value),
            "respond_time" => answered = value.as_text().and_then(stamp),
            "refmsg_time" => asked = value.as_text().and_then(stamp),
            _ => {}
        }
    }
    let data = match output {
        Some(Json::Object(members, _)) => members.into_iter().rev().find(|(key, _)| key == "data").map(|(_, value)| value),
        _ => None,
    };
    let mut envelope = Envelope {
        ok: infcode.as_deref() == Some("0"),
        return_ok: None,
        words: String::new(),
        token: None,
        rows: Vec::new(),
        pages: None,
        records: None,
        time: answered.or(asked),
    };
    let mut return_code = None;
    let mut return_msg = None;
    if let Some(Json::Object(members, _)) = data {
        for (key, value) in members {
            match key.as_str() {
                "accessToken" => envelope.token = value.as_text().and_then(text::clean).map(str::to_owned),
                "returnCode" => return_code = value.as_text().and_then(text::clean).map(str::to_owned),
                "returnMsg" => return_msg = value.as_text().and_then(text::clean).map(str::to_owned),
                "dataList" => envelope.rows = rows(value)?,
                "totalPageCount" => envelope.pages = count(&value, "totalPageCount")?,
                "totalRecordCount" => envelope.records = count(&value, "totalRecordCount")?,
                _ => {}
            }
        }
        envelope.return_ok = Some(return_code.as_deref() == Some(form.return_ok));
    }
    envelope.words = match (err_msg, return_msg) {
        (Some(words), _) | (None, Some(words)) => words,
        (None, None) => {
            format!("infcode {}, returnCode {}", infcode.as_deref().unwrap_or("absent"), return_code.as_deref().unwrap_or("absent"))
        }
    };
    Ok(envelope)
}

/// What a line says of itself, where its dialect has it say so: none where it arrived, else why it did not.
pub(crate) fn line_failure(members: &[(String, Json<'_>)], form: &EnvelopeForm) -> Option<String> {
    if !form.line_results {
        return None;
    }
    let value = |name: &str| members.iter().rev().find(|(key, _)| key == name).and_then(|(_, value)| value.as_text()).and_then(text::clean);
    let code = value(LINE_CODE).filter(|code| *code != form.return_ok)?;
    Some(shorten(&value(LINE_WORDS).map_or_else(|| format!("returnCode {code}"), str::to_owned)))
}

/// Whether a key of a line is protocol and no column.
pub(crate) fn is_protocol(key: &str, form: &EnvelopeForm) -> bool {
    form.line_results && matches!(key, LINE_CODE | LINE_WORDS)
}

const LINE_CODE: &str = "returnCode";
const LINE_WORDS: &str = "returnMsg";

/// A list, one object instead of a list of one, or nothing.
fn rows(value: Json<'_>) -> Result<Vec<Json<'_>>, String> {
    let rows = match value {
        Json::Array(rows, _) => rows,
        Json::Object(..) => vec![value],
        Json::Null => Vec::new(),
        Json::Text(text) if text::clean(&text).is_none() => Vec::new(),
        _ => return Err("`dataList` is no list".to_owned()),
    };
    if rows.iter().all(|row| matches!(row, Json::Object(..))) { Ok(rows) } else { Err("a row of `dataList` is no object".to_owned()) }
}

/// A count as number or text; nothing where it is blank.
fn count(value: &Json<'_>, name: &str) -> Result<Option<u64>, String> {
    match value.as_text().and_then(text::clean) {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| format!("`{name}` is no count: `{}`", shorten(text))),
    }
}

/// `yyyyMMddHHmmssSSS`, or any other time that is written with its date; nothing where it is none.
fn stamp(text: &str) -> Option<NaiveDateTime> {
    let micros = text::parse_timestamp(text::clean(text)?).ok().flatten()?;
    chrono::DateTime::from_timestamp_micros(micros).map(|at| at.naive_utc())
}

/// The title of an HTML page, or its start.
fn html_words(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let title = lower
        .find("<title>")
        .and_then(|start| lower.get(start..)?.find("</title>").map(|end| (start + 7, start + end)))
        .and_then(|(start, end)| text.get(start..end));
    shorten(title.unwrap_or(text).trim())
}

/// At most 200 characters, on one line.
pub(crate) fn shorten(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    if text.chars().count() > 200 { format!("{line}…") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Dialect;

    fn open(text: &str) -> Result<Envelope<'_>, String> {
        super::open(text, Dialect::Tps.form())
    }

    #[test]
    fn each_dialect_has_its_own_word_for_success() {
        let text = |code: &str| format!(r#"{{"infcode":"0","output":{{"data":{{"returnCode":{code},"dataList":[]}}}}}}"#);
        let ok = |code: &str, dialect: Dialect| super::open(&text(code), dialect.form()).unwrap().return_ok;
        assert_eq!((ok("0", Dialect::Zj), ok("\"0\"", Dialect::Zj), ok("200", Dialect::Zj)), (Some(true), Some(true), Some(false)));
        assert_eq!((ok("0", Dialect::Tps), ok("200", Dialect::Tps)), (Some(false), Some(true)));
    }

    #[test]
    fn a_line_says_whether_it_arrived() {
        let failure = |line: &str, dialect: Dialect| {
            let Json::Object(members, _) = Json::parse(line).unwrap() else { panic!("no object") };
            line_failure(&members, dialect.form())
        };
        for good in [
            r#"{"a":1}"#,
            r#"{"returnCode":0}"#,
            r#"{"returnCode":"0","returnMsg":"成功"}"#,
            r#"{"returnCode":null}"#,
            r#"{"returnCode":""}"#,
        ] {
            assert_eq!(failure(good, Dialect::Zj), None, "{good}");
        }
        assert_eq!(failure(r#"{"returnCode":500,"returnMsg":"处理中"}"#, Dialect::Zj).as_deref(), Some("处理中"));
        assert_eq!(failure(r#"{"returnCode":"1"}"#, Dialect::Zj).as_deref(), Some("returnCode 1"));
        assert_eq!(failure(r#"{"returnCode":500}"#, Dialect::Tps), None);
    }

    #[test]
    fn codes_and_counts_in_any_spelling() {
        for (infcode, code, count) in [("0", "200", "3"), ("\"0\"", "\"200\"", "\"3\"")] {
            let text = format!(
                r#"{{"infcode":{infcode},"output":{{"data":{{"returnCode":{code},"dataList":[],"totalPageCount":{count},"totalRecordCount":{count}}}}}}}"#
            );
            let envelope = open(&text).unwrap();
            assert!(envelope.ok);
            assert_eq!((envelope.return_ok, envelope.pages, envelope.records), (Some(true), Some(3), Some(3)));
        }
    }

    #[test]
    fn blank_counts_are_as_before_and_odd_ones_are_bad() {
        let text = |count: &str| format!(r#"{{"infcode":0,"output":{{"data":{{"returnCode":"200","totalRecordCount":{count}}}}}}}"#);
        assert_eq!(open(&text("\"\"")).unwrap().records, None);
        assert_eq!(open(&text("null")).unwrap().records, None);
        assert!(open(&text("-1")).is_err());
        assert!(open(&text("\"many\"")).is_err());
    }

    #[test]
    fn one_object_is_a_list_of_one() {
        let text = |list: &str| format!(r#"{{"infcode":0,"output":{{"data":{{"returnCode":"200","dataList":{list}}}}}}}"#);
        assert_eq!(open(&text(r#"{"a":1}"#)).unwrap().rows.len(), 1);
        assert_eq!(open(&text("null")).unwrap().rows.len(), 0);
        assert_eq!(open(&text("\"\"")).unwrap().rows.len(), 0);
        assert!(open(&text("[1]")).is_err());
        assert!(open(&text("3")).is_err());
    }

    #[test]
    fn failures_keep_the_platform_words() {
        let envelope = open(r#"{"infcode":-1,"err_msg":"令牌无效，请重新获取令牌","output":{}}"#).unwrap();
        assert!(!envelope.ok && envelope.return_ok.is_none());
        assert_eq!(envelope.words, "令牌无效，请重新获取令牌");
        let envelope = open(r#"{"infcode":"0","err_msg":"","output":{"data":{"returnCode":"500","returnMsg":"系统繁忙"}}}"#).unwrap();
        assert_eq!((envelope.return_ok, envelope.words.as_str()), (Some(false), "系统繁忙"));
        assert_eq!(open("<html><head><TITLE>502 网关</TITLE>").unwrap_err(), "HTML instead of JSON: 502 网关");
        assert_eq!(open("<html><title>502</title>").unwrap_err(), "HTML instead of JSON: 502");
    }

    #[test]
    fn the_platform_says_what_time_it_is() {
        let time = |text: &str| open(text).unwrap().time.map(|at| at.to_string());
        let both = r#"{"infcode":0,"refmsg_time":"20240301205959001","respond_time":"20240301210000123"}"#;
        assert_eq!(time(both).as_deref(), Some("2024-03-01 21:00:00.123"));
        assert_eq!(time(r#"{"infcode":0,"refmsg_time":20240301205959001,"respond_time":""}"#).as_deref(), Some("2024-03-01 20:59:59.001"));
        assert_eq!(time(r#"{"infcode":0,"respond_time":"soon"}"#), None);
    }

    #[test]
    fn gb18030_is_read() {
        let (bytes, _, _) = GB18030.encode("{\"a\":\"令牌\"}");
        assert_eq!(decode(&bytes).as_deref(), Some("{\"a\":\"令牌\"}"));
        assert_eq!(decode(b"\xef\xbb\xbf{}").as_deref(), Some("{}"));
    }
}
