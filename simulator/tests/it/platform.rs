//! The platform over real HTTP.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use yaojia_simulator::server::{Mode, RateAnswer, ServerConfig, Signing, serve};
use yaojia_simulator::{PlatformData, WorldConfig, generate};

use crate::client::{get_token, page, read_window, send};

const ALL: (&str, &str) = ("2000-01-01 00:00:00", "2098-12-31 23:59:59");

fn ten_rows() -> Arc<PlatformData> {
    let mut data = PlatformData::with_default_aliases();
    data.add(
        "shp",
        (0..10)
            .map(|i| format!("{{\"shpId\":{}, \"updtTime\":\"2024-01-01 00:00:{i:02}\"}}", 3_220_240_100_000_000_000_u64 + i).into_bytes()),
    );
    Arc::new(data)
}

#[tokio::test]
async fn pages_windows_and_raw_digits() {
    let server = serve(ten_rows(), ServerConfig { page_size: 4, ..ServerConfig::default() }).await.unwrap();
    assert_eq!(send(server.addr(), "GET", "/healthz", "", "").await.unwrap().body, b"ok");
    let (first, token) = get_token(&server).await;
    assert_eq!(first["infcode"], 0);
    let (again, same) = get_token(&server).await;
    assert_eq!((again["infcode"].as_i64(), &same), (Some(-1), &token));
    assert!(again["err_msg"].as_str().unwrap().contains("令牌有效期超过5分钟，不能再次获取令牌"));

    let window = ("2024-01-01 00:00:01", "2024-01-01 00:00:06");
    let one = page(&server, &token, "C1009", 1, window, "").await.unwrap();
    assert!(String::from_utf8_lossy(&one.body).contains("{\"shpId\":3220240100000000001, \"updtTime\":\"2024-01-01 00:00:01\"}"));
    let data = one.json();
    assert_eq!(data["output"]["data"]["totalPageCount"], 2);
    assert_eq!(data["output"]["data"]["totalRecordCount"], 6);
    assert_eq!(data["inf_refmsgid"].as_str().unwrap().len(), 30);
    let two = page(&server, &token, "C1009", 2, window, "").await.unwrap().json();
    assert_eq!(two["output"]["data"]["dataList"].as_array().unwrap().len(), 2);
    let three = page(&server, &token, "C1009", 3, window, "").await.unwrap().json();
    assert!(three["output"]["data"]["dataList"].as_array().unwrap().is_empty());

    let bad = page(&server, &token, "C1009", 1, ("2024-01-01", "x"), "").await.unwrap().json();
    assert_eq!((&bad["infcode"], bad["output"]["data"]["returnCode"] == "200"), (&Value::from(0), false));
    let unknown = page(&server, &token, "C9999", 1, ALL, "").await.unwrap().json();
    assert_eq!(unknown["infcode"], -1);
    server.set_until(chrono_time("2024-01-01 00:00:02"));
    let night = page(&server, &token, "C1009", 1, ALL, "").await.unwrap().json();
    assert_eq!(night["output"]["data"]["totalRecordCount"], 3);
    server.kill_token();
    let dead = page(&server, &token, "C1009", 1, ALL, "").await.unwrap().json();
    assert!(dead["err_msg"].as_str().unwrap().contains("令牌无效"));
    server.shutdown().await;
}

fn chrono_time(text: &str) -> Option<chrono::NaiveDateTime> {
    chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()
}

#[tokio::test]
async fn signatures_are_checked() {
    use sha2::Digest;
    let signing = Signing::Tif { paasid: "yj".into(), secret: "s3cret".into() };
    let server = serve(ten_rows(), ServerConfig { signing, ..ServerConfig::default() }).await.unwrap();
    let (_, token) = get_token(&server).await;
    let hex: String = sha2::Sha256::digest(b"1700000000s3cretn0nce1700000000").iter().map(|b| format!("{b:02x}")).collect();
    let headers = |s: &str| format!("x-tif-paasid: yj\r\nx-tif-timestamp: 1700000000\r\nx-tif-nonce: n0nce\r\nx-tif-signature: {s}\r\n");
    for good in [hex.clone(), hex.to_uppercase()] {
        assert_eq!(page(&server, &token, "C1009", 1, ALL, &headers(&good)).await.unwrap().status, 200);
    }
    for bad in ["".to_owned(), headers("00"), headers(&hex).replace("n0nce", "other")] {
        let answer = page(&server, &token, "C1009", 1, ALL, &bad).await.unwrap();
        assert_eq!((answer.status, answer.json()["err_msg"].as_str()), (401, Some("签名验证失败")));
    }
}

#[tokio::test]
async fn callers_that_hurry_are_told_to_wait() {
    let wait = Some(Duration::from_secs(5));
    let server = serve(ten_rows(), ServerConfig { min_interval: wait, ..ServerConfig::default() }).await.unwrap();
    let (_, token) = get_token(&server).await;
    assert_eq!(page(&server, &token, "C1009", 1, ALL, "").await.unwrap().json()["infcode"], 0);
    assert_eq!(page(&server, &token, "C1009", 1, ALL, "").await.unwrap().json()["err_msg"], "该接口访问间隔为5秒！");
    assert_eq!(page(&server, &token, "C1010", 1, ALL, "").await.unwrap().json()["infcode"], 0);
    let server =
        serve(ten_rows(), ServerConfig { min_interval: wait, rate_answer: RateAnswer::Status, ..ServerConfig::default() }).await.unwrap();
    let (_, token) = get_token(&server).await;
    page(&server, &token, "C1009", 1, ALL, "").await.unwrap();
    let answer = page(&server, &token, "C1009", 1, ALL, "").await.unwrap();
    assert!(answer.status == 429 && answer.headers.contains("retry-after: 5"));
}

#[tokio::test]
async fn tokens_expire() {
    let server = serve(ten_rows(), ServerConfig { token_ttl: Duration::from_millis(30), ..ServerConfig::default() }).await.unwrap();
    let (_, token) = get_token(&server).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(page(&server, &token, "C1009", 1, ALL, "").await.unwrap().json()["err_msg"].as_str().unwrap().contains("令牌无效"));
    assert_ne!(get_token(&server).await.1, token);
}

#[tokio::test]
async fn a_persistent_client_gets_through_whatever_the_mode() {
    let world = generate(&WorldConfig::tiny(5)).unwrap();
    let data = Arc::new(world.platform_data());
    let config = |mode, seed| ServerConfig { mode, seed, page_size: 25, stall: Duration::from_millis(5), ..ServerConfig::default() };
    let clean = serve(Arc::clone(&data), config(Mode::None, 0)).await.unwrap();
    let keys = [("C1004", "ordDetlId"), ("C1009", "shpId"), ("C1035", "payDetlId"), ("C1036", "appealId"), ("C1034", "purcPlanDetlId")];
    for (mode, seed) in [(Mode::Mild, 1), (Mode::Hostile, 2), (Mode::Hostile, 3)] {
        let rough = serve(Arc::clone(&data), config(mode, seed)).await.unwrap();
        for (infno, key) in keys {
            let (want, _) = read_window(&clean, infno, key, ALL).await;
            let (got, calls) = read_window(&rough, infno, key, ALL).await;
            assert!(calls > 0 && !want.is_empty());
            assert_eq!(want, got, "{infno} {mode:?}");
        }
        assert!(rough.stats().faults > 0, "{mode:?}");
    }
}

#[tokio::test]
async fn only_loopback_is_served() {
    let config = ServerConfig { addr: ([0, 0, 0, 0], 0).into(), ..ServerConfig::default() };
    assert!(serve(ten_rows(), config).await.is_err());
}
