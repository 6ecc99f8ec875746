//! Pages of the indicators, generated from their cards, rules and lineage: one a language and indicator, and an index each.

mod inputs;
mod page;
mod tongue;

use std::collections::BTreeMap;

use yaojia_models::card::{Card, Standing};
use yaojia_models::definitions::Definitions;

use crate::lineage::Lineage;

pub use tongue::Tongue;

/// All pages, by path below the folder they are written to: `zh/D13.md`, `en/README.md`.
#[must_use]
pub fn pages(definitions: &Definitions, lineage: &Lineage) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for tongue in Tongue::ALL {
        for indicator in definitions.indicators() {
            let text = page::render(tongue, indicator, &definitions.contracts, lineage);
            all.insert(format!("{}/{}.md", tongue.folder(), indicator.id()), text);
        }
        all.insert(format!("{}/README.md", tongue.folder()), page::index(tongue, definitions.indicators()));
    }
    all
}

/// What a definition rests on, said plainly.
#[must_use]
pub fn honesty(tongue: Tongue, card: &Card) -> &'static str {
    match (card.standing, tongue) {
        (Standing::Reconstruction, Tongue::Chinese) => {
            "官方31项清单（江苏省医药价格监测指标1.0版，苏医保办发〔2025〕12号附件）未公开，本指标为我方重建，不是官方定义；官方清单到手后按 docs/official-list.md 换入。"
        }
        (Standing::Reconstruction, Tongue::English) => {
            "The official list of 31 (annex of 苏医保办发〔2025〕12号) is not public: this indicator is our reconstruction, not the official definition. How to put the official list in: docs/official-list.md."
        }
        (Standing::Official, Tongue::Chinese) => "按已公布的官方定义。",
        (Standing::Official, Tongue::English) => "The official definition, as published.",
        (Standing::Own, Tongue::Chinese) => "自定指标，不属于官方31项清单。",
        (Standing::Own, Tongue::English) => "A definition of our own, not one of the official list of 31.",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use yaojia_models::bundle::SqlBundle;

    use super::*;
    use crate::lineage::{Inputs, messages};

    async fn generated() -> BTreeMap<String, String> {
        let definitions = Definitions::embedded().unwrap();
        let inputs = Inputs { definitions: &definitions, datasets: definitions.contracts.datasets(), messages: messages(None).unwrap() };
        pages(&definitions, &Lineage::of(&inputs).await.unwrap())
    }

    #[tokio::test]
    async fn the_committed_pages_are_those_of_the_cards() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/indicators");
        let wanted = generated().await;
        for (path, text) in &wanted {
            let held = std::fs::read_to_string(root.join(path)).unwrap_or_default();
            assert!(held == *text, "docs/indicators/{path} is not what its card says: run `make pages`");
        }
        for tongue in Tongue::ALL {
            for entry in std::fs::read_dir(root.join(tongue.folder())).unwrap() {
                let name = format!("{}/{}", tongue.folder(), entry.unwrap().file_name().to_string_lossy());
                assert!(wanted.contains_key(&name), "docs/indicators/{name} belongs to no card: remove it");
            }
        }
    }

    #[test]
    fn every_built_in_card_has_what_its_pages_need() {
        let sql = SqlBundle::embedded().unwrap();
        assert_eq!(sql.catalogue().indicators().len(), 40);
        for indicator in sql.catalogue().indicators() {
            let card = &indicator.card;
            let id = indicator.id();
            assert!(card.examples.len() >= 2, "{id} has fewer than two worked examples");
            let states: std::collections::BTreeSet<&str> = card.examples.iter().map(|example| example.expect.state.as_str()).collect();
            let values: std::collections::BTreeSet<String> = card.examples.iter().map(|e| format!("{:?}", e.expect.value)).collect();
            assert!(states.len() > 1 || values.len() > 1, "{id}: its examples all show the same case");
            assert!(card.method.is_some(), "{id} has no method");
            let english = card.en.as_ref().unwrap_or_else(|| panic!("{id} has no English"));
            assert_eq!(english.exclusions.len(), card.exclusions.len(), "{id}: exclusions");
            assert_eq!(english.recipients.len(), card.recipients.len(), "{id}: recipients");
            assert!(!card.recipients.is_empty() || indicator.rules.is_empty(), "{id}: nobody gets its alerts");
            assert!(card.measures.iter().all(|measure| measure.title_en.is_some()), "{id}: measures");
            assert!(card.examples.iter().all(|example| example.title_en.is_some()), "{id}: examples");
            // The 31 say that they are ours, and cite the notice that they follow.
            let rebuilt = card.standing == Standing::Reconstruction;
            assert_eq!(rebuilt, id.starts_with(['D', 'C']), "{id}: standing");
            let notice = card.sources.iter().any(|source| source.doc_no.as_deref() == Some("苏医保办发〔2025〕12号"));
            assert_eq!(rebuilt, notice, "{id}: the notice");
            for rule in &indicator.rules {
                let known = |cite: &String| card.sources.iter().any(|source| cite.starts_with(source.title.as_str()));
                assert!(rule.cites.iter().all(known), "{id}: `{}` cites what is no source of the card: {:?}", rule.id, rule.cites);
            }
        }
    }
}
