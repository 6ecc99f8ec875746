//! Configuration of a platform: the `source.toml`.

use chrono::NaiveDate;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::error::SourceError;
use crate::kit::http::HttpConfig;
use crate::kit::personal::PersonalConfig;
use crate::kit::rate::RateConfig;
use crate::kit::retry::RetryConfig;
use crate::kit::secret::SecretRef;

/// The default `source.toml`, documented key by key.
pub const SOURCE_TOML: &str = include_str!("../../platform/source.toml");

/// How calls are signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signing {
    /// Not at all.
    #[default]
    None,
    /// Headers `x-tif-*` of the gateway, on every call but the token call.
    Tif,
}

/// Limits of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PageConfig {
    /// A window with more rows is split in halves, down to one second.
    pub max_window_rows: u64,
    /// A window with more pages is split in halves; at one second it fails.
    pub max_pages: u32,
}

impl Default for PageConfig {
    fn default() -> Self {
        Self { max_window_rows: 100_000, max_pages: 20_000 }
    }
}

/// Configuration of one platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformConfig {
    /// Name in messages and provenance.
    #[serde(default = "default_name")]
    pub name: String,
    /// Dialect; only `tps`.
    #[serde(default = "default_dialect")]
    pub dialect: String,
    /// Everything before `/web/interface/…`.
    pub base_url: String,
    /// `appCode` of the token call.
    pub app_code: SecretRef,
    /// `authCode` of the token call.
    pub auth_code: SecretRef,
    /// How calls are signed.
    #[serde(default)]
    pub signing: Signing,
    /// `x-tif-paasid`; needed for `tif`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paasid: Option<String>,
    /// Secret of the signature; needed for `tif`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// First day to ask for when there is no cursor.
    #[serde(with = "day")]
    pub since: NaiveDate,
    /// Length of a window.
    #[serde(default = "default_window_days")]
    pub window_days: u32,
    /// How far a window reaches back into the one before.
    #[serde(default = "default_overlap_days")]
    pub overlap_days: u32,
    /// Windows read at a time.
    #[serde(default = "default_parallel")]
    pub parallel: u32,
    /// Timeouts, CA, proxy.
    #[serde(default)]
    pub http: HttpConfig,
    /// Least interval between calls.
    #[serde(default)]
    pub rate: RateConfig,
    /// Tries and waits.
    #[serde(default)]
    pub retry: RetryConfig,
    /// Limits of a window.
    #[serde(default)]
    pub page: PageConfig,
    /// Personal data.
    #[serde(default)]
    pub personal: PersonalConfig,
    /// Dataset → message number; absent: the default profile.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub messages: IndexMap<String, String>,
}

/// A day as `yyyy-MM-dd`.
mod day {
    use chrono::NaiveDate;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(day: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn default_name() -> String {
    "platform".to_owned()
}

fn default_dialect() -> String {
    "tps".to_owned()
}

const fn default_window_days() -> u32 {
    31
}

const fn default_overlap_days() -> u32 {
    1
}

const fn default_parallel() -> u32 {
    1
}

impl PlatformConfig {
    /// Reads a `source.toml`.
    ///
    /// # Errors
    /// [`SourceError::Config`] for an unknown key or a value out of range.
    pub fn from_toml(text: &str) -> Result<Self, SourceError> {
        let config: Self = toml::from_str(text).map_err(|error| SourceError::config(default_name(), error.message()))?;
        config.check()?;
        Ok(config)
    }

    /// What the type cannot say.
    pub(crate) fn check(&self) -> Result<(), SourceError> {
        let fail = |what: &str| Err(SourceError::config(&self.name, what));
        if self.dialect != "tps" {
            return fail("`dialect` is not `tps`");
        }
        match url::Url::parse(&self.base_url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() => {}
            _ => return fail("`base_url` is not an http or https URL"),
        }
        if self.window_days <= self.overlap_days {
            return fail("`window_days` must exceed `overlap_days`");
        }
        if self.window_days > 36_600 {
            return fail("`window_days` is out of range");
        }
        if self.signing == Signing::Tif && (self.paasid.is_none() || self.secret.is_none()) {
            return fail("`signing = \"tif\"` needs `paasid` and `secret`");
        }
        if self.parallel == 0 || self.retry.tries == 0 || self.retry.window_tries == 0 {
            return fail("`parallel`, `retry.tries` and `retry.window_tries` must be at least 1");
        }
        if self.page.max_window_rows == 0 || self.page.max_pages == 0 {
            return fail("`page.max_window_rows` and `page.max_pages` must be at least 1");
        }
        Ok(())
    }

    /// The message table: the configured one, or the default profile.
    ///
    /// # Errors
    /// When the default profile cannot be read.
    pub fn messages(&self) -> Result<IndexMap<String, String>, SourceError> {
        if !self.messages.is_empty() {
            return Ok(self.messages.clone());
        }
        #[derive(Deserialize)]
        struct Profile {
            messages: IndexMap<String, String>,
        }
        let profile: Profile = toml::from_str(SOURCE_TOML).map_err(|error| SourceError::config(&self.name, error.message()))?;
        Ok(profile.messages)
    }

    /// URL of the token call.
    pub(crate) fn token_url(&self) -> String {
        format!("{}/web/interface/accessToken/getAccessToken", self.base_url.trim_end_matches('/'))
    }

    /// URL of every other call.
    pub(crate) fn call_url(&self) -> String {
        format!("{}/web/interface/commonInterface", self.base_url.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_is_valid_and_holds_the_profile() {
        let config = PlatformConfig::from_toml(SOURCE_TOML).unwrap();
        assert_eq!((config.window_days, config.overlap_days, config.parallel), (31, 1, 1));
        assert_eq!(config.http, HttpConfig::default());
        assert_eq!(config.retry, RetryConfig::default());
        assert_eq!(config.page, PageConfig::default());
        let messages = config.messages().unwrap();
        assert_eq!(messages.len(), 15);
        assert_eq!(messages.get("ord_detl").map(String::as_str), Some("C1004"));
        assert_eq!(config.call_url(), "https://platform.example/tps-local-bd/web/interface/commonInterface");
    }

    #[test]
    fn an_unknown_key_is_an_error_and_a_pasted_secret_is_not_repeated() {
        assert!(PlatformConfig::from_toml(&format!("windowdays = 3\n{SOURCE_TOML}")).is_err());
        let pasted = SOURCE_TOML.replace("env:YAOJIA_PLATFORM_APP_CODE", "hunter2");
        let error = PlatformConfig::from_toml(&pasted).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn windows_must_exceed_their_overlap() {
        let text = SOURCE_TOML.replace("window_days = 31", "window_days = 1");
        assert!(PlatformConfig::from_toml(&text).is_err());
    }
}
