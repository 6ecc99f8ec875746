//! From `yaojia.toml`, the environment and the flags to one checked configuration.

use std::path::{Path, PathBuf};

use yaojia_connectors::kit::secret::SecretRef;
use yaojia_models::value::Month;

use super::vars::{self, Vars};
use super::{Aliases, Config, ConfigError};

/// Name of the file.
pub const FILE: &str = "yaojia.toml";

/// What the command line sets; it wins over the environment, which wins over the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--warehouse`.
    pub warehouse: Option<String>,
    /// The platform's URL (the demo's simulator).
    pub platform_url: Option<String>,
    /// The landing root.
    pub export_root: Option<String>,
}

impl Overrides {
    /// These, and where they say nothing the environment.
    #[must_use]
    pub fn or_vars(self, vars: &Vars) -> Self {
        let or = |own: Option<String>, var| own.or_else(|| vars.get(var).map(str::to_owned));
        Self {
            warehouse: or(self.warehouse, vars::WAREHOUSE),
            platform_url: or(self.platform_url, vars::PLATFORM_URL),
            export_root: or(self.export_root, vars::EXPORT_ROOT),
        }
    }
}

impl Config {
    /// Reads the project in `dir`; relative paths in the file are relative to it. `overrides` already hold the environment.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(dir: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(ConfigError::Missing { path }),
            Err(error) => return Err(ConfigError::Io { path, source: error }),
        };
        let mut config = Self::parse(&path, &text)?;
        config.root_paths(dir)?;
        config.take(overrides)?;
        config.check()?;
        Ok(config)
    }

    /// Reads the text of a `yaojia.toml`, as it stands.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            // Not the parser's own excerpt: the line may hold a secret pasted where a reference belongs.
            let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
            let message = line.map_or_else(|| error.message().to_owned(), |line| format!("line {line}: {}", error.message()));
            ConfigError::Syntax { path: path.to_owned(), message }
        })
    }

    /// Makes relative paths of the file absolute, below `dir`, and takes in the aliases file.
    fn root_paths(&mut self, dir: &Path) -> Result<(), ConfigError> {
        let dir = std::path::absolute(dir).map_err(ConfigError::io(dir))?;
        below(&dir, &mut self.warehouse.location);
        self.warehouse.options.values_mut().for_each(|value| below_text(&dir, value));
        if let Some(platform) = &mut self.platform {
            below_ref(&dir, &mut platform.app_code);
            below_ref(&dir, &mut platform.auth_code);
            for secret in [&mut platform.secret, &mut platform.personal.hash_key] {
                secret.iter_mut().for_each(|secret| below_ref(&dir, secret));
            }
            if let Some(path) = &mut platform.http.ca_file {
                *path = dir.join(path.as_path());
            }
            platform.http.proxy.iter_mut().for_each(|proxy| below_text(&dir, proxy));
        }
        if let Some(export) = &mut self.export {
            below(&dir, &mut export.root);
            export.options.values_mut().for_each(|value| below_text(&dir, value));
            export.personal.hash_key.iter_mut().for_each(|secret| below_ref(&dir, secret));
        }
        self.personal.hash_key.iter_mut().for_each(|secret| below_ref(&dir, secret));
        for secret in [&mut self.audit.identity, &mut self.audit.seal_key, &mut self.audit.seal_public_key] {
            secret.iter_mut().for_each(|secret| below_ref(&dir, secret));
        }
        self.audit.recipient.iter_mut().for_each(|recipient| below_text(&dir, recipient));
        self.sql.paths.iter_mut().chain(&mut self.profiles.paths).for_each(|path| below(&dir, path));
        if let Some(file) = &self.aliases_file {
            let own = std::mem::take(&mut self.aliases);
            self.aliases = Aliases::read(&dir.join(file))?.overlaid(own);
        }
        Ok(())
    }

    fn take(&mut self, overrides: &Overrides) -> Result<(), ConfigError> {
        if let Some(location) = &overrides.warehouse {
            self.warehouse.location.clone_from(location);
        }
        if let Some(url) = &overrides.platform_url {
            let platform = self
                .platform
                .as_mut()
                .ok_or_else(|| ConfigError::invalid(vars::PLATFORM_URL.name, format!("`{FILE}` has no section `[platform]`")))?;
            platform.base_url.clone_from(url);
        }
        if let Some(root) = &overrides.export_root {
            match &mut self.export {
                Some(export) => export.root.clone_from(root),
                None => self.export = Some(yaojia_connectors::export::ExportConfig::new(root.clone())),
            }
        }
        Ok(())
    }

    /// What the types cannot say.
    fn check(&self) -> Result<(), ConfigError> {
        if let Some(platform) = &self.platform {
            platform.check().map_err(|error| ConfigError::invalid("platform", error))?;
        }
        code("region.code", &self.region.code)?;
        self.first_month()?;
        for county in &self.region.counties {
            code("region.counties", &county.code)?;
        }
        no_secrets("warehouse.options", &self.warehouse.options)?;
        if let Some(export) = &self.export {
            no_secrets("export.options", &export.options)?;
        }
        if let Some(recipient) = self.audit.recipient.as_deref().filter(|r| !r.starts_with("age1")) {
            SecretRef::parse(recipient).map_err(|_| ConfigError::invalid("audit.recipient", "write `age1…`, `env:NAME` or `file:PATH`"))?;
        }
        Ok(())
    }

    /// The first month.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`].
    pub fn first_month(&self) -> Result<Month, ConfigError> {
        Month::parse(&self.region.first_month).map_err(|error| ConfigError::invalid("region.first_month", error))
    }
}

/// Options of a store whose names sound like secrets must be references.
fn no_secrets(section: &str, options: &indexmap::IndexMap<String, String>) -> Result<(), ConfigError> {
    for (name, value) in options {
        let lower = name.to_ascii_lowercase();
        let secret = ["key", "secret", "token", "password", "sas", "credential"].iter().any(|word| lower.contains(word));
        if secret && SecretRef::parse(value).is_err() {
            let why = "looks like a secret: write `env:NAME` or `file:PATH`";
            return Err(ConfigError::invalid(format!("{section}.{name}"), why));
        }
    }
    Ok(())
}

fn code(key: &str, code: &str) -> Result<(), ConfigError> {
    if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(ConfigError::invalid(key, format!("`{code}` is no code of six digits")))
}

/// A folder or URL: a relative folder comes below `dir`.
fn below(dir: &Path, place: &mut String) {
    if !place.contains("://") && Path::new(place).is_relative() {
        // Component by component, so that `.` does not stay in the path.
        let path: PathBuf = dir.join(place.as_str()).components().collect();
        *place = path.to_string_lossy().into_owned();
    }
}

fn below_ref(dir: &Path, secret: &mut SecretRef) {
    if let SecretRef::File(path) = secret {
        below(dir, path);
    }
}

/// A text that may be a reference to a file.
fn below_text(dir: &Path, text: &mut String) {
    if let Ok(mut secret @ SecretRef::File(_)) = SecretRef::parse(text) {
        below_ref(dir, &mut secret);
        *text = secret.to_string();
    }
}
