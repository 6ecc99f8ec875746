//! Dialect `zj` over real HTTP.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sm3::Sm3;
use yaojia_simulator::server::{Dialect, Mode, RunningServer, ServerConfig, Signing, serve};
use yaojia_simulator::{PlatformData, WorldConfig, generate};

use crate::client::{Answer, send};

const SERVICE: &str = "/liangding/openapi/procurement/service";
const TOKEN: &str = "/liangding/openapi/procurement/accessToken";
const ALL: (&str, &str) = ("2000-01-01 00:00:00", "2098-12-31 23:59:59");

fn orders() -> Arc<PlatformData> {
    let mut data = PlatformData::with_default_aliases();
    let row = |i: u32, kind: u32| {
        format!(r#"{{"ordDetlId":{i},"ordCode":"c{i}","prodType":"{kind}","purcCnt":1.50,"updtTime":"2024-01-01 00:00:0{i}"}}"#)
            .into_bytes()
    };
    data.add("ord_detl", [row(1, 1), row(2, 2), row(3, 1)]);
    data.add(
        "shp",
        [1, 2].map(|i| format!(r#"{{"shpId":"{i}","ordDetlId":"{i}","shpCnt":5,"updtTime":"2024-01-01 00:00:00"}}"#).into_bytes()),
    );
    Arc::new(data)
}

fn signed(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sm3>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("1700000000\n{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("x-ca-key: yaojia\r\nx-ca-signature: 1700000000:{hex}\r\n")
}

async fn token(server: &RunningServer) -> String {
    let body = r#"{"appCode":"yaojia-demo","authCode":"yaojia-demo-auth"}"#;
    let answer = send(server.addr(), "POST", TOKEN, &signed("yaojia-demo-secret", body), body).await.unwrap().json();
    answer.pointer("/output/data/accessToken").and_then(Value::as_str).unwrap().to_owned()
}

async fn page(server: &RunningServer, token: &str, infno: &str, keys: (&str, &str), number: usize) -> io::Result<Answer> {
    let body = format!(
        r#"{{"infno":"{infno}","input":{{"data":{{"{}":"{}","{}":"{}","current":{number},"size":500}}}}}}"#,
        keys.0, ALL.0, keys.1, ALL.1
    );
    let headers = format!("{}Access-Token: {token}\r\n", signed("yaojia-demo-secret", &body));
    send(server.addr(), "POST", SERVICE, &headers, &body).await
}

const USUAL: (&str, &str) = ("startUpdtTime", "endUpdtTime");

#[tokio::test]
async fn messages_write_the_same_rows_their_own_way() {
    let server = serve(orders(), ServerConfig::zj()).await.unwrap();
    let token = token(&server).await;
    let drugs = page(&server, &token, "ZJ9657", ("crteTimeUn", "crteTimeEn"), 1).await.unwrap();
    let text = String::from_utf8(drugs.body.clone()).unwrap();
    let row = r#"{"ordDetlId":1,"purcCode":"c1","purcCnt":1.50,"updtTime":"2024-01-01 00:00:01","returnCode":0,"returnMsg":"成功"}"#;
    assert!(text.contains(row) && text.contains(r#""infcode":"0""#), "{text}");
    let data = &drugs.json()["output"]["data"];
    assert_eq!((&data["returnCode"], &data["totalRecordCount"], &data["currentPageNumber"]), (&0.into(), &2.into(), &1.into()));
    let consumables = page(&server, &token, "ZJ9708", USUAL, 1).await.unwrap();
    assert!(String::from_utf8(consumables.body).unwrap().contains(r#"{"ordDetlId":2,"PurcCode":"c2","purcCnt":"1.50","#));
    let shipped = page(&server, &token, "ZJ9721", USUAL, 1).await.unwrap().json();
    assert_eq!(shipped.pointer("/output/data/dataList/0/disCnt"), Some(&5.into()));
    // a filter of another message is none
    let wrong = page(&server, &token, "ZJ9657", USUAL, 1).await.unwrap().json();
    assert_eq!(wrong.pointer("/output/data/returnCode"), Some(&500.into()));
    assert_eq!(page(&server, &token, "C1004", USUAL, 1).await.unwrap().json()["infcode"], "-1");
}

#[tokio::test]
async fn signature_and_token_are_checked() {
    let server = serve(orders(), ServerConfig::zj()).await.unwrap();
    let good = token(&server).await;
    let body = r#"{"infno":"ZJ9708","input":{"data":{"current":1}}}"#;
    let right = signed("yaojia-demo-secret", body);
    let wrong = [
        String::new(),
        signed("another-secret", body),
        right.replace("yaojia\r\n", "somebody\r\n"),
        right.replace("1700000000:", "1700000001:"),
    ];
    for headers in wrong {
        for path in [SERVICE, TOKEN] {
            let answer = send(server.addr(), "POST", path, &format!("{headers}Access-Token: {good}\r\n"), body).await.unwrap();
            assert_eq!((answer.status, answer.json()["err_msg"].as_str()), (401, Some("签名验证失败")), "{headers}");
        }
    }
    // the right signature of another body
    let answer = send(server.addr(), "POST", SERVICE, &right, &body.replace('1', "2")).await.unwrap();
    assert_eq!(answer.status, 401);
    let answer = page(&server, "another", "ZJ9708", USUAL, 1).await.unwrap().json();
    assert!(answer["err_msg"].as_str().unwrap().contains("令牌无效"));
    let unsigned = ServerConfig { signing: Signing::None, ..ServerConfig::zj() };
    assert!(serve(orders(), unsigned).await.is_err());
    assert!(serve(orders(), ServerConfig { dialect: Dialect::Tps, ..ServerConfig::zj() }).await.is_err());
}

/// Reads a message as a persistent client does; gives id and publication → row, and how many lines failed on the way.
async fn read(server: &RunningServer, infno: &str, keys: (&str, &str), id: &str) -> (BTreeMap<String, Value>, usize) {
    let (mut failed, mut access) = (0, token(server).await);
    for _ in 0..6 {
        let (mut rows, mut total, mut number, mut whole) = (BTreeMap::new(), 0, 1, true);
        loop {
            let Ok(answer) = page(server, &access, infno, keys, number).await else { continue };
            let Ok(json) = serde_json::from_slice::<Value>(&answer.body) else { continue };
            if json["err_msg"].as_str().unwrap_or("").contains("令牌无效") {
                access = token(server).await;
                continue;
            }
            let plain = |value: &Value| value.to_string().trim_matches('"').to_owned();
            if answer.status != 200 || plain(&json["infcode"]) != "0" {
                continue;
            }
            let data = json.pointer("/output/data").unwrap();
            assert_eq!(plain(&data["returnCode"]), "0", "{data}");
            let list = match &data["dataList"] {
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            };
            for row in list {
                if plain(&row["returnCode"]) == "0" {
                    rows.insert(format!("{}@{}", plain(&row[id]).trim(), row["updtTime"]), row);
                } else {
                    assert!(row.get(id).is_some() && row.as_object().unwrap().len() == 3, "{row}");
                    (failed, whole) = (failed + 1, false);
                }
            }
            total = plain(&data["totalRecordCount"]).parse().unwrap_or(total);
            if number >= plain(&data["totalPageCount"]).parse().unwrap_or(usize::MAX) {
                break;
            }
            number += 1;
        }
        if whole && rows.len() == total {
            return (rows, failed);
        }
    }
    panic!("{infno}: the window never came out even");
}

#[tokio::test]
async fn a_persistent_client_gets_through_and_failed_lines_come_later() {
    let data = Arc::new(generate(&WorldConfig::tiny(5)).unwrap().platform_data());
    let config = |mode, seed| ServerConfig { mode, seed, page_size: 25, stall: Duration::from_millis(5), ..ServerConfig::zj() };
    let clean = serve(Arc::clone(&data), config(Mode::None, 0)).await.unwrap();
    let messages = [
        ("ZJ9657", ("crteTimeUn", "crteTimeEn"), "ordDetlId"),
        ("ZJ9708", USUAL, "ordDetlId"),
        ("ZJ9671", ("shpUpdateStartTime", "shpUpdateEndTime"), "shpId"),
        ("ZJ9635", USUAL, "payDetlId"),
    ];
    let plain = |rows: BTreeMap<String, Value>| -> BTreeMap<String, Value> {
        let strip = |mut row: Value| {
            row.as_object_mut().unwrap().remove("returnCode");
            row
        };
        rows.into_iter().map(|(key, row)| (key, strip(row))).collect()
    };
    for mode in [Mode::Mild, Mode::Hostile] {
        let mut failed = 0;
        for seed in 1..=4 {
            let rough = serve(Arc::clone(&data), config(mode, seed)).await.unwrap();
            for (infno, keys, id) in messages {
                let (want, none) = read(&clean, infno, keys, id).await;
                let (got, some) = read(&rough, infno, keys, id).await;
                assert!(!want.is_empty() && none == 0);
                assert_eq!(plain(want), plain(got), "{infno} {mode:?}");
                failed += some;
            }
            assert!(rough.stats().faults > 0);
        }
        assert!(failed > 0, "no line failed in {mode:?}");
    }
}

#[tokio::test]
async fn windows_and_pages_may_be_capped() {
    let config = ServerConfig { max_window_days: Some(31), ..ServerConfig::zj() };
    let server = serve(orders(), config).await.unwrap();
    let answer = page(&server, &token(&server).await, "ZJ9708", USUAL, 1).await.unwrap().json();
    assert_eq!(answer["err_msg"], "查询时间跨度不能超过31天");
    let server = serve(orders(), ServerConfig { max_pages: Some(1), page_size: 1, ..ServerConfig::zj() }).await.unwrap();
    let token = token(&server).await;
    let keys = ("crteTimeUn", "crteTimeEn");
    assert_eq!(page(&server, &token, "ZJ9657", keys, 1).await.unwrap().json().pointer("/output/data/totalPageCount"), Some(&2.into()));
    let second = page(&server, &token, "ZJ9657", keys, 2).await.unwrap().json();
    assert_eq!(second.pointer("/output/data/returnMsg"), Some(&"超过最大页数1".into()));
}
