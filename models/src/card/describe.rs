//! The card itself: `indicator.toml`.

use indexmap::IndexMap;
use serde::Deserialize;

use super::condition::is_name;
use super::parameter::{days, is_month};
use super::{CardError, Example, How, Level, Measure, MeasureKind, Parameter};

/// The class of an indicator in Jiangsu's notice: who has to do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Class {
    /// To be verified case by case.
    #[serde(rename = "核实处理")]
    Verify,
    /// To be reminded of.
    #[serde(rename = "预警提醒")]
    Remind,
    /// To be known.
    #[serde(rename = "数据共享")]
    Share,
}

impl Class {
    /// The Chinese name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "核实处理",
            Self::Remind => "预警提醒",
            Self::Share => "数据共享",
        }
    }
}

/// The step of the chain 招 → 采 → 配 → 用 → 管.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Chain {
    /// Tender and listing.
    #[serde(rename = "招")]
    Tender,
    /// Purchase.
    #[serde(rename = "采")]
    Purchase,
    /// Delivery.
    #[serde(rename = "配")]
    Deliver,
    /// Use.
    #[serde(rename = "用")]
    Use,
    /// Supervision, payment, calculators.
    #[serde(rename = "管")]
    Manage,
}

impl Chain {
    /// The Chinese name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tender => "招",
            Self::Purchase => "采",
            Self::Deliver => "配",
            Self::Use => "用",
            Self::Manage => "管",
        }
    }
}

/// What kind of thing a value is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A medical institution.
    Institution,
    /// A distributor or producer.
    Enterprise,
    /// A retail pharmacy.
    Pharmacy,
    /// A drug or consumable.
    Product,
    /// A county or the region.
    Area,
}

impl SubjectKind {
    /// The name in `gold.indicator_value.subject_kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Institution => "institution",
            Self::Enterprise => "enterprise",
            Self::Pharmacy => "pharmacy",
            Self::Product => "product",
            Self::Area => "area",
        }
    }
}

/// What the indicator's main number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A quotient of two sums.
    Ratio,
    /// A sum of amounts.
    Sum,
    /// A number of things.
    Count,
    /// A difference of two shares.
    Gap,
    /// A chained index.
    Index,
    /// Any other value (medians, prices).
    Value,
}

/// Which side of the value is the bad one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadSide {
    /// Low values.
    Low,
    /// High values.
    High,
    /// Both ends.
    Both,
    /// Neither: the value only informs.
    None,
}

/// Where the definition comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Title of the document.
    pub title: String,
    /// Its number, where it has one.
    #[serde(default)]
    pub doc_no: Option<String>,
    /// The passage that matters, quoted.
    #[serde(default)]
    pub quote: Option<String>,
    /// Where it can be read.
    #[serde(default)]
    pub url: Option<String>,
}

/// What a definition rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Our own, or the region's own.
    #[default]
    Own,
    /// One of a list that names its indicators and is not public: rebuilt by us.
    Reconstruction,
    /// The official definition, as published.
    Official,
}

impl Standing {
    /// Its name in `indicator.toml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Reconstruction => "reconstruction",
            Self::Official => "official",
        }
    }
}

/// What a card says in English.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct English {
    /// The question it answers.
    pub question: String,
    /// Why that matters.
    pub why: String,
    /// How it is computed, in words.
    pub method: String,
    /// What is left out, one sentence each.
    #[serde(default)]
    pub exclusions: Vec<String>,
    /// Who gets the alerts.
    #[serde(default)]
    pub recipients: Vec<String>,
}

/// An indicator as its folder's `indicator.toml` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The id: a letter and two digits.
    pub id: String,
    /// The version of the formula; a new formula is a new version.
    pub version: u32,
    /// The Chinese name.
    pub name_zh: String,
    /// The English name.
    pub name_en: String,
    /// The question it answers, in one sentence.
    pub question: String,
    /// Why that matters.
    pub why: String,
    /// How it is computed, in words.
    #[serde(default)]
    pub method: Option<String>,
    /// The class of the notice.
    pub class: Class,
    /// The step of the chain.
    pub chain: Chain,
    /// What its rows are about.
    pub subject_kind: SubjectKind,
    /// The window in words: `1m`, `3m`, `as of T`.
    pub window: String,
    /// What the main number is.
    pub kind: Kind,
    /// The unit of the main number.
    pub unit: String,
    /// Which side is bad.
    pub bad_side: BadSide,
    /// What is left out, one sentence each.
    #[serde(default)]
    pub exclusions: Vec<String>,
    /// Who gets the alerts.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// The datasets whose completeness it requires.
    pub needs: Vec<String>,
    /// Table → months relative to the asked one that the SQL reads (`"-2..0"`, `"-2..0 all_counties"` where a county's
    /// rows follow from others' too, `"latest"` for the table as a whole); none: everything up to the month, across counties.
    #[serde(default)]
    pub reads: IndexMap<String, String>,
    /// The folder of the twin whose SQL it shares, with parameters of its own: one text, two cards.
    #[serde(default)]
    pub sql: Option<String>,
    /// Words to select it by, beside class, chain step and subject kind: `tag:x`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What the definition rests on.
    #[serde(default)]
    pub standing: Standing,
    /// Who wrote it, and when.
    pub authored: String,
    /// Who checked it, and when.
    #[serde(default)]
    pub checked: Option<String>,
    /// The day of the last review, yyyy-MM-dd.
    #[serde(default)]
    pub reviewed: Option<String>,
    /// The day of the next review, yyyy-MM-dd.
    pub next_review: String,
    /// The same in English, for readers who have no Chinese.
    #[serde(default)]
    pub en: Option<English>,
    /// Parameters of the SQL: `$name`.
    #[serde(default)]
    pub parameters: IndexMap<String, Parameter>,
    /// The measures, in the order they are published.
    #[serde(rename = "measure")]
    pub measures: Vec<Measure>,
    /// Where the definition comes from; empty means: ours.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
    /// Worked examples; they run as tests.
    #[serde(default, rename = "example")]
    pub examples: Vec<Example>,
}

impl Card {
    /// The measure of a name.
    #[must_use]
    pub fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }

    /// The measure whose rows the SQL gives under a name.
    #[must_use]
    pub fn measure_in_sql(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.in_sql() == name)
    }

    /// The kind of subject of a measure's subject rows.
    #[must_use]
    pub fn subject_kind_of(&self, measure: &Measure) -> SubjectKind {
        measure.subject_kind.unwrap_or(self.subject_kind)
    }

    /// Checks what needs neither rules nor SQL.
    pub(super) fn check(&self, file: &str) -> Result<(), CardError> {
        let bad = |key: &str, why: &str| Err(CardError::invalid(file, key, why));
        let id = self.id.as_bytes();
        if id.len() < 3 || !id.first().is_some_and(u8::is_ascii_uppercase) || !id.iter().skip(1).all(u8::is_ascii_digit) {
            return bad("id", "a capital letter and at least two digits");
        }
        for (key, text) in [
            ("name_zh", &self.name_zh),
            ("name_en", &self.name_en),
            ("question", &self.question),
            ("why", &self.why),
            ("authored", &self.authored),
        ] {
            if text.trim().is_empty() {
                return bad(key, "is empty");
            }
        }
        if days(&self.next_review).is_none() || self.reviewed.as_deref().is_some_and(|day| days(day).is_none()) {
            return bad("reviewed, next_review", "a day is written yyyy-MM-dd");
        }
        for (name, parameter) in &self.parameters {
            if !is_name(name) || ["region", "first_month"].contains(&name.as_str()) {
                return bad(&format!("parameters.{name}"), "a parameter's name is lower case and neither `region` nor `first_month`");
            }
            parameter.check(file, name)?;
        }
        if self.measures.is_empty() {
            return bad("measure", "an indicator has at least one measure");
        }
        for (at, measure) in self.measures.iter().enumerate() {
            if self.measures.iter().take(at).any(|other| other.name == measure.name) {
                return bad(&format!("measure `{}`", measure.name), "is given twice");
            }
            if let Some(other) = self.measures.iter().take(at).find(|other| other.in_sql() == measure.in_sql()) {
                let why = format!("`{}` takes the rows that the SQL calls `{}`", other.name, measure.in_sql());
                return bad(&format!("measure `{}`: sql_name", measure.name), &why);
            }
            check_measure(file, measure)?;
        }
        self.examples.iter().try_for_each(|example| {
            if !is_month(&example.month) {
                return Err(CardError::invalid(file, format!("example `{}`: month", example.title), "a month is written yyyy-MM"));
            }
            if self.measure(&example.measure).is_none() {
                return Err(CardError::invalid(file, format!("example `{}`: measure", example.title), "no such measure"));
            }
            Ok(())
        })
    }
}

/// Checks one measure.
fn check_measure(file: &str, measure: &Measure) -> Result<(), CardError> {
    let bad = |key: &str, why: &str| Err(CardError::invalid(file, format!("measure `{}`: {key}", measure.name), why));
    if !is_name(&measure.name) {
        return bad("name", "lower-case letters, digits and `_`");
    }
    if !is_name(measure.in_sql()) {
        return bad("sql_name", "lower-case letters, digits and `_`");
    }
    let rollup = &measure.rollup;
    if (rollup.how == How::None) != rollup.levels.is_empty() || rollup.levels.contains(&Level::Subject) {
        return bad("rollup.levels", "`county` and `region` with a roll-up, none without");
    }
    if let Some(code) = rollup.drop.iter().find(|code| !["product_code", "batch_code", "group_code"].contains(&code.as_str())) {
        return bad("rollup.drop", &format!("`{code}` is not one of product_code, batch_code, group_code"));
    }
    if measure.kind == MeasureKind::Value && !matches!(rollup.how, How::Own | How::None) {
        return bad("rollup.how", "a measure of kind `value` is no sum: only `own` or `none`");
    }
    if !measure.subject && matches!(rollup.how, How::None | How::Amount) {
        return bad("subject", "without subject rows and without a roll-up of its own there is nothing to publish");
    }
    if !measure.judged && !measure.sample.is_empty() {
        return bad("sample", "a measure that is not judged has no minimum sample");
    }
    Ok(())
}
