//! Secrets by reference: `env:NAME` or `file:PATH`. A value is never printed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::SourceError;

/// Where a secret is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file; a newline at its end is cut.
    File(String),
}

impl SecretRef {
    /// Reads `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// [`SourceError::Secret`]; the text is not repeated, as it may be the secret itself.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            _ => Err(SourceError::Secret { reference: "***".to_owned(), what: "it is neither `env:NAME` nor `file:PATH`".to_owned() }),
        }
    }

    /// Reads the secret's value.
    ///
    /// # Errors
    /// [`SourceError::Secret`] when it is absent or empty.
    pub fn resolve(&self) -> Result<Secret, SourceError> {
        let fail = |what: String| SourceError::Secret { reference: self.to_string(), what };
        let value = match self {
            Self::Env(name) => read_env(name).ok_or_else(|| fail("the variable is not set".to_owned()))?,
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?,
        };
        let value = value.trim_end_matches(['\r', '\n']).to_owned();
        if value.is_empty() { Err(fail("it is empty".to_owned())) } else { Ok(Secret(value)) }
    }
}

#[expect(clippy::disallowed_methods, reason = "the configuration names the variable; its value must not pass through the configuration")]
fn read_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|_| serde::de::Error::custom("a secret is written as `env:NAME` or `file:PATH`"))
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The value of a secret. `Debug` prints `***`; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret from its value, for callers that hold one already.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value. Hand it on to the wire or the key schedule, never to a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::new("s3cret")), "***");
        let error = SecretRef::parse("s3cret").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }

    #[test]
    fn a_file_is_read_without_its_last_newline() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "k e y\r\n").unwrap();
        let secret = SecretRef::parse(&format!("file:{}", path.display())).unwrap().resolve().unwrap();
        assert_eq!(secret.expose(), "k e y");
        std::fs::write(&path, "\n").unwrap();
        assert!(SecretRef::File(path.display().to_string()).resolve().is_err());
        assert!(SecretRef::parse("env:YAOJIA_NO_SUCH_VARIABLE").unwrap().resolve().is_err());
    }
}
