//! The words by which a platform says what an answer asks of us.

use serde::{Deserialize, Serialize};

/// Words to look for in a failure's message; each list replaces the built-in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WordsConfig {
    /// The token is no longer good: get another, repeat the call.
    pub token_invalid: Vec<String>,
    /// Calls come too fast: wait, repeat the call.
    pub too_fast: Vec<String>,
    /// The window is too long or has too many pages or rows: read it in halves.
    pub window_too_large: Vec<String>,
    /// The signature is refused: never repeat the call.
    pub bad_signature: Vec<String>,
}

impl Default for WordsConfig {
    fn default() -> Self {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            token_invalid: list(&["令牌无效"]),
            too_fast: list(&["访问间隔"]),
            window_too_large: list(&["时间跨度", "时间范围不能超过", "查询范围过大", "超过最大页数", "超过最大条数"]),
            bad_signature: list(&["签名验证失败", "验签失败"]),
        }
    }
}

impl WordsConfig {
    /// What is wrong with it: an empty word is in every message.
    pub(crate) fn check(&self) -> Result<(), String> {
        let lists = [
            ("token_invalid", &self.token_invalid),
            ("too_fast", &self.too_fast),
            ("window_too_large", &self.window_too_large),
            ("bad_signature", &self.bad_signature),
        ];
        match lists.iter().find(|(_, list)| list.iter().any(|word| word.trim().is_empty())) {
            Some((key, _)) => Err(format!("`words.{key}` has an empty word")),
            None => Ok(()),
        }
    }
}

/// The first of the words that stands in a text, and what follows it there.
pub(crate) fn found<'t>(words: &[String], text: &'t str) -> Option<&'t str> {
    words.iter().find_map(|word| text.split_once(word.as_str()).map(|(_, after)| after))
}
