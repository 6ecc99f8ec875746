//! One call: token, signature, rate, tries.

use bytes::Bytes;
use serde_json::json;
use tokio::time::sleep;

use super::answer::{Trouble, judge};
use super::at;
use super::config::PlatformConfig;
use super::envelope::Envelope;
use super::sign::Signer;
use super::token::TokenStore;
use super::window::Window;
use crate::error::{At, SourceError};
use crate::kit::http::HttpClient;
use crate::kit::rate::Limiter;
use crate::kit::retry::{Budget, RetryConfig};
use crate::kit::secret::Secret;

/// Makes calls to one platform.
#[derive(Debug)]
pub(crate) struct Caller {
    http: HttpClient,
    signer: Signer,
    limiter: Limiter,
    budget: Budget,
    retry: RetryConfig,
    token: TokenStore,
    token_url: String,
    call_url: String,
    app_code: Secret,
    auth_code: Secret,
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct PageAnswer<T> {
    pub bytes: Bytes,
    pub taken: T,
}

impl Caller {
    pub(crate) fn new(config: &PlatformConfig) -> Result<Self, SourceError> {
        Ok(Self {
            http: HttpClient::new(&config.name, &config.http)?,
            signer: Signer::new(config)?,
            limiter: Limiter::new(&config.rate),
            budget: Budget::new(config.retry.budget),
            retry: config.retry.clone(),
            token: TokenStore::default(),
            token_url: config.token_url(),
            call_url: config.call_url(),
            app_code: config.app_code.resolve()?,
            auth_code: config.auth_code.resolve()?,
        })
    }

    /// One page of a message; `take` looks at the good answer.
    pub(crate) async fn page<T>(
        &self,
        infno: &str,
        window: Window,
        page: u32,
        take: impl Fn(Envelope<'_>) -> T,
    ) -> Result<PageAnswer<T>, SourceError> {
        let mut patience = Patience::new(self, at(infno, Some(window), Some(page)));
        let mut stale = None;
        loop {
            let token = self.token.get(stale, async || self.ask_token().await).await?;
            self.limiter.turn().await;
            let body = request(infno, token.value.expose(), page, window);
            let answer = self.http.post_json(&self.call_url, body, &self.signer.headers()).await;
            let trouble = match answer {
                Ok(answer) => match judge(&answer, |envelope| envelope.ok && envelope.return_ok == Some(true), &take) {
                    Ok(taken) => {
                        return Ok(PageAnswer { bytes: answer.body, taken });
                    }
                    Err(trouble) => trouble,
                },
                Err(no_answer) => Trouble::Unusable(no_answer.0),
            };
            if matches!(trouble, Trouble::TokenInvalid(_)) {
                stale = Some(token.generation);
            }
            patience.bear(trouble).await?;
        }
    }

    /// Asks for a token. One that is "still valid" is carried by the refusal, and taken.
    async fn ask_token(&self) -> Result<Secret, SourceError> {
        let mut patience = Patience::new(self, at("token", None, None));
        loop {
            let form = [("appCode", self.app_code.expose()), ("authCode", self.auth_code.expose())];
            let trouble = match self.http.post_form(&self.token_url, &form).await {
                Ok(answer) => match judge(&answer, |envelope| envelope.token.is_some(), |envelope| envelope.token) {
                    Ok(Some(token)) => return Ok(Secret::new(token)),
                    Ok(None) => Trouble::Unusable("no token in the answer".to_owned()),
                    Err(trouble) => trouble,
                },
                Err(no_answer) => Trouble::Unusable(no_answer.0),
            };
            patience.bear(trouble).await.map_err(|error| match error {
                SourceError::Business { words, .. } | SourceError::Unauthorized { words, .. } => SourceError::TokenRefused { words },
                other => other,
            })?;
        }
    }
}

/// What one call may still cost.
struct Patience<'a> {
    caller: &'a Caller,
    at: At,
    tries: u32,
    waits: u32,
    renewals: u32,
}

impl<'a> Patience<'a> {
    fn new(caller: &'a Caller, at: At) -> Self {
        Self { caller, at, tries: 1, waits: 0, renewals: 0 }
    }

    /// Waits as the trouble demands, or gives up with an error that says why.
    async fn bear(&mut self, trouble: Trouble) -> Result<(), SourceError> {
        let retry = &self.caller.retry;
        tracing::debug!(at = %self.at, ?trouble, "the platform's answer is no good one");
        match trouble {
            Trouble::Unauthorized(words) => Err(SourceError::Unauthorized { at: self.at.clone(), words }),
            Trouble::Wait(asked, words) => {
                self.waits += 1;
                if self.waits > retry.rate_waits {
                    return Err(SourceError::Throttled { at: self.at.clone(), waits: self.waits - 1, words });
                }
                sleep(retry.rate_wait(asked)).await;
                Ok(())
            }
            Trouble::TokenInvalid(words) => {
                self.renewals += 1;
                if self.renewals > retry.tries {
                    return Err(SourceError::Unreachable { at: self.at.clone(), tries: self.renewals, words });
                }
                if self.renewals > 1 {
                    sleep(retry.wait(self.renewals - 1)).await;
                }
                Ok(())
            }
            Trouble::Business(words) => {
                if self.try_again().await {
                    return Ok(());
                }
                Err(SourceError::Business { at: self.at.clone(), tries: self.tries, words })
            }
            Trouble::Unusable(words) => {
                if self.try_again().await {
                    return Ok(());
                }
                Err(SourceError::Unreachable { at: self.at.clone(), tries: self.tries, words })
            }
        }
    }

    async fn try_again(&mut self) -> bool {
        if self.tries >= self.caller.retry.tries || !self.caller.budget.take() {
            return false;
        }
        sleep(self.caller.retry.wait(self.tries)).await;
        self.tries += 1;
        true
    }
}

/// The body of a call; the page number is a string.
fn request(infno: &str, token: &str, page: u32, window: Window) -> String {
    let (from, to) = window.bounds();
    json!({"info": {"infno": infno, "input": {"data": {
        "accessToken": token,
        "currentPageNumber": page.to_string(),
        "startTime": from,
        "endTime": to,
    }}}})
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_that_of_the_contract() {
        let window = Window::new("2024-01-01T00:00:00".parse().unwrap(), "2024-01-31T23:59:59".parse().unwrap());
        assert_eq!(
            request("C1004", "t", 2, window),
            r#"{"info":{"infno":"C1004","input":{"data":{"accessToken":"t","currentPageNumber":"2","startTime":"2024-01-01 00:00:00","endTime":"2024-01-31 23:59:59"}}}}"#
        );
    }
}
