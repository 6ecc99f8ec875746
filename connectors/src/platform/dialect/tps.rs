//! Dialect `tps`: the token in the body, the page number as text, the gateway's signature where it is wanted.

use serde_json::json;

use super::tif::Signer;
use super::{Adapter, Body, Call, PageAsk, join};
use crate::error::SourceError;
use crate::kit::secret::Secret;
use crate::platform::config::PlatformConfig;

/// See [`super::Dialect::Tps`].
#[derive(Debug)]
pub(super) struct Tps {
    token_url: String,
    call_url: String,
    app_code: Secret,
    auth_code: Secret,
    signer: Signer,
}

impl Tps {
    pub(super) fn new(config: &PlatformConfig) -> Result<Self, SourceError> {
        Ok(Self {
            token_url: join(&config.base_url, "/web/interface/accessToken/getAccessToken"),
            call_url: join(&config.base_url, "/web/interface/commonInterface"),
            app_code: config.app_code.resolve()?,
            auth_code: config.auth_code.resolve()?,
            signer: Signer::new(config)?,
        })
    }
}

impl Adapter for Tps {
    fn token_call(&self) -> Call {
        let form = vec![("appCode", self.app_code.expose().to_owned()), ("authCode", self.auth_code.expose().to_owned())];
        Call { url: self.token_url.clone(), body: Body::Form(form), headers: Vec::new() }
    }

    fn page_call(&self, ask: &PageAsk<'_>, token: &Secret) -> Call {
        Call { url: self.call_url.clone(), body: Body::Json(request(ask, token.expose())), headers: self.signer.headers() }
    }

    fn secrets(&self) -> Vec<&Secret> {
        [&self.app_code, &self.auth_code].into_iter().chain(self.signer.secret()).collect()
    }
}

fn request(ask: &PageAsk<'_>, token: &str) -> String {
    let (from, to) = ask.window.bounds();
    json!({"info": {"infno": ask.infno, "input": {"data": {
        "accessToken": token,
        "currentPageNumber": ask.page.to_string(),
        (ask.keys.0): from,
        (ask.keys.1): to,
    }}}})
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Dialect, Window};

    #[test]
    fn a_request_is_that_of_the_contract() {
        let window = Window::new("2024-01-01T00:00:00".parse().unwrap(), "2024-01-31T23:59:59".parse().unwrap());
        let ask = PageAsk { infno: "C1004", keys: Dialect::Tps.window_keys(), window, page: 2 };
        assert_eq!(
            request(&ask, "t"),
            r#"{"info":{"infno":"C1004","input":{"data":{"accessToken":"t","currentPageNumber":"2","startTime":"2024-01-01 00:00:00","endTime":"2024-01-31 23:59:59"}}}}"#
        );
    }
}
