//! Dialect `zj`, and what messages and words as data bring.

use super::*;

const ZJ: &str =
    "dialect = \"zj\"\nservice_uri = \"/commonInterface\"\ntoken_uri = \"/getAccessToken\"\nca_key = \"account\"\nsecret = \"SECRET\"";

fn zj_token() -> Reply {
    ok(r#"{"infcode":"0","output":{"data":{"returnCode":0,"accessToken":"t1"}}}"#)
}

/// A page of lines as written, with how many were announced.
fn lines(list: &str, records: u32) -> Reply {
    ok(&format!(
        r#"{{"infcode":"0","err_msg":"","output":{{"data":{{"returnCode":0,"returnMsg":"成功","currentPageNumber":1,"totalPageCount":1,"totalRecordCount":{records},"dataList":{list}}}}}}}"#
    ))
}

fn good(id: u32) -> String {
    format!(r#"{{"ordDetlId":"{id}","updtTime":"2024-01-01 00:00:00","returnCode":0,"returnMsg":"成功"}}"#)
}

const FAILED: &str = r#"{"ordDetlId":"2","returnCode":500,"returnMsg":"处理中"}"#;

async fn orders(source: &PlatformSource) -> Result<WindowRead, SourceError> {
    let registry = Registry::embedded().unwrap();
    source.read_window(registry.dataset("ord_detl").unwrap(), january()).await
}

#[tokio::test]
async fn a_window_is_read_from_every_message_and_again_for_a_failed_line() {
    let calls = vec![
        lines(&format!("[{},{FAILED}]", good(1)), 2),
        lines(&format!("[{},{}]", good(1), good(2)), 2),
        ok(r#"{"infcode":"-1","err_msg":"令牌无效，请重新获取令牌"}"#),
        lines(&good(3), 1),
    ];
    let platform = Platform::start(vec![zj_token()], calls).await;
    let source = platform.source(ZJ);
    let window = orders(&source).await.unwrap();
    assert_eq!((window.rows(), window.announced(), window.messages.len()), (3, 3, 2));
    let [drugs, consumables] = window.messages.as_slice() else { panic!("{window:?}") };
    assert_eq!((drugs.infno.as_str(), drugs.rows, drugs.tries), ("ZJ9657", 2, 2));
    assert_eq!((consumables.infno.as_str(), consumables.rows, consumables.tries), ("ZJ9708", 1, 1));
    assert_eq!(consumables.pages[0].name, "ZJ9708/20240101000000-20240131235959/p0001");
    let registry = Registry::embedded().unwrap();
    let parsed = source.parse_page(registry.dataset("ord_detl").unwrap(), "ZJ9708", &consumables.pages[0]).unwrap();
    assert_eq!((parsed.batch.num_rows(), parsed.unknown.len()), (1, 0));
    assert!(source.parse_page(registry.dataset("ord_detl").unwrap(), "ZJ9671", &consumables.pages[0]).is_err());

    let asked = platform.asked();
    let drugs = r#"{"infno":"ZJ9657","input":{"data":{"crteTimeUn":"2024-01-01 00:00:00","crteTimeEn":"2024-01-31 23:59:59","current":1,"size":500}}}"#;
    assert_eq!(asked.first().unwrap(), drugs);
    assert!(asked.last().unwrap().contains(r#""startUpdtTime":"2024-01-01 00:00:00""#));
    let calls = platform.calls.lock().unwrap();
    let signed = |head: &str| head.contains("x-ca-key: account") && head.contains("x-ca-signature: ");
    assert!(calls.iter().all(|(head, _)| signed(head)), "{calls:?}");
    let carries = |head: &str| head.contains("access-token: t1");
    assert!(calls.iter().all(|(head, _)| carries(head) == head.contains("commonInterface")), "{calls:?}");
    assert!(calls.iter().any(|(_, body)| body == r#"{"appCode":"s","authCode":"s"}"#));
}

#[tokio::test]
async fn a_line_that_never_comes_fails_the_window_with_its_name() {
    let platform = Platform::start(vec![zj_token()], vec![lines(&format!("[{},{FAILED}]", good(1)), 2)]).await;
    let error = orders(&platform.source(ZJ)).await.unwrap_err();
    assert_eq!((error.code(), error.kind(), platform.asked().len()), ("E-SRC-016", FaultKind::Unavailable, 2));
    assert_eq!(error.to_string(), "ZJ9657 window 20240101000000-20240131235959 page 1: line 2 did not arrive, in each of 2 reads: 处理中");
    // announced or not, a failed line is a failed window
    let platform = Platform::start(vec![zj_token()], vec![lines(&format!("[{},{FAILED}]", good(1)), 1)]).await;
    assert_eq!(orders(&platform.source(ZJ)).await.unwrap_err().code(), "E-SRC-016");
}

#[tokio::test]
async fn each_message_is_complete_by_itself() {
    let calls = vec![lines(&good(1), 1), lines(&format!("[{},{}]", good(2), good(3)), 1)];
    let platform = Platform::start(vec![zj_token()], calls).await;
    let error = orders(&platform.source(ZJ)).await.unwrap_err();
    assert_eq!(error.code(), "E-SRC-003");
    assert!(error.to_string().starts_with("ZJ9708 ") && error.to_string().contains("received 2 of 1"), "{error}");
}

#[tokio::test]
async fn a_bad_signature_is_not_repeated_on_either_call() {
    for refused in
        [Reply::Http(401, "", r#"{"infcode":"-1","err_msg":"签名验证失败"}"#.to_owned()), ok(r#"{"infcode":"-1","err_msg":"验签失败"}"#)]
    {
        let platform = Platform::start(vec![zj_token()], vec![refused.clone()]).await;
        let error = orders(&platform.source(ZJ)).await.unwrap_err();
        assert_eq!((error.code(), error.kind(), platform.asked().len()), ("E-SRC-007", FaultKind::Usage, 1));
        let platform = Platform::start(vec![refused], vec![]).await;
        let error = orders(&platform.source(ZJ)).await.unwrap_err();
        assert_eq!((error.code(), platform.calls.lock().unwrap().len()), ("E-SRC-007", 1));
    }
}

#[tokio::test]
async fn a_window_the_platform_finds_too_long_is_split() {
    let long = ok(r#"{"infcode":-1,"err_msg":"查询时间跨度不能超过16天"}"#);
    let calls = vec![
        long.clone(),
        page(&[1, 2], "1", "2"),
        page(&[3], "2", "1"),
        ok(r#"{"infcode":0,"output":{"data":{"returnCode":"500","returnMsg":"超过最大页数1"}}}"#),
        page(&[3], "1", "1"),
        page(&[], "0", "0"),
    ];
    let platform = Platform::start(vec![token("t")], calls).await;
    let window = read(&platform.source("")).await.unwrap();
    assert_eq!((window.rows, window.announced, window.pages.len()), (3, 3, 3));
    let names: Vec<&str> = window.pages.iter().map(|page| page.name.as_str()).collect();
    assert_eq!(names[1], "C1004/20240116120000-20240124055959/p0001");
    // at one second there is nothing left to split
    let platform = Platform::start(vec![token("t")], vec![long]).await;
    let second = Window::new(january().from, january().from);
    let registry = Registry::embedded().unwrap();
    let error = platform.source("").read_window(registry.dataset("ord_detl").unwrap(), second).await.unwrap_err();
    assert_eq!((error.code(), error.kind(), platform.asked().len()), ("E-SRC-015", FaultKind::Unavailable, 1));
    assert!(error.to_string().contains("查询时间跨度不能超过16天"), "{error}");
}

#[tokio::test]
async fn the_words_are_those_of_the_configuration() {
    let calls = vec![
        ok(r#"{"infcode":-1,"err_msg":"token expired"}"#),
        ok(r#"{"infcode":-1,"err_msg":"too fast, wait 1s"}"#),
        page(&[1], "1", "1"),
    ];
    let platform = Platform::start(vec![token("t1"), token("t2")], calls).await;
    let mut config = platform.source("").config().clone();
    config.words =
        WordsConfig { token_invalid: vec!["token expired".to_owned()], too_fast: vec!["too fast".to_owned()], ..WordsConfig::default() };
    config.retry.tries = 1;
    let source = PlatformSource::connect(config).unwrap();
    assert_eq!(read(&source).await.unwrap().rows, 1);
    assert!(platform.asked().last().unwrap().contains(r#""accessToken":"t2""#));
}

#[tokio::test]
async fn readings_of_a_window_are_paid_from_the_budget() {
    let platform = Platform::start(vec![token("t")], vec![page(&[1], "1", "2")]).await;
    let mut config = platform.source("").config().clone();
    (config.retry.window_tries, config.retry.budget) = (100, 3);
    let error = read(&PlatformSource::connect(config).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("in each of 4 reads"), "{error}");
}
