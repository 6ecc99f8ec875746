//! Good and bad SQL.

use super::*;

fn codes(sql: &str, grain: &[&str]) -> Vec<&'static str> {
    let grain: Vec<String> = grain.iter().map(|g| (*g).to_owned()).collect();
    lint(sql, &grain).into_iter().map(|finding| finding.code).collect()
}

fn good(sql: &str) {
    assert_eq!(lint(sql, &["id".to_owned()]), [], "{sql}");
}

fn bad(sql: &str, code: &str) {
    assert_eq!(codes(sql, &["id"]), [code], "{sql}");
}

#[test]
fn good_sql_passes() {
    good(
        "-- the rows\n\
         WITH last AS (\n\
           SELECT s.id, s.k, row_number() OVER (PARTITION BY s.k ORDER BY s.t DESC, s.id) AS n\n\
           FROM silver.shp AS s WHERE s.county = $region AND s.now = 1\n\
         )\n\
         SELECT l.k, count(*) AS rows, count(DISTINCT l.id) AS ids, rank() OVER (ORDER BY l.t) AS place,\n\
           CAST(CASE WHEN l.n > 0 THEN -(a / b) END AS DECIMAL(38, 6)) AS num,\n\
           CAST(AVG(l.a) AS DECIMAL(18, 2)) AS mean, div6(SUM(l.a), SUM(l.b)) AS ratio,\n\
           array_agg(l.a ORDER BY l.a) AS list, first_value(l.a ORDER BY l.t, l.id) AS first,\n\
           percentile6(array_agg(l.a ORDER BY l.a), CAST('0.1' AS DECIMAL(3, 1))) AS p10,\n\
           SUM(l.a) OVER (PARTITION BY l.k ORDER BY l.t) AS running, 1.5 AS half, DATE '2024-01-01' AS d\n\
         FROM last AS l WHERE EXISTS (SELECT 1 FROM gold.dim_product AS p WHERE p.k = l.k)\n\
         GROUP BY l.k ORDER BY l.k, l.id LIMIT 10",
    );
}

#[test]
fn clocks_and_dice() {
    for call in [
        "now()",
        "NOW()",
        "current_date",
        "CURRENT_DATE()",
        "current_timestamp",
        "current_time",
        "localtimestamp",
        "random()",
        "uuid()",
        "today()",
        "CAST(now() AS DATE)",
    ] {
        bad(&format!("SELECT {call} AS x FROM t"), "L001");
    }
    bad("SELECT a FROM t WHERE t < (SELECT max(now()) FROM u)", "L001");
    good("SELECT now, t.random FROM t");
}

#[test]
fn approximations_and_statistics() {
    bad("SELECT approx_distinct(a) FROM t", "L002");
    bad("SELECT approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t", "L002");
    for call in ["stddev(a)", "STDDEV_POP(a)", "var_samp(a)", "variance(a)", "corr(a, b)", "regr_slope(a, b)"] {
        bad(&format!("SELECT {call} FROM t"), "L009");
    }
    bad("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t", "L009");
    good("SELECT median(a) FROM t");
}

#[test]
fn stars() {
    bad("SELECT * FROM t", "L003");
    bad("SELECT t.* FROM t", "L003");
    bad("SELECT a FROM t WHERE EXISTS (SELECT * FROM u)", "L003");
    bad("WITH x AS (SELECT * FROM t) SELECT a FROM x", "L003");
    good("SELECT count(*), a * 2 FROM t");
}

#[test]
fn floats() {
    for expr in [
        "CAST(a AS DOUBLE)",
        "CAST(a AS DOUBLE PRECISION)",
        "CAST(a AS FLOAT)",
        "CAST(a AS REAL)",
        "a::double",
        "TRY_CAST(a AS FLOAT8)",
        "arrow_cast(a, 'Float64')",
        "CAST(a AS FLOAT64)",
        "DOUBLE '1.5'",
    ] {
        bad(&format!("SELECT {expr} FROM t"), "L004");
    }
    bad("SELECT 1e3 FROM t", "L005");
    bad("SELECT a FROM t WHERE b > 1.5E-2", "L005");
    good("SELECT CAST(a AS DECIMAL(18, 2)), arrow_cast(a, 'Utf8'), '1e3', 0.015 FROM t");
}

#[test]
fn orders() {
    for sql in [
        "SELECT row_number() OVER (PARTITION BY a) FROM t",
        "SELECT row_number() OVER () FROM t",
        "SELECT first_value(a) FROM t",
        "SELECT last_value(a) OVER (PARTITION BY b) FROM t",
        "SELECT array_agg(a) FROM t",
        "SELECT array_agg(DISTINCT a) FROM t",
        "SELECT string_agg(a, ',') FROM t",
        "SELECT rank() OVER (PARTITION BY a) FROM t",
        "SELECT lag(a) OVER (PARTITION BY b) FROM t",
        "SELECT any_value(a) FROM t",
        "SELECT a FROM t LIMIT 1",
        "SELECT a FROM t OFFSET 1",
        "SELECT a FROM t FETCH FIRST 1 ROWS ONLY",
        "SELECT a FROM (SELECT a FROM t LIMIT 5) AS x",
        "SELECT DISTINCT ON (a) a, b FROM t",
        "SELECT row_number() OVER w FROM t WINDOW w AS (PARTITION BY a)",
    ] {
        bad(sql, "L006");
    }
    for sql in [
        "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t",
        "SELECT first_value(a ORDER BY b) FROM t",
        "SELECT lag(a) OVER (ORDER BY a) FROM t",
        "SELECT array_agg(a ORDER BY b) FROM t",
        "SELECT a FROM t ORDER BY a LIMIT 1",
        "SELECT a FROM t ORDER BY 1 LIMIT 1",
        "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b",
        "SELECT SUM(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
        "SELECT row_number() OVER w FROM t WINDOW w AS (PARTITION BY a ORDER BY b)",
    ] {
        bad(sql, "L007");
        assert_eq!(codes(sql, &[]), [] as [&str; 0], "{sql}");
    }
    for sql in [
        "SELECT row_number() OVER (PARTITION BY a ORDER BY b DESC, t.ID) FROM t",
        "SELECT row_number() OVER w FROM t WINDOW w AS (PARTITION BY a ORDER BY b, id)",
        "SELECT a FROM t ORDER BY a, id LIMIT 1",
        "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, id",
        "SELECT string_agg(a, ',' ORDER BY a) FROM t",
        "SELECT dense_rank() OVER (ORDER BY b) FROM t",
        "SELECT lag(a) OVER (PARTITION BY b ORDER BY c, id) FROM t",
    ] {
        good(sql);
    }
}

#[test]
fn divisions() {
    for sql in [
        "SELECT a / b FROM t",
        "SELECT (a / b) * 2 FROM t",
        "SELECT AVG(a) FROM t",
        "SELECT AVG(a) OVER (PARTITION BY b) FROM t",
        "SELECT CAST(a / b * 100 AS DECIMAL(18, 2)) FROM t",
        "SELECT CAST(SUM(a / b) AS DECIMAL(38, 6)) FROM t",
        "SELECT CAST((SELECT a / b FROM u) AS DECIMAL(38, 6)) FROM t",
        "SELECT CAST(CASE WHEN a / b > 1 THEN 1 ELSE 0 END AS DECIMAL(38, 6)) FROM t",
        "SELECT round(a / b, 2) FROM t",
        "SELECT CAST(a / b AS VARCHAR) FROM t",
        "SELECT a FROM t WHERE a / b > 1",
    ] {
        bad(sql, "L008");
    }
    good("SELECT CAST(coalesce((a / b), 0) AS DECIMAL(38, 6)), CAST(a / 12 AS BIGINT), a * b - c FROM t");
}

#[test]
fn findings_say_where() {
    let findings = lint("SELECT\n  a,\n  now() AS n,\n  *\nFROM t\nLIMIT 3", &[]);
    let found: Vec<(u64, &str)> = findings.iter().map(|f| (f.line, f.code)).collect();
    assert_eq!(found, [(3, "L001"), (4, "L003"), (6, "L006")]);
    let broken = lint("SELECT a\nFROM 3 t", &[]);
    assert_eq!((broken[0].code, broken[0].line), ("L000", 2));
}
