//! One indicator folder, read and checked as a whole.

use super::relation::{BASIS, Relations};
use super::{Card, CardError, How, MeasureKind, Operand, Relation, Rule, RuleLevel, Rules};

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

/// The texts of an indicator's folder: its own, and the SQL of its twin where it names one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files<'a> {
    /// `indicator.toml`.
    pub card: &'a str,
    /// `rules.toml`.
    pub rules: Option<&'a str>,
    /// `rows.sql`.
    pub rows: Option<&'a str>,
    /// `value.sql`.
    pub value: Option<&'a str>,
    /// `evidence.sql`.
    pub evidence: Option<&'a str>,
    /// `basis.sql`.
    pub basis: Option<&'a str>,
}

impl Query {
    /// Its files and texts.
    #[must_use]
    pub fn texts(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Rows(rows) => vec![("rows.sql", rows)],
            Self::Value { value, evidence } => {
                [("value.sql", value.as_str())].into_iter().chain(evidence.as_deref().map(|text| ("evidence.sql", text))).collect()
            }
        }
    }
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
    /// The relations of the schema `ask` that the SQL reads, in an order in which each needs only earlier ones: shared ones, then its basis.
    pub relations: Vec<Relation>,
}

impl Indicator {
    /// Reads and checks the files of a folder that shares no SQL.
    ///
    /// # Errors
    /// Names the file and the key that does not fit.
    pub fn read(folder: &str, files: Files<'_>) -> Result<Self, CardError> {
        Self::of_files(folder, files, &Relations::default())
    }

    /// Reads and checks the files of a folder, with the relations that its SQL may read.
    pub(super) fn of_files(folder: &str, files: Files<'_>, shared: &Relations) -> Result<Self, CardError> {
        let Files { card, rules, rows, value, evidence, basis } = files;
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
        if matches!(query, Query::Rows(_)) && basis.is_some() {
            return Err(missing(folder, "`basis.sql` is what `value.sql` and `evidence.sql` share: `rows.sql` stands alone"));
        }
        let home = card.sql.as_deref().unwrap_or(folder);
        let basis = basis.map(|sql| Relation { name: BASIS.to_owned(), file: format!("indicators/{home}/basis.sql"), sql: sql.to_owned() });
        let relations = shared.of(folder, basis.as_ref(), &query.texts().iter().map(|(_, text)| *text).collect::<Vec<_>>())?;
        let indicator = Self { folder: folder.to_owned(), card, rules, query, relations };
        indicator.check(&card_file, &rules_file)?;
        Ok(indicator)
    }

    /// All its SQL as file (below `sql/`) and text, in the order in which it is read: relations, its basis, then its own.
    #[must_use]
    pub fn texts(&self) -> Vec<(String, &str)> {
        let home = self.card.sql.as_deref().unwrap_or(&self.folder);
        let relations = self.relations.iter().map(|relation| (relation.file.clone(), relation.sql.as_str()));
        relations.chain(self.query.texts().into_iter().map(|(file, text)| (format!("indicators/{home}/{file}"), text))).collect()
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
