//! From values to states: rules 4 to 7 of the catalogue, for values just computed and for stored ones alike.

use std::collections::BTreeMap;

use yaojia_models::card::{Condition, How, Indicator, Level, Measure, MeasureKind, Op, Operand, Rule, RuleLevel};
use yaojia_models::value::Month;

use super::value::{Judged, State, Value};
use super::{Ask, EngineError, Exact, Exemptions, History, rollup};

/// Judges the values of an indicator, month by month, and adds the roll-ups that follow judging.
///
/// `values` are the rows of the asked months (subjects, and the roll-ups that add up before judging); `history` knows which
/// rows of other months were hit. Pure: the same rows in any order give the same result, in the order of their keys.
///
/// # Errors
/// When a number does not fit its type.
pub fn judge(
    indicator: &Indicator,
    ask: &Ask,
    mut values: Vec<Value>,
    mut history: History,
    exemptions: &Exemptions,
) -> Result<Vec<Judged>, EngineError> {
    values.sort_by(|a, b| (&a.key.month, &a.key).cmp(&(&b.key.month, &b.key)));
    let persists = indicator.rules.iter().any(|rule| rule.persist.is_some());
    let mut in_force: BTreeMap<(String, String), Vec<&Rule>> = BTreeMap::new();
    let mut judged = Vec::with_capacity(values.len());
    for value in values {
        let Some(measure) = indicator.card.measure(&value.key.measure) else {
            continue;
        };
        let rules = in_force
            .entry((value.key.measure.clone(), value.key.month.clone()))
            .or_insert_with(|| indicator.rules_for(&value.key.measure, &value.key.month, ask.known_day()));
        let mut verdict = one(indicator, measure, rules, value, ask.first_month(), &history)?;
        if persists && verdict.state.is_alert() {
            // months come in order, so the next one finds this one here
            history.add(verdict.value.key.clone());
        }
        if verdict.state.is_alert()
            && let Some(row) = exemptions.covering(indicator.id(), &verdict.value.key)
        {
            verdict.state = State::Exempt;
            verdict.exempt_id = Some(row.exempt_id.clone());
        }
        judged.push(verdict);
    }
    judged.extend(rollup::amounts(&indicator.card, ask.region(), &judged)?);
    judged.sort_by(|a, b| a.value.key.cmp(&b.value.key));
    Ok(judged)
}

/// Judges one row, but for exemptions.
fn one(
    indicator: &Indicator,
    measure: &Measure,
    rules: &[&Rule],
    mut value: Value,
    first_month: Month,
    history: &History,
) -> Result<Judged, EngineError> {
    if measure.kind.is_plain() {
        value.denominator = None;
    }
    let result = result_of(measure.kind, &value).map_err(|Overflow| EngineError::TooLarge {
        indicator: indicator.id().to_owned(),
        what: "the value",
        row: value.key.to_string(),
    })?;
    let month = Month::parse(&value.key.month).map_err(|e| EngineError::shape(indicator.id(), "month", e.to_string()))?;
    let row = Row { value: &value, result, months_before: month.since(first_month) };
    let mut judged = Verdict { state: State::Normal, mark: value.mark.clone(), ..Verdict::default() };
    let only_shown = value.key.level != Level::Subject && measure.rollup.how == How::Shown;
    if result.is_none() {
        judged.state = State::Na;
    } else if measure.judged && !only_shown {
        row.judge(measure, rules, month, first_month, history, &mut judged);
    }
    if only_shown {
        judged.mark.clear();
    }
    let Verdict { state, mark, threshold, rule_version, message } = judged;
    Ok(Judged { value, result, state, mark, threshold, rule_version, message, exempt_id: None })
}

/// A number outgrew its type.
struct Overflow;

/// The published value of a row, rounded half away from zero to 6 places; none when the row is `na`.
fn result_of(kind: MeasureKind, value: &Value) -> Result<Option<Exact>, Overflow> {
    if value.na {
        return Ok(None);
    }
    let zero = Exact::ZERO;
    let result = match kind {
        MeasureKind::Sum | MeasureKind::Count => value.numerator.map(|number| number.round(6)),
        MeasureKind::Value => value.given.map(|number| number.round(6)),
        MeasureKind::Difference => {
            Some(value.numerator.unwrap_or(zero).minus(value.denominator.unwrap_or(zero)).and_then(|gap| gap.round(6)))
        }
        MeasureKind::Ratio | MeasureKind::RatioMinusOne | MeasureKind::OneMinusRatio => match (value.numerator, value.denominator) {
            (Some(n), Some(d)) if d.is_positive() => Some(match kind {
                MeasureKind::RatioMinusOne => n.minus(d).and_then(|n| n.over6(d)),
                MeasureKind::OneMinusRatio => d.minus(n).and_then(|n| n.over6(d)),
                _ => n.over6(d),
            }),
            _ => None,
        },
    };
    result.map(|number| number.ok_or(Overflow)).transpose()
}

/// What judging decides.
#[derive(Debug)]
struct Verdict {
    state: State,
    mark: String,
    threshold: Option<String>,
    rule_version: Option<String>,
    message: Option<String>,
}

impl Default for Verdict {
    fn default() -> Self {
        Self { state: State::Normal, mark: String::new(), threshold: None, rule_version: None, message: None }
    }
}

/// A row with its published value.
struct Row<'a> {
    value: &'a Value,
    result: Option<Exact>,
    months_before: i32,
}

impl Row<'_> {
    /// Too small a sample, then the thresholds, then persistence.
    fn judge(&self, measure: &Measure, rules: &[&Rule], month: Month, first_month: Month, history: &History, verdict: &mut Verdict) {
        let small = measure.sample.iter().find(|condition| self.holds(condition));
        if self.value.insufficient || small.is_some() {
            verdict.state = State::Insufficient;
            verdict.threshold = small.map(ToString::to_string);
            return;
        }
        let hits: Vec<&Rule> = rules.iter().copied().filter(|rule| self.is_hit(rule)).collect();
        if let Some(mark) = hits.iter().filter_map(|rule| rule.mark.as_ref()).max() {
            verdict.mark.clone_from(mark);
        }
        // of equally grave hits the last in the file decides
        let Some(gravest) = hits.iter().copied().max_by_key(|rule| rule.level) else {
            return;
        };
        let lasting = |rule: &&Rule| {
            let months = i32::try_from(rule.persist.unwrap_or(0)).unwrap_or(0);
            months > 1
                && (1..months).all(|back| {
                    let earlier = month.plus(-back);
                    earlier >= first_month && history.was_hit(&self.value.key, &earlier.to_string())
                })
        };
        let persisted = (gravest.level == RuleLevel::Warn)
            .then(|| hits.iter().copied().filter(|rule| rule.level == RuleLevel::Warn).rfind(lasting))
            .flatten();
        let decider = persisted.unwrap_or(gravest);
        verdict.state = match (persisted, gravest.level) {
            (Some(_), _) | (None, RuleLevel::Verify) => State::Verify,
            (None, RuleLevel::Warn) => State::Warn,
            (None, RuleLevel::Watch) => State::Watch,
            (None, RuleLevel::Off) => State::Normal,
        };
        verdict.threshold = Some(match persisted.and_then(|rule| rule.persist) {
            Some(months) => format!("{decider}, {months} months in a row"),
            None => decider.to_string(),
        });
        verdict.rule_version = Some(decider.version());
        verdict.message = Some(decider.text_zh.clone());
    }

    /// Whether a rule applies to the row and all of its conditions hold.
    fn is_hit(&self, rule: &Rule) -> bool {
        let levels = &rule.scope.levels;
        let in_scope = (levels.is_empty() || levels.contains(&self.value.key.level))
            && rule.scope.inputs.iter().all(|(name, wanted)| {
                self.value.inputs.get(name).is_some_and(|(_, given)| match (given.number(), Exact::parse(wanted)) {
                    (Some(given), Some(wanted)) => given == wanted,
                    _ => given.to_string() == *wanted,
                })
            });
        in_scope && rule.conditions().all(|condition| self.holds(&condition))
    }

    /// Whether a condition holds; a missing operand fulfils none.
    fn holds(&self, condition: &Condition) -> bool {
        let (Some(given), Some(limit)) = (self.operand(&condition.on), Exact::of(condition.limit)) else {
            return false;
        };
        match condition.op {
            Op::Less => given < limit,
            Op::AtMost => given <= limit,
            Op::Greater => given > limit,
            Op::AtLeast => given >= limit,
            Op::Equal => given == limit,
            Op::NotEqual => given != limit,
            Op::AbsGreater => given.abs() > limit,
            Op::AbsAtLeast => given.abs() >= limit,
        }
    }

    /// The number a condition looks at.
    fn operand(&self, on: &Operand) -> Option<Exact> {
        match on {
            Operand::Value => self.result,
            Operand::Numerator => self.value.numerator,
            Operand::Denominator => self.value.denominator,
            Operand::Amount => self.value.amount,
            Operand::SampleN => self.value.sample_n.map(Exact::whole),
            Operand::MonthsBefore => Some(Exact::whole(i64::from(self.months_before))),
            Operand::Input(name) => self.value.inputs.get(name).and_then(|(_, content)| content.number()),
        }
    }
}
