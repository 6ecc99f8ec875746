//! Asking a run to stop between two commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A wish to stop. Clones share it; a run looks at it between commits, where stopping loses nothing.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    asked: AtomicBool,
    told: Notify,
}

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.0.asked.store(true, Ordering::Release);
        self.0.told.notify_waiters();
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::Acquire)
    }

    /// Waits until somebody asks.
    pub async fn asked(&self) {
        let told = self.0.told.notified();
        let mut told = std::pin::pin!(told);
        // Listening first, looking second: a wish between the two is heard.
        told.as_mut().enable();
        if !self.is_asked() {
            told.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_is_heard_before_and_after() {
        let stop = Stop::default();
        assert!(!stop.is_asked());
        let other = stop.clone();
        let waiting = tokio::spawn(async move { other.asked().await });
        tokio::task::yield_now().await;
        stop.ask();
        waiting.await.unwrap();
        stop.asked().await;
        assert!(stop.is_asked());
    }
}
