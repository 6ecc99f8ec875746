//! Indicators with value.sql: progress, gaps, own levels, evidence, parameters.

use yaojia_models::card::{Files, Indicator, SubjectKind};

use super::{ask, card, engine, lines, rule, session};
use crate::indicator::{Engine, EngineError, Names};

/// Agreements: institution × group, agreed, received, gap, ended.
const AGREEMENT: &str = "SELECT county, org, grp, CAST(den AS DECIMAL(38, 6)) AS den, CAST(num AS DECIMAL(38, 6)) AS num, CAST(gap AS DECIMAL(38, 6)) AS gap, ended FROM (VALUES
    ('A', 'H1', 'G1', 300, 100, -0.3, 0), ('A', 'H1', 'G2', 300, 250, -0.1, 0), ('B', 'H2', 'G1', 3, 2, -0.1, 1), ('B', 'H2', 'G2', 0, 0, NULL, 0)) AS t(county, org, grp, den, num, gap, ended)";

/// D09, smaller.
fn indicator(evidence: &str) -> Indicator {
    let measures = r#"parameters = { far = { type = "decimal", value = "0", title = "起点" } }
[[measure]]
name = "main"
title_zh = "x"
kind = "ratio"
[[measure]]
name = "gap"
title_zh = "x"
kind = "value"
[[measure]]
name = "on_track"
title_zh = "x"
kind = "ratio"
subject = false
rollup = { levels = ["county", "region"], how = "sum" }
[[measure]]
name = "price"
title_zh = "x"
kind = "value"
subject_kind = "area"
rollup = { levels = ["region"], how = "own" }
"#;
    let rules = rule("D09.verify.1", "verify", "op = \"<\"\nlimit = \"1\"\nscope = { inputs = { ended = \"1\" } }")
        + &rule("D09.warn.1", "warn", "on = \"gap\"\nop = \"<\"\nlimit = \"-0.25\"\nscope = { inputs = { ended = \"0\" } }")
        + &rule("D09.watch.1", "watch", "on = \"gap\"\nop = \"<\"\nlimit = \"0\"\nscope = { inputs = { ended = \"0\" } }");
    let value = "SELECT 'main' AS measure, m.month, a.county, 'subject' AS level, a.org AS subject_code, 'B1' AS batch_code, a.grp AS group_code, a.num AS numerator,
            a.den AS denominator, CAST(NULL AS DECIMAL(38, 6)) AS value, a.den = 0 AS na, a.gap AS in_gap, a.ended AS in_ended, CASE WHEN a.ended = 0 THEN 'running' END AS mark
        FROM gold.agreement AS a CROSS JOIN ask.month AS m WHERE a.num >= $far
        UNION ALL SELECT 'gap', m.month, a.county, 'subject', a.org, 'B1', a.grp, NULL, NULL, a.gap, a.den = 0, NULL, NULL, NULL FROM gold.agreement AS a CROSS JOIN ask.month AS m
        UNION ALL SELECT 'on_track', m.month, a.county, 'subject', a.org, 'B1', '', CAST(SUM(CASE WHEN a.gap >= -0.2 THEN 1 ELSE 0 END) AS DECIMAL(38, 6)),
            CAST(COUNT(*) AS DECIMAL(38, 6)), NULL, FALSE, NULL, NULL, NULL FROM gold.agreement AS a CROSS JOIN ask.month AS m WHERE a.den > 0 GROUP BY m.month, a.county, a.org
        UNION ALL SELECT 'price', m.month, $region, 'region', $region, '', 'ALL', NULL, NULL, CAST('101.5' AS DECIMAL(38, 6)), FALSE, NULL, NULL, NULL FROM ask.month AS m WHERE m.month >= $first_month";
    let card = card("D09", "institution", measures);
    Indicator::read("D09", Files { card: &card, rules: Some(&rules), value: Some(value), evidence: Some(evidence), ..Files::default() })
        .unwrap()
}

/// evidence.sql: the agreement itself.
const EVIDENCE: &str =
    "SELECT m.month, a.county, a.org AS subject_code, 'B1' AS batch_code, a.grp AS group_code, 'fact_agreement' AS source_table,
    a.org || '|' || a.grp AS row_key, a.num, a.den, '未签' AS note FROM gold.agreement AS a CROSS JOIN ask.month AS m";

#[tokio::test]
async fn values_are_finished_by_sql_and_divided_by_the_engine() {
    let ctx = session(&[("agreement", AGREEMENT), ("dim_institution", "SELECT 'H1' AS org_code, '县医院' AS org_name")], 2, 8192).await;
    let mut names = Names::load(&ctx).await.unwrap();
    names.add(SubjectKind::Area, "6528", "自治州");
    let engine = Engine::new(ctx, ask(&["2024-02"])).unwrap().with_names(names);
    let outcome = engine.compute(&indicator(EVIDENCE), &[]).await.unwrap();
    let all = lines(
        &outcome.values,
        &[
            "measure",
            "level",
            "subject_kind",
            "subject_code",
            "subject_name",
            "group_code",
            "numerator",
            "denominator",
            "value",
            "state",
            "mark",
        ],
    );
    assert_eq!(
        all,
        [
            "gap subject institution H1 县医院 G1 - - -0.3 normal ",
            "gap subject institution H1 县医院 G2 - - -0.1 normal ",
            "gap subject institution H2  G1 - - -0.1 normal ",
            "gap subject institution H2  G2 - - - na ",
            "main subject institution H1 县医院 G1 100.000000 300.000000 0.333333 warn running",
            "main subject institution H1 县医院 G2 250.000000 300.000000 0.833333 watch running",
            "main subject institution H2  G1 2.000000 3.000000 0.666667 verify ",
            "main subject institution H2  G2 0.000000 0.000000 - na running",
            "on_track region area 6528 自治州  2.000000 3.000000 0.666667 normal ",
            "on_track county area A   1.000000 2.000000 0.5 normal ",
            "on_track county area B   1.000000 1.000000 1.0 normal ",
            "price region area 6528 自治州 ALL - - 101.5 normal ",
        ]
    );
    let alerts = lines(&outcome.alerts, &["subject_code", "group_code", "state", "evidence_n", "threshold", "message"]);
    assert_eq!(alerts, ["H1 G1 warn 1 gap < -0.25 where ended = 0 请核实", "H2 G1 verify 1 value < 1 where ended = 1 请核实"]);
    let mut evidence = lines(&outcome.evidence, &["source_table", "row_key", "num", "den", "amount", "note"]);
    evidence.sort();
    assert_eq!(evidence, ["fact_agreement H1|G1 100.000000 300.000000 - 未签", "fact_agreement H2|G1 2.000000 3.000000 - 未签"]);
    let values = outcome.computed.0.values().flat_map(|bytes| crate::indicator::unpack(bytes).unwrap()).collect();
    let again = engine.rejudge(&indicator(EVIDENCE), &[], values).await.unwrap();
    assert_eq!((again.values, again.evidence), (outcome.values, outcome.evidence));
}

#[tokio::test]
async fn a_region_gives_its_own_parameter() {
    let ctx = session(&[("agreement", AGREEMENT)], 2, 8192).await;
    let engine = Engine::new(ctx, ask(&["2024-02"]).with_parameter("D09", "far", "99.5")).unwrap();
    let outcome = engine.compute(&indicator(EVIDENCE), &[]).await.unwrap();
    assert_eq!(outcome.judged.iter().filter(|row| row.value.key.measure == "main").count(), 2);
    let ctx = session(&[("agreement", AGREEMENT)], 2, 8192).await;
    let engine = Engine::new(ctx, ask(&["2024-02"]).with_parameter("D09", "near", "1")).unwrap();
    assert!(matches!(engine.compute(&indicator(EVIDENCE), &[]).await, Err(EngineError::Parameter { .. })));
}

#[tokio::test]
async fn evidence_with_unknown_columns_is_refused() {
    let engine = engine(&[("agreement", AGREEMENT)], &["2024-02"]).await;
    let error = engine.compute(&indicator("SELECT 1 AS x"), &[]).await.unwrap_err().to_string();
    assert!(error.contains("evidence.sql") && error.contains("column `x`"), "{error}");
}
