//! The configuration as a whole.

use std::path::Path;

use yaojia_models::fault::Fault;

use super::vars::Vars;
use super::*;

/// The documented file with every optional key switched on.
fn switched_on() -> String {
    let text = Template::default().render("age1qqq");
    let on = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[' || c == '"') => rest.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(on).collect::<Vec<_>>().join("\n")
}

/// Every key of a document, and of the tables in it.
fn keys(table: &toml::Table, found: &mut Vec<String>) {
    for (key, value) in table {
        found.push(key.clone());
        match value {
            toml::Value::Table(below) => keys(below, found),
            toml::Value::Array(list) => list.iter().filter_map(toml::Value::as_table).for_each(|below| keys(below, found)),
            _ => {}
        }
    }
}

#[test]
fn the_written_file_parses_and_documents_every_key() {
    let config = Config::parse(Path::new(FILE), &Template::default().render("age1qqq")).unwrap();
    assert_eq!(config.region.code, "652800");
    assert_eq!(config.platform().unwrap().personal.hash_key, config.personal.hash_key);
    let full = Config::parse(Path::new(FILE), &switched_on()).unwrap();
    let mut found = Vec::new();
    keys(&toml::Table::try_from(&full).unwrap(), &mut found);
    assert!(found.len() > 60, "{found:?}");
    let text = switched_on();
    for key in found {
        let known = text.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with(&format!("{key} ="))
                || line.contains(&format!(".{key}]"))
                || line.contains(&format!("[{key}"))
                || line.contains(&format!(".{key}."))
                || line.contains(&format!("{{ {key} ="))
                || line.contains(&format!(", {key} ="))
                || line.starts_with(&format!("\"{key}\""))
        });
        assert!(known, "`{key}` is not documented");
    }
    // Nothing optional is left unset in the switched-on file, so that the list of keys is whole.
    assert!(full.aliases_file.is_some() && !full.region.counties.is_empty() && !full.warehouse.options.is_empty());
    let platform = full.platform.unwrap();
    assert!(platform.paasid.is_some() && platform.secret.is_some() && platform.http.ca_file.is_some() && platform.http.proxy.is_some());
    assert_eq!(platform.messages.len(), 15);
    assert!(full.audit.identity.is_some() && full.personal.names.is_some() && !full.parameters.is_empty());
}

#[test]
fn the_written_defaults_are_the_defaults() {
    let short = "[region]\ncode = \"652800\"\nfirst_month = \"2024-01\"\n[platform]\nbase_url = \"https://x.example\"\napp_code = \"env:A\"\nauth_code = \"env:B\"\nsince = \"2020-01-01\"\n[export]\nroot = \"landing\"\n";
    let short = Config::parse(Path::new(FILE), short).unwrap();
    let full = Config::parse(Path::new(FILE), &switched_on()).unwrap();
    let (a, b) = (short.platform.unwrap(), full.platform.unwrap());
    assert_eq!((a.retry, a.rate, a.page), (b.retry, b.rate, b.page));
    assert_eq!((a.window_days, a.overlap_days, a.parallel, a.name), (b.window_days, b.overlap_days, b.parallel, b.name));
    assert_eq!(
        (a.http.connect_timeout_ms, a.http.timeout_ms, a.http.max_body_bytes),
        (b.http.connect_timeout_ms, b.http.timeout_ms, b.http.max_body_bytes)
    );
    let (a, b) = (short.export.unwrap(), full.export.unwrap());
    assert_eq!((a.batch_rows, a.memory_bytes, a.max_row_bytes), (b.batch_rows, b.memory_bytes, b.max_row_bytes));
}

#[test]
fn a_project_is_written_once_and_its_secrets_are_private() {
    let dir = tempfile::tempdir().unwrap();
    let written = write_project(dir.path(), &Template::default(), &[("secrets/more.txt", "x")]).unwrap();
    assert_eq!(written.len(), 7, "{written:?}");
    let config = Config::load(dir.path(), &Overrides::default()).unwrap();
    let keys = config.audit_keys().unwrap();
    assert!(keys.recipient.unwrap().starts_with("age1") && keys.identity.unwrap().contains("AGE-SECRET-KEY-"));
    assert_eq!(config.personal.hash_key.as_ref().unwrap().resolve().unwrap().expose().len(), 64);
    assert_eq!(config.warehouse.location, dir.path().join("warehouse").to_string_lossy());
    #[cfg(unix)]
    for file in ["personal-hash.key", "audit-identity.txt", "seal-key.pem", "more.txt"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(dir.path().join("secrets").join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert!(matches!(write_project(dir.path(), &Template::default(), &[]), Err(ConfigError::Exists { .. })));
    // With the file gone the secrets stay, and the recipient is that of the kept identity.
    let recipient = config.audit.recipient.unwrap();
    std::fs::remove_file(dir.path().join(FILE)).unwrap();
    assert_eq!(write_project(dir.path(), &Template::default(), &[]).unwrap().len(), 1);
    assert_eq!(Config::load(dir.path(), &Overrides::default()).unwrap().audit.recipient.unwrap(), recipient);
}

#[test]
fn flags_win_over_variables_and_these_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    write_project(dir.path(), &Template::default(), &[]).unwrap();
    let vars =
        Vars::of([("YAOJIA_WAREHOUSE", "s3://from/vars"), ("YAOJIA_PLATFORM_URL", "http://127.0.0.1:1/x"), ("YAOJIA_EXPORT_ROOT", "")]);
    let config = Config::load(dir.path(), &Overrides::default().or_vars(&vars)).unwrap();
    assert_eq!(config.warehouse.location, "s3://from/vars");
    assert_eq!(config.platform.as_ref().unwrap().base_url, "http://127.0.0.1:1/x");
    assert!(config.export.as_ref().unwrap().root.ends_with("/landing"));
    let flags = Overrides { warehouse: Some("elsewhere".to_owned()), ..Overrides::default() };
    assert_eq!(Config::load(dir.path(), &flags.or_vars(&vars)).unwrap().warehouse.location, "elsewhere");
}

#[test]
fn what_is_wrong_is_said_with_file_and_key_and_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Config::load(dir.path(), &Overrides::default()).unwrap_err();
    assert_eq!(missing.code(), "E-CFG-001");
    let good = Template::default().render("age1qqq");
    let error = |text: String| {
        std::fs::write(dir.path().join(FILE), text).unwrap();
        Config::load(dir.path(), &Overrides::default()).unwrap_err().to_string()
    };
    assert!(error(good.replace("code = \"652800\"", "code = \"6528\"")).contains("`region.code`"));
    assert!(error(good.replace("first_month = \"2024-01\"", "first_month = \"2024\"")).contains("region.first_month"));
    assert!(error(format!("surprise = 1\n{good}")).contains("surprise"));
    let pasted = error(good.replace("env:YAOJIA_PLATFORM_APP_CODE", "hunter2"));
    assert!(pasted.contains("line") && !pasted.contains("hunter2"), "{pasted}");
    let both = error(good.replace("#ca_key", "ca_key"));
    assert!(both.contains("`platform`") && both.contains("`ca_key` belongs to dialect `zj`"), "{both}");
    let zj = error(good.replace("#dialect = \"tps\"", "dialect = \"zj\""));
    assert!(zj.contains("dialect `zj` needs `service_uri`"), "{zj}");
    let plain = good.replace("[warehouse]", "[warehouse]\noptions = { aws_secret_access_key = \"hunter2\" }");
    let plain = error(plain);
    assert!(plain.contains("warehouse.options.aws_secret_access_key") && !plain.contains("hunter2"), "{plain}");
}
