//! `yaojia indicator`: what there is, what one means, whether all hold together.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use yaojia_models::bundle::SqlBundle;
use yaojia_models::card::{Card, Indicator, Rule, RuleLevel, RuleTag};
use yaojia_models::definitions::Definitions;

use super::doctor::sql;
use super::fields::lines;
use super::indicator_files::{self, NewArgs, PagesArgs};
use super::table::Table;
use super::{App, CliError, ExitStatus};
use crate::pages::{Tongue, honesty};

/// Arguments of `indicator`.
#[derive(Debug, Args)]
pub struct IndicatorArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum What {
    /// All indicators
    List,
    /// One indicator: card, measures, rules, parameters
    Show {
        /// Its id, such as D05
        id: String,
        /// Print its SQL too
        #[arg(long)]
        sql: bool,
    },
    /// Check cards, rules, worked examples and SQL, without data
    Check,
    /// Write the folder of a new indicator into the project's first SQL path
    New(NewArgs),
    /// Write a page of every indicator, in Chinese and English
    Pages(PagesArgs),
}

pub(super) async fn indicator(app: &App, args: &IndicatorArgs) -> Result<ExitStatus, CliError> {
    match &args.what {
        What::New(args) => return Box::pin(indicator_files::new(app, args)).await,
        What::Pages(args) => return Box::pin(indicator_files::pages(app, args)).await,
        What::List | What::Show { .. } | What::Check => {}
    }
    let definitions = app.definitions()?;
    match &args.what {
        What::List => list(app, &definitions.sql),
        What::Show { id, sql } => show(app, &definitions.sql, id, *sql),
        What::Check => check(app, &definitions).await,
        What::New(_) | What::Pages(_) => Ok(ExitStatus::Done), // done above
    }
}

fn list(app: &App, bundle: &SqlBundle) -> Result<ExitStatus, CliError> {
    let all = bundle.catalogue().indicators();
    if app.json() {
        let list: Vec<Value> = all.iter().map(brief).collect();
        app.printer.json("indicator", &json!({"indicators": list}))?;
        return Ok(ExitStatus::Done);
    }
    let mut table = Table::new(["id", "version", "name", "class", "chain", "subject", "window", "measures", "rules"]);
    for indicator in all {
        let card = &indicator.card;
        table.push([
            card.id.clone(),
            card.version.to_string(),
            card.name_zh.clone(),
            card.class.as_str().to_owned(),
            card.chain.as_str().to_owned(),
            card.subject_kind.as_str().to_owned(),
            card.window.clone(),
            card.measures.len().to_string(),
            indicator.rules.len().to_string(),
        ]);
    }
    app.printer.table("", &table);
    Ok(ExitStatus::Done)
}

fn brief(indicator: &Indicator) -> Value {
    let card = &indicator.card;
    json!({
        "id": card.id,
        "version": card.version,
        "name_zh": card.name_zh,
        "name_en": card.name_en,
        "class": card.class.as_str(),
        "chain": card.chain.as_str(),
        "subject_kind": card.subject_kind.as_str(),
        "window": card.window,
        "measures": card.measures.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(),
        "rules": indicator.rules.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(),
        "folder": indicator.folder,
    })
}

fn show(app: &App, bundle: &SqlBundle, id: &str, with_sql: bool) -> Result<ExitStatus, CliError> {
    let indicator = bundle.catalogue().get(&id.to_ascii_uppercase()).ok_or_else(|| {
        CliError::missing(format!("there is no indicator `{id}`"), format!("`{}` lists them", app.command("indicator list")))
    })?;
    let (card, rules) = (card(indicator), indicator.rules.iter().map(rule).collect::<Vec<_>>());
    let texts = indicator.texts();
    if app.json() {
        // The folder's own files by their names, relations by their path below `sql/`.
        let name = |file: &str| match file.strip_prefix("indicators/").and_then(|file| file.split_once('/')) {
            Some((_, name)) => name.to_owned(),
            None => file.to_owned(),
        };
        let files: Map<String, Value> = texts.iter().map(|(file, text)| (name(file), (*text).into())).collect();
        app.printer.json("indicator", &json!({"folder": indicator.folder, "card": card, "rules": rules, "sql": files}))?;
        return Ok(ExitStatus::Done);
    }
    app.printer.text(&describe(indicator, &rules));
    app.printer.text(&format!("\n{}", honesty(Tongue::Chinese, &indicator.card)));
    app.printer.text(honesty(Tongue::English, &indicator.card));
    if with_sql {
        for (file, text) in texts {
            app.printer.text(&format!("\n-- sql/{file}\n{text}"));
        }
    }
    Ok(ExitStatus::Done)
}

/// What the card says of the indicator as a whole.
fn head(card: &Card) -> Value {
    json!({
        "version": card.version,
        "name_en": card.name_en,
        "question": card.question,
        "why": card.why,
        "method": card.method,
        "class": card.class.as_str(),
        "chain": card.chain.as_str(),
        "subject_kind": card.subject_kind.as_str(),
        "window": card.window,
        "unit": card.unit,
        "exclusions": card.exclusions,
        "recipients": card.recipients,
        "needs": card.needs,
        "standing": card.standing.as_str(),
        "authored": card.authored,
        "checked": card.checked,
        "reviewed": card.reviewed,
        "next_review": card.next_review,
    })
}

/// The whole card.
fn card(indicator: &Indicator) -> Value {
    let card = &indicator.card;
    let mut all = Map::new();
    all.insert("id".to_owned(), card.id.as_str().into());
    all.insert("name_zh".to_owned(), card.name_zh.as_str().into());
    all.extend(head(card).as_object().cloned().unwrap_or_default());
    let measures = card.measures.iter().map(|m| {
        let levels: Vec<&str> = m.rollup.levels.iter().map(|level| level.as_str()).collect();
        json!({"name": m.name, "title_zh": m.title_zh, "unit": m.unit, "subject": m.subject, "judged": m.judged, "rollup": levels})
    });
    all.insert("measures".to_owned(), measures.collect());
    let parameters = card.parameters.iter().map(|(name, p)| (name.clone(), json!({"value": p.value, "title": p.title})));
    all.insert("parameters".to_owned(), Value::Object(parameters.collect()));
    let sources = card.sources.iter().map(|s| json!({"title": s.title, "doc_no": s.doc_no, "quote": s.quote, "url": s.url}));
    all.insert("sources".to_owned(), sources.collect());
    all.insert("standing_note".to_owned(), json!({"zh": honesty(Tongue::Chinese, card), "en": honesty(Tongue::English, card)}));
    Value::Object(all)
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "measure": rule.measure,
        "level": rule_level(rule.level),
        "when": rule.to_string(),
        "limit": rule.limit.to_string(),
        "persist": rule.persist,
        "mark": rule.mark,
        "valid_from": rule.valid_from,
        "valid_to": rule.valid_to,
        "known_from": rule.known_from,
        "replaces": rule.replaces,
        "cites": rule.cites,
        "tag": match rule.tag {
            RuleTag::S => "sourced",
            RuleTag::I => "ours",
            RuleTag::SI => "sourced in part",
        },
        "text_zh": rule.text_zh,
    })
}

const fn rule_level(level: RuleLevel) -> &'static str {
    match level {
        RuleLevel::Off => "off",
        RuleLevel::Watch => "watch",
        RuleLevel::Warn => "warn",
        RuleLevel::Verify => "verify",
    }
}

fn describe(indicator: &Indicator, rules: &[Value]) -> String {
    let head = head(&indicator.card).as_object().cloned().unwrap_or_default();
    let mut out = format!("{} {} (sql/indicators/{})\n", indicator.card.id, indicator.card.name_zh, indicator.folder);
    out.push_str(&lines(&head, 2));
    let mut measures = Table::new(["measure", "title", "judged", "roll-up"]);
    for measure in &indicator.card.measures {
        let levels: Vec<&str> = measure.rollup.levels.iter().map(|level| level.as_str()).collect();
        measures.push([
            measure.name.clone(),
            measure.title_zh.clone(),
            if measure.judged { "yes" } else { "no" }.to_owned(),
            levels.join(", "),
        ]);
    }
    out.push_str(&format!("\n{}", measures.render()));
    if !indicator.card.parameters.is_empty() {
        let mut parameters = Table::new(["parameter", "value", "title"]);
        for (name, parameter) in &indicator.card.parameters {
            parameters.push([name, &parameter.value, &parameter.title].map(Clone::clone));
        }
        out.push_str(&format!("\n{}", parameters.render()));
    }
    for rule in rules.iter().filter_map(Value::as_object) {
        out.push_str(&format!("\nrule\n{}", lines(rule, 2)));
    }
    for source in &indicator.card.sources {
        let number = source.doc_no.as_deref().map(|no| format!("，{no}")).unwrap_or_default();
        out.push_str(&format!("\nsource: {}{number}\n", source.title));
        if let Some(quote) = &source.quote {
            out.push_str(&format!("  “{quote}”\n"));
        }
    }
    if indicator.card.sources.is_empty() {
        out.push_str("\nsource: our definition\n");
    }
    out
}

async fn check(app: &App, definitions: &Definitions) -> Result<ExitStatus, CliError> {
    let found = sql::check_indicators(definitions).await?;
    let bad = found.iter().any(|finding| !finding.problems.is_empty());
    if app.json() {
        app.printer.json("indicator", &json!({"ok": !bad, "checked": found}))?;
    } else {
        let mut table = Table::new(["file", "problem"]);
        for finding in &found {
            finding.problems.iter().for_each(|problem| table.push([finding.what.as_str(), problem.as_str()]));
        }
        if bad {
            app.printer.table("", &table);
        } else {
            app.printer.text(&format!("{} indicators: cards, rules, examples and SQL hold together", found.len()));
        }
    }
    Ok(if bad { ExitStatus::Negative } else { ExitStatus::Done })
}
