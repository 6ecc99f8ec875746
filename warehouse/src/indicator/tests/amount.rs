//! Amount roll-ups, shown roll-ups, marks, inputs and scopes.

use yaojia_models::card::Indicator;

use super::{beginning, card, engine, lines, rows_indicator, rule};
use crate::indicator::{Exemption, Exemptions};

/// Institution × product: off quantity, use, risk, stock missing or not, lines hit, mark.
pub(super) const FACT: &str = "SELECT month, county, org, prod, CAST(num AS DECIMAL(38, 6)) AS num, den, CAST(risk AS DECIMAL(18, 2)) AS risk, missing, mark, row_key FROM (VALUES
    ('2024-03', 'A', 'H1', 'P1', 20, 100, 5000.25, 0, NULL, 'r1'), ('2024-03', 'A', 'H1', 'P2', 20, 100, 2000, 1, NULL, 'r2'),
    ('2024-03', 'A', 'H2', 'P1', 5, 100, 9000, 0, NULL, 'r3'), ('2024-03', 'B', 'H3', 'P1', 50, 100, 3000, 0, 'suspended', 'r4'),
    ('2024-03', 'B', 'H3', 'P2', 50, 100, 900, 0, NULL, 'r5'), ('2024-02', 'A', 'H1', 'P1', 99, 100, 7000, 0, NULL, 'r6'))
    AS t(month, county, org, prod, num, den, risk, missing, mark, row_key)";

/// rows.sql for one measure.
fn rows(measure: &str) -> String {
    format!(
        "SELECT '{measure}' AS measure, f.month, f.county, f.org AS subject_code, f.prod AS product_code, f.num, f.den, f.risk AS amount, f.mark,
        'fact' AS source_table, f.row_key, f.missing AS max_missing, f.den AS sum_used FROM gold.fact AS f INNER JOIN ask.month AS m ON m.month = f.month"
    )
}

/// D06, smaller.
pub(super) fn off_platform() -> Indicator {
    let measures = "[[measure]]\nname = \"main\"\ntitle_zh = \"x\"\nkind = \"ratio\"\nsample = [{ on = \"months_before\", op = \"<\", limit = \"2\" }]\nrollup = { levels = [\"county\", \"region\"], how = \"amount\" }";
    let risk = "on = \"value\"\nop = \">\"\nlimit = \"0.10\"\nalso = [{ on = \"amount\", op = \">\", limit = \"1000\" }]";
    let rules = rule("D06.verify.1", "verify", &format!("{risk}\nscope = {{ inputs = {{ missing = \"0\" }} }}"))
        + &rule("D06.warn.1", "warn", &format!("{risk}\nscope = {{ inputs = {{ missing = \"1\" }} }}"));
    rows_indicator("D06", &card("D06", "institution", measures), &rules, &rows("main"))
}

/// A row of the register for a subject and product.
fn exempt(subject: &str, product: &str) -> Exemption {
    Exemption {
        exempt_id: "EX".to_owned(),
        indicator_id: "D06".to_owned(),
        measure: "main".to_owned(),
        subject_code: subject.to_owned(),
        product_code: product.to_owned(),
        batch_code: String::new(),
        group_code: String::new(),
        begn_month: "2024-01".to_owned(),
        end_month: "2024-03".to_owned(),
    }
}

#[tokio::test]
async fn amounts_follow_judging() {
    let indicator = off_platform();
    let months = ["2024-02", "2024-03"];
    let outcome = engine(&[("fact", FACT)], &months).await.compute(&indicator, &[]).await.unwrap();
    let all = lines(
        &outcome.values,
        &["month", "level", "subject_code", "product_code", "numerator", "denominator", "value", "amount_at_risk", "state", "mark"],
    );
    assert_eq!(
        beginning(&all, "2024-03"),
        [
            "2024-03 region 6528  10000.250000 - 10000.25 10000.25 normal ",
            "2024-03 subject H1 P1 20.000000 100.000000 0.2 5000.25 verify ",
            "2024-03 subject H1 P2 20.000000 100.000000 0.2 2000.00 warn ",
            "2024-03 subject H2 P1 5.000000 100.000000 0.05 9000.00 normal ",
            "2024-03 county A  7000.250000 - 7000.25 7000.25 normal ",
            "2024-03 subject H3 P1 50.000000 100.000000 0.5 3000.00 verify suspended",
            "2024-03 subject H3 P2 50.000000 100.000000 0.5 900.00 normal ",
            "2024-03 county B  3000.000000 - 3000.0 3000.00 normal ",
        ]
    );
    assert_eq!(
        beginning(&all, "2024-02"),
        [
            "2024-02 region 6528  0.000000 - 0.0 0.00 normal ",
            "2024-02 subject H1 P1 99.000000 100.000000 0.99 7000.00 insufficient ",
            "2024-02 county A  0.000000 - 0.0 0.00 normal "
        ]
    );
}

#[tokio::test]
async fn exempt_subjects_do_not_count() {
    let indicator = off_platform();
    let months = ["2024-02", "2024-03"];
    // an exempt subject does not count; a column of the register that does not fit leaves the others alone
    let register = Exemptions::new(vec![exempt("H1", "P1"), exempt("H3", "P9")]);
    let outcome = engine(&[("fact", FACT)], &months).await.with_exemptions(register).compute(&indicator, &[]).await.unwrap();
    let all = lines(&outcome.values, &["month", "level", "subject_code", "product_code", "value", "state"]);
    assert_eq!(beginning(&all, "2024-03 county A"), ["2024-03 county A  2000.0 normal"]);
    assert_eq!(beginning(&all, "2024-03 subject H1 P1"), ["2024-03 subject H1 P1 0.2 exempt"]);
    let inputs = lines(&outcome.values, &["subject_code", "product_code", "month", "inputs"]);
    assert!(inputs.contains(&"H3 P1 2024-03 {\"missing\":\"0\",\"row_mark\":\"suspended\",\"used\":\"100\"}".to_owned()), "{inputs:?}");
}

#[tokio::test]
async fn numerators_of_all_subjects_add_up() {
    let measures =
        "[[measure]]\nname = \"never\"\ntitle_zh = \"x\"\nkind = \"sum\"\nrollup = { levels = [\"county\"], how = \"amount_numerator\" }";
    let indicator = rows_indicator(
        "D06",
        &card("D06", "institution", measures),
        &rule("D06.v", "verify", "measure = \"never\"\nop = \">\"\nlimit = \"30\""),
        &rows("never"),
    );
    let outcome = engine(&[("fact", FACT)], &["2024-03"]).await.compute(&indicator, &[]).await.unwrap();
    let all = lines(&outcome.values, &["level", "subject_code", "numerator", "denominator", "amount_at_risk", "state"]);
    assert_eq!(beginning(&all, "county"), ["county A 45.000000 - - normal", "county B 100.000000 - - normal"]);
}

#[tokio::test]
async fn shown_rollups_have_neither_state_nor_mark() {
    let measures = "[[measure]]\nname = \"main\"\ntitle_zh = \"x\"\nkind = \"ratio\"\nrollup = { levels = [\"county\", \"region\"], how = \"shown\", drop = [\"product_code\"] }";
    let rules = rule("D11.v", "verify", "on = \"numerator\"\nop = \">\"\nlimit = \"0\"")
        + &rule("D11.stop", "verify", "op = \">=\"\nlimit = \"0.5\"\nmark = \"stop\"");
    let indicator = rows_indicator("D11", &card("D11", "institution", measures), &rules, &rows("main"));
    let outcome = engine(&[("fact", FACT)], &["2024-03"]).await.compute(&indicator, &[]).await.unwrap();
    let all = lines(
        &outcome.values,
        &[
            "level",
            "subject_code",
            "product_code",
            "numerator",
            "denominator",
            "amount_at_risk",
            "sample_n",
            "state",
            "mark",
            "rule_version",
        ],
    );
    assert_eq!(
        all,
        [
            "region 6528  145.000000 500.000000 19900.25 5 normal  -",
            "subject H1 P1 20.000000 100.000000 5000.25 1 verify  D11.v@2024-01",
            "subject H1 P2 20.000000 100.000000 2000.00 1 verify  D11.v@2024-01",
            "subject H2 P1 5.000000 100.000000 9000.00 1 verify  D11.v@2024-01",
            "county A  45.000000 300.000000 16000.25 3 normal  -",
            "subject H3 P1 50.000000 100.000000 3000.00 1 verify stop D11.stop@2024-01",
            "subject H3 P2 50.000000 100.000000 900.00 1 verify stop D11.stop@2024-01",
            "county B  100.000000 200.000000 3900.00 2 normal  -",
        ]
    );
}
