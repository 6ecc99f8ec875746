//! Pages: one environment of templates, everything escaped, nothing that a page must fetch.

mod alert;

use minijinja::{AutoEscape, Environment, Value};

pub use alert::page as alert_page;

use crate::error::Result;

/// Name and text of every template.
const TEMPLATES: [(&str, &str); 1] = [(alert::NAME, include_str!("../../templates/alert.html"))];

/// The environment with all templates.
fn environment() -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// A page of a template.
fn render(name: &str, context: Value) -> Result<String> {
    Ok(environment()?.get_template(name)?.render(context)?)
}
