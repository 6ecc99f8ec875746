//! Rules that a release has used: they are never edited, only closed or replaced.

use std::collections::BTreeMap;

use yaojia_models::card::{Indicator, Rule};
use yaojia_models::value::Month;

use crate::error::Result;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const RULE: Sheet = Sheet {
    name: "rule",
    title: "已用规则登记",
    columns: &[
        ("run_seq", Kind::Int, "运行序号"),
        ("indicator_id", Kind::Text, "指标编号"),
        ("version", Kind::Int, "指标版本"),
        ("rule_id", Kind::Text, "规则编号"),
        ("valid_to", Kind::Text, "最后适用月份，空串为未限定"),
        ("rule_text", Kind::Text, "规则全文（不含最后适用月份）"),
    ],
};

/// A rule as it was used.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Used {
    text: String,
    valid_to: String,
}

/// The rules on record: indicator and version → rule → as it was used, in the order in which they were first used.
#[derive(Debug, Clone, Default)]
pub struct UsedRules(BTreeMap<(String, i64), Vec<(String, Used)>>);

fn key(indicator: &Indicator) -> (String, i64) {
    (indicator.id().to_string(), i64::from(indicator.card.version))
}

fn as_used(rule: &Rule) -> Used {
    Used { text: rule.fixed_text(), valid_to: rule.valid_to.clone().unwrap_or_default() }
}

impl UsedRules {
    /// Reads the ledger.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn read(root: &Root) -> Result<Self> {
        let mut rows = RULE.read(root).await?;
        rows.sort_by_key(|r| r[0].int());
        let mut new = Self::default();
        for row in rows {
            let of = new.0.entry((row[1].text().to_string(), row[2].int())).or_default();
            let used = Used { text: row[5].text().to_string(), valid_to: row[4].text().to_string() };
            let id = row[3].text();
            match of.iter_mut().find(|(held, _)| held == id) {
                Some((_, held)) => *held = used,
                None => of.push((id.to_string(), used)),
            }
        }
        Ok(new)
    }

    /// What the rules of an indicator's present version must not be: edited, deleted, reopened or in another order. In words.
    #[must_use]
    pub fn violations(&self, indicator: &Indicator) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut last: Option<(usize, &str)> = None;
        for (id, used) in self.0.get(&key(indicator)).into_iter().flatten() {
            let Some(at) = indicator.rules.iter().position(|rule| rule.id == *id) else {
                wrong.push(format!("rule `{id}` was used by a release and is gone"));
                continue;
            };
            let now = as_used(&indicator.rules[at]);
            if now.text != used.text {
                wrong.push(format!("rule `{id}` was used by a release and was edited: {}", difference(&used.text, &now.text)));
            } else if now.valid_to != used.valid_to && !used.valid_to.is_empty() {
                wrong.push(format!("rule `{id}` was closed with `valid_to = \"{}\"` and must stay so", used.valid_to));
            }
            if let Some((_, before)) = last.filter(|(place, _)| at < *place) {
                wrong.push(format!("rule `{id}` stood behind `{before}` when a release used it"));
            }
            last = Some((at, id));
        }
        wrong
    }

    /// Remembers the rules of indicators that were judged with them for months up to `last`.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn remember(&mut self, root: &Root, run_seq: i64, indicators: &[&Indicator], last: Month) -> Result<()> {
        let last = last.to_string();
        let mut rows = Vec::new();
        for indicator in indicators {
            let (id, version) = key(indicator);
            let of = self.0.entry((id.clone(), version)).or_default();
            for rule in indicator.rules.iter().filter(|rule| rule.valid_from <= last) {
                let used = as_used(rule);
                let held = of.iter_mut().find(|(held, _)| *held == rule.id);
                if held.as_ref().is_some_and(|(_, held)| *held == used) {
                    continue;
                }
                rows.push(vec![
                    run_seq.into(),
                    id.as_str().into(),
                    version.into(),
                    rule.id.as_str().into(),
                    used.valid_to.as_str().into(),
                    used.text.as_str().into(),
                ]);
                match held {
                    Some((_, held)) => *held = used,
                    None => of.push((rule.id.clone(), used)),
                }
            }
        }
        RULE.append(root, run_seq, &rows).await
    }
}

/// The first line in which two rules differ.
fn difference(used: &str, now: &str) -> String {
    let (mut used, mut now) = (used.lines(), now.lines());
    loop {
        match (used.next(), now.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => return "in its form".to_string(),
            (a, b) => return format!("`{}` became `{}`", a.unwrap_or("nothing"), b.unwrap_or("nothing")),
        }
    }
}

#[cfg(test)]
mod tests {
    use yaojia_models::card::Files;

    use super::*;

    const CARD: &str = "id = 'X01'\nversion = 1\nname_zh = '甲'\nname_en = 'a'\nquestion = '问'\nwhy = '因'\nclass = '预警提醒'\nchain = '采'\nsubject_kind = 'institution'\nwindow = '1m'\nkind = 'count'\nunit = '行'\nbad_side = 'high'\nrecipients = ['科']\nneeds = []\nauthored = 'test'\nnext_review = '2030-01-01'\n[[measure]]\nname = 'main'\ntitle_zh = '数'\nkind = 'count'\n";
    const ONE: &str = "[[rule]]\nid = 'X01.warn.1'\nlevel = 'warn'\nop = '>'\nlimit = '5'\nvalid_from = '2024-01'\nknown_from = '2024-01-01'\ntag = 'I'\ntext_zh = '多'\n";
    const TWO: &str = "[[rule]]\nid = 'X01.warn.2'\nlevel = 'warn'\nop = '>'\nlimit = '3'\nvalid_from = '2024-02'\nknown_from = '2024-02-01'\nreplaces = ['X01.warn.1']\ntag = 'I'\ntext_zh = '多'\n";
    const LATER: &str = "[[rule]]\nid = 'X01.warn.3'\nlevel = 'warn'\nop = '>'\nlimit = '9'\nvalid_from = '2030-01'\nknown_from = '2024-02-01'\ntag = 'I'\ntext_zh = '多'\n";

    fn indicator(rules: &str) -> Indicator {
        Indicator::read("X01_a", Files { card: CARD, rules: Some(rules), rows: Some("SELECT 1"), ..Files::default() }).unwrap()
    }

    #[tokio::test]
    async fn used_rules_stay() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let mut used = UsedRules::read(&root).await.unwrap();
        let first = indicator(&format!("{ONE}{LATER}"));
        assert!(used.violations(&first).is_empty(), "nothing was used yet");
        used.remember(&root, 1, &[&first], Month::of(2024, 3)).await.unwrap();
        let used = UsedRules::read(&root).await.unwrap();
        let wrong = |rules: &str| used.violations(&indicator(rules)).join("; ");
        // Added, closed, and one no month has used yet: free.
        assert_eq!(wrong(&format!("{ONE}{LATER}{TWO}")), "");
        assert_eq!(wrong(&ONE.replace("tag", "valid_to = '2024-06'\ntag")), "");
        assert_eq!(wrong(&format!("{ONE}{}", LATER.replace("'9'", "'8'"))), "");
        assert_eq!(wrong(ONE), "");
        // Edited, gone, in another order: refused.
        assert_eq!(
            wrong(&ONE.replace("'5'", "'6'")),
            "rule `X01.warn.1` was used by a release and was edited: `limit = 5` became `limit = 6`"
        );
        assert_eq!(
            wrong(&ONE.replace("'多'", "'少'")),
            "rule `X01.warn.1` was used by a release and was edited: `text_zh = 多` became `text_zh = 少`"
        );
        assert_eq!(wrong(LATER), "rule `X01.warn.1` was used by a release and is gone");
        // A new formula is a new version with rules of its own.
        let mut next = indicator(&ONE.replace("'5'", "'6'"));
        next.card.version = 2;
        assert!(used.violations(&next).is_empty());
    }

    #[tokio::test]
    async fn a_closed_rule_stays_closed_and_order_stays() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let mut used = UsedRules::default();
        let closed = ONE.replace("tag", "valid_to = '2024-06'\ntag");
        used.remember(&root, 1, &[&indicator(&format!("{ONE}{TWO}"))], Month::of(2024, 3)).await.unwrap();
        used.remember(&root, 2, &[&indicator(&format!("{closed}{TWO}"))], Month::of(2024, 3)).await.unwrap();
        let used = UsedRules::read(&root).await.unwrap();
        assert_eq!(
            used.violations(&indicator(&format!("{ONE}{TWO}"))),
            ["rule `X01.warn.1` was closed with `valid_to = \"2024-06\"` and must stay so"]
        );
        let two_first = TWO.replace("replaces = ['X01.warn.1']\n", "");
        let mut again = UsedRules::default();
        again.remember(&root, 3, &[&indicator(&format!("{ONE}{two_first}"))], Month::of(2024, 3)).await.unwrap();
        assert_eq!(
            again.violations(&indicator(&format!("{two_first}{ONE}"))),
            ["rule `X01.warn.2` stood behind `X01.warn.1` when a release used it"]
        );
    }
}
