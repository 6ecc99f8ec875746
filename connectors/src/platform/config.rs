//! Configuration of a platform: the `source.toml`.

use chrono::NaiveDate;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use yaojia_models::contract::Dataset;

use super::dialect::Dialect;
use super::message::{self, Messages};
use super::words::WordsConfig;
use crate::error::SourceError;
use crate::kit::http::HttpConfig;
use crate::kit::personal::PersonalConfig;
use crate::kit::rate::RateConfig;
use crate::kit::retry::RetryConfig;
use crate::kit::secret::SecretRef;

/// The default `source.toml` of dialect `tps`, documented key by key.
pub const SOURCE_TOML: &str = include_str!("../../platform/source.toml");
/// What dialect `zj` has otherwise: its keys and its profile of messages.
pub const SOURCE_ZJ_TOML: &str = include_str!("../../platform/source-zj.toml");

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

/// Pages, and limits of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PageConfig {
    /// Rows asked for per page, where the dialect lets the caller say (`zj`).
    pub size: u32,
    /// A window with more rows is split in halves, down to one second.
    pub max_window_rows: u64,
    /// A window with more pages is split in halves; at one second it fails.
    pub max_pages: u32,
}

impl Default for PageConfig {
    fn default() -> Self {
        Self { size: 500, max_window_rows: 100_000, max_pages: 20_000 }
    }
}

/// Configuration of one platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformConfig {
    /// Name in messages and provenance.
    #[serde(default = "default_name")]
    pub name: String,
    /// The dialect it speaks.
    #[serde(default)]
    pub dialect: Dialect,
    /// Everything before the dialect's own paths.
    pub base_url: String,
    /// Path of every call but the token call; `zj` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_uri: Option<String>,
    /// Path of the token call; `zj` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_uri: Option<String>,
    /// `x-ca-key`, the account that signs; `zj` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_key: Option<String>,
    /// `appCode` of the token call.
    pub app_code: SecretRef,
    /// `authCode` of the token call.
    pub auth_code: SecretRef,
    /// How calls are signed; `tps` only, `zj` always signs.
    #[serde(default)]
    pub signing: Signing,
    /// `x-tif-paasid`; needed for `tif`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paasid: Option<String>,
    /// Secret of the signature; needed for `tif` and for `zj`.
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
    /// The platform's words for what an answer asks of us.
    #[serde(default)]
    pub words: WordsConfig,
    /// Personal data.
    #[serde(default)]
    pub personal: PersonalConfig,
    /// Dataset → the messages that feed it; absent: the dialect's default profile.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub messages: IndexMap<String, Messages>,
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
    ///
    /// # Errors
    /// [`SourceError::Config`].
    pub fn check(&self) -> Result<(), SourceError> {
        let fail = |what: &str| Err(SourceError::config(&self.name, what));
        let own = [self.dialect.check(self), self.words.check(), message::check(&self.messages)];
        if let Some(what) = own.into_iter().find_map(Result::err) {
            return fail(&what);
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
        if self.parallel == 0 || self.retry.tries == 0 || self.retry.window_tries == 0 {
            return fail("`parallel`, `retry.tries` and `retry.window_tries` must be at least 1");
        }
        if self.page.size == 0 || self.page.max_window_rows == 0 || self.page.max_pages == 0 {
            return fail("`page.size`, `page.max_window_rows` and `page.max_pages` must be at least 1");
        }
        Ok(())
    }

    /// Whether every dataset and column the messages name is there.
    ///
    /// # Errors
    /// [`SourceError::Config`].
    pub fn check_against(&self, datasets: &[Dataset]) -> Result<(), SourceError> {
        message::check_against(&self.messages()?, datasets).map_err(|what| SourceError::config(&self.name, what))
    }

    /// The message table: the configured one, or the dialect's default profile.
    ///
    /// # Errors
    /// [`SourceError::Config`] for a message that is given twice or without a number.
    pub fn messages(&self) -> Result<IndexMap<String, Messages>, SourceError> {
        if !self.messages.is_empty() {
            return Ok(self.messages.clone());
        }
        #[derive(Deserialize)]
        struct Profile {
            messages: IndexMap<String, Messages>,
        }
        let text = self.dialect.source_toml();
        let profile: Profile = toml::from_str(text).map_err(|error| SourceError::config(&self.name, error.message()))?;
        Ok(profile.messages)
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
        assert_eq!(messages["ord_detl"].infnos(), "C1004");
        assert_eq!(config.words, WordsConfig::default());
        let registry = yaojia_models::contract::Registry::embedded().unwrap();
        config.check_against(registry.datasets()).unwrap();
    }

    #[test]
    fn the_second_dialect_has_a_valid_file_too() {
        let config = PlatformConfig::from_toml(SOURCE_ZJ_TOML).unwrap();
        assert_eq!((config.dialect, config.page.clone()), (Dialect::Zj, PageConfig::default()));
        assert_eq!(config.messages["ord_detl"].infnos(), "ZJ9657+ZJ9708");
        let registry = yaojia_models::contract::Registry::embedded().unwrap();
        config.check_against(registry.datasets()).unwrap();
        let tps = PlatformConfig::from_toml(SOURCE_TOML).unwrap();
        assert!(tps.messages.keys().all(|dataset| config.messages.contains_key(dataset)));
    }

    #[test]
    fn keys_of_the_other_dialect_are_refused_by_name() {
        let error = |text: String| PlatformConfig::from_toml(&text).unwrap_err().to_string();
        for key in ["service_uri", "token_uri", "ca_key"] {
            assert!(error(format!("{key} = \"/x\"\n{SOURCE_TOML}")).contains(&format!("`{key}` belongs to dialect `zj`")));
            let without: Vec<&str> = SOURCE_ZJ_TOML.lines().filter(|line| !line.starts_with(key)).collect();
            assert!(error(without.join("\n")).contains(&format!("dialect `zj` needs `{key}`")));
        }
        let without: Vec<&str> = SOURCE_ZJ_TOML.lines().filter(|line| !line.starts_with("secret")).collect();
        assert!(error(without.join("\n")).contains("dialect `zj` needs `secret`"));
        assert!(error(format!("signing = \"tif\"\npaasid = \"x\"\n{SOURCE_ZJ_TOML}")).contains("`zj` is always signed"));
        assert!(error(SOURCE_ZJ_TOML.replace("service_uri = \"/", "service_uri = \"")).contains("must begin with `/`"));
        let unknown = error(SOURCE_TOML.replace("dialect = \"tps\"", "dialect = \"sh\""));
        assert!(unknown.contains("unknown variant `sh`") && unknown.contains("`zj`"), "{unknown}");
        assert!(error(SOURCE_TOML.replace("too_fast = [\"访问间隔\"]", "too_fast = [\"\"]")).contains("words.too_fast"));
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
