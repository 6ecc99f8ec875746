//! By which rules the bytes of a dataset are parsed, as a fingerprint: what was parsed by others is parsed again.

use std::collections::BTreeSet;

use yaojia_connectors::kit::personal::{PERSONAL_NAMES, PersonalConfig};
use yaojia_models::contract::{Dataset, SourceKind};
use yaojia_models::digest::sha256_hex;

use crate::context::Context;
use crate::error::RunError;

/// Bumped when a parser makes other rows of the same bytes.
const ENGINE: &str = "parse-2";

/// Fingerprint of all that decides which text a row's columns get: the columns and what the reader takes them for, the names that are
/// aliases of them, which values are hashed and which unknown columns dropped. The key of the hash is not in it: it is a secret, and
/// changing it is another matter than mending a mapping.
///
/// # Errors
/// [`RunError`] when the platform's messages or a profile are configured wrongly.
pub(crate) fn parser(context: &Context<'_>, dataset: &Dataset) -> Result<String, RunError> {
    let personal = match dataset.source {
        SourceKind::Platform => context.platform.as_ref().map(|config| &config.personal),
        SourceKind::Export => context.export.as_ref().map(|config| &config.personal),
    };
    // Which keys and constants a message has is the platform's part of the rules.
    let messages = match (dataset.source, &context.platform) {
        (SourceKind::Platform, Some(config)) => format!("{:?} {:?}", config.dialect, config.messages()?.get(&dataset.name)),
        _ => String::new(),
    };
    let mut rules = messages;
    for profile in context.profiles()? {
        if profile.targets().iter().any(|target| target.dataset().name == dataset.name) {
            rules.push_str(&format!("\nprofile {} {}", profile.name(), profile.fingerprint()));
        }
    }
    Ok(fingerprint(dataset, personal, &rules))
}

fn fingerprint(dataset: &Dataset, personal: Option<&PersonalConfig>, messages: &str) -> String {
    let mut text = format!("{ENGINE}\n{}\n{messages}\n", dataset.name);
    for column in &dataset.columns {
        text.push_str(&format!("column {} {:?}\n", column.name, column.ty));
    }
    let aliases = match dataset.source {
        SourceKind::Platform => &dataset.json_aliases,
        SourceKind::Export => &dataset.file_titles,
    };
    let aliases: BTreeSet<_> = aliases.iter().collect();
    text.push_str(&format!("aliases {aliases:?}\nhashed {:?}\n", dataset.personal_hash));
    let names: BTreeSet<&str> = match personal.and_then(|p| p.names.as_ref()) {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => PERSONAL_NAMES.iter().copied().collect(),
    };
    text.push_str(&format!("dropped {names:?}\n"));
    sha256_hex(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use yaojia_models::contract::Registry;

    use super::*;

    #[test]
    fn only_what_a_parser_uses_is_in_it() {
        let registry = Registry::embedded().unwrap();
        let orders = registry.dataset("ord_detl").unwrap();
        let before = fingerprint(orders, None, "");
        let mut other = orders.clone();
        other.json_aliases.insert("orderNo".into(), "ord_code".into());
        assert_ne!(fingerprint(&other, None, ""), before);
        // A title is of files; the platform has none.
        let mut title = orders.clone();
        title.file_titles.insert("订单号".into(), "ord_code".into());
        assert_eq!(fingerprint(&title, None, ""), before);
        let names = PersonalConfig { names: Some(vec!["tel".into()]), ..PersonalConfig::default() };
        assert_ne!(fingerprint(orders, Some(&names), ""), before);
        let mut reordered = other.clone();
        reordered.json_aliases.sort_keys();
        assert_eq!(fingerprint(&reordered, None, ""), fingerprint(&other, None, ""));
    }
}
