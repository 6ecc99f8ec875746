//! Dialect `zj`: every call signed with HMAC-SM3, the token in a header, pages by `current` and `size`.

use serde_json::json;

use super::hmac_sm3::hmac_sm3;
use super::{Adapter, Body, Call, PageAsk, join};
use crate::error::SourceError;
use crate::kit::artifact::hex;
use crate::kit::clock::unix_seconds;
use crate::kit::secret::Secret;
use crate::platform::config::PlatformConfig;

/// See [`super::Dialect::Zj`].
#[derive(Debug)]
pub(super) struct Zj {
    token_url: String,
    call_url: String,
    app_code: Secret,
    auth_code: Secret,
    ca_key: String,
    secret: Secret,
    size: u32,
}

impl Zj {
    pub(super) fn new(config: &PlatformConfig) -> Result<Self, SourceError> {
        let missing = |key: &str| SourceError::config(&config.name, format!("dialect `zj` needs `{key}`"));
        let text = |key: &str, value: &Option<String>| value.clone().ok_or_else(|| missing(key));
        Ok(Self {
            token_url: join(&config.base_url, &text("token_uri", &config.token_uri)?),
            call_url: join(&config.base_url, &text("service_uri", &config.service_uri)?),
            app_code: config.app_code.resolve()?,
            auth_code: config.auth_code.resolve()?,
            ca_key: text("ca_key", &config.ca_key)?,
            secret: config.secret.as_ref().ok_or_else(|| missing("secret"))?.resolve()?,
            size: config.page.size,
        })
    }

    /// The headers that sign a body, at a time.
    fn signature(&self, seconds: u64, body: &str) -> [(&'static str, String); 2] {
        let mac = hmac_sm3(self.secret.expose().as_bytes(), &[seconds.to_string().as_bytes(), b"\n", body.as_bytes()]);
        [("x-ca-key", self.ca_key.clone()), ("x-ca-signature", format!("{seconds}:{}", hex(&mac)))]
    }
}

impl Adapter for Zj {
    fn token_call(&self) -> Call {
        let body = json!({"appCode": self.app_code.expose(), "authCode": self.auth_code.expose()}).to_string();
        let headers = self.signature(unix_seconds(), &body).into();
        Call { url: self.token_url.clone(), body: Body::Json(body), headers }
    }

    fn page_call(&self, ask: &PageAsk<'_>, token: &Secret) -> Call {
        let body = request(ask, self.size);
        let mut headers: Vec<_> = self.signature(unix_seconds(), &body).into();
        headers.push(("access-token", token.expose().to_owned()));
        Call { url: self.call_url.clone(), body: Body::Json(body), headers }
    }

    fn secrets(&self) -> Vec<&Secret> {
        vec![&self.app_code, &self.auth_code, &self.secret]
    }
}

fn request(ask: &PageAsk<'_>, size: u32) -> String {
    let (from, to) = ask.window.bounds();
    json!({"infno": ask.infno, "input": {"data": {
        (ask.keys.0): from,
        (ask.keys.1): to,
        "current": ask.page,
        "size": size,
    }}})
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Dialect, Window};

    #[test]
    fn a_request_is_that_of_the_contract() {
        let window = Window::new("2024-01-01T00:00:00".parse().unwrap(), "2024-01-31T23:59:59".parse().unwrap());
        let ask = PageAsk { infno: "ZJ9671", keys: Dialect::Zj.window_keys(), window, page: 2 };
        assert_eq!(
            request(&ask, 500),
            r#"{"infno":"ZJ9671","input":{"data":{"startUpdtTime":"2024-01-01 00:00:00","endUpdtTime":"2024-01-31 23:59:59","current":2,"size":500}}}"#
        );
    }

    #[test]
    fn the_signature_is_that_of_the_contract() {
        let secret = || Secret::new("s3cret");
        let zj = Zj {
            token_url: String::new(),
            call_url: String::new(),
            app_code: secret(),
            auth_code: secret(),
            ca_key: "account".to_owned(),
            secret: secret(),
            size: 1,
        };
        // printf '1700000000\n{"a":1}' | openssl dgst -sm3 -mac HMAC -macopt key:s3cret
        let expected = "1700000000:043c84306a2f240edf1d0f9db57db68f88aaa6fd6c01ad5923268d362f2d1fe3";
        assert_eq!(
            zj.signature(1_700_000_000, r#"{"a":1}"#),
            [("x-ca-key", "account".to_owned()), ("x-ca-signature", expected.to_owned())]
        );
        assert!(!format!("{zj:?}").contains("s3cret"));
    }
}
