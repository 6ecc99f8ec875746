//! The engine on small literal gold tables, with numbers worked out by hand.

mod amount;
mod counties;
mod numbers;
mod persistence;
mod ratio;
mod refused;
mod value_sql;

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use datafusion::prelude::{SessionConfig, SessionContext};
use yaojia_models::card::{Files, Indicator};
use yaojia_models::value::Month;

use super::{Ask, AskedMonth, Engine};

/// A session whose `gold` tables are these statements' results, read with so many threads and rows a batch.
pub(super) async fn session(tables: &[(&str, &str)], threads: usize, batch: usize) -> SessionContext {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(threads).with_batch_size(batch));
    ctx.sql("CREATE SCHEMA gold").await.unwrap();
    for (name, select) in tables {
        ctx.sql(&format!("CREATE TABLE gold.{name} AS {select}")).await.unwrap().collect().await.unwrap();
    }
    ctx
}

/// Whole months of region 6528, first month 2024-01.
pub(super) fn ask(months: &[&str]) -> Ask {
    let months = months.iter().map(|month| AskedMonth::at(Month::parse(month).unwrap(), i64::MAX)).collect();
    Ask::new("6528", Month::parse("2024-01").unwrap(), months).unwrap()
}

/// An engine over such tables.
pub(super) async fn engine(tables: &[(&str, &str)], months: &[&str]) -> Engine {
    Engine::new(session(tables, 2, 8192).await, ask(months)).unwrap()
}

/// A card with the common head and these measures.
pub(super) fn card(id: &str, subject_kind: &str, measures: &str) -> String {
    format!(
        r#"id = "{id}"
version = 1
name_zh = "试"
name_en = "trial"
question = "？"
why = "。"
class = "核实处理"
chain = "采"
subject_kind = "{subject_kind}"
window = "1m"
kind = "ratio"
unit = ""
bad_side = "high"
recipients = ["医保局", "医疗机构"]
needs = []
authored = "test"
next_review = "2030-01-01"
{measures}"#
    )
}

/// A rule with the common tail.
pub(super) fn rule(id: &str, level: &str, rest: &str) -> String {
    format!(
        "[[rule]]\nid = \"{id}\"\nlevel = \"{level}\"\nvalid_from = \"2024-01\"\nknown_from = \"2024-01-01\"\ntag = \"I\"\ntext_zh = \"请核实\"\n{rest}\n"
    )
}

/// An indicator with rows.sql.
pub(super) fn rows_indicator(id: &str, card: &str, rules: &str, rows: &str) -> Indicator {
    Indicator::read(id, Files { card, rules: Some(rules), rows: Some(rows), ..Files::default() }).unwrap()
}

/// Chosen columns of a batch as text, one line a row; null is `-`.
pub(super) fn lines(batch: &RecordBatch, columns: &[&str]) -> Vec<String> {
    let cell = |name: &&str, row: usize| {
        let column = batch.column_by_name(name).unwrap();
        if column.is_null(row) { "-".to_owned() } else { array_value_to_string(column, row).unwrap() }
    };
    (0..batch.num_rows()).map(|row| columns.iter().map(|name| cell(name, row)).collect::<Vec<_>>().join(" ")).collect()
}

/// The lines that begin with a text.
pub(super) fn beginning<'a>(lines: &'a [String], with: &str) -> Vec<&'a str> {
    lines.iter().filter(|line| line.starts_with(with)).map(String::as_str).collect()
}
