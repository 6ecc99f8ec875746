//! What the configuration refers to: sources with their personal rules, storage options, audit keys.

use std::collections::HashMap;

use yaojia_connectors::export::ExportConfig;
use yaojia_connectors::kit::secret::SecretRef;
use yaojia_connectors::platform::PlatformConfig;
use yaojia_warehouse::audit::seal::{SealKey, SealPublicKey};
use yaojia_warehouse::store::AuditKeys;

use super::{Config, ConfigError};

impl Config {
    /// The platform's configuration, with the project's personal rules where it has none of its own.
    #[must_use]
    pub fn platform(&self) -> Option<PlatformConfig> {
        let mut platform = self.platform.clone()?;
        platform.personal.hash_key = platform.personal.hash_key.or_else(|| self.personal.hash_key.clone());
        platform.personal.names = platform.personal.names.or_else(|| self.personal.names.clone());
        Some(platform)
    }

    /// The landing folder's configuration, likewise.
    #[must_use]
    pub fn export(&self) -> Option<ExportConfig> {
        let mut export = self.export.clone()?;
        export.personal.hash_key = export.personal.hash_key.or_else(|| self.personal.hash_key.clone());
        export.personal.names = export.personal.names.or_else(|| self.personal.names.clone());
        Some(export)
    }

    /// The options of the warehouse's store, their secrets resolved.
    ///
    /// # Errors
    /// [`ConfigError::Secret`].
    pub fn storage_options(&self) -> Result<HashMap<String, String>, ConfigError> {
        let resolve = |(name, value): (&String, &String)| {
            let value = match SecretRef::parse(value) {
                Ok(secret) => read(&format!("warehouse.options.{name}"), &secret)?,
                Err(_) => value.clone(),
            };
            Ok((name.clone(), value))
        };
        self.warehouse.options.iter().map(resolve).collect()
    }

    /// The auditor's keys. An identity that is not at hand is no error: only opening a personal file needs it.
    ///
    /// # Errors
    /// [`ConfigError::Secret`] where the recipient is named but absent.
    pub fn audit_keys(&self) -> Result<AuditKeys, ConfigError> {
        let recipient = match self.audit.recipient.as_deref() {
            Some(text) if !text.starts_with("age1") => Some(read("audit.recipient", &reference("audit.recipient", text)?)?),
            other => other.map(str::to_owned),
        };
        let identity = self.audit.identity.as_ref().and_then(|secret| secret.resolve().ok()).map(|secret| secret.expose().to_owned());
        Ok(AuditKeys { recipient, identity })
    }

    /// The key that seals.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] where none is configured or it is no key, [`ConfigError::Secret`] where it is not at hand.
    pub fn seal_key(&self) -> Result<SealKey, ConfigError> {
        let name = "audit.seal_key";
        let secret = self.audit.seal_key.as_ref().ok_or_else(|| ConfigError::invalid(name, "is not set: nothing can be sealed"))?;
        SealKey::from_pem(&read(name, secret)?).map_err(|error| ConfigError::invalid(name, error))
    }

    /// The keys that verify: the public ones, of which a PEM may hold several, or that of the sealing key where only this is configured.
    ///
    /// # Errors
    /// As [`Self::seal_key`].
    pub fn seal_public_keys(&self) -> Result<Vec<SealPublicKey>, ConfigError> {
        let name = "audit.seal_public_key";
        match &self.audit.seal_public_key {
            Some(secret) => SealPublicKey::all_from_pem(&read(name, secret)?).map_err(|error| ConfigError::invalid(name, error)),
            None => Ok(vec![self.seal_key()?.public()]),
        }
    }

    /// Every secret the configuration refers to, with the key that does.
    #[must_use]
    pub fn secrets(&self) -> Vec<(String, SecretRef)> {
        let mut secrets = Vec::new();
        let mut add = |key: &str, secret: Option<&SecretRef>| secrets.extend(secret.map(|secret| (key.to_owned(), secret.clone())));
        if let Some(platform) = &self.platform {
            add("platform.app_code", Some(&platform.app_code));
            add("platform.auth_code", Some(&platform.auth_code));
            add("platform.secret", platform.secret.as_ref());
            add("platform.personal.hash_key", platform.personal.hash_key.as_ref());
        }
        if let Some(export) = &self.export {
            add("export.personal.hash_key", export.personal.hash_key.as_ref());
            for (name, value) in &export.options {
                add(&format!("export.options.{name}"), SecretRef::parse(value).ok().as_ref());
            }
        }
        add("personal.hash_key", self.personal.hash_key.as_ref());
        add("audit.recipient", self.audit.recipient.as_deref().and_then(|text| SecretRef::parse(text).ok()).as_ref());
        add("audit.identity", self.audit.identity.as_ref());
        add("audit.seal_key", self.audit.seal_key.as_ref());
        add("audit.seal_public_key", self.audit.seal_public_key.as_ref());
        for (name, value) in &self.warehouse.options {
            add(&format!("warehouse.options.{name}"), SecretRef::parse(value).ok().as_ref());
        }
        secrets
    }
}

fn reference(key: &str, text: &str) -> Result<SecretRef, ConfigError> {
    SecretRef::parse(text).map_err(|source| ConfigError::Secret { key: key.to_owned(), source: Box::new(source) })
}

fn read(key: &str, secret: &SecretRef) -> Result<String, ConfigError> {
    let value = secret.resolve().map_err(|source| ConfigError::Secret { key: key.to_owned(), source: Box::new(source) })?;
    Ok(value.expose().to_owned())
}
