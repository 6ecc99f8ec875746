//! Thresholds as data: `rules.toml`, append-only.

use std::fmt;

use indexmap::IndexMap;
use serde::Deserialize;

use super::condition::is_name;
use super::parameter::{days, is_month};
use super::{CardError, Condition, Decimal, Level, Op, Operand};

/// What a rule makes of a value that it hits; the order is that of gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleLevel {
    /// Nothing: the rule only takes the place of those it replaces.
    Off,
    /// Shown.
    Watch,
    /// 预警: a work order to remind.
    Warn,
    /// 核实: a work order to verify.
    Verify,
}

/// Whether a threshold is sourced or ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum RuleTag {
    /// Sourced.
    S,
    /// Ours.
    I,
    /// Sourced in part.
    #[serde(rename = "S/I")]
    SI,
}

/// To which rows a rule applies; all of the measure when left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Only rows of these levels.
    #[serde(default)]
    pub levels: Vec<Level>,
    /// Only rows whose inputs have these values (numbers compare as numbers).
    #[serde(default)]
    pub inputs: IndexMap<String, String>,
}

/// One threshold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The id, unique in the whole catalogue: `D05.warn.1`.
    pub id: String,
    /// The measure it judges; `main` when left out.
    #[serde(default = "main")]
    pub measure: String,
    /// What a hit makes of the row.
    pub level: RuleLevel,
    /// What is compared; the value when left out.
    #[serde(default)]
    pub on: Operand,
    /// The comparison.
    pub op: Op,
    /// The limit, a decimal as text.
    pub limit: Decimal,
    /// Further conditions that must hold too.
    #[serde(default)]
    pub also: Vec<Condition>,
    /// To which rows it applies.
    #[serde(default)]
    pub scope: Scope,
    /// The mark that a hit sets (`stop`).
    #[serde(default)]
    pub mark: Option<String>,
    /// The first month it is for, yyyy-MM.
    pub valid_from: String,
    /// The last month it is for; open when left out.
    #[serde(default)]
    pub valid_to: Option<String>,
    /// The day from which it is known, yyyy-MM-dd: a replay of an earlier run does not see it.
    pub known_from: String,
    /// Rules that this one takes the place of in its months, as far as it is known.
    #[serde(default)]
    pub replaces: Vec<String>,
    /// A `warn` becomes `verify` when the row was warn or verify in each of the `persist` − 1 months before too.
    #[serde(default)]
    pub persist: Option<u32>,
    /// What it rests on; may be empty for a rule of ours.
    #[serde(default)]
    pub cites: Vec<String>,
    /// Sourced or ours.
    pub tag: RuleTag,
    /// The message to the recipients, in Chinese.
    pub text_zh: String,
}

/// The file `rules.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// All rules that ever were, in the order they were written; of equally grave hits the last decides.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// The default measure.
fn main() -> String {
    "main".to_owned()
}

impl Rule {
    /// All conditions of the rule, the first one first.
    pub fn conditions(&self) -> impl Iterator<Item = Condition> + '_ {
        let first = Condition { on: self.on.clone(), op: self.op, limit: self.limit };
        std::iter::once(first).chain(self.also.iter().cloned())
    }

    /// Id and first month, as in `gold.indicator_value.rule_version`: `D05.warn.1@2024-01`.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}@{}", self.id, self.valid_from)
    }

    /// Whether the rule is for a month (yyyy-MM), leaving aside what replaces it.
    #[must_use]
    pub fn is_for(&self, month: &str) -> bool {
        self.valid_from.as_str() <= month && self.valid_to.as_deref().is_none_or(|last| month <= last)
    }

    /// Whether the rule is known on a day (yyyy-MM-dd).
    #[must_use]
    pub fn is_known(&self, day: Option<&str>) -> bool {
        day.is_none_or(|day| self.known_from.as_str() <= day)
    }

    /// Everything the rule says but its last month, one `key = value` a line: what must not change once a release has used it.
    #[must_use]
    pub fn fixed_text(&self) -> String {
        let level = match self.level {
            RuleLevel::Off => "off",
            RuleLevel::Watch => "watch",
            RuleLevel::Warn => "warn",
            RuleLevel::Verify => "verify",
        };
        let tag = match self.tag {
            RuleTag::S => "S",
            RuleTag::I => "I",
            RuleTag::SI => "S/I",
        };
        let mut lines = vec![
            format!("measure = {}", self.measure),
            format!("level = {level}"),
            format!("on = {}", self.on),
            format!("op = {}", self.op),
            format!("limit = {}", self.limit),
        ];
        lines.extend(self.also.iter().map(|condition| format!("also = {condition}")));
        lines.extend(self.scope.levels.iter().map(|level| format!("scope level = {level}")));
        lines.extend(self.scope.inputs.iter().map(|(name, value)| format!("scope {name} = {value}")));
        lines.extend(self.mark.iter().map(|mark| format!("mark = {mark}")));
        lines.push(format!("valid_from = {}", self.valid_from));
        lines.push(format!("known_from = {}", self.known_from));
        lines.extend(self.replaces.iter().map(|id| format!("replaces = {id}")));
        lines.extend(self.persist.iter().map(|months| format!("persist = {months}")));
        lines.extend(self.cites.iter().map(|cite| format!("cites = {cite}")));
        lines.push(format!("tag = {tag}"));
        lines.push(format!("text_zh = {}", self.text_zh));
        lines.join("\n")
    }

    /// Checks what needs no card.
    pub(super) fn check(&self, file: &str) -> Result<(), CardError> {
        let bad = |key: &str, why: &str| Err(CardError::invalid(file, format!("rule `{}`: {key}", self.id), why));
        if self.id.trim().is_empty() || self.id.contains(['@', ' ']) {
            return bad("id", "an id has no blanks and no `@`");
        }
        if !is_month(&self.valid_from) || self.valid_to.as_deref().is_some_and(|month| !is_month(month)) {
            return bad("valid_from, valid_to", "a month is written yyyy-MM");
        }
        if self.valid_to.as_deref().is_some_and(|last| last < self.valid_from.as_str()) {
            return bad("valid_to", "the last month lies before the first");
        }
        if days(&self.known_from).is_none() {
            return bad("known_from", "a day is written yyyy-MM-dd");
        }
        match self.persist {
            Some(_) if self.level != RuleLevel::Warn => {
                return bad("persist", "only a `warn` rule can persist");
            }
            Some(n) if !(2..=12).contains(&n) => return bad("persist", "2 to 12 months"),
            _ => {}
        }
        if self.tag == RuleTag::S && self.cites.is_empty() {
            return bad("cites", "a sourced rule (tag S) names its source");
        }
        if self.text_zh.trim().is_empty() {
            return bad("text_zh", "the message is empty");
        }
        if let Some(name) = self.scope.inputs.keys().find(|name| !is_name(name) || Operand::RESERVED.contains(&name.as_str())) {
            return bad("scope.inputs", &format!("`{name}` is no input"));
        }
        Ok(())
    }
}

/// The threshold in words: `value < 0.90`, `value > 0.10 and amount > 1000`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, condition) in self.conditions().enumerate() {
            let joint = if at == 0 { "" } else { " and " };
            write!(f, "{joint}{condition}")?;
        }
        for (name, value) in &self.scope.inputs {
            write!(f, " where {name} = {value}")?;
        }
        Ok(())
    }
}
