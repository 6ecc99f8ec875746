//! The table of look-alike keys and Chinese titles that occur, as configuration carries it.

use std::fmt::Write as _;

use crate::schema::{JSON_ALIASES, export_datasets, schema};

/// `aliases.json`.
pub(crate) fn aliases_json() -> String {
    let mut out = String::from("{\n \"json_keys\": {\n");
    let keys: Vec<String> = JSON_ALIASES.iter().map(|(k, v)| format!("  \"{k}\": \"{v}\"")).collect();
    out.push_str(&keys.join(",\n"));
    out.push_str("\n },\n \"file_titles\": {\n");
    let sets: Vec<String> = export_datasets()
        .map(schema)
        .filter(|s| s.columns.iter().all(|c| !c.title.is_empty()))
        .map(|s| {
            let mut set = String::new();
            let titles: Vec<String> = s.columns.iter().map(|c| format!("   \"{}\": \"{}\"", c.title, c.name)).collect();
            let _ = write!(set, "  \"{}\": {{\n{}\n  }}", s.dataset, titles.join(",\n"));
            set
        })
        .collect();
    out.push_str(&sets.join(",\n"));
    out.push_str("\n }\n}\n");
    out
}
