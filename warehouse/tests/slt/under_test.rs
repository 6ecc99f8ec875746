//! What a case tests: an indicator, whose outcome becomes `result.value`, `result.alert`, `result.evidence`; or a fact, `result.<table>`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use datafusion::scalar::ScalarValue;
use yaojia_models::card::{Catalogue, Indicator};
use yaojia_models::contract::Registry;
use yaojia_models::graph::table_refs;
use yaojia_models::text::parse_timestamp;
use yaojia_models::value::Month;
use yaojia_warehouse::indicator::{Ask, AskedMonth, Engine, Exemptions, Names};

use super::file::Case;
use super::tables::{Tables, told};
use super::{Found, Why, sql_folder};

/// The tables that every indicator case may fill besides those its SQL reads: names, exemptions, months before.
const ASIDE: [&str; 6] =
    ["gold.dim_institution", "gold.dim_enterprise", "gold.dim_product", "gold.dim_admdvs", "gold.indicator_value", "silver.exemption"];

/// What a case tests.
pub enum UnderTest {
    /// An indicator and what is asked of it.
    Indicator(Box<(Indicator, Ask)>),
    /// A fact or dimension.
    Fact(Fact),
}

/// A model of `sql/fact` or `sql/dim`.
pub struct Fact {
    table: String,
    region: String,
    sql: String,
    registry: Registry,
}

impl UnderTest {
    /// Reads the model and opens a session with the tables it reads.
    pub fn open(found: &Found, case: &Case) -> Result<(Self, Tables), Why> {
        let word = if found.sql.is_some() { "model" } else { "indicator" };
        if case.directive(word) != Some(found.model.as_str()) {
            return Err(format!("the case does not say `# {word} {}`", found.model));
        }
        let registry = Registry::embedded().map_err(told)?;
        let Some(path) = &found.sql else {
            let catalogue = Catalogue::load(&sql_folder()).map_err(told)?;
            let indicator = catalogue.get(&found.model).cloned().ok_or_else(|| format!("there is no indicator `{}`", found.model))?;
            let mut names: BTreeSet<String> = ASIDE.into_iter().map(str::to_owned).collect();
            names.extend(indicator.tables().map_err(told)?);
            let ask = ask(case, &found.model)?;
            return Ok((Self::Indicator(Box::new((indicator, ask))), Tables::open(&registry, &names)?));
        };
        let sql = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let tables = Tables::open(&registry, &reads(&found.model, &sql)?)?;
        let region = case.settings("ask")?.get("region").copied().unwrap_or("652800").to_owned();
        Ok((Self::Fact(Fact { table: found.model.clone(), region, sql, registry }), tables))
    }

    /// Runs the model and registers what comes out.
    pub async fn answer(&mut self, tables: &mut Tables) -> Result<(), Why> {
        match self {
            Self::Indicator(asked) => {
                let (indicator, ask) = asked.as_ref();
                let context = tables.session().context().clone();
                let names = Names::load(&context).await.map_err(told)?;
                let exemptions = Exemptions::read(tables.rows("silver.exemption")).map_err(told)?;
                let engine = Engine::new(context, ask.clone()).map_err(told)?.with_exemptions(exemptions).with_names(names);
                let outcome = engine.compute(indicator, tables.rows("gold.indicator_value")).await.map_err(told)?;
                for (name, batch) in [("value", outcome.values), ("alert", outcome.alerts), ("evidence", outcome.evidence)] {
                    tables.session().put_rows("result", name, batch.schema(), vec![batch]).map_err(told)?;
                }
                Ok(())
            }
            Self::Fact(fact) => fact.answer(tables).await,
        }
    }
}

impl Fact {
    /// As the builder does: the contract's columns of the model, in the contract's types.
    async fn answer(&self, tables: &Tables) -> Result<(), Why> {
        let contract = self.registry.gold_table(&self.table).ok_or_else(|| format!("`{}` has no contract", self.table))?;
        let schema = std::sync::Arc::new(contract.arrow_schema());
        let columns: Vec<String> = schema.fields().iter().map(|field| format!("model.{}", field.name())).collect();
        let sql = format!("SELECT {}\nFROM (\n{}\n) AS model", columns.join(", "), self.sql.trim().trim_end_matches(';'));
        let mut parameters: BTreeMap<String, ScalarValue> = BTreeMap::new();
        if self.sql.contains("$region") {
            parameters.insert("region".to_owned(), ScalarValue::from(self.region.as_str()));
        }
        let mut batches = Vec::new();
        for batch in tables.session().rows(&self.table, &sql, &parameters).await.map_err(told)? {
            let cast = schema.fields().iter().zip(batch.columns()).map(|(field, column)| arrow::compute::cast(column, field.data_type()));
            let cast = cast.collect::<Result<Vec<_>, _>>().map_err(told)?;
            batches.push(arrow::array::RecordBatch::try_new(schema.clone(), cast).map_err(told)?);
        }
        tables.session().put_rows("result", &self.table, schema, batches).map_err(told)
    }
}

/// The `silver` and `gold` tables a SQL text reads.
fn reads(model: &str, text: &str) -> Result<BTreeSet<String>, Why> {
    let refs = table_refs(model, text).map_err(told)?;
    Ok(refs.iter().filter(|table| matches!(table.schema.as_deref(), Some("silver" | "gold"))).map(ToString::to_string).collect())
}

/// `# ask region=652800 first=2024-01 months=2024-03,2024-04 [as_of=2024-04-20T12:00:00] [known_on=2024-05-01]` and `# parameter name=value`.
fn ask(case: &Case, indicator: &str) -> Result<Ask, Why> {
    let settings = case.settings("ask")?;
    let get = |name: &str| settings.get(name).copied().ok_or_else(|| format!("`# ask` has no `{name}`"));
    if let Some(unknown) = settings.keys().find(|key| !["region", "first", "months", "as_of", "known_on"].contains(key)) {
        return Err(format!("`# ask` knows no `{unknown}`"));
    }
    let instant = match settings.get("as_of") {
        None => i64::MAX,
        Some(text) => parse_timestamp(&text.replace('T', " ")).map_err(|e| e.to_string())?.ok_or("`as_of` is no instant")?,
    };
    let month = |text: &str| Month::parse(text).map_err(|e| e.to_string());
    let months = get("months")?.split(',').map(|text| month(text).map(|month| AskedMonth::at(month, instant))).collect::<Result<_, _>>()?;
    let mut ask = Ask::new(get("region")?, month(get("first")?)?, months).map_err(told)?;
    if let Some(day) = settings.get("known_on") {
        ask = ask.known_on(day);
    }
    for (name, value) in case.settings("parameter")? {
        ask = ask.with_parameter(indicator, name, value);
    }
    Ok(ask)
}
