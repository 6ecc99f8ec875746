//! Starting and stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use chrono::NaiveDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::call::{call, call_zj, token, token_zj};
use super::config::{Dialect, ServerConfig};
use super::state::{Platform, lock};
use super::tap::{Tap, Taps};
use crate::error::SimError;
use crate::platform_data::PlatformData;

/// A platform that is listening. Dropped, it stops.
#[derive(Debug)]
pub struct RunningServer {
    addr: SocketAddr,
    platform: Arc<Platform>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What a platform has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Messages answered, well or badly.
    pub messages: u64,
    /// Pages given.
    pub pages: u64,
    /// Faults committed.
    pub faults: u64,
}

/// Starts a platform.
///
/// # Errors
/// If the address is not loopback or cannot be bound.
pub async fn serve(data: Arc<PlatformData>, cfg: ServerConfig) -> Result<RunningServer, SimError> {
    if !cfg.addr.ip().is_loopback() {
        return Err(SimError::NotLoopback(cfg.addr));
    }
    cfg.check()?;
    let bind = |source| SimError::Bind { addr: cfg.addr, source };
    let listener = TcpListener::bind(cfg.addr).await.map_err(bind)?;
    let addr = listener.local_addr().map_err(bind)?;
    let base = cfg.base_path.trim_matches('/');
    let base = if base.is_empty() { String::new() } else { format!("/{base}") };
    let app = Router::new().route("/healthz", get(async || "ok"));
    let app = match cfg.dialect {
        Dialect::Tps => app
            .route(&format!("{base}/web/interface/accessToken/getAccessToken"), post(token))
            .route(&format!("{base}/web/interface/commonInterface"), post(call)),
        Dialect::Zj => {
            let path = |uri: &str| format!("{base}/{}", uri.trim_matches('/'));
            if path(&cfg.token_uri) == path(&cfg.service_uri) {
                return Err(SimError::Config("`token_uri` and `service_uri` are the same".to_owned()));
            }
            app.route(&path(&cfg.token_uri), post(token_zj)).route(&path(&cfg.service_uri), post(call_zj))
        }
    };
    let platform = Arc::new(Platform::new(data, cfg));
    let app = app.with_state(Arc::clone(&platform)).into_make_service_with_connect_info::<Tap>();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let until = async move {
            // A dropped handle stops the platform just as a sent message does.
            let _ = stopped.await;
        };
        if let Err(error) = axum::serve(Taps(listener), app).with_graceful_shutdown(until).await {
            tracing::warn!(%error, "the simulated platform stopped");
        }
    });
    Ok(RunningServer { addr, platform, stop: Some(stop), task })
}

impl RunningServer {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a client puts before the dialect's own paths.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/{}", self.addr, self.platform.config.base_path.trim_matches('/')).trim_end_matches('/').to_owned()
    }

    /// Moves the night: rows published later do not exist yet.
    pub fn set_until(&self, until: Option<NaiveDateTime>) {
        *lock(&self.platform.until) = until;
    }

    /// Makes the current token invalid.
    pub fn kill_token(&self) {
        lock(&self.platform.tokens).kill();
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let read = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
        Stats { messages: read(&self.platform.serial), pages: read(&self.platform.pages), faults: read(&self.platform.faults) }
    }

    /// Stops, giving open calls a moment to finish.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if tokio::time::timeout(Duration::from_secs(2), &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
