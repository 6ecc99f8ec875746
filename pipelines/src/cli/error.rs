//! Every error on its way to the user: code, sentence, hint, exit status.

use std::error::Error;

use yaojia_connectors::profile::ProfileError;
use yaojia_connectors::{ErrorKind as SourceKind, SourceError};
use yaojia_models::bundle::SqlError;
use yaojia_models::card::CardError;
use yaojia_models::contract::ContractError;
use yaojia_models::definitions::DefinitionError;
use yaojia_simulator::SimError;
use yaojia_warehouse::indicator::EngineError;
use yaojia_warehouse::{ErrorKind, WarehouseError};

use super::exit::ExitStatus;
use crate::config::ConfigError;
use crate::error::RunError;
use crate::lineage::LineageError;
use crate::project::ProjectError;

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
        Self { code: "E-CLI-001".to_owned(), message: message.into(), hint: Some(hint.into()), exit: ExitStatus::Usage }
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

    fn new(code: impl Into<String>, error: &dyn Error, hint: Option<String>, exit: ExitStatus) -> Self {
        let (code, mut message) = (code.into(), words(error));
        // Some messages carry their code in front already.
        if let Some(rest) = message.strip_prefix(&format!("[{code}] ")) {
            message = rest.to_owned();
        }
        Self { code, message, hint, exit }
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

/// The code in front of a message: `[E-CON-001] …`.
fn leading_code(message: &str) -> Option<&str> {
    message.strip_prefix('[')?.split_once(']').map(|(code, _)| code)
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let exit = if matches!(error, ConfigError::Exists { .. }) { ExitStatus::Negative } else { ExitStatus::Usage };
        Self::new(error.code(), &error, Some(error.hint().to_owned()), exit)
    }
}

impl From<ContractError> for CliError {
    fn from(error: ContractError) -> Self {
        let text = error.to_string();
        let code = leading_code(&text).unwrap_or("E-CON-000").to_owned();
        Self::new(code, &error, Some("correct the contract file it names".to_owned()), ExitStatus::Usage)
    }
}

impl From<CardError> for CliError {
    fn from(error: CardError) -> Self {
        let text = error.to_string();
        let code = leading_code(&text).unwrap_or("E-IND-010").to_owned();
        Self::new(code, &error, Some("correct the file it names, then `yaojia indicator check`".to_owned()), ExitStatus::Usage)
    }
}

impl From<SqlError> for CliError {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Card(card) => card.into(),
            other => Self::new(other.code(), &other, Some("see `sql.paths` and the project's `sql` folder".to_owned()), ExitStatus::Usage),
        }
    }
}

impl From<DefinitionError> for CliError {
    fn from(error: DefinitionError) -> Self {
        match error {
            DefinitionError::Contract(error) => error.into(),
            DefinitionError::Sql(error) => error.into(),
        }
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        Self::new("E-IND-001", &error, Some("see `yaojia indicator check`".to_owned()), ExitStatus::Usage)
    }
}

impl From<WarehouseError> for CliError {
    fn from(error: WarehouseError) -> Self {
        let exit = match error.kind() {
            ErrorKind::Config => ExitStatus::Usage,
            ErrorKind::Storage => ExitStatus::Unavailable,
            ErrorKind::Check => ExitStatus::Check,
            ErrorKind::Lease => ExitStatus::Leased,
            ErrorKind::Gone => ExitStatus::Negative,
            ErrorKind::Bug => ExitStatus::Bug,
        };
        Self::new(error.code(), &error, error.hint().map(str::to_owned), exit)
    }
}

impl From<LineageError> for CliError {
    fn from(error: LineageError) -> Self {
        match error {
            LineageError::Warehouse(error) => error.into(),
            LineageError::Engine(error) => error.into(),
            LineageError::Source(error) => error.into(),
            LineageError::Ask { .. } => Self::new("E-LIN-001", &error, Some("report it: this is a defect".to_owned()), ExitStatus::Bug),
        }
    }
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> Self {
        let exit = match error.kind() {
            SourceKind::Config => ExitStatus::Usage,
            SourceKind::Unreachable | SourceKind::Incomplete => ExitStatus::Unavailable,
            SourceKind::Internal => ExitStatus::Negative,
        };
        Self::new(error.code(), &error, Some(error.hint().to_owned()), exit)
    }
}

impl From<ProfileError> for CliError {
    fn from(error: ProfileError) -> Self {
        Self::new(error.code(), &error, Some(error.hint().to_owned()), ExitStatus::Usage)
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        Self::new(error.code(), &error, error.hint(), ExitStatus::of(error.exit()))
    }
}

impl From<ProjectError> for CliError {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Config(error) => error.into(),
            ProjectError::Contract(error) => error.into(),
            ProjectError::Sql(error) => error.into(),
            ProjectError::Warehouse(error) => error.into(),
        }
    }
}

impl From<SimError> for CliError {
    fn from(error: SimError) -> Self {
        let exit = match error {
            SimError::Config(_) | SimError::NotLoopback(_) | SimError::Bind { .. } => ExitStatus::Usage,
            _ => ExitStatus::Negative,
        };
        Self::new("E-SIM-001", &error, Some("see `yaojia simulate --help`".to_owned()), exit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
