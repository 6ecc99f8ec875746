//! One call: token, rate, tries.

use bytes::Bytes;
use chrono::{NaiveDateTime, TimeDelta};
use reqwest::header::{DATE, HeaderMap};
use tokio::time::sleep;

use super::answer::{Trouble, judge};
use super::at;
use super::config::PlatformConfig;
use super::dialect::{Adapter, Body, Call, EnvelopeForm, PageAsk};
use super::envelope::Envelope;
use super::token::TokenStore;
use super::words::{WordsConfig, found};
use crate::error::{At, SourceError};
use crate::kit::http::{HttpAnswer, HttpClient, NoAnswer};
use crate::kit::rate::Limiter;
use crate::kit::retry::{Budget, RetryConfig};
use crate::kit::secret::Secret;

/// Shorter secrets stand in too many words by chance to be hidden there.
const HIDDEN_FROM: usize = 6;
/// Hours of Asia/Shanghai ahead of UTC.
const SHANGHAI: i64 = 8;

/// Makes calls to one platform.
#[derive(Debug)]
pub(crate) struct Caller {
    http: HttpClient,
    adapter: Box<dyn Adapter>,
    form: &'static EnvelopeForm,
    words: WordsConfig,
    limiter: Limiter,
    budget: Budget,
    retry: RetryConfig,
    token: TokenStore,
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct PageAnswer<T> {
    pub bytes: Bytes,
    /// The gateway's time, by its `Date` header; naive Asia/Shanghai.
    pub date: Option<NaiveDateTime>,
    pub taken: T,
}

impl Caller {
    pub(crate) fn new(config: &PlatformConfig) -> Result<Self, SourceError> {
        Ok(Self {
            http: HttpClient::new(&config.name, &config.http)?,
            adapter: config.dialect.adapter(config)?,
            form: config.dialect.form(),
            words: config.words.clone(),
            limiter: Limiter::new(&config.rate),
            budget: Budget::new(config.retry.budget),
            retry: config.retry.clone(),
            token: TokenStore::default(),
        })
    }

    /// One page of a message; `take` looks at the good answer.
    pub(crate) async fn page<T>(&self, ask: &PageAsk<'_>, take: impl Fn(Envelope<'_>) -> T) -> Result<PageAnswer<T>, SourceError> {
        let mut patience = Patience::new(self, at(ask.infno, Some(ask.window), Some(ask.page)));
        let mut stale = None;
        loop {
            let token = self.token.get(stale, async || self.ask_token().await).await?;
            self.limiter.turn().await;
            let trouble = match self.send(self.adapter.page_call(ask, &token.value)).await {
                Ok(answer) => {
                    let good = |envelope: &Envelope<'_>| envelope.ok && envelope.return_ok == Some(true);
                    match judge(&answer, self.form, &self.words, good, &take) {
                        Ok(taken) => {
                            let date = date(&answer.headers);
                            return Ok(PageAnswer { bytes: answer.body, date, taken });
                        }
                        Err(trouble) => trouble,
                    }
                }
                Err(no_answer) => Trouble::Unusable(no_answer.0),
            };
            if matches!(trouble, Trouble::TokenInvalid(_)) {
                stale = Some(token.generation);
            }
            patience.bear(trouble.reworded(|words| self.hidden(words, Some(&token.value)))).await?;
        }
    }

    /// A reading of a window more than the first, if the budget has one left.
    pub(crate) fn may_read_again(&self) -> bool {
        self.budget.take()
    }

    /// Asks for a token. One that is "still valid" is carried by the refusal, and taken.
    async fn ask_token(&self) -> Result<Secret, SourceError> {
        let mut patience = Patience::new(self, at("token", None, None));
        loop {
            let trouble = match self.send(self.adapter.token_call()).await {
                Ok(answer) => {
                    match judge(&answer, self.form, &self.words, |envelope| envelope.token.is_some(), |envelope| envelope.token) {
                        Ok(Some(token)) => return Ok(Secret::new(token)),
                        Ok(None) => Trouble::Unusable("no token in the answer".to_owned()),
                        Err(trouble) => trouble,
                    }
                }
                Err(no_answer) => Trouble::Unusable(no_answer.0),
            };
            patience.bear(trouble.reworded(|words| self.hidden(words, None))).await.map_err(|error| match error {
                SourceError::Business { words, .. } => SourceError::TokenRefused { words },
                // a signed token call can fail for its signature, which is another thing to repair
                SourceError::Unauthorized { words, .. } if found(&self.words.bad_signature, &words).is_none() => {
                    SourceError::TokenRefused { words }
                }
                other => other,
            })?;
        }
    }

    async fn send(&self, call: Call) -> Result<HttpAnswer, NoAnswer> {
        match call.body {
            Body::Form(form) => {
                let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
                self.http.post_form(&call.url, &form).await
            }
            Body::Json(json) => self.http.post_json(&call.url, json, &call.headers).await,
        }
    }

    /// Words of the platform without our secrets, should it echo them.
    fn hidden(&self, words: String, token: Option<&Secret>) -> String {
        let secrets = self.adapter.secrets().into_iter().chain(token).map(Secret::expose);
        secrets.filter(|secret| secret.chars().count() >= HIDDEN_FROM).fold(words, |words, secret| words.replace(secret, "***"))
    }
}

/// `Date`, which HTTP says in UTC.
fn date(headers: &HeaderMap) -> Option<NaiveDateTime> {
    let at = chrono::DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
    at.naive_utc().checked_add_signed(TimeDelta::hours(SHANGHAI))
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
            Trouble::TooLarge(words) => Err(SourceError::TooLarge { at: self.at.clone(), words }),
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
