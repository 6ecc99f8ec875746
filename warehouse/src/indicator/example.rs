//! Runs the worked examples of a card.

use yaojia_models::card::{Decimal, Example, Indicator};
use yaojia_models::value::Month;

use super::value::{Fold, Input, Judged, Value};
use super::{Ask, AskedMonth, EngineError, Exact, Exemptions, History, RowKey, judge};

/// Checks that all examples of a card come out as they say.
///
/// # Errors
/// The first example that does not.
pub fn check_examples(indicator: &Indicator) -> Result<(), EngineError> {
    indicator.card.examples.iter().try_for_each(|example| {
        check(indicator, example).map_err(|why| EngineError::Example {
            indicator: indicator.id().to_owned(),
            title: example.title.clone(),
            why,
        })
    })
}

/// Checks one example.
fn check(indicator: &Indicator, example: &Example) -> Result<(), String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let month = Month::parse(&example.month).map_err(|e| text(&e))?;
    let first = month.plus(-i32::try_from(example.months_before).map_err(|e| text(&e))?);
    let ask = Ask::new("region", first, vec![AskedMonth::at(month, i64::MAX)]).map_err(|e| text(&e))?;
    let key = RowKey {
        measure: example.measure.clone(),
        month: example.month.clone(),
        county: "county".to_owned(),
        level: example.level,
        subject_code: "subject".to_owned(),
        product_code: String::new(),
        batch_code: String::new(),
        group_code: String::new(),
    };
    let mut history = History::default();
    for (back, state) in (1..).zip(&example.before) {
        if matches!(state.as_str(), "warn" | "verify" | "exempt") {
            history.add(key.in_month(&month.plus(-back).to_string()));
        }
    }
    let exact =
        |number: Option<Decimal>| number.map(|number| Exact::of(number).ok_or_else(|| format!("`{number}` does not fit"))).transpose();
    let mut value = Value::new(key.clone());
    value.numerator = exact(example.numerator)?;
    value.denominator = exact(example.denominator)?;
    value.given = exact(example.value)?;
    value.amount = exact(example.amount)?;
    value.sample_n = example.sample_n;
    value.inputs = example.inputs.iter().map(|(name, content)| (name.clone(), (Fold::None, Input::parse(content)))).collect();
    let judged = judge::judge(indicator, &ask, vec![value], history, &Exemptions::default()).map_err(|e| text(&e))?;
    let row = judged.iter().find(|row| row.value.key == key).ok_or("it has no row")?;
    compare(example, row, exact(example.expect.value)?)
}

/// Compares what came out with what the example says.
fn compare(example: &Example, row: &Judged, value: Option<Exact>) -> Result<(), String> {
    let show = |number: Option<Exact>| number.map_or("none".to_owned(), |number| number.to_string());
    if row.state.as_str() != example.expect.state {
        return Err(format!("the state is `{}`, not `{}`", row.state.as_str(), example.expect.state));
    }
    if row.result != value {
        return Err(format!("the value is {}, not {}", show(row.result), show(value)));
    }
    if row.mark != example.expect.mark {
        return Err(format!("the mark is `{}`, not `{}`", row.mark, example.expect.mark));
    }
    let rule = row.rule_version.as_deref().and_then(|version| version.split('@').next());
    match &example.expect.rule {
        Some(wanted) if rule != Some(wanted) => Err(format!("the rule is `{}`, not `{wanted}`", rule.unwrap_or("none"))),
        _ => Ok(()),
    }
}
