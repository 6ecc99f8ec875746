//! Retry: exponential back-off with jitter, and a budget per source.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};

/// How often and how patiently a source is asked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Tries of one call, the first included.
    pub tries: u32,
    /// Reads of one window, the first included.
    pub window_tries: u32,
    /// Wait before the second try; it doubles with every further one.
    pub first_wait_ms: u64,
    /// Longest wait between two tries.
    pub max_wait_ms: u64,
    /// Tries beyond the first that one connection may spend in all.
    pub budget: u32,
    /// How often one call waits because the platform asks it to.
    pub rate_waits: u32,
    /// Wait when the platform asks for one without saying how long.
    pub rate_wait_ms: u64,
    /// Longest wait the platform may ask for.
    pub max_rate_wait_ms: u64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            tries: 6,
            window_tries: 8,
            first_wait_ms: 300,
            max_wait_ms: 15_000,
            budget: 10_000,
            rate_waits: 20,
            rate_wait_ms: 5_000,
            max_rate_wait_ms: 300_000,
        }
    }
}

impl RetryConfig {
    /// The wait after the `tried`-th try (from 1): half of it fixed, half of it chance.
    #[must_use]
    pub fn wait(&self, tried: u32) -> Duration {
        let factor = 1_u64.checked_shl(tried.saturating_sub(1)).unwrap_or(u64::MAX);
        let full = self.first_wait_ms.saturating_mul(factor).min(self.max_wait_ms);
        Duration::from_millis(rand::rng().random_range(full / 2..=full))
    }

    /// The wait the platform asks for, bounded.
    #[must_use]
    pub fn rate_wait(&self, asked: Option<Duration>) -> Duration {
        asked.unwrap_or(Duration::from_millis(self.rate_wait_ms)).min(Duration::from_millis(self.max_rate_wait_ms))
    }
}

/// The tries a source has left.
#[derive(Debug)]
pub struct Budget(AtomicU32);

impl Budget {
    /// A budget of so many tries.
    #[must_use]
    pub fn new(tries: u32) -> Self {
        Self(AtomicU32::new(tries))
    }

    /// Takes one try; false when none is left.
    pub fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        let retry = RetryConfig { first_wait_ms: 100, max_wait_ms: 1_000, ..RetryConfig::default() };
        for (tried, low, high) in [(1, 50, 100), (2, 100, 200), (4, 400, 800), (5, 500, 1_000), (200, 500, 1_000)] {
            let wait = retry.wait(tried).as_millis();
            assert!((low..=high).contains(&wait), "{tried}: {wait}");
        }
        assert_eq!(retry.rate_wait(Some(Duration::from_secs(9_999))).as_secs(), 300);
    }

    #[test]
    fn a_budget_ends() {
        let budget = Budget::new(2);
        assert!(budget.take() && budget.take() && !budget.take());
    }
}
