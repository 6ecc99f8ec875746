//! Roll-ups to county and region.

use std::collections::BTreeMap;

use yaojia_models::card::{Card, How, Level, Measure};

use super::value::{Fold, Input, Judged, State, Value};
use super::{EngineError, Exact, RowKey};

/// The key of the area that a subject row adds to.
pub(super) fn area_key(key: &RowKey, level: Level, region: &str, measure: &Measure) -> RowKey {
    let area = if level == Level::Region { region } else { &key.county };
    let all = matches!(measure.rollup.how, How::Amount | How::AmountNumerator);
    let kept = |name: &str, code: &str| {
        if all || measure.rollup.drop.iter().any(|dropped| dropped == name) { String::new() } else { code.to_owned() }
    };
    RowKey {
        measure: key.measure.clone(),
        month: key.month.clone(),
        county: area.to_owned(),
        level,
        subject_code: area.to_owned(),
        product_code: kept("product_code", &key.product_code),
        batch_code: kept("batch_code", &key.batch_code),
        group_code: kept("group_code", &key.group_code),
    }
}

/// The rows of the roll-ups that add up before judging (`sum` and `shown`): numerators, denominators, amounts, counts and
/// inputs of all subjects, in whatever state.
///
/// # Errors
/// When a sum does not fit.
pub fn sums(card: &Card, region: &str, subjects: &[Value]) -> Result<Vec<Value>, EngineError> {
    let mut areas: BTreeMap<RowKey, Value> = BTreeMap::new();
    for subject in subjects.iter().filter(|value| value.key.level == Level::Subject) {
        let Some(measure) = card.measure(&subject.key.measure).filter(|measure| matches!(measure.rollup.how, How::Sum | How::Shown)) else {
            continue;
        };
        for level in &measure.rollup.levels {
            let key = area_key(&subject.key, *level, region, measure);
            if let Some(area) = areas.get_mut(&key) {
                add(area, subject).ok_or_else(|| too_large(card, &key))?;
            } else {
                let mut area = Value { key: key.clone(), mark: String::new(), given: None, ..subject.clone() };
                area.inputs.retain(|_, (fold, _)| *fold != Fold::None);
                areas.insert(key, area);
            }
        }
    }
    Ok(areas.into_values().collect())
}

/// Adds a subject to its area; none when a sum does not fit.
fn add(area: &mut Value, subject: &Value) -> Option<()> {
    area.numerator = plus(area.numerator, subject.numerator)?;
    area.denominator = plus(area.denominator, subject.denominator)?;
    area.amount = plus(area.amount, subject.amount)?;
    area.sample_n = match (area.sample_n, subject.sample_n) {
        (Some(a), Some(b)) => Some(a.checked_add(b)?),
        (a, b) => a.or(b),
    };
    area.na &= subject.na;
    area.insufficient &= subject.insufficient;
    for (name, (fold, content)) in &subject.inputs {
        match (fold, area.inputs.get_mut(name)) {
            (Fold::None, _) => {}
            (_, None) => drop(area.inputs.insert(name.clone(), (*fold, content.clone()))),
            (Fold::Sum, Some((_, Input::Number(sum)))) => {
                if let Input::Number(number) = content {
                    *sum = sum.plus(*number)?;
                }
            }
            (_, Some((_, greatest))) => {
                if content > greatest {
                    *greatest = content.clone();
                }
            }
        }
    }
    Some(())
}

/// The sum of two numbers, where null counts nothing; the outer none is an overflow.
#[allow(clippy::option_option, reason = "the inner option is a null number, the outer one an overflow")]
fn plus(a: Option<Exact>, b: Option<Exact>) -> Option<Option<Exact>> {
    match (a, b) {
        (Some(a), Some(b)) => a.plus(b).map(Some),
        (a, b) => Some(a.or(b)),
    }
}

/// The rows of the roll-ups that follow judging: the amounts at risk of the subjects in warn or verify (`amount`), and the
/// numerators of all subjects (`amount_numerator`). One row an area, without product, batch and group, always `normal`.
///
/// # Errors
/// When a sum does not fit.
pub fn amounts(card: &Card, region: &str, subjects: &[Judged]) -> Result<Vec<Judged>, EngineError> {
    let mut areas: BTreeMap<RowKey, Judged> = BTreeMap::new();
    for subject in subjects.iter().filter(|judged| judged.value.key.level == Level::Subject) {
        let Some(measure) = card.measure(&subject.value.key.measure) else {
            continue;
        };
        let part = match measure.rollup.how {
            How::Amount if matches!(subject.state, State::Warn | State::Verify) => subject.value.amount,
            How::Amount => None,
            How::AmountNumerator => subject.value.numerator,
            _ => continue,
        };
        for level in &measure.rollup.levels {
            let key = area_key(&subject.value.key, *level, region, measure);
            let area = areas.entry(key.clone()).or_insert_with(|| empty(&key));
            let sum = area.value.numerator.unwrap_or(Exact::ZERO).plus(part.unwrap_or(Exact::ZERO)).ok_or_else(|| too_large(card, &key))?;
            area.value.numerator = Some(sum);
            area.value.amount = (measure.rollup.how == How::Amount).then_some(sum);
            area.result = sum.round(6);
            area.value.sample_n = match (area.value.sample_n, subject.value.sample_n) {
                (Some(a), Some(b)) => Some(a.saturating_add(b)),
                (a, b) => a.or(b),
            };
        }
    }
    Ok(areas.into_values().collect())
}

/// A roll-up without anything in it yet.
fn empty(key: &RowKey) -> Judged {
    Judged {
        value: Value::new(key.clone()),
        result: None,
        state: State::Normal,
        mark: String::new(),
        threshold: None,
        rule_version: None,
        message: None,
        exempt_id: None,
    }
}

/// A sum that does not fit.
fn too_large(card: &Card, key: &RowKey) -> EngineError {
    EngineError::TooLarge { indicator: card.id.clone(), what: "a sum", row: key.to_string() }
}
