//! The shape of an answer.

use super::config::Dialect;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Duration, NaiveDateTime};

/// Writes the envelope around an output.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    /// What the platform speaks.
    pub dialect: Dialect,
    /// Six digits that begin the message id.
    pub region: String,
    /// Number of the message.
    pub serial: u64,
    /// Codes in the other shape than is usual: as text in `tps`, `infcode` as a number and `returnCode` as text in `zj`.
    pub odd_codes: bool,
}

impl Envelope {
    /// A failure without output.
    pub(crate) fn failure(&self, message: &str) -> Vec<u8> {
        self.wrap(-1, message, b"null")
    }

    /// A business failure: the call is fine, the answer is not.
    pub(crate) fn refusal(&self, message: &str) -> Vec<u8> {
        let code = if self.dialect == Dialect::Tps { "\"500\"" } else { "500" };
        let data = format!(
            "{{\"data\":{{\"returnCode\":{code},\"returnMsg\":\"{message}\",\"dataList\":[],\"totalPageCount\":\"\",\"totalRecordCount\":\"\"}}}}"
        );
        self.wrap(0, "", data.as_bytes())
    }

    /// Any answer: code, message, output.
    pub(crate) fn wrap(&self, code: i8, message: &str, output: &[u8]) -> Vec<u8> {
        let at = china_now();
        let (second, milli) = (at.format("%Y%m%d%H%M%S").to_string(), at.format("%Y%m%d%H%M%S%3f").to_string());
        let code = if self.odd_codes != (self.dialect == Dialect::Zj) { format!("\"{code}\"") } else { code.to_string() };
        let head = format!(
            "{{\"infcode\":{code},\"inf_refmsgid\":\"{}{second}{:010}\",\"refmsg_time\":\"{milli}\",\"respond_time\":\"{milli}\",\"err_msg\":\"{message}\",\"output\":",
            self.region, self.serial
        );
        [head.as_bytes(), output, b"}"].concat()
    }
}

/// The platform's own clock: it stamps its answers with the time of day in China.
#[allow(clippy::disallowed_methods, reason = "an answer's time stamp is the platform's, and nothing is computed from it")]
fn china_now() -> NaiveDateTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let utc = i64::try_from(since.as_millis()).ok().and_then(DateTime::from_timestamp_millis).map_or(NaiveDateTime::MIN, |t| t.naive_utc());
    utc.checked_add_signed(Duration::hours(8)).unwrap_or(utc)
}

/// An HTTP answer of JSON.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    answer(status, "application/json;charset=utf-8", body)
}

/// Any HTTP answer.
pub(crate) fn answer(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
