//! The endpoints: a token call and one for everything else, in each dialect.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::Duration;
use serde_json::Value;
use tokio::time::Instant;

use super::config::RateAnswer;
use super::envelope::{Envelope, answer, json};
use super::hostile::{Fault, Shape};
use super::page::{Page, page_count};
use super::sign::signed;
use super::state::{Platform, lock};
use super::tap::Tap;
use super::token::Issued;
use super::zj::Message;
use crate::platform_data::{DatasetRows, parse_time};

/// Headers of an answer, about: what is written before the first byte of the body.
const HEAD_BYTES: usize = 120;
/// What a caller with a wrong signature is told.
const BAD_SIGNATURE: &str = "签名验证失败";

/// What a call asks for.
struct Ask<'p> {
    infno: String,
    /// Where the rows come from, and how they are written.
    from: Origin<'p>,
    page: Option<usize>,
    /// Rows a page.
    size: usize,
    start: String,
    end: String,
}

/// Rows in the shape of a dialect.
enum Origin<'p> {
    Tps(&'p DatasetRows),
    Zj(&'p Message),
}

/// `getAccessToken` of dialect `tps`.
pub(crate) async fn token(State(platform): State<Arc<Platform>>, Form(form): Form<BTreeMap<String, String>>) -> Response {
    issue(&platform, form.get("appCode").map(String::as_str), form.get("authCode").map(String::as_str))
}

/// The token call of dialect `zj`.
pub(crate) async fn token_zj(State(platform): State<Arc<Platform>>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = match opened(&platform, &headers, &body) {
        Ok((_, asked)) => asked,
        Err(refused) => return *refused,
    };
    issue(&platform, asked.get("appCode").and_then(Value::as_str), asked.get("authCode").and_then(Value::as_str))
}

fn issue(platform: &Platform, app_code: Option<&str>, auth_code: Option<&str>) -> Response {
    let config = &platform.config;
    let envelope = envelope(platform, Shape::default());
    if app_code != Some(config.app_code.as_str()) || auth_code != Some(config.auth_code.as_str()) {
        return json(StatusCode::OK, envelope.failure("应用编码或授权码错误"));
    }
    let issued = lock(&platform.tokens).issue(config.seed, config.token_ttl);
    let data = |t: &str| format!("{{\"data\":{{\"accessToken\":\"{t}\"}}}}");
    json(
        StatusCode::OK,
        match issued {
            Issued::New(t) => envelope.wrap(0, "", data(&t).as_bytes()),
            Issued::Still(t) => envelope.wrap(-1, "令牌有效期超过5分钟，不能再次获取令牌", data(&t).as_bytes()),
        },
    )
}

/// A call's envelope and body, once its signature holds; else the answer it gets.
fn opened(platform: &Platform, headers: &HeaderMap, body: &Bytes) -> Result<(Envelope, Value), Box<Response>> {
    let plain = envelope(platform, Shape::default());
    if !signed(headers, body, &platform.config.signing) {
        return Err(Box::new(json(StatusCode::UNAUTHORIZED, plain.failure(BAD_SIGNATURE))));
    }
    Ok((plain, serde_json::from_slice(body).unwrap_or_default()))
}

/// `commonInterface` of dialect `tps`.
pub(crate) async fn call(
    State(platform): State<Arc<Platform>>,
    ConnectInfo(tap): ConnectInfo<Tap>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (plain, request) = match opened(&platform, &headers, &body) {
        Ok(opened) => opened,
        Err(refused) => return *refused,
    };
    let info = request.get("info");
    let (Some(infno), Some(data)) = (info.and_then(|i| i.get("infno")?.as_str()), info.and_then(|i| i.pointer("/input/data"))) else {
        return json(StatusCode::OK, plain.failure("请求报文格式错误"));
    };
    let Some(dataset) = platform.config.infnos.get(infno) else {
        return json(StatusCode::OK, plain.failure("接口编号不存在"));
    };
    let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    if !lock(&platform.tokens).valid(&text("accessToken")) {
        return json(StatusCode::OK, plain.failure("令牌无效，请重新获取令牌"));
    }
    let empty = DatasetRows::default();
    let ask = Ask {
        infno: infno.to_owned(),
        from: Origin::Tps(platform.data.dataset(dataset).unwrap_or(&empty)),
        page: text("currentPageNumber").parse().ok(),
        size: platform.config.page_size.max(1),
        start: text("startTime"),
        end: text("endTime"),
    };
    respond(&platform, &plain, &tap, ask).await
}

/// Every call but the token call of dialect `zj`.
pub(crate) async fn call_zj(
    State(platform): State<Arc<Platform>>,
    ConnectInfo(tap): ConnectInfo<Tap>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (plain, request) = match opened(&platform, &headers, &body) {
        Ok(opened) => opened,
        Err(refused) => return *refused,
    };
    let (Some(infno), Some(data)) = (request.get("infno").and_then(Value::as_str), request.pointer("/input/data")) else {
        return json(StatusCode::OK, plain.failure("请求报文格式错误"));
    };
    let Some(message) = platform.messages.iter().find(|message| message.infno == infno) else {
        return json(StatusCode::OK, plain.failure("接口编号不存在"));
    };
    let token = headers.get("access-token").and_then(|value| value.to_str().ok()).unwrap_or("");
    if !lock(&platform.tokens).valid(token) {
        return json(StatusCode::OK, plain.failure("令牌无效，请重新获取令牌"));
    }
    let number = |key: &str| data.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let most = platform.config.page_size.max(1);
    let ask = Ask {
        infno: infno.to_owned(),
        from: Origin::Zj(message),
        page: number("current"),
        size: number("size").unwrap_or(most).clamp(1, most),
        start: text(message.window.0),
        end: text(message.window.1),
    };
    respond(&platform, &plain, &tap, ask).await
}

/// A page, or what goes wrong with it.
async fn respond(platform: &Platform, plain: &Envelope, tap: &Tap, ask: Ask<'_>) -> Response {
    if let Some(wait) = too_early(platform, &ask.infno) {
        return slow_down(plain, platform.config.rate_answer, wait);
    }
    let window_key = format!("{}|{}|{}", ask.infno, ask.start, ask.end);
    let page_key = format!("{window_key}|{}", ask.page.unwrap_or(0));
    let fault = lock(&platform.temper).fault(&page_key);
    if let Some(fault) = fault {
        platform.faults.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(?fault, key = %page_key, "the platform misbehaves");
        if let Some(response) = misbehave(platform, plain, tap, fault).await {
            return response;
        }
    }
    let (Some(start), Some(end)) = (parse_time(&ask.start), parse_time(&ask.end)) else {
        return json(StatusCode::OK, plain.refusal("时间格式错误"));
    };
    let Some(page) = ask.page.filter(|p| *p > 0) else {
        return json(StatusCode::OK, plain.refusal("页码错误"));
    };
    if let Some(days) = platform.config.max_window_days.filter(|days| end - start >= Duration::days(i64::from(*days))) {
        return json(StatusCode::OK, plain.failure(&format!("查询时间跨度不能超过{days}天")));
    }
    if let Some(pages) = platform.config.max_pages.filter(|pages| page > *pages) {
        return json(StatusCode::OK, plain.refusal(&format!("超过最大页数{pages}")));
    }
    let shape = lock(&platform.temper).shape(&page_key);
    let envelope = Envelope { odd_codes: shape.odd_codes, ..plain.clone() };
    let until = *lock(&platform.until);
    let end = until.map_or(end, |u| end.min(u));
    let rows = match ask.from {
        Origin::Tps(rows) => rows,
        Origin::Zj(message) => &message.rows,
    };
    let window = rows.window(start, end);
    // A body that breaks off does not begin a reading: the client never saw its first page.
    let spoilt = if fault == Some(Fault::Cut) {
        Default::default()
    } else {
        let line_results = matches!(ask.from, Origin::Zj(_));
        lock(&platform.temper).reading(&window_key, page, page_count(window, ask.size), line_results)
    };
    let cut = Page::cut(window, ask.size, page, spoilt, shape);
    let output = match ask.from {
        Origin::Tps(rows) => cut.tps(rows),
        Origin::Zj(message) => cut.zj(message),
    };
    let body = envelope.wrap(0, "", &output);
    if fault == Some(Fault::Cut) {
        tap.close_after(HEAD_BYTES + body.len() / 2);
    }
    platform.pages.fetch_add(1, Ordering::Relaxed);
    json(StatusCode::OK, body)
}

fn envelope(platform: &Platform, shape: Shape) -> Envelope {
    let serial = platform.serial.fetch_add(1, Ordering::Relaxed) + 1;
    Envelope { dialect: platform.config.dialect, region: platform.config.region.clone(), serial, odd_codes: shape.odd_codes }
}

/// How many seconds are left until a message may be asked again, if it may not yet.
fn too_early(platform: &Platform, infno: &str) -> Option<u64> {
    let least = platform.config.min_interval?;
    let now = Instant::now();
    let mut answered = lock(&platform.answered);
    if answered.get(infno).is_some_and(|last| now.duration_since(*last) < least) {
        return Some(least.as_secs().max(1));
    }
    answered.insert(infno.to_owned(), now);
    None
}

fn slow_down(envelope: &Envelope, how: RateAnswer, wait: u64) -> Response {
    match how {
        RateAnswer::Message => json(StatusCode::OK, envelope.failure(&format!("该接口访问间隔为{wait}秒！"))),
        RateAnswer::Status => too_many(Some(wait)),
    }
}

fn too_many(wait: Option<u64>) -> Response {
    let mut response = answer(StatusCode::TOO_MANY_REQUESTS, "text/plain", b"too many requests".to_vec());
    if let Some(value) = wait.and_then(|w| HeaderValue::from_str(&w.to_string()).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// Commits a fault; none where the call is answered all the same.
async fn misbehave(platform: &Platform, envelope: &Envelope, tap: &Tap, fault: Fault) -> Option<Response> {
    const HTML: &str = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>";
    let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Some(match fault {
        Fault::ServerError(code) => answer(status(code), "text/plain", b"internal error".to_vec()),
        Fault::Html(code) => answer(status(code), "text/html", HTML.as_bytes().to_vec()),
        Fault::TooMany(told) => too_many(told.then_some(1)),
        Fault::Interval => json(StatusCode::OK, envelope.failure("该接口访问间隔为1秒！")),
        Fault::TokenDies => {
            lock(&platform.tokens).kill();
            json(StatusCode::OK, envelope.failure("令牌无效，请重新获取令牌"))
        }
        Fault::Reset => {
            tap.close_after(0);
            json(StatusCode::OK, Vec::new())
        }
        Fault::Stall => {
            tokio::time::sleep(platform.config.stall).await;
            return None;
        }
        Fault::Cut => return None,
    })
}
