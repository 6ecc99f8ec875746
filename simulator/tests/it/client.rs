//! A client as small as can be: one connection a call.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use yaojia_simulator::server::RunningServer;

pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub async fn send(addr: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(addr).await?;
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await?;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let split = all.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(cut)?;
    let headers = String::from_utf8_lossy(&all[..split]).to_lowercase();
    let body = all[split + 4..].to_vec();
    let length: usize = headers.lines().find_map(|l| l.strip_prefix("content-length: ")).and_then(|n| n.parse().ok()).unwrap_or(0);
    if body.len() < length {
        return Err(cut());
    }
    let status = headers.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(cut)?;
    Ok(Answer { status, headers, body })
}

pub async fn get_token(server: &RunningServer) -> (Value, String) {
    let path = "/tps-local-bd/web/interface/accessToken/getAccessToken";
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let answer = send(server.addr(), "POST", path, form, "appCode=yaojia-demo&authCode=yaojia-demo-auth").await.unwrap().json();
    let token = answer.pointer("/output/data/accessToken").and_then(Value::as_str).unwrap_or("").to_owned();
    (answer, token)
}

pub async fn page(
    server: &RunningServer,
    token: &str,
    infno: &str,
    page: usize,
    window: (&str, &str),
    headers: &str,
) -> io::Result<Answer> {
    let body = format!(
        "{{\"info\":{{\"infno\":\"{infno}\",\"input\":{{\"data\":{{\"accessToken\":\"{token}\",\"currentPageNumber\":\"{page}\",\"startTime\":\"{}\",\"endTime\":\"{}\"}}}}}}}}",
        window.0, window.1
    );
    let headers = format!("content-type: application/json;charset=utf-8\r\n{headers}");
    send(server.addr(), "POST", "/tps-local-bd/web/interface/commonInterface", &headers, &body).await
}

/// Reads a window as a persistent client does; gives key and publication → row, and what it took.
pub async fn read_window(server: &RunningServer, infno: &str, key: &str, window: (&str, &str)) -> (BTreeMap<String, Value>, usize) {
    let (_, mut token) = get_token(server).await;
    let mut calls = 0;
    for _ in 0..6 {
        let (mut rows, mut total, mut number) = (BTreeMap::new(), 0, 1);
        loop {
            calls += 1;
            let Ok(answer) = page(server, &token, infno, number, window, "").await else {
                continue;
            };
            let Ok(json) = serde_json::from_slice::<Value>(&answer.body) else {
                continue;
            };
            if answer.status != 200 {
                continue;
            }
            let message = json["err_msg"].as_str().unwrap_or("");
            if message.contains("令牌无效") {
                token = get_token(server).await.1;
                continue;
            }
            if json["infcode"].to_string().trim_matches('"') != "0" {
                continue;
            }
            let data = json.pointer("/output/data").unwrap();
            let list = match &data["dataList"] {
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            };
            for row in list {
                let id = row[key].to_string().trim_matches(['"', ' ']).to_owned();
                rows.insert(format!("{id}@{}", row["updtTime"]), row);
            }
            let count = |v: &Value, before: usize| match v.to_string().trim_matches('"') {
                "" => before,
                n => n.parse().unwrap(),
            };
            total = count(&data["totalRecordCount"], total);
            let pages = count(&data["totalPageCount"], usize::MAX);
            if number >= pages {
                break;
            }
            if data["dataList"].as_array().is_some_and(Vec::is_empty) {
                break;
            }
            number += 1;
        }
        if rows.len() == total {
            return (rows, calls);
        }
    }
    panic!("{infno}: the window never came out even");
}
