//! What all requests share.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDateTime;
use tokio::time::Instant;

use super::config::{Dialect, ServerConfig};
use super::hostile::Temper;
use super::token::Tokens;
use super::zj::{self, Message};
use crate::platform_data::PlatformData;

/// The platform's memory.
#[derive(Debug)]
pub(crate) struct Platform {
    /// Its rows.
    pub data: Arc<PlatformData>,
    /// Its messages, in dialect `zj`.
    pub messages: Vec<Message>,
    /// How it is set up.
    pub config: ServerConfig,
    /// Its tokens.
    pub tokens: Mutex<Tokens>,
    /// Its temper.
    pub temper: Mutex<Temper>,
    /// When each message was last answered.
    pub answered: Mutex<BTreeMap<String, Instant>>,
    /// Rows published later do not exist yet.
    pub until: Mutex<Option<NaiveDateTime>>,
    /// Messages so far.
    pub serial: AtomicU64,
    /// Pages given.
    pub pages: AtomicU64,
    /// Faults committed.
    pub faults: AtomicU64,
}

/// Locks; a request that died in here has left nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Platform {
    /// A platform nobody has called yet.
    pub(crate) fn new(data: Arc<PlatformData>, config: ServerConfig) -> Self {
        let messages = if config.dialect == Dialect::Zj { zj::messages(&data) } else { Vec::new() };
        Self {
            data,
            messages,
            tokens: Mutex::default(),
            temper: Mutex::new(Temper::new(config.mode, config.seed)),
            answered: Mutex::default(),
            until: Mutex::new(config.until),
            serial: AtomicU64::new(0),
            pages: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            config,
        }
    }
}
