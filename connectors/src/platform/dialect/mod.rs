//! What differs between dialects, behind one adapter: how calls are made and signed, where the token goes, how pages are asked for,
//! and which words mean success. Windows, tries, rate, completeness and the reading of rows are shared.

mod hmac_sm3;
mod tif;
mod tps;
mod zj;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::config::PlatformConfig;
use super::window::Window;
use crate::error::SourceError;
use crate::kit::secret::Secret;

/// The dialect a platform speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Provincial `tps-local-bd`: token in the body, a page size the server fixes.
    #[default]
    Tps,
    /// 两定平台 of the Zhejiang kind: HMAC-SM3 headers, `current` and `size`, a result per line.
    Zj,
}

/// How answers of a dialect are spelled.
#[derive(Debug)]
pub(crate) struct EnvelopeForm {
    /// The `returnCode` that means success.
    pub return_ok: &'static str,
    /// A row may carry a `returnCode` and `returnMsg` of its own.
    pub line_results: bool,
}

impl Dialect {
    /// How its answers are spelled.
    pub(crate) fn form(self) -> &'static EnvelopeForm {
        match self {
            Self::Tps => &EnvelopeForm { return_ok: "200", line_results: false },
            Self::Zj => &EnvelopeForm { return_ok: "0", line_results: true },
        }
    }

    /// The documented `source.toml` of the dialect, with its default profile of messages.
    #[must_use]
    pub fn source_toml(self) -> &'static str {
        match self {
            Self::Tps => super::SOURCE_TOML,
            Self::Zj => super::SOURCE_ZJ_TOML,
        }
    }

    /// The names of a window's ends in a request, where a message has none of its own.
    pub(crate) fn window_keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Tps => ("startTime", "endTime"),
            Self::Zj => ("startUpdtTime", "endUpdtTime"),
        }
    }

    /// Keys of the configuration this dialect needs and does not have, or has and does not know.
    pub(crate) fn check(self, config: &PlatformConfig) -> Result<(), String> {
        let zj_only =
            [("service_uri", config.service_uri.is_some()), ("token_uri", config.token_uri.is_some()), ("ca_key", config.ca_key.is_some())];
        match self {
            Self::Tps => match zj_only.iter().find(|(_, set)| *set) {
                Some((key, _)) => Err(format!("`{key}` belongs to dialect `zj`, the dialect here is `tps`")),
                None if config.signing == super::Signing::Tif && (config.paasid.is_none() || config.secret.is_none()) => {
                    Err("`signing = \"tif\"` needs `paasid` and `secret`".to_owned())
                }
                None => Ok(()),
            },
            Self::Zj => {
                if let Some((key, _)) = zj_only.iter().chain(&[("secret", config.secret.is_some())]).find(|(_, set)| !*set) {
                    return Err(format!("dialect `zj` needs `{key}`"));
                }
                if config.signing != super::Signing::None || config.paasid.is_some() {
                    return Err(
                        "`signing` and `paasid` belong to dialect `tps`: `zj` is always signed, with `ca_key` and `secret`".to_owned()
                    );
                }
                let uris = [("service_uri", &config.service_uri), ("token_uri", &config.token_uri)];
                match uris.iter().find(|(_, uri)| !uri.as_deref().unwrap_or_default().starts_with('/')) {
                    Some((key, _)) => Err(format!("`{key}` must begin with `/`: it follows `base_url`")),
                    None => Ok(()),
                }
            }
        }
    }

    /// The adapter, its secrets resolved.
    pub(crate) fn adapter(self, config: &PlatformConfig) -> Result<Box<dyn Adapter>, SourceError> {
        Ok(match self {
            Self::Tps => Box::new(tps::Tps::new(config)?),
            Self::Zj => Box::new(zj::Zj::new(config)?),
        })
    }
}

/// One page to ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageAsk<'a> {
    pub infno: &'a str,
    /// The names of the window's ends.
    pub keys: (&'a str, &'a str),
    pub window: Window,
    /// From 1.
    pub page: u32,
}

/// A call, ready to be sent; never printed, as it carries token, signature and credentials.
pub(crate) struct Call {
    pub url: String,
    pub body: Body,
    pub headers: Vec<(&'static str, String)>,
}

/// The body of a call.
pub(crate) enum Body {
    Form(Vec<(&'static str, String)>),
    Json(String),
}

/// Makes the calls of a dialect.
pub(crate) trait Adapter: fmt::Debug + Send + Sync {
    /// The call that gets a token.
    fn token_call(&self) -> Call;

    /// The call that gets a page.
    fn page_call(&self, ask: &PageAsk<'_>, token: &Secret) -> Call;

    /// What must not stand in a message, should the platform echo it.
    fn secrets(&self) -> Vec<&Secret>;
}

/// `base` and a path in one.
fn join(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}
