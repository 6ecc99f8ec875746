//! Secrets: there, not empty, and nobody else's to read.

use std::borrow::Cow;

use yaojia_connectors::kit::secret::SecretRef;
use yaojia_models::fault::Fault;

use super::Verdict;
use crate::config::Config;

/// One line a secret; never a value.
pub(super) fn check(config: &Config) -> Vec<(Verdict, String, Option<String>)> {
    let mut lines = Vec::new();
    for (key, secret) in config.secrets() {
        let lent = key == "audit.identity";
        match (secret.resolve(), open_to_others(&secret)) {
            (Err(error), _) if lent => {
                lines.push((Verdict::Skipped, format!("{key}: {error}; personal files cannot be opened here"), None))
            }
            (Err(error), _) => lines.push((Verdict::Failed, format!("{key}: {error}"), error.hint().map(Cow::into_owned))),
            (Ok(_), Some(path)) => {
                lines.push((Verdict::Failed, format!("{key}: `{path}` can be read by others"), Some(format!("chmod 600 {path}"))));
            }
            (Ok(_), None) => lines.push((Verdict::Ok, format!("{key} ({secret})"), None)),
        }
    }
    if config.export.is_some() {
        if config.export().is_some_and(|export| export.personal.hash_key.is_none()) {
            let hint = Some("set `personal.hash_key`".to_owned());
            lines.push((Verdict::Failed, "no key for the hash of personal columns: fee lists cannot be loaded".to_owned(), hint));
        }
        if config.audit.recipient.is_none() {
            let hint = Some("set `audit.recipient`".to_owned());
            lines.push((Verdict::Failed, "no audit recipient: files with personal columns cannot be archived".to_owned(), hint));
        }
    }
    lines
}

/// The file of a secret that others may read.
fn open_to_others(secret: &SecretRef) -> Option<String> {
    let SecretRef::File(path) = secret else { return None };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).ok()?.permissions().mode();
        (mode & 0o077 != 0).then(|| path.clone())
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, Template, write_project};

    #[cfg(unix)]
    #[test]
    fn a_secret_others_can_read_fails_and_a_lent_identity_does_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let codes = Template { app_code: "file:secrets/code".into(), auth_code: "file:secrets/code".into(), ..Template::default() };
        write_project(dir.path(), &codes, &[("secrets/code", "x")]).unwrap();
        let config = Config::load(dir.path(), &Overrides::default()).unwrap();
        assert!(check(&config).iter().all(|line| line.0 == Verdict::Ok), "{:?}", check(&config));
        std::fs::remove_file(dir.path().join("secrets/audit-identity.txt")).unwrap();
        std::fs::set_permissions(dir.path().join("secrets/personal-hash.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
        let lines = check(&config);
        let with = |verdict| lines.iter().filter(|line| line.0 == verdict).count();
        assert_eq!((with(Verdict::Failed), with(Verdict::Skipped)), (1, 1), "{lines:?}");
    }
}
