//! The connector against a real, small and bad-tempered HTTP server.

mod ahead;
mod tls;
mod zj;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use yaojia_models::contract::Registry;

use super::*;
use yaojia_models::fault::{Fault, FaultKind};

/// What the server does with one request.
#[derive(Debug, Clone)]
enum Reply {
    /// Status, headers, body.
    Http(u16, &'static str, String),
    /// A body cut off half-way.
    Cut,
    /// The connection is closed without a word.
    Reset,
}

/// A server that plays replies in order, one list for tokens and one for calls, and records the calls.
struct Platform {
    url: String,
    calls: Arc<Mutex<Vec<(String, String)>>>,
}

impl Platform {
    async fn start(tokens: Vec<Reply>, calls: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/tps", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new((VecDeque::from(tokens), VecDeque::from(calls))));
        let record = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&record)));
            }
        });
        Self { url, calls: seen }
    }

    fn source(&self, more: &str) -> PlatformSource {
        let dir = tempfile::tempdir().unwrap().keep();
        let secret = dir.join("secret");
        std::fs::write(&secret, "s").unwrap();
        let text = format!(
            "base_url = \"{}\"\napp_code = \"file:{secret}\"\nauth_code = \"file:{secret}\"\nsince = \"2024-01-01\"\n{}\n\
             [http]\nproxy = \"none\"\ntimeout_ms = 2000\n[retry]\ntries = 3\nwindow_tries = 2\nfirst_wait_ms = 1\nmax_rate_wait_ms = 5\n",
            self.url,
            more.replace("SECRET", &format!("file:{}", secret.display())),
            secret = secret.display(),
        );
        PlatformSource::connect(PlatformConfig::from_toml(&text).unwrap()).unwrap()
    }

    /// Pages asked for, and the headers of each call.
    fn asked(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(head, _)| head.contains("commonInterface")).map(|(_, body)| body.clone()).collect()
    }
}

type Script = Arc<Mutex<(VecDeque<Reply>, VecDeque<Reply>)>>;

/// Head and body of one request; none where the caller hangs up.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, String)> {
    let mut buffer = Vec::new();
    let mut part = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&buffer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => buffer.extend_from_slice(part.get(..n).unwrap_or_default()),
            _ => return None,
        }
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: Script, record: Arc<Mutex<Vec<(String, String)>>>) {
    let Some((head, body)) = request(&mut stream).await else { return };
    let reply = {
        let mut script = script.lock().unwrap();
        let list = if head.contains("getAccessToken") { &mut script.0 } else { &mut script.1 };
        if list.len() > 1 { list.pop_front() } else { list.front().cloned() }
    };
    record.lock().unwrap().push((head, body));
    let bytes = match reply.unwrap_or(Reply::Reset) {
        Reply::Reset => return,
        Reply::Cut => "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"infcode\":0,".to_owned(),
        Reply::Http(status, headers, body) => {
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        }
    };
    let _ = stream.write_all(bytes.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn ok(body: &str) -> Reply {
    Reply::Http(200, "", body.to_owned())
}

fn token(value: &str) -> Reply {
    ok(&format!(r#"{{"infcode":0,"output":{{"data":{{"accessToken":"{value}"}}}}}}"#))
}

/// A page of rows by their ids; counts are JSON as written.
fn page(ids: &[u32], pages: &str, records: &str) -> Reply {
    let rows: Vec<String> = ids.iter().map(|id| format!(r#"{{"ordDetlId":"{id}","updtTime":"2024-01-01 00:00:00"}}"#)).collect();
    let list = rows.join(",");
    ok(&format!(
        r#"{{"infcode":"0","err_msg":"","output":{{"data":{{"returnCode":200,"returnMsg":"成功","dataList":[{list}],"totalPageCount":{pages},"totalRecordCount":{records}}}}}}}"#
    ))
}

fn january() -> Window {
    Window::new("2024-01-01T00:00:00".parse().unwrap(), "2024-01-31T23:59:59".parse().unwrap())
}

/// January's order lines, from the one message there is.
async fn read(source: &PlatformSource) -> Result<MessageRead, SourceError> {
    let registry = Registry::embedded().unwrap();
    let mut window = source.read_window(registry.dataset("ord_detl").unwrap(), january()).await?;
    assert_eq!(window.messages.len(), 1);
    Ok(window.messages.remove(0))
}

#[tokio::test]
async fn every_bad_manner_is_survived() {
    let still_valid = ok(r#"{"infcode":-1,"err_msg":"令牌有效期超过5分钟，不能再次获取令牌","output":{"data":{"accessToken":"t1"}}}"#);
    let calls = vec![
        Reply::Reset,
        Reply::Cut,
        page(&[1, 2], "\"3\"", "5"),
        Reply::Http(200, "", "<html><title>proxy</title>".to_owned()),
        Reply::Http(503, "", "busy".to_owned()),
        page(&[3, 4], "\"\"", "\"\""),
        ok(r#"{"infcode":"-1","err_msg":"令牌无效，请重新获取令牌"}"#),
        ok(r#"{"infcode":-1,"err_msg":"该接口访问间隔为5秒！"}"#),
        Reply::Http(429, "retry-after: 1\r\n", String::new()),
        ok(r#"{"infcode":0,"output":{"data":{"returnCode":"500","returnMsg":"系统繁忙"}}}"#),
        page(&[4, 5], "3", "\"5\""),
    ];
    let platform = Platform::start(vec![Reply::Http(500, "", String::new()), still_valid, token("t2")], calls).await;
    let window = read(&platform.source("")).await.unwrap();
    assert_eq!((window.rows, window.announced, window.tries, window.pages.len()), (5, 5, 1, 3));
    assert_eq!(window.pages.last().unwrap().name, "C1004/20240101000000-20240131235959/p0003");
    let asked = platform.asked();
    assert!(asked.first().unwrap().contains(r#""accessToken":"t1""#) && asked.last().unwrap().contains(r#""accessToken":"t2""#));
}

#[tokio::test]
async fn rows_that_move_have_the_window_read_again() {
    let calls = vec![page(&[1, 2], "2", "4"), page(&[2, 3], "2", "4"), page(&[1, 2], "2", "4"), page(&[3, 4], "2", "4")];
    let platform = Platform::start(vec![token("t")], calls).await;
    let window = read(&platform.source("")).await.unwrap();
    assert_eq!((window.rows, window.tries, window.pages.len()), (4, 2, 2));
}

#[tokio::test]
async fn a_window_that_stays_short_fails_with_all_its_names() {
    let platform = Platform::start(vec![token("t")], vec![page(&[1], "1", "2")]).await;
    let error = read(&platform.source("")).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("E-SRC-003", FaultKind::Unavailable));
    assert_eq!(
        error.to_string(),
        "C1004 window 20240101000000-20240131235959 page 1: received 1 of 2 announced rows, in each of 2 reads: 成功"
    );
}

#[tokio::test]
async fn a_failure_keeps_the_platform_words() {
    let refused = ok(r#"{"infcode":0,"output":{"data":{"returnCode":"403","returnMsg":"接口未授权"}}}"#);
    let platform = Platform::start(vec![token("t")], vec![refused]).await;
    let error = read(&platform.source("")).await.unwrap_err();
    assert_eq!((error.code(), error.kind(), platform.asked().len()), ("E-SRC-005", FaultKind::Unavailable, 3));
    assert!(error.to_string().contains("C1004 window 20240101000000-20240131235959 page 1") && error.to_string().contains("接口未授权"));
}

#[tokio::test]
async fn a_bad_signature_is_not_repeated() {
    let refused = Reply::Http(401, "", r#"{"infcode":-1,"err_msg":"签名验证失败"}"#.to_owned());
    let platform = Platform::start(vec![token("t")], vec![refused]).await;
    let source = platform.source("signing = \"tif\"\npaasid = \"p\"\nsecret = \"SECRET\"");
    let error = read(&source).await.unwrap_err();
    assert_eq!((error.code(), error.kind(), platform.asked().len()), ("E-SRC-007", FaultKind::Usage, 1));
    let calls = platform.calls.lock().unwrap();
    let signed: Vec<bool> = calls.iter().map(|(head, _)| head.contains("x-tif-signature: ") && head.contains("x-tif-paasid: p")).collect();
    assert_eq!(signed, [false, true]);
}

#[tokio::test]
async fn wrong_credentials_and_no_platform() {
    let platform = Platform::start(vec![ok(r#"{"infcode":-1,"err_msg":"应用编码错误"}"#)], vec![]).await;
    let error = read(&platform.source("")).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("E-SRC-008", FaultKind::Usage));
    let gone = Platform { url: "http://127.0.0.1:1/tps".to_owned(), calls: Arc::default() };
    let error = read(&gone.source("")).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("E-SRC-004", FaultKind::Unavailable));
}

#[tokio::test]
async fn a_large_window_is_split() {
    let calls = vec![page(&[1], "9", "9"), page(&[1, 2], "1", "2"), page(&[3], "1", "1")];
    let platform = Platform::start(vec![token("t")], calls).await;
    let registry = Registry::embedded().unwrap();
    let mut config = platform.source("").config().clone();
    config.page.max_window_rows = 5;
    let source = PlatformSource::connect(config).unwrap();
    let window = source.read_window(registry.dataset("ord_detl").unwrap(), january()).await.unwrap().messages.remove(0);
    let names: Vec<&str> = window.pages.iter().map(|page| page.name.as_str()).collect();
    assert_eq!((window.rows, window.announced), (3, 3));
    assert_eq!(names, ["C1004/20240101000000-20240116115959/p0001", "C1004/20240116120000-20240131235959/p0001"]);
}

#[tokio::test]
async fn an_empty_window_and_blank_counts() {
    let platform = Platform::start(vec![token("t")], vec![page(&[], "\"\"", "\"\"")]).await;
    let window = read(&platform.source("")).await.unwrap();
    assert_eq!((window.rows, window.pages.len()), (0, 1));
    // blank on the first page, said on the second
    let platform = Platform::start(vec![token("t")], vec![page(&[1], "\"\"", "null"), page(&[2], "2", "2")]).await;
    let window = read(&platform.source("")).await.unwrap();
    assert_eq!((window.rows, window.pages.len(), window.tries), (2, 2, 1));
}
