//! What the engine refuses, with the file's name.

use super::{card, engine, lines, rows_indicator};
use crate::indicator::{Ask, AskedMonth};
use yaojia_models::value::Month;

/// One measure, no rules.
const MEASURE: &str = "[[measure]]\nname = \"main\"\ntitle_zh = \"x\"\nkind = \"ratio\"";

/// What the engine says to these columns of rows.sql.
async fn said(columns: &str) -> String {
    let sql = format!("SELECT 'A' AS county, 'H1' AS subject_code, 'fact' AS source_table, 'r' AS row_key, {columns} FROM ask.month AS m");
    let indicator = rows_indicator("D99", &card("D99", "institution", MEASURE), "", &sql);
    engine(&[], &["2024-02"]).await.compute(&indicator, &[]).await.map_or_else(|e| e.to_string(), |_| "fine".to_owned())
}

#[tokio::test]
async fn columns_and_rows_are_checked() {
    assert_eq!(said("m.month, 1 AS num, 2 AS den").await, "fine");
    for (columns, why) in [
        ("m.month, CAST(1 AS DOUBLE) AS num", "binary float"),
        ("m.month, 1 AS num, 1 AS dne", "column `dne`"),
        ("m.month, 1 AS num, 1 AS in_x", "column `in_x`"),
        ("m.month, 1 AS num, 1 AS max_value", "`value` cannot be the name of an input"),
        ("m.month, 1 AS num, 1 AS max_x, 2 AS sum_x", "two columns give the input `x`"),
        ("m.month, 'a' AS num", "not a number"),
        ("m.month, 1 AS den", "column `num` is missing"),
        ("'2023-01' AS month, 1 AS num", "was not asked"),
        ("m.month, 1 AS num, 'other' AS measure", "no measure `other`"),
        ("CAST(NULL AS VARCHAR) AS month, 1 AS num", "no `month`"),
        ("m.month, CAST('0.0000000000001' AS DECIMAL(38, 13)) AS num", "more than 12 places"),
        ("m.month, $unknown AS num", "unknown"),
    ] {
        let error = said(columns).await;
        assert!(error.contains("D99") && error.contains("rows.sql") && error.contains(why), "{columns}: {error}");
    }
}

#[test]
fn months_are_checked() {
    let month = |text: &str| Month::parse(text).unwrap();
    let at = |text: &str| AskedMonth::at(month(text), i64::MAX);
    assert!(Ask::new("6528", month("2024-02"), vec![at("2024-01")]).is_err());
    assert!(Ask::new("6528", month("2024-01"), vec![at("2024-01"), at("2024-01")]).is_err());
    assert!(Ask::new("6528", month("2024-01"), vec![AskedMonth { month: month("2024-01"), as_of: 0 }]).is_err());
    assert_eq!(at("2024-02").as_of_date(), month("2024-03").first_day() - 1);
    let part = AskedMonth::at(month("2024-02"), month("2024-02").first_micros() + 1);
    assert_eq!(part.as_of_date(), month("2024-02").first_day());
}

#[tokio::test]
async fn no_numerator_is_zero_where_there_is_a_denominator() {
    let sql = "SELECT m.month, 'A' AS county, t.org AS subject_code, 'fact' AS source_table, t.org AS row_key, CAST(NULL AS DECIMAL(18, 2)) AS num, t.den
        FROM ask.month AS m CROSS JOIN (VALUES ('H1', 5), ('H2', 0), ('H3', NULL)) AS t(org, den)";
    let indicator = rows_indicator("D99", &card("D99", "institution", MEASURE), "", sql);
    let outcome = engine(&[], &["2024-02"]).await.compute(&indicator, &[]).await.unwrap();
    let all = lines(&outcome.values, &["subject_code", "numerator", "denominator", "value", "state"]);
    assert_eq!(all, ["H1 0.000000 5.000000 0.0 normal", "H2 - 0.000000 - na", "H3 - - - na"]);
}
