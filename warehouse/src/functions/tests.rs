//! The functions as SQL sees them.

use arrow::util::display::array_value_to_string;
use datafusion::prelude::SessionContext;

use super::{register_all, wide};

/// The single value of a query, or the error's text.
async fn ask(sql: &str) -> Result<String, String> {
    let ctx = SessionContext::new();
    register_all(&ctx);
    let batches = ctx.sql(sql).await.map_err(|e| e.to_string())?.collect().await.map_err(|e| e.to_string())?;
    let mut texts = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            texts.push(array_value_to_string(batch.column(0), row).unwrap());
        }
    }
    Ok(texts.join(","))
}

/// A decimal literal.
fn d(text: &str) -> String {
    format!("CAST('{text}' AS DECIMAL(18, 6))")
}

#[tokio::test]
async fn rounds_half_away_from_zero() {
    for (sql, expected) in [
        (format!("SELECT div6({}, {})", d("1"), d("3")), "0.333333"),
        (format!("SELECT div6({}, {})", d("2"), d("3")), "0.666667"),
        (format!("SELECT div6({}, {})", d("-2"), d("3")), "-0.666667"),
        (format!("SELECT div6({}, 8)", d("0.000004")), "0.000001"),
        (format!("SELECT div6({}, -8)", d("0.000004")), "-0.000001"),
        (format!("SELECT div6({}, 9)", d("0.000004")), "0.000000"),
        (format!("SELECT mul2({}, {})", d("0.05"), d("0.1")), "0.01"),
        (format!("SELECT mul2({}, {})", d("-0.05"), d("0.1")), "-0.01"),
        (format!("SELECT mul6({}, {})", d("0.0005"), d("0.001")), "0.000001"),
        (format!("SELECT muldiv6({}, 1, 3)", d("1")), "0.333333"),
        (format!("SELECT muldiv2(10, {}, {})", d("0.05"), d("4")), "0.13"),
        (format!("SELECT round2({})", d("2.345")), "2.35"),
        (format!("SELECT round2({})", d("-2.345")), "-2.35"),
        ("SELECT round6(CAST('1.0000005' AS DECIMAL(38, 10)))".to_owned(), "1.000001"),
        ("SELECT round6(7)".to_owned(), "7.000000"),
        (format!("SELECT trunc1({})", d("2.399999")), "2.3"),
        (format!("SELECT trunc1({})", d("-2.399999")), "-2.3"),
    ] {
        assert_eq!(ask(&sql).await.as_deref(), Ok(expected), "{sql}");
    }
}

#[tokio::test]
async fn null_and_zero_give_null() {
    for sql in
        ["SELECT div6(1, 0)", "SELECT div6(1, NULL)", "SELECT muldiv6(1, 2, 0)", "SELECT mul2(NULL, 3)", "SELECT percentile6(NULL, 1)"]
    {
        assert_eq!(ask(sql).await.as_deref(), Ok(""), "{sql}");
    }
    assert_eq!(ask("SELECT div6(a, b) FROM (VALUES (1, 4), (1, 0), (NULL, 2)) AS t(a, b)").await.as_deref(), Ok("0.250000,,"));
}

#[tokio::test]
async fn what_does_not_fit_is_an_error() {
    let big = "CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0))";
    assert!(ask(&format!("SELECT mul2({big}, {big})")).await.unwrap_err().contains("does not fit"));
    assert!(ask(&format!("SELECT round6({big})")).await.unwrap_err().contains("does not fit"));
    assert!(ask(&format!("SELECT muldiv2({big}, {big}, {big}) IS NULL")).await.unwrap_err().contains("does not fit"));
    // 76 digits in between are exact
    assert_eq!(
        ask(&format!("SELECT muldiv2(CAST('100000000000000000000000000000000000' AS DECIMAL(38, 0)), {big}, {big})")).await.as_deref(),
        Ok("100000000000000000000000000000000000.00")
    );
    assert!(ask("SELECT div6(1.5e0, 2)").await.unwrap_err().contains("cast it to DECIMAL"));
    assert!(ask("SELECT div6(1)").await.is_err());
}

#[tokio::test]
async fn percentiles_interpolate() {
    let list = "make_array(CAST('4' AS DECIMAL(18, 6)), CAST('1' AS DECIMAL(18, 6)), NULL, CAST('2' AS DECIMAL(18, 6)), CAST('3.000001' AS DECIMAL(18, 6)))";
    assert_eq!(ask(&format!("SELECT percentile6({list}, 0.5)")).await.as_deref(), Ok("2.500001"));
    assert_eq!(ask(&format!("SELECT percentile12({list}, 0.5)")).await.as_deref(), Ok("2.500000500000"));
    assert_eq!(ask(&format!("SELECT percentile12({list}, CAST('0.1' AS DECIMAL(2, 1)))")).await.as_deref(), Ok("1.300000000000"));
    assert_eq!(ask(&format!("SELECT percentile6({list}, 0)")).await.as_deref(), Ok("1.000000"));
    assert_eq!(ask(&format!("SELECT percentile6({list}, 1)")).await.as_deref(), Ok("4.000000"));
    assert!(ask(&format!("SELECT percentile6({list}, 2)")).await.is_err());
    let grouped = "SELECT percentile6(array_agg(p ORDER BY p), 0.9) FROM (VALUES ('a', CAST('1' AS DECIMAL(18,6))), ('a', CAST('2' AS DECIMAL(18,6))), ('b', CAST('5' AS DECIMAL(18,6)))) AS t(k, p) GROUP BY k ORDER BY k";
    assert_eq!(ask(grouped).await.as_deref(), Ok("1.900000,5.000000"));
}

#[tokio::test]
async fn the_index_is_chained_and_carried_on() {
    let sql = "SELECT chain_index(s1, s0) OVER (PARTITION BY k ORDER BY month) AS i FROM (VALUES
        ('a', '2024-03', CAST(NULL AS DECIMAL(38, 6)), CAST(NULL AS DECIMAL(38, 2))), ('a', '2024-01', 5, 7), ('a', '2024-02', 1, 3),
        ('a', '2024-04', 3, 2), ('b', '2024-02', 9, 1)) AS t(k, month, s1, s0) ORDER BY k, month";
    assert_eq!(ask(sql).await.as_deref(), Ok("100.000000,33.333333,33.333333,50.000000,100.000000"));
}

#[test]
fn wide_division_agrees_with_narrow_division() {
    use arrow::datatypes::i256;
    let shift = i256::from_i128(10_i128.pow(38));
    for (n, d) in [(7, 2), (-7, 2), (7, -2), (5, 3), (4, 3), (-4, -3), (0, 5)] {
        let (n, d) = (i256::from_i128(n), i256::from_i128(d));
        let narrow = wide::div_half_away(n, d);
        let wide = wide::div_half_away(n.checked_mul(shift).unwrap(), d.checked_mul(shift).unwrap());
        assert_eq!(narrow, wide);
    }
    assert_eq!(wide::div_half_away(i256::ONE, i256::ZERO), None);
}
