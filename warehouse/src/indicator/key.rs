//! The key of a value row.

use std::fmt;

use sha2::{Digest, Sha256};
use yaojia_models::card::Level;

/// What makes a row of one indicator unique. The order is the order in which rows are published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The measure.
    pub measure: String,
    /// The month, yyyy-MM.
    pub month: String,
    /// The county, or the region's code.
    pub county: String,
    /// The level.
    pub level: Level,
    /// The subject.
    pub subject_code: String,
    /// The product, or blank.
    pub product_code: String,
    /// The batch, or blank.
    pub batch_code: String,
    /// The group or category, or blank.
    pub group_code: String,
}

impl RowKey {
    /// The key's parts after the indicator, as text.
    fn parts(&self) -> [&str; 8] {
        [
            &self.measure,
            &self.month,
            &self.county,
            self.level.as_str(),
            &self.subject_code,
            &self.product_code,
            &self.batch_code,
            &self.group_code,
        ]
    }

    /// The key of a row of `gold.indicator_value`, joined by `|`.
    #[must_use]
    pub fn joined(&self, indicator: &str) -> String {
        format!("{indicator}|{}", self.parts().join("|"))
    }

    /// The alert of the row: the first 32 hex digits of the SHA-256 of indicator and key, joined by U+001F.
    #[must_use]
    pub fn alert_id(&self, indicator: &str) -> String {
        let text = format!("{indicator}\u{1f}{}", self.parts().join("\u{1f}"));
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
            for digit in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
            }
            hex
        })
    }

    /// The same row in another month.
    #[must_use]
    pub fn in_month(&self, month: &str) -> Self {
        Self { month: month.to_owned(), ..self.clone() }
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts().join("|"))
    }
}
