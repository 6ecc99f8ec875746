//! Names and values one below the other.

use serde_json::{Map, Value};

use super::table::{printable, width};
use yaojia_warehouse::read::plain;

/// `name  value` lines, aligned, indented by `indent` blanks; nulls and empty texts are left out.
#[must_use]
pub(super) fn lines(fields: &Map<String, Value>, indent: usize) -> String {
    let shown: Vec<(&String, String)> =
        fields.iter().map(|(name, value)| (name, printable(&plain(value)))).filter(|(_, text)| !text.is_empty()).collect();
    let wide = shown.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    shown.iter().map(|(name, text)| format!("{:indent$}{name}{}  {text}\n", "", " ".repeat(wide - width(name)))).collect()
}

/// `name=value` in one line, the columns that say how a row came here left out.
#[must_use]
pub(super) fn inline(row: &Map<String, Value>) -> String {
    let shown = row.iter().filter(|(name, _)| !name.starts_with('_'));
    let cells: Vec<String> =
        shown.map(|(name, value)| format!("{name}={}", printable(&plain(value)))).filter(|cell| !cell.ends_with('=')).collect();
    cells.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_line_up_and_nulls_are_left_out() {
        let fields = serde_json::json!({"state": "warn", "数值": 0.85, "mark": "", "limit": null, "codes": ["a", "b"]});
        let fields = fields.as_object().unwrap();
        assert_eq!(lines(fields, 2), "  state  warn\n  数值   0.85\n  codes  a, b\n");
        assert_eq!(inline(serde_json::json!({"a": "1", "_row": 3, "b": null}).as_object().unwrap()), "a=1");
    }
}
