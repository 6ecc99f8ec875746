//! The region's own values of indicators' parameters, held against the cards.

use indexmap::IndexMap;
use yaojia_models::card::Catalogue;

use super::ConfigError;

/// Checks `[parameters.<indicator>]`: the indicator must be there, know the parameter, and the value must be of its type.
///
/// # Errors
/// [`ConfigError::Invalid`] naming the key.
pub fn check_parameters(parameters: &IndexMap<String, IndexMap<String, String>>, catalogue: &Catalogue) -> Result<(), ConfigError> {
    for (id, values) in parameters {
        let Some(indicator) = catalogue.get(id) else {
            return Err(ConfigError::invalid(format!("parameters.{id}"), format!("there is no indicator `{id}`")));
        };
        for (name, value) in values {
            let key = format!("parameters.{id}.{name}");
            let Some(parameter) = indicator.card.parameters.get(name) else {
                let known: Vec<&str> = indicator.card.parameters.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "it has none".to_string() } else { format!("it has `{}`", known.join("`, `")) };
                return Err(ConfigError::invalid(key, format!("indicator `{id}` has no such parameter: {known}")));
            };
            parameter.parse(value).map_err(|why| ConfigError::invalid(key, why))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use yaojia_models::bundle::SqlBundle;

    #[test]
    fn unknown_indicators_and_parameters_and_odd_values_are_refused() {
        let bundle = SqlBundle::embedded().unwrap();
        let catalogue = bundle.catalogue();
        let numbers = |i: &&yaojia_models::card::Indicator| i.card.parameters.first().is_some_and(|(_, p)| p.parse("x y").is_err());
        let card = catalogue.indicators().iter().find(numbers).expect("an indicator whose first parameter is no text");
        let (name, parameter) = card.card.parameters.first().unwrap();
        let one = |id: &str, name: &str, value: &str| {
            let values = IndexMap::from([(name.to_owned(), value.to_owned())]);
            check_parameters(&IndexMap::from([(id.to_owned(), values)]), catalogue).map_err(|e| e.to_string())
        };
        assert_eq!(one(card.id(), name, &parameter.value), Ok(()));
        assert_eq!(one("D99", name, "1"), Err("`parameters.D99`: there is no indicator `D99`".to_owned()));
        let odd = one(card.id(), "nonsense", "1").unwrap_err();
        assert!(odd.contains("nonsense") && odd.contains("has no such parameter") && odd.contains(name.as_str()), "{odd}");
        assert!(one(card.id(), name, "x y").unwrap_err().starts_with(&format!("`parameters.{}.{name}`", card.id())));
    }
}
