//! What `yaojia init` writes: a commented `yaojia.toml` and the secrets it refers to.

use std::io::Write;
use std::path::{Path, PathBuf};

use yaojia_connectors::export::ExportConfig;
use yaojia_connectors::kit::http::HttpConfig;
use yaojia_connectors::kit::rate::RateConfig;
use yaojia_connectors::kit::retry::RetryConfig;
use yaojia_connectors::platform::{PageConfig, WordsConfig};
use yaojia_models::digest::sha256_hex;
use yaojia_warehouse::audit::seal::SealKey;
use yaojia_warehouse::store::new_audit_pair;

use super::{Config, ConfigError, FILE};

const TEXT: &str = include_str!("yaojia.toml");
/// Below the project.
const HASH_KEY: &str = "secrets/personal-hash.key";
const IDENTITY: &str = "secrets/audit-identity.txt";
const SEAL_KEY: &str = "secrets/seal-key.pem";
const SEAL_PUBLIC_KEY: &str = "secrets/seal-public-key.pem";
/// How `age-keygen` marks the recipient in an identity file; so do we.
const PUBLIC: &str = "# public key: ";

/// The values that differ between projects.
#[derive(Debug, Clone)]
pub struct Template {
    /// Six-digit code of the prefecture.
    pub region_code: String,
    /// Its name.
    pub region_name: String,
    /// `yyyy-MM`.
    pub first_month: String,
    /// Warehouse root.
    pub location: String,
    /// Before `/web/interface/…`.
    pub platform_url: String,
    /// Reference to the `appCode`.
    pub app_code: String,
    /// Reference to the `authCode`.
    pub auth_code: String,
    /// The first day to ask for, `yyyy-MM-dd`.
    pub since: String,
    /// Length of a window.
    pub window_days: u32,
    /// Landing root.
    pub landing: String,
    /// The platform's sections are left out.
    pub no_platform: bool,
    /// JSON file of aliases.
    pub aliases_file: Option<String>,
}

impl Default for Template {
    fn default() -> Self {
        Self {
            region_code: "652800".to_owned(),
            region_name: "巴音郭楞蒙古自治州".to_owned(),
            first_month: "2024-01".to_owned(),
            location: "warehouse".to_owned(),
            platform_url: "https://platform.example/tps-local-bd".to_owned(),
            app_code: "env:YAOJIA_PLATFORM_APP_CODE".to_owned(),
            auth_code: "env:YAOJIA_PLATFORM_AUTH_CODE".to_owned(),
            since: "2020-01-01".to_owned(),
            window_days: 31,
            landing: "landing".to_owned(),
            no_platform: false,
            aliases_file: None,
        }
    }
}

impl Template {
    /// The text of `yaojia.toml`.
    #[must_use]
    pub fn render(&self, recipient: &str) -> String {
        let aliases = match &self.aliases_file {
            Some(file) => format!("aliases_file = {}", quoted(file)),
            None => "#aliases_file = \"aliases.json\"".to_owned(),
        };
        let mut text = TEXT.replace("{{aliases_file}}", &aliases).replace("{{window_days}}", &self.window_days.to_string());
        for (name, value) in [
            ("region_code", self.region_code.as_str()),
            ("region_name", &self.region_name),
            ("first_month", &self.first_month),
            ("location", &self.location),
            ("platform_url", &self.platform_url),
            ("app_code", &self.app_code),
            ("auth_code", &self.auth_code),
            ("since", &self.since),
            ("landing", &self.landing),
            ("recipient", recipient),
        ] {
            text = text.replace(&format!("{{{{{name}}}}}"), &quoted(value));
        }
        if self.no_platform {
            text = without_platform(&text);
        }
        with_defaults(&text)
    }
}

/// The text without the platform's sections: from their heading to that of the export files.
fn without_platform(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("# ──") {
            inside = line.contains("招采平台接口");
        }
        if !inside {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// The sections whose switched-off keys show the sources' own defaults, and those defaults.
fn defaults() -> Vec<(&'static str, toml::Table)> {
    fn table(of: impl serde::Serialize) -> toml::Table {
        toml::Table::try_from(of).unwrap_or_default()
    }
    vec![
        ("[platform.http]", table(HttpConfig::default())),
        ("[platform.rate]", table(RateConfig::default())),
        ("[platform.retry]", table(RetryConfig::default())),
        ("[platform.page]", table(PageConfig::default())),
        ("[platform.words]", table(WordsConfig::default())),
        ("[export]", table(ExportConfig::new(""))),
        ("[maintain]", table(super::MaintainConfig::default())),
    ]
}

/// The text with the values of switched-off keys (`#key = …`) set to the defaults in force.
fn with_defaults(text: &str) -> String {
    let defaults = defaults();
    let mut section = "";
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let of = defaults.iter().find(|(name, _)| *name == section).map(|(_, table)| table);
        let key = line.strip_prefix('#').and_then(|rest| rest.split_once(" = ")).map(|(key, _)| key);
        match key.zip(of).and_then(|(key, table)| Some((key, table.get(key)?))) {
            Some((key, value)) => out.push_str(&format!("#{key} = {value}\n")),
            None => out.push_str(&format!("{line}\n")),
        }
    }
    out
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Writes a project into `dir`; gives the files written, in order. A `yaojia.toml` that is there already is an error; secrets that are
/// there are kept. `extra` are further secrets: path below `dir`, value.
///
/// # Errors
/// [`ConfigError`].
pub fn write_project(dir: &Path, template: &Template, extra: &[(&str, &str)]) -> Result<Vec<PathBuf>, ConfigError> {
    let path = dir.join(FILE);
    if path.exists() {
        return Err(ConfigError::Exists { path });
    }
    // A value that does not fit is told before anything is written.
    Config::parse(&path, &template.render("age1"))?;
    let mut written = Vec::new();
    let secrets = dir.join("secrets");
    std::fs::create_dir_all(&secrets).map_err(ConfigError::io(&secrets))?;
    restrict(&secrets)?;
    keep(&secrets.join(".gitignore"), "*\n", &mut written)?;
    let key = sha256_hex(&rand::random::<[u8; 32]>());
    keep(&dir.join(HASH_KEY), &format!("{key}\n"), &mut written)?;
    for (path, value) in extra {
        keep(&dir.join(path), &format!("{value}\n"), &mut written)?;
    }
    let recipient = audit_pair(&dir.join(IDENTITY), &mut written)?;
    seal_pair(&dir.join(SEAL_KEY), &dir.join(SEAL_PUBLIC_KEY), &mut written)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(ConfigError::io(&path))?;
    file.write_all(template.render(&recipient).as_bytes()).map_err(ConfigError::io(&path))?;
    written.push(path);
    Ok(written)
}

/// Makes the audit identity unless it is there; gives its recipient.
fn audit_pair(path: &Path, written: &mut Vec<PathBuf>) -> Result<String, ConfigError> {
    if path.exists() {
        let text = std::fs::read_to_string(path).map_err(ConfigError::io(path))?;
        let line = text.lines().find_map(|line| line.strip_prefix(PUBLIC));
        let missing = || ConfigError::invalid("audit.recipient", format!("`{}` has no line `{PUBLIC}age1…`", path.display()));
        return line.map(|line| line.trim().to_owned()).ok_or_else(missing);
    }
    let (identity, recipient) = new_audit_pair();
    keep(path, &format!("{PUBLIC}{recipient}\n{identity}\n"), written)?;
    Ok(recipient)
}

/// Makes the sealing key unless it is there, and writes its public half beside it.
fn seal_pair(path: &Path, public: &Path, written: &mut Vec<PathBuf>) -> Result<(), ConfigError> {
    let wrong = |error: yaojia_warehouse::WarehouseError| ConfigError::invalid("audit.seal_key", error);
    let key = if path.exists() {
        SealKey::from_pem(&std::fs::read_to_string(path).map_err(ConfigError::io(path))?).map_err(wrong)?
    } else {
        SealKey::generate()
    };
    keep(path, &key.to_pem().map_err(wrong)?, written)?;
    keep(public, &key.public().to_pem().map_err(wrong)?, written)
}

/// Writes a private file unless it is there.
fn keep(path: &Path, text: &str, written: &mut Vec<PathBuf>) -> Result<(), ConfigError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes()).map_err(ConfigError::io(path))?;
            written.push(path.to_owned());
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(ConfigError::io(path)(error)),
    }
}

/// Closes a folder to others.
fn restrict(path: &Path) -> Result<(), ConfigError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(ConfigError::io(path))?;
    }
    Ok(())
}
