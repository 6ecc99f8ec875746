//! The procurement platform's API. Dialects are data (`source.toml`, `[messages]`, `[words]`) and one small adapter each (`dialect`).
//!
//! ```text
//! PlatformSource::connect(config)
//!   ├─ windows(from, to)                   time windows, one day overlapping
//!   ├─ read_windows(dataset, windows)      each window's messages, a few windows ahead, in order
//!   │    └─ read_window(dataset, window)   all pages of one consistent read per message, as artifacts
//!   └─ parse_page(dataset, infno, page)    pure: a text batch
//! ```

mod ahead;
mod answer;
mod call;
mod config;
mod dialect;
mod envelope;
#[cfg(test)]
mod fuzz;
mod json;
mod message;
mod page;
#[cfg(test)]
mod tests;
mod token;
mod window;
mod words;

use std::sync::Arc;

pub use config::{PageConfig, PlatformConfig, SOURCE_TOML, SOURCE_ZJ_TOML, Signing};
pub use dialect::Dialect;
pub use message::{Message, Messages};
pub use page::{Parsed, UnknownKey};
pub use window::Window;
pub use words::WordsConfig;

use chrono::NaiveDateTime;
use futures::Stream;
use indexmap::IndexMap;
use yaojia_models::contract::Dataset;

use crate::error::{At, SourceError};
use crate::kit::artifact::Artifact;
use crate::kit::personal::PersonalRules;
use call::Caller;
use page::PageMap;

/// A window of a dataset, read from every message that feeds it.
#[derive(Debug, Clone)]
pub struct WindowRead {
    /// The window asked for.
    pub window: Window,
    /// One consistent read per message, in configured order.
    pub messages: Vec<MessageRead>,
}

impl WindowRead {
    /// Rows of all messages, distinct within each by key and `updt_time`.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.messages.iter().map(|read| read.rows).sum()
    }

    /// The platform's own time when it was first asked for the window; none where it does not say.
    #[must_use]
    pub fn platform_time(&self) -> Option<NaiveDateTime> {
        self.messages.iter().filter_map(|read| read.time).min()
    }

    /// Rows all messages announced.
    #[must_use]
    pub fn announced(&self) -> u64 {
        self.messages.iter().map(|read| read.announced).sum()
    }
}

/// One consistent read of one message of a window: complete by itself.
#[derive(Debug, Clone)]
pub struct MessageRead {
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
    /// The platform's own time (of its answer, else of its gateway) when it was first asked; naive Asia/Shanghai.
    pub time: Option<NaiveDateTime>,
}

/// A connection to one platform. Cheap to clone; clones share token, rate and budget.
#[derive(Debug, Clone)]
pub struct PlatformSource {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: PlatformConfig,
    messages: IndexMap<String, Messages>,
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

    /// Datasets the platform gives → the messages that feed them, in configured order.
    #[must_use]
    pub fn messages(&self) -> &IndexMap<String, Messages> {
        &self.inner.messages
    }

    /// The messages that feed a dataset.
    ///
    /// # Errors
    /// [`SourceError::NoMessage`].
    pub fn messages_of(&self, dataset: &str) -> Result<&[Message], SourceError> {
        let messages = self.inner.messages.get(dataset);
        messages.map(|messages| messages.0.as_slice()).ok_or_else(|| SourceError::NoMessage { dataset: dataset.to_owned() })
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

    /// Reads a window, message by message, until all announced rows of each are there.
    ///
    /// # Errors
    /// When a page gets no usable answer, or no read of the window was complete.
    pub async fn read_window(&self, dataset: &Dataset, window: Window) -> Result<WindowRead, SourceError> {
        let (config, form) = (&self.inner.config, self.inner.config.dialect.form());
        let mut messages = Vec::new();
        for message in self.messages_of(&dataset.name)? {
            let map = PageMap::new(dataset, &self.inner.personal, message, form);
            messages.push(window::read(&self.inner.caller, config, &map, message, window).await?);
        }
        Ok(WindowRead { window, messages })
    }

    /// Reads windows, `parallel` of them at a time and no further ahead, and hands them on in the order given. All share one token,
    /// one rate and one budget; what is under way when the stream is dropped is given up.
    pub fn read_windows(&self, dataset: Arc<Dataset>, windows: Vec<Window>) -> impl Stream<Item = Result<WindowRead, SourceError>> + use<> {
        let parallel = usize::try_from(self.inner.config.parallel).unwrap_or(usize::MAX);
        ahead::read(self, dataset, windows, parallel)
    }

    /// A stored page of a message as a text batch; pure.
    ///
    /// # Errors
    /// [`SourceError::Page`] when the bytes are not a good answer, [`SourceError::NoMessage`] when the message does not feed the dataset.
    pub fn parse_page(&self, dataset: &Dataset, infno: &str, artifact: &Artifact) -> Result<Parsed, SourceError> {
        let message = self.messages_of(&dataset.name)?.iter().find(|message| message.infno == infno);
        let message = message.ok_or_else(|| SourceError::NoMessage { dataset: dataset.name.clone() })?;
        PageMap::new(dataset, &self.inner.personal, message, self.inner.config.dialect.form()).parse(artifact)
    }
}

/// A stored page of a message as a text batch, without a connection; pure.
///
/// # Errors
/// As [`PlatformSource::parse_page`].
pub fn parse_page(config: &PlatformConfig, dataset: &Dataset, infno: &str, artifact: &Artifact) -> Result<Parsed, SourceError> {
    let (messages, personal) = (config.messages()?, PersonalRules::new(&config.personal)?);
    let message = messages.get(&dataset.name).and_then(|messages| messages.0.iter().find(|message| message.infno == infno));
    let message = message.ok_or_else(|| SourceError::NoMessage { dataset: dataset.name.clone() })?;
    PageMap::new(dataset, &personal, message, config.dialect.form()).parse(artifact)
}

/// Where a call stands.
pub(crate) fn at(infno: &str, window: Option<Window>, page: Option<u32>) -> At {
    At { infno: infno.to_owned(), window: window.map(|window| window.to_string()), page }
}
