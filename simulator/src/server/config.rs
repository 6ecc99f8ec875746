//! How a simulated platform is set up.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::NaiveDateTime;

/// How badly the platform behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Not at all: one shape of answer, no faults.
    #[default]
    None,
    /// Now and then: at most one fault a page and one spoilt reading a window.
    Mild,
    /// Often: at most two faults a page and two spoilt readings a window.
    Hostile,
}

impl std::str::FromStr for Mode {
    type Err = crate::SimError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "mild" => Ok(Self::Mild),
            "hostile" => Ok(Self::Hostile),
            other => Err(crate::SimError::Config(format!("`{other}` is no mode: none, mild or hostile"))),
        }
    }
}

/// The dialect a platform speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Provincial `tps-local-bd`.
    #[default]
    Tps,
    /// 两定平台: HMAC-SM3 headers, `current` and `size`, a result per line; always signed.
    Zj,
}

/// How callers prove who they are, beside the token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Signing {
    /// Not at all.
    #[default]
    None,
    /// The `x-tif-*` headers of the gateway.
    Tif {
        /// The caller's id, `x-tif-paasid`.
        paasid: String,
        /// The secret that signs.
        secret: String,
    },
    /// The `x-ca-*` headers of dialect `zj`.
    HmacSm3 {
        /// The caller's account, `x-ca-key`.
        ca_key: String,
        /// The secret that signs.
        secret: String,
    },
}

/// What a caller gets who comes back too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateAnswer {
    /// HTTP 200 and `该接口访问间隔为N秒！`.
    #[default]
    Message,
    /// HTTP 429 with `Retry-After`.
    Status,
}

/// A simulated platform.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen: loopback only; port 0 takes a free one.
    pub addr: SocketAddr,
    /// What it speaks.
    pub dialect: Dialect,
    /// What the paths begin with.
    pub base_path: String,
    /// Path of every call but the token call, behind `base_path`; `zj` only.
    pub service_uri: String,
    /// Path of the token call, behind `base_path`; `zj` only.
    pub token_uri: String,
    /// The form field `appCode` a caller must send.
    pub app_code: String,
    /// The form field `authCode` a caller must send.
    pub auth_code: String,
    /// How long a token is valid.
    pub token_ttl: Duration,
    /// How calls are signed.
    pub signing: Signing,
    /// Rows a page; in `zj` the most a caller may ask for.
    pub page_size: usize,
    /// The longest window it answers, in days.
    pub max_window_days: Option<u32>,
    /// The last page it gives of a window.
    pub max_pages: Option<usize>,
    /// The shortest time between two calls of one message.
    pub min_interval: Option<Duration>,
    /// What a caller gets who comes back earlier.
    pub rate_answer: RateAnswer,
    /// How badly to behave.
    pub mode: Mode,
    /// Bad behaviour follows from this number.
    pub seed: u64,
    /// How long a stall lasts.
    pub stall: Duration,
    /// Message number → dataset; `tps` only, `zj` has its own.
    pub infnos: BTreeMap<String, String>,
    /// Rows published later do not exist yet.
    pub until: Option<NaiveDateTime>,
    /// Six digits that begin every message id.
    pub region: String,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            dialect: Dialect::Tps,
            base_path: "/tps-local-bd".into(),
            service_uri: "/openapi/procurement/service".into(),
            token_uri: "/openapi/procurement/accessToken".into(),
            app_code: "yaojia-demo".into(),
            auth_code: "yaojia-demo-auth".into(),
            token_ttl: Duration::from_secs(1800),
            signing: Signing::None,
            page_size: 200,
            max_window_days: None,
            max_pages: None,
            min_interval: None,
            rate_answer: RateAnswer::Message,
            mode: Mode::None,
            seed: 1,
            stall: Duration::from_millis(300),
            infnos: default_infnos(),
            until: None,
            region: "652800".into(),
        }
    }
}

impl ServerConfig {
    /// A platform of dialect `zj`, with the demo's account and secret.
    #[must_use]
    pub fn zj() -> Self {
        Self {
            dialect: Dialect::Zj,
            base_path: "/liangding".into(),
            signing: Signing::HmacSm3 { ca_key: "yaojia".into(), secret: "yaojia-demo-secret".into() },
            ..Self::default()
        }
    }

    /// Why it cannot be served, if it cannot.
    pub(crate) fn check(&self) -> Result<(), crate::SimError> {
        let signed = matches!(self.signing, Signing::HmacSm3 { .. });
        match self.dialect {
            Dialect::Zj if !signed => Err(crate::SimError::Config("dialect `zj` is always signed with HMAC-SM3".to_owned())),
            Dialect::Tps if signed => Err(crate::SimError::Config("dialect `tps` is not signed with HMAC-SM3".to_owned())),
            _ => Ok(()),
        }
    }
}

/// The message numbers of the contract's default profile.
#[must_use]
pub fn default_infnos() -> BTreeMap<String, String> {
    [
        ("C1001", "drug_listing"),
        ("C1021", "mcs_listing"),
        ("C1002", "enterprise"),
        ("C1003", "institution"),
        ("C1004", "ord_detl"),
        ("C1009", "shp"),
        ("C1010", "retn"),
        ("C1030", "vbp_batch"),
        ("C1031", "vbp_prod"),
        ("C1032", "vbp_agrm"),
        ("C1033", "tri_agrm"),
        ("C1034", "purc_plan"),
        ("C1035", "pay_detl"),
        ("C1036", "appeal"),
        ("C1037", "ref_pric"),
    ]
    .into_iter()
    .map(|(n, d)| (n.to_owned(), d.to_owned()))
    .collect()
}
