//! Every error on its way to the user: code, sentence, hint, exit status.

use std::borrow::Cow;
use std::error::Error;

use yaojia_models::fault::{Fault, WRONG_USAGE};

use super::exit::ExitStatus;

/// An error as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// `E-SRC-003`.
    pub code: String,
    /// One sentence, lower-case, without a period.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How the command ends.
    pub exit: ExitStatus,
}

impl CliError {
    /// Wrong usage.
    #[must_use]
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: WRONG_USAGE.to_owned(), message: message.into(), hint: Some(hint.into()), exit: ExitStatus::Usage }
    }

    /// Something asked for is not there.
    #[must_use]
    pub fn missing(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: "E-CLI-002".to_owned(), message: message.into(), hint: Some(hint.into()), exit: ExitStatus::Negative }
    }

    /// A signal ended the command.
    #[must_use]
    pub fn interrupted(signal: &str) -> Self {
        Self {
            code: "E-CLI-003".to_owned(),
            message: format!("stopped by {signal}; what is committed stays"),
            hint: Some("run the same command again: it finishes the work".to_owned()),
            exit: ExitStatus::Negative,
        }
    }

    /// A file of the command's own could not be used.
    #[must_use]
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self {
            code: "E-CLI-004".to_owned(),
            message: format!("file `{}`: {error}", path.display()),
            hint: Some("check free space and permissions".to_owned()),
            exit: ExitStatus::Negative,
        }
    }

    /// Output that cannot be laid out.
    #[must_use]
    pub fn layout(error: &dyn Error) -> Self {
        Self {
            code: "E-CLI-005".to_owned(),
            message: format!("the output cannot be laid out: {}", words(error)),
            hint: None,
            exit: ExitStatus::Bug,
        }
    }

    /// Standard output could not be written.
    #[must_use]
    pub fn output(error: &std::io::Error) -> Self {
        Self {
            code: "E-CLI-006".to_owned(),
            message: format!("the output could not be written, it is cut off or empty: {error}"),
            hint: Some("make room where it is redirected to; what the command did to the warehouse stays".to_owned()),
            exit: ExitStatus::Negative,
        }
    }
}

/// An error and its causes in one line, each said once.
fn words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = error.source();
    }
    // Engines write over several lines; a message of ours is one.
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl<E: Fault> From<E> for CliError {
    fn from(error: E) -> Self {
        Self {
            code: error.code().to_owned(),
            message: words(&error),
            hint: error.hint().map(Cow::into_owned),
            exit: ExitStatus::of(error.kind().exit()),
        }
    }
}

#[cfg(test)]
mod tests {
    use yaojia_connectors::SourceError;
    use yaojia_models::contract::ContractError;
    use yaojia_warehouse::WarehouseError;

    use super::*;
    use crate::config::ConfigError;

    #[test]
    fn a_source_that_is_away_is_retried_and_a_held_lease_waited_for() {
        let away = SourceError::Unreachable { at: yaojia_connectors::At::default(), tries: 5, words: "timed out".to_owned() };
        assert_eq!(CliError::from(away).exit, ExitStatus::Unavailable);
        let held = CliError::from(WarehouseError::Leased { owner: "process 7".to_owned() });
        assert_eq!((held.exit, held.code.as_str()), (ExitStatus::Leased, "E-WH-007"));
        let config = CliError::from(ConfigError::Missing { path: "yaojia.toml".into() });
        assert_eq!((config.exit, config.code.as_str()), (ExitStatus::Usage, "E-CFG-001"));
    }

    #[test]
    fn causes_are_said_once_and_codes_are_not_repeated() {
        let io = ContractError::Read { path: "x.toml".into(), source: std::io::Error::other("disk gone") };
        let error = CliError::from(io);
        assert_eq!((error.code.as_str(), error.message.as_str()), ("E-CON-001", "cannot read `x.toml`: disk gone"));
        let landing = SourceError::Io { path: "a".to_owned(), source: std::io::Error::other("full") };
        assert_eq!(CliError::from(landing).message, "file `a` cannot be used: full");
    }
}
