//! Windows read ahead: as many as declared, in order, within the rate.

use std::time::{Duration, Instant};

use futures::StreamExt;

use super::*;

/// What the server saw.
#[derive(Default)]
struct Seen {
    active: usize,
    most: usize,
    started: Vec<Instant>,
    asked: Vec<String>,
}

/// A server that answers each window with one row of its own, the earlier the window the later.
async fn slow_platform() -> (String, Arc<Mutex<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/tps", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Seen::default()));
    let record = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let record = Arc::clone(&record);
            tokio::spawn(async move {
                let (head, body) = request(&mut stream).await.unwrap();
                let reply = if head.contains("getAccessToken") {
                    r#"{"infcode":0,"output":{"data":{"accessToken":"t"}}}"#.to_owned()
                } else {
                    let start = body.split_once(r#""startTime":""#).unwrap().1.get(..10).unwrap().to_owned();
                    {
                        let mut seen = record.lock().unwrap();
                        seen.active += 1;
                        seen.most = seen.most.max(seen.active);
                        seen.started.push(Instant::now());
                        seen.asked.push(start.clone());
                    }
                    let month: u64 = start.get(5..7).unwrap().parse().unwrap();
                    tokio::time::sleep(Duration::from_millis(120 / month)).await;
                    record.lock().unwrap().active -= 1;
                    if start.starts_with("2024-04") {
                        r#"{"infcode":0,"output":{"data":{"returnCode":"403","returnMsg":"接口未授权"}}}"#.to_owned()
                    } else {
                        let row = format!(r#"{{"ordDetlId":"{month}","updtTime":"{start} 00:00:00"}}"#);
                        format!(
                            r#"{{"infcode":0,"output":{{"data":{{"returnCode":"200","dataList":[{row}],"totalPageCount":1,"totalRecordCount":1}}}}}}"#
                        )
                    }
                };
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", reply.len());
                stream.write_all(format!("{head}{reply}").as_bytes()).await.unwrap();
            });
        }
    });
    (url, seen)
}

fn source(url: &str, parallel: u32, interval: u64) -> PlatformSource {
    let platform = Platform { url: url.to_owned(), calls: Arc::default() };
    let mut config = platform.source("").config().clone();
    (config.parallel, config.rate.min_interval_ms) = (parallel, interval);
    PlatformSource::connect(config).unwrap()
}

fn months(n: u32) -> Vec<Window> {
    (1..=n)
        .map(|m| Window::new(format!("2024-{m:02}-01T00:00:00").parse().unwrap(), format!("2024-{m:02}-28T23:59:59").parse().unwrap()))
        .collect()
}

fn orders() -> Arc<Dataset> {
    Arc::new(Registry::embedded().unwrap().dataset("ord_detl").unwrap().clone())
}

#[tokio::test]
async fn as_many_as_declared_and_in_order() {
    for (parallel, most) in [(1, 1), (3, 3)] {
        let (url, seen) = slow_platform().await;
        let windows = months(3);
        let read: Vec<_> = source(&url, parallel, 0).read_windows(orders(), windows.clone()).collect().await;
        let got: Vec<Window> = read.into_iter().map(|read| read.unwrap().window).collect();
        assert_eq!(got, windows);
        assert_eq!(seen.lock().unwrap().most, most, "parallel {parallel}");
    }
}

#[tokio::test]
async fn no_further_ahead_than_declared() {
    let (url, seen) = slow_platform().await;
    let reads = source(&url, 2, 0).read_windows(orders(), months(3));
    futures::pin_mut!(reads);
    reads.next().await.unwrap().unwrap();
    // the one that was taken and the one beside it; the third begins when it is asked for
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(seen.lock().unwrap().asked.len(), 2);
    assert_eq!(reads.count().await, 2);
}

#[tokio::test]
async fn what_comes_before_a_failed_window_is_handed_on_first() {
    let (url, _) = slow_platform().await;
    let read: Vec<_> = source(&url, 4, 0).read_windows(orders(), months(5)).collect().await;
    let good: Vec<bool> = read.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, true, true, false, true]);
    assert!(read[3].as_ref().unwrap_err().to_string().contains("20240401000000"));
}

#[tokio::test]
async fn the_rate_is_one_for_all() {
    let (url, seen) = slow_platform().await;
    let read: Vec<_> = source(&url, 3, 40).read_windows(orders(), months(3)).collect().await;
    assert!(read.iter().all(Result::is_ok));
    let mut started = seen.lock().unwrap().started.clone();
    started.sort();
    let gaps: Vec<Duration> = started.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // the server sees a call a little after it was sent
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_millis(25)), "{gaps:?}");
}
