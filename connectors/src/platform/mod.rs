//! The procurement platform's API, dialect `tps`.
//!
//! ```text
//! PlatformSource::connect(config)
//!   ├─ windows(from, to)            time windows, one day overlapping
//!   ├─ read_window(dataset, window) all pages of one consistent read, as artifacts
//!   └─ parse_page(dataset, page)    pure: a text batch
//! ```

mod answer;
mod call;
mod config;
mod envelope;
#[cfg(test)]
mod fuzz;
mod json;
mod page;
mod sign;
#[cfg(test)]
mod tests;
mod token;
mod window;

use std::sync::Arc;

pub use config::{PageConfig, PlatformConfig, SOURCE_TOML, Signing};
pub use page::Parsed;
pub use window::Window;

use chrono::NaiveDateTime;
use indexmap::IndexMap;
use yaojia_models::contract::Dataset;

use crate::error::{At, SourceError};
use crate::kit::artifact::Artifact;
use crate::kit::personal::PersonalRules;
use call::Caller;
use page::PageMap;

/// One consistent read of a window.
#[derive(Debug, Clone)]
pub struct WindowRead {
    /// The window asked for.
    pub window: Window,
    /// Message number.
    pub infno: String,
    /// The pages, in order; a split window's halves follow each other.
    pub pages: Vec<Artifact>,
    /// Rows distinct by key and `updt_time`; equal to `announced`.
    pub rows: u64,
    /// The last `totalRecordCount`, summed over the halves of a split window.
    pub announced: u64,
    /// Reads it took; the most of any half.
    pub tries: u32,
}

/// A connection to one platform. Cheap to clone; clones share token, rate and budget.
#[derive(Debug, Clone)]
pub struct PlatformSource {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: PlatformConfig,
    messages: IndexMap<String, String>,
    personal: PersonalRules,
    caller: Caller,
}

impl PlatformSource {
    /// Checks the configuration, resolves its secrets and builds the client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SourceError::Config`] and [`SourceError::Secret`].
    pub fn connect(config: PlatformConfig) -> Result<Self, SourceError> {
        config.check()?;
        let messages = config.messages()?;
        let personal = PersonalRules::new(&config.personal)?;
        let caller = Caller::new(&config)?;
        Ok(Self { inner: Arc::new(Inner { config, messages, personal, caller }) })
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &PlatformConfig {
        &self.inner.config
    }

    /// Datasets the platform gives → message number, in configured order.
    #[must_use]
    pub fn messages(&self) -> &IndexMap<String, String> {
        &self.inner.messages
    }

    /// Message number of a dataset.
    ///
    /// # Errors
    /// [`SourceError::NoMessage`].
    pub fn infno(&self, dataset: &str) -> Result<&str, SourceError> {
        let infno = self.inner.messages.get(dataset);
        infno.map(String::as_str).ok_or_else(|| SourceError::NoMessage { dataset: dataset.to_owned() })
    }

    /// Where a load starts: `overlap_days` before the cursor, not before `since`; `since` without a cursor.
    #[must_use]
    pub fn resume_from(&self, cursor: Option<NaiveDateTime>) -> NaiveDateTime {
        window::resume_from(&self.inner.config, cursor)
    }

    /// Windows that cover `from` to `to`, both inclusive, each overlapping the one before.
    #[must_use]
    pub fn windows(&self, from: NaiveDateTime, to: NaiveDateTime) -> Vec<Window> {
        window::windows(&self.inner.config, from, to)
    }

    /// Reads a window until all announced rows are there.
    ///
    /// # Errors
    /// When a page gets no usable answer, or no read of the window was complete.
    pub async fn read_window(&self, dataset: &Dataset, window: Window) -> Result<WindowRead, SourceError> {
        let infno = self.infno(&dataset.name)?.to_owned();
        let map = PageMap::new(dataset, &self.inner.personal);
        window::read(&self.inner.caller, &self.inner.config, &map, &infno, window).await
    }

    /// A stored page as a text batch; pure.
    ///
    /// # Errors
    /// [`SourceError::Page`] when the bytes are not a good answer.
    pub fn parse_page(&self, dataset: &Dataset, artifact: &Artifact) -> Result<Parsed, SourceError> {
        parse_page(dataset, artifact, &self.inner.personal)
    }
}

/// A stored page as a text batch, without a connection; pure.
///
/// # Errors
/// [`SourceError::Page`] when the bytes are not a good answer.
pub fn parse_page(dataset: &Dataset, artifact: &Artifact, personal: &PersonalRules) -> Result<Parsed, SourceError> {
    PageMap::new(dataset, personal).parse(artifact)
}

/// Where a call stands.
pub(crate) fn at(infno: &str, window: Option<Window>, page: Option<u32>) -> At {
    At { infno: infno.to_owned(), window: window.map(|window| window.to_string()), page }
}
