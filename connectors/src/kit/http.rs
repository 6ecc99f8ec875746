//! The HTTP client: timeouts, own CA, proxy, bounded bodies, errors in words.

use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};

use crate::error::SourceError;
use crate::kit::secret::SecretRef;

/// HTTP section of a source configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Longest time to make a connection.
    pub connect_timeout_ms: u64,
    /// Longest time of one call, its body included.
    pub timeout_ms: u64,
    /// PEM file of certificate authorities to trust beside the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// `none`, a proxy URL, or a secret reference to one; absent: as the environment says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Longest body taken.
    pub max_body_bytes: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { connect_timeout_ms: 10_000, timeout_ms: 60_000, ca_file: None, proxy: None, max_body_bytes: 256 << 20 }
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// A call without an answer, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer(pub String);

/// A client for one source.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client,
    max_body_bytes: u64,
}

impl HttpClient {
    /// Builds the client.
    ///
    /// # Errors
    /// [`SourceError::Config`] for an unusable CA file or proxy.
    pub fn new(name: &str, config: &HttpConfig) -> Result<Self, SourceError> {
        let mut builder = Client::builder()
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .timeout(Duration::from_millis(config.timeout_ms))
            .redirect(Policy::none())
            .user_agent(concat!("yaojia/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &config.ca_file {
            let fail = |error: String| SourceError::config(name, format!("`http.ca_file` `{}`: {error}", path.display()));
            let pem = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| fail(error.to_string()))?;
            if certificates.is_empty() {
                return Err(fail("it holds no certificate".to_owned()));
            }
            for certificate in certificates {
                builder = builder.add_root_certificate(certificate);
            }
        }
        match config.proxy.as_deref() {
            None => {}
            Some("none") => builder = builder.no_proxy(),
            Some(proxy) => {
                let url = match SecretRef::parse(proxy) {
                    Ok(reference) => reference.resolve()?.expose().to_owned(),
                    Err(_) => proxy.to_owned(),
                };
                let proxy = reqwest::Proxy::all(url).map_err(|_| SourceError::config(name, "`http.proxy` is not a proxy URL"))?;
                builder = builder.proxy(proxy);
            }
        }
        let client = builder.build().map_err(|error| SourceError::config(name, words_of(error)))?;
        Ok(Self { client, max_body_bytes: config.max_body_bytes })
    }

    /// Posts a form.
    ///
    /// # Errors
    /// [`NoAnswer`] when there is no whole answer.
    pub async fn post_form(&self, url: &str, form: &[(&str, &str)]) -> Result<HttpAnswer, NoAnswer> {
        self.send(self.client.post(url).form(form)).await
    }

    /// Posts JSON with further headers.
    ///
    /// # Errors
    /// [`NoAnswer`] when there is no whole answer.
    pub async fn post_json(&self, url: &str, json: String, headers: &[(&str, String)]) -> Result<HttpAnswer, NoAnswer> {
        let mut map = HeaderMap::new();
        map.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| NoAnswer(error.to_string()))?;
            let mut value = HeaderValue::from_str(value).map_err(|_| NoAnswer(format!("the value of header `{name}` is not allowed")))?;
            value.set_sensitive(true);
            map.insert(name, value);
        }
        self.send(self.client.post(url).headers(map).body(json)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<HttpAnswer, NoAnswer> {
        let mut response = request.send().await.map_err(|error| NoAnswer(words_of(error)))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await.map_err(|error| NoAnswer(words_of(error)))? {
            if (body.len() + part.len()) as u64 > self.max_body_bytes {
                return Err(NoAnswer(format!("the body is longer than {} bytes", self.max_body_bytes)));
            }
            body.extend_from_slice(&part);
        }
        Ok(HttpAnswer { status, headers, body: body.freeze() })
    }
}

/// An error and its causes in one line, without the URL.
fn words_of(error: reqwest::Error) -> String {
    let mut words = if error.is_timeout() { "timed out".to_owned() } else { String::new() };
    let error = error.without_url();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(current) = cause {
        let text = current.to_string();
        if !words.ends_with(&text) {
            if !words.is_empty() {
                words.push_str(": ");
            }
            words.push_str(&text);
        }
        cause = current.source();
    }
    words
}
