//! What an answer asks of us: take it, wait, get a token, try again, give up.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::dialect::EnvelopeForm;
use super::envelope::{Envelope, decode, open, shorten};
use super::words::{WordsConfig, found};
use crate::kit::http::HttpAnswer;

/// What to do with an answer that is no good one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Get a token, repeat the call.
    TokenInvalid(String),
    /// Wait, repeat the call; the time the platform names, if any.
    Wait(Option<Duration>, String),
    /// Never repeat the call.
    Unauthorized(String),
    /// Never repeat the call: ask for less at a time.
    TooLarge(String),
    /// The platform fails the call: repeat it a few times.
    Business(String),
    /// No usable answer: repeat the call a few times.
    Unusable(String),
}

impl Trouble {
    /// The same with its words changed.
    pub(crate) fn reworded(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::TokenInvalid(words) => Self::TokenInvalid(change(words)),
            Self::Wait(asked, words) => Self::Wait(asked, change(words)),
            Self::Unauthorized(words) => Self::Unauthorized(change(words)),
            Self::TooLarge(words) => Self::TooLarge(change(words)),
            Self::Business(words) => Self::Business(change(words)),
            Self::Unusable(words) => Self::Unusable(change(words)),
        }
    }
}

/// Judges an answer; a good one is given to `take`.
pub(crate) fn judge<T>(
    answer: &HttpAnswer,
    form: &EnvelopeForm,
    known: &WordsConfig,
    good: impl FnOnce(&Envelope<'_>) -> bool,
    take: impl FnOnce(Envelope<'_>) -> T,
) -> Result<T, Trouble> {
    let opened = match decode(&answer.body) {
        Some(text) => match open(&text, form) {
            // a good answer is taken while its text lives
            Ok(envelope) if answer.status.is_success() && good(&envelope) => {
                return Ok(take(envelope));
            }
            Ok(envelope) => Ok(envelope.words),
            Err(what) => Err(what),
        },
        None => Err("the body is neither UTF-8 nor GB18030".to_owned()),
    };
    let words = match &opened {
        Ok(words) => words.clone(),
        Err(what) => format!("HTTP {}: {what}", answer.status.as_u16()),
    };
    let words = shorten(&words);
    Err(match opened {
        Ok(_) if found(&known.token_invalid, &words).is_some() => Trouble::TokenInvalid(words),
        Ok(_) if let Some(after) = found(&known.too_fast, &words) => Trouble::Wait(named_seconds(after), words),
        Ok(_) if found(&known.bad_signature, &words).is_some() => Trouble::Unauthorized(words),
        Ok(_) if found(&known.window_too_large, &words).is_some() => Trouble::TooLarge(words),
        _ if answer.status == StatusCode::TOO_MANY_REQUESTS => Trouble::Wait(retry_after(&answer.headers), format!("HTTP 429: {words}")),
        _ if answer.status == StatusCode::UNAUTHORIZED => Trouble::Unauthorized(words),
        Ok(_) if answer.status.is_success() => Trouble::Business(words),
        Ok(_) => Trouble::Unusable(format!("HTTP {}: {words}", answer.status.as_u16())),
        Err(_) => Trouble::Unusable(words),
    })
}

/// The seconds named behind the words, as in `该接口访问间隔为5秒！`.
fn named_seconds(after: &str) -> Option<Duration> {
    let digits: String = after.chars().skip_while(|c| digit(*c).is_none()).map_while(digit).collect();
    let unit = after.chars().skip_while(|c| digit(*c).is_none()).find(|c| digit(*c).is_none());
    let number: u64 = digits.parse().ok()?;
    Some(if unit == Some('分') { Duration::from_secs(number.checked_mul(60)?) } else { Duration::from_secs(number) })
}

/// An ASCII digit for an ASCII or full-width one.
fn digit(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')),
        _ => None,
    }
}

/// `Retry-After`: seconds, or a date against the answer's own `Date`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| chrono::DateTime::parse_from_rfc2822(text).ok();
    let (until, now) = (date(text)?, date(headers.get(DATE)?.to_str().ok()?)?);
    (until - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::header::HeaderValue;

    use super::*;
    use crate::platform::Dialect;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn trouble(answer: &HttpAnswer) -> Trouble {
        judge(answer, Dialect::Tps.form(), &WordsConfig::default(), |envelope| envelope.ok && envelope.return_ok == Some(true), |_| ())
            .unwrap_err()
    }

    #[test]
    fn the_platform_names_the_wait() {
        let five = answer(200, r#"{"infcode":-1,"err_msg":"该接口访问间隔为5秒！"}"#);
        assert!(matches!(trouble(&five), Trouble::Wait(Some(wait), _) if wait.as_secs() == 5));
        let wide = answer(200, r#"{"infcode":"-1","err_msg":"访问间隔为１０秒"}"#);
        assert!(matches!(trouble(&wide), Trouble::Wait(Some(wait), _) if wait.as_secs() == 10));
        let inner = answer(200, r#"{"infcode":0,"output":{"data":{"returnCode":"500","returnMsg":"访问间隔过短"}}}"#);
        assert!(matches!(trouble(&inner), Trouble::Wait(None, _)));
    }

    #[test]
    fn http_429_with_and_without_retry_after() {
        let mut busy = answer(429, "slow down");
        assert!(matches!(trouble(&busy), Trouble::Wait(None, _)));
        busy.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        assert!(matches!(trouble(&busy), Trouble::Wait(Some(wait), _) if wait.as_secs() == 7));
        busy.headers.insert(RETRY_AFTER, HeaderValue::from_static("Wed, 01 May 2024 10:00:09 GMT"));
        busy.headers.insert(DATE, HeaderValue::from_static("Wed, 01 May 2024 10:00:00 GMT"));
        assert!(matches!(trouble(&busy), Trouble::Wait(Some(wait), _) if wait.as_secs() == 9));
    }

    #[test]
    fn each_failure_has_its_consequence() {
        let unsigned = answer(401, r#"{"infcode":-1,"err_msg":"签名验证失败"}"#);
        assert_eq!(trouble(&unsigned), Trouble::Unauthorized("签名验证失败".to_owned()));
        let expired = answer(401, r#"{"infcode":-1,"err_msg":"令牌无效，请重新获取令牌"}"#);
        assert!(matches!(trouble(&expired), Trouble::TokenInvalid(_)));
        let refused = answer(200, r#"{"infcode":0,"output":{"data":{"returnCode":500,"returnMsg":"系统繁忙"}}}"#);
        assert_eq!(trouble(&refused), Trouble::Business("系统繁忙".to_owned()));
        let long = answer(200, r#"{"infcode":-1,"err_msg":"查询时间跨度不能超过31天"}"#);
        assert!(matches!(trouble(&long), Trouble::TooLarge(_)));
        let unsigned = answer(200, r#"{"infcode":"-1","err_msg":"签名验证失败"}"#);
        assert!(matches!(trouble(&unsigned), Trouble::Unauthorized(_)));
        for (status, body) in [(502, "<html><title>502</title>"), (200, "<html>"), (200, "{\"infcode\":0,\"outp"), (500, ""), (200, "[]")] {
            assert!(matches!(trouble(&answer(status, body)), Trouble::Unusable(_)), "{status} {body}");
        }
    }
}
