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
    /// What the paths begin with.
    pub base_path: String,
    /// The form field `appCode` a caller must send.
    pub app_code: String,
    /// The form field `authCode` a caller must send.
    pub auth_code: String,
    /// How long a token is valid.
    pub token_ttl: Duration,
    /// How calls are signed.
    pub signing: Signing,
    /// Rows a page.
    pub page_size: usize,
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
    /// Message number → dataset.
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
            base_path: "/tps-local-bd".into(),
            app_code: "yaojia-demo".into(),
            auth_code: "yaojia-demo-auth".into(),
            token_ttl: Duration::from_secs(1800),
            signing: Signing::None,
            page_size: 200,
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
