//! Rate: a least interval between the starts of two calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Rate section of a source configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateConfig {
    /// Least interval between the starts of two calls.
    pub min_interval_ms: u64,
}

/// Spaces calls out, however many tasks make them.
#[derive(Debug)]
pub struct Limiter {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Limiter {
    /// A limiter of the configured interval.
    #[must_use]
    pub fn new(config: &RateConfig) -> Self {
        Self { interval: Duration::from_millis(config.min_interval_ms), next: Mutex::new(None) }
    }

    /// Waits for this caller's turn.
    pub async fn turn(&self) {
        if self.interval.is_zero() {
            return;
        }
        let at = {
            let mut next = self.next.lock().await;
            let now = Instant::now();
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + self.interval);
            at
        };
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_are_spaced_out() {
        let limiter = Limiter::new(&RateConfig { min_interval_ms: 30 });
        let start = Instant::now();
        for _ in 0..3 {
            limiter.turn().await;
        }
        assert!(start.elapsed() >= Duration::from_millis(60));
    }
}
