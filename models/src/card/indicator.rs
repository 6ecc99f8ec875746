//! One indicator folder, read and checked as a whole.

use super::{Card, CardError, How, MeasureKind, Operand, Rule, RuleLevel, Rules};

/// The SQL of an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// `rows.sql`: one row per source row that counts.
    Rows(String),
    /// `value.sql` with `evidence.sql`: finished values (medians, chains, progress).
    Value {
        /// The values.
        value: String,
        /// The source rows behind them; may be missing only where no rule makes an alert.
        evidence: Option<String>,
    },
}

/// An indicator: card, rules and SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// The folder it was read from, relative to `sql/indicators`.
    pub folder: String,
    /// `indicator.toml`.
    pub card: Card,
    /// `rules.toml`, in the order of the file.
    pub rules: Vec<Rule>,
    /// The SQL.
    pub query: Query,
}

impl Indicator {
    /// Reads and checks the four files of a folder (`rules`, and of the SQL files the ones it has).
    ///
    /// # Errors
    /// Names the file and the key that does not fit.
    pub fn read(
        folder: &str,
        card: &str,
        rules: Option<&str>,
        rows: Option<&str>,
        value: Option<&str>,
        evidence: Option<&str>,
    ) -> Result<Self, CardError> {
        let card_file = format!("{folder}/indicator.toml");
        let rules_file = format!("{folder}/rules.toml");
        let card: Card = toml::from_str(card).map_err(|source| CardError::Toml { file: card_file.clone(), source: Box::new(source) })?;
        card.check(&card_file)?;
        let Rules { rules } = toml::from_str(rules.unwrap_or_default())
            .map_err(|source| CardError::Toml { file: rules_file.clone(), source: Box::new(source) })?;
        let query = match (rows, value, evidence) {
            (Some(rows), None, None) => Query::Rows(rows.to_owned()),
            (None, Some(value), evidence) => Query::Value { value: value.to_owned(), evidence: evidence.map(str::to_owned) },
            (Some(_), _, _) => {
                return Err(missing(folder, "`rows.sql` stands alone: no `value.sql` or `evidence.sql` beside it"));
            }
            (None, None, _) => return Err(missing(folder, "`rows.sql` or `value.sql` is missing")),
        };
        let indicator = Self { folder: folder.to_owned(), card, rules, query };
        indicator.check(&card_file, &rules_file)?;
        Ok(indicator)
    }

    /// The indicator's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.card.id
    }

    /// The rules of a measure that are in force for a month, as known on a day (all when none is given), in file order.
    #[must_use]
    pub fn rules_for(&self, measure: &str, month: &str, known_on: Option<&str>) -> Vec<&Rule> {
        let live: Vec<&Rule> = self.rules.iter().filter(|rule| rule.is_for(month) && rule.is_known(known_on)).collect();
        let replaced = |rule: &Rule| live.iter().any(|other| other.replaces.contains(&rule.id));
        live.iter().copied().filter(|rule| rule.measure == measure && rule.level != RuleLevel::Off && !replaced(rule)).collect()
    }

    /// Cross-checks of card, rules and SQL.
    fn check(&self, card_file: &str, rules_file: &str) -> Result<(), CardError> {
        self.check_reads(card_file)?;
        let name = self.folder.rsplit('/').next().unwrap_or_default();
        if name != self.card.id && !name.starts_with(&format!("{}_", self.card.id)) {
            return Err(CardError::invalid(card_file, "id", format!("the folder `{name}` does not begin with `{}_`", self.card.id)));
        }
        for (at, rule) in self.rules.iter().enumerate() {
            rule.check(rules_file)?;
            let bad = |key: &str, why: String| Err(CardError::invalid(rules_file, format!("rule `{}`: {key}", rule.id), why));
            if self.rules.iter().take(at).any(|other| other.id == rule.id) {
                return Err(CardError::Duplicate { file: rules_file.to_owned(), id: rule.id.clone(), other: rules_file.to_owned() });
            }
            if !rule.id.starts_with(&format!("{}.", self.card.id)) {
                return bad("id", format!("begins with `{}.`", self.card.id));
            }
            if let Some(id) = rule.replaces.iter().find(|id| !self.rules.iter().take(at).any(|other| other.id == **id)) {
                return bad("replaces", format!("`{id}` is no earlier rule of this file"));
            }
            let Some(measure) = self.card.measure(&rule.measure) else {
                return bad("measure", format!("the card has no measure `{}`", rule.measure));
            };
            if !measure.judged {
                return bad("measure", format!("the card says that `{}` is not judged", rule.measure));
            }
            if !measure.subject && measure.rollup.how == How::Sum && rule.level >= RuleLevel::Warn {
                return bad("measure", format!("alerts of the roll-ups of `{}` need its subject rows as evidence", rule.measure));
            }
            if measure.kind.is_plain() && rule.conditions().any(|condition| condition.on == Operand::Denominator) {
                return bad("on", format!("`{}` has no denominator", rule.measure));
            }
        }
        match &self.query {
            Query::Rows(_) => {
                for measure in &self.card.measures {
                    if measure.kind == MeasureKind::Value || measure.rollup.how == How::Own {
                        return Err(CardError::invalid(
                            card_file,
                            format!("measure `{}`", measure.name),
                            "kind `value` and roll-up `own` need `value.sql`",
                        ));
                    }
                }
            }
            Query::Value { evidence: None, .. } if self.rules.iter().any(|rule| rule.level >= RuleLevel::Warn) => {
                return Err(missing(&self.folder, "`evidence.sql` is missing: its rules make alerts"));
            }
            Query::Value { .. } => {}
        }
        Ok(())
    }
}

/// A file that should be there.
fn missing(folder: &str, why: &str) -> CardError {
    CardError::Missing { folder: folder.to_owned(), why: why.to_owned() }
}
