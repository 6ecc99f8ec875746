//! An explanation on the terminal.

use serde_json::{Map, Value};
use yaojia_models::card::Source;
use yaojia_serving::explain::{EvidenceRow, Explanation, Original};
use yaojia_warehouse::read::plain;

use super::super::fields::{inline, lines};
use super::super::table::printable;
use super::get;

/// The whole story as text.
pub(super) fn text(of: &Explanation, sources: &[Source], rows: usize) -> String {
    let mut out = format!("{} {}\n", get(&of.alert, "indicator_id"), get(&of.card, "name_zh"));
    let message = get(&of.alert, "message");
    if !message.is_empty() {
        out.push_str(&format!("{}\n", printable(&message)));
    }
    section(&mut out, "value (gold.indicator_value)", &lines(&of.value, 2));
    section(&mut out, "alert (gold.alert)", &lines(&of.alert, 2));
    section(&mut out, "rule (rules.toml)", &lines(&of.rule, 2));
    section(&mut out, "where it comes from", &documents(sources, &of.rule));
    let shown: Vec<&EvidenceRow> = of.evidence.iter().take(rows).collect();
    let sum = match (&of.sum.num, &of.sum.den) {
        (None, None) => String::new(),
        (num, den) => {
            let [num, den] = [num, den].map(|sum| sum.as_deref().unwrap_or("-"));
            let same = if of.sum.adds_up { "; the value is their sum" } else { "" };
            format!("; together num {num}, den {den}{same}")
        }
    };
    out.push_str(&format!("\nevidence: {} of {} rows{sum}\n", shown.len(), of.evidence_n));
    for row in &shown {
        evidence(&mut out, row);
    }
    let opened: Vec<&Original> = shown.iter().flat_map(|row| &row.originals).collect();
    match (&of.original, opened.as_slice()) {
        // One that stands behind no row shown is better than none.
        (Some(original), []) => source(&mut out, original),
        (Some(_), all) => all.iter().for_each(|original| source(&mut out, original)),
        (None, _) => out.push_str("\nno source row could be traced for the rows shown\n"),
    }
    out
}

fn section(out: &mut String, heading: &str, body: &str) {
    if !body.is_empty() {
        out.push_str(&format!("\n{heading}\n{body}"));
    }
}

/// The documents the card names, with the passage; "our definition" where there are none.
fn documents(sources: &[Source], rule: &Map<String, Value>) -> String {
    let cites = rule.get("cites").map(plain).unwrap_or_default();
    let mut out = String::new();
    for source in sources {
        let mark = if cites.contains(&source.title) { "  (the rule cites it)" } else { "" };
        let number = source.doc_no.as_deref().map(|no| format!("，{no}")).unwrap_or_default();
        out.push_str(&format!("  {}{number}{mark}\n", source.title));
        if let Some(quote) = &source.quote {
            out.push_str(&format!("    “{}”\n", printable(quote)));
        }
        if let Some(url) = &source.url {
            out.push_str(&format!("    {url}\n"));
        }
    }
    if out.is_empty() {
        out.push_str("  our definition\n");
    }
    out
}

fn evidence(out: &mut String, row: &EvidenceRow) {
    out.push_str(&format!("\n  {} {}\n", row.table, printable(&row.row_key)));
    let parts = [("num", &row.num), ("den", &row.den), ("amount", &row.amount), ("note", &row.note)];
    let parts: Vec<String> =
        parts.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {}", printable(value)))).collect();
    if !parts.is_empty() {
        out.push_str(&format!("    counts with {}\n", parts.join(", ")));
    }
    if let Some(fact) = &row.row {
        out.push_str(&format!("    fact    {}\n", inline(fact)));
    }
    for (table, silver) in &row.silver {
        out.push_str(&format!("    {table}  {}\n", inline(silver)));
    }
}

fn source(out: &mut String, of: &Original) {
    out.push_str(&format!(
        "\noriginal of a row of {}\n  came with  {}, row {}\n  archived   sha256 {}\n",
        of.dataset,
        printable(&of.source),
        of.row,
        of.artifact
    ));
    if let Some(bronze) = &of.bronze {
        out.push_str(&format!("\n  bronze.{}, as received\n{}", of.dataset, lines(bronze, 4)));
    }
    match (&of.bytes, &of.why_not) {
        (Some(bytes), _) => {
            out.push_str("\n  bytes\n");
            bytes.lines().for_each(|line| out.push_str(&format!("    {}\n", printable(line))));
        }
        (None, Some(why)) => out.push_str(&format!("\n  bytes not shown: {}\n", printable(why))),
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yaojia_serving::explain::{EvidenceSum, ShownBy};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn an_explanation_goes_from_the_value_to_the_bytes() {
        let explanation = Explanation {
            schema_version: 1,
            alert: map(serde_json::json!({"alert_id": "ab12", "indicator_id": "D05", "message": "网采率低于90%"})),
            value: map(serde_json::json!({"numerator": "85", "denominator": "100", "value": "0.85"})),
            rule: map(serde_json::json!({"id": "D05.warn.1", "condition": "value < 0.90", "cites": "需求"})),
            card: map(serde_json::json!({"name_zh": "药品网采率"})),
            release: ShownBy::default(),
            evidence_n: 9,
            sum: EvidenceSum { num: Some("85.000000".into()), den: None, adds_up: true },
            evidence: vec![EvidenceRow {
                table: "gold.fact_receipt".into(),
                row_key: "S1".into(),
                num: Some("85.000000".into()),
                den: None,
                amount: None,
                note: None,
                row: Some(map(serde_json::json!({"shp_id": "S1"}))),
                silver: vec![("silver.shp".into(), map(serde_json::json!({"shp_id": "S1", "_row": "3"})))],
                originals: Vec::new(),
            }],
            original: Some(Original {
                dataset: "shp".into(),
                source: "C1009 p0001".into(),
                artifact: "ff".into(),
                row: 3,
                bronze: Some(map(serde_json::json!({"shp_id": "S1"}))),
                bytes: Some("{\"shpId\":\"S1\"}".into()),
                why_not: None,
            }),
        };
        let expected = "\
D05 药品网采率
网采率低于90%

value (gold.indicator_value)
  numerator    85
  denominator  100
  value        0.85

alert (gold.alert)
  alert_id      ab12
  indicator_id  D05
  message       网采率低于90%

rule (rules.toml)
  id         D05.warn.1
  condition  value < 0.90
  cites      需求

where it comes from
  需求  (the rule cites it)
    “低于90%预警”

evidence: 1 of 9 rows; together num 85.000000, den -; the value is their sum

  gold.fact_receipt S1
    counts with num 85.000000
    fact    shp_id=S1
    silver.shp  shp_id=S1

original of a row of shp
  came with  C1009 p0001, row 3
  archived   sha256 ff

  bronze.shp, as received
    shp_id  S1

  bytes
    {\"shpId\":\"S1\"}
";
        let sources = [Source { title: "需求".into(), doc_no: None, quote: Some("低于90%预警".into()), url: None }];
        assert_eq!(text(&explanation, &sources, 5), expected);
    }
}
