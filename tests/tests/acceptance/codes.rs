//! Error codes: each stands for one thing, in one place of the source, and in docs/operations.md.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{files, workspace};

/// The codes that a source text writes outside its tests.
fn codes(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.match_indices("\"E-")
        .filter_map(|(at, _)| code[at + 1..].split('"').next())
        .filter(|word| word.split('-').count() == 3 && word.len() <= 9)
        .map(str::to_owned)
        .collect()
}

/// Code → the files of the programs that write it, one entry a time it is written.
fn written() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for member in ["models", "connectors", "warehouse", "serving", "pipelines", "simulator"] {
        let root = workspace().join(member).join("src");
        if !root.is_dir() {
            continue;
        }
        for file in files(&root) {
            let is_code = Path::new(&file).extension().is_some_and(|end| end == "rs");
            if !is_code || file.contains("/tests/") || file.ends_with("tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(root.join(&file)).expect("a source file");
            for code in codes(&text) {
                found.entry(code).or_default().push(format!("{member}/{file}"));
            }
        }
    }
    found
}

#[test]
fn each_code_is_written_once_and_documented() {
    let found = written();
    assert!(found.len() > 50, "the search finds the codes: {found:?}");
    let twice: Vec<_> = found.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(twice.is_empty(), "one code, one meaning, one place: {twice:#?}");
    let documented = std::fs::read_to_string(workspace().join("docs/operations.md")).expect("docs/operations.md");
    let (_, table) = documented.split_once("## All codes").expect("a chapter of all codes");
    let listed: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `E-")).filter_map(|line| line.split('`').next()).collect();
    let missing: Vec<&String> = found.keys().filter(|code| !listed.contains(&code.trim_start_matches("E-"))).collect();
    assert!(missing.is_empty(), "not in docs/operations.md, `All codes`: {missing:?}");
    let gone: Vec<&&str> = listed.iter().filter(|code| !found.contains_key(&format!("E-{code}"))).collect();
    assert!(gone.is_empty(), "in docs/operations.md, and nothing writes it: {gone:?}");
}

#[test]
fn the_search_knows_a_code_from_other_words() {
    let text = "Self::A => \"E-AB-001\", \"E-\", \"E-mail\" \"see E-CD-002\"\n#[cfg(test)] \"E-EF-003\"";
    assert_eq!(codes(text), ["E-AB-001"]);
}
