-- Online purchase rate: net received on platform orders (purc_type 1) ÷ used, both of in-scope products, by institution.
-- `main`, and for consumables `high_value` and `low_value`, look at the month; `r12` at twelve months, one row per institution.
WITH event AS (
    SELECT
        span.month AS month,
        span.back AS back,
        moved.county AS county,
        moved.medins_code AS subject_code,
        moved.prod_code AS prod_code,
        CAST(moved.event_amt AS DECIMAL(38, 6)) AS num,
        CAST(0 AS DECIMAL(38, 6)) AS den,
        moved.source_table AS source_table,
        moved.row_key AS row_key
    FROM ask.moved AS moved
    INNER JOIN ask.span AS span
        ON span.window_month = moved.event_month
    INNER JOIN ask.month AS m
        ON m.month = span.month
    WHERE moved.prod_type = $prod_type
      AND moved.org_type = '1'
      AND moved.purc_type = '1'
      AND moved.scope_flag = '1'
      AND moved.event_time < m.as_of
    UNION ALL
    SELECT
        used.month AS month,
        used.back AS back,
        used.county AS county,
        used.fixmedins_code AS subject_code,
        used.med_list_codg AS prod_code,
        CAST(0 AS DECIMAL(38, 6)) AS num,
        CAST(used.used_amt AS DECIMAL(38, 6)) AS den,
        used.source_table AS source_table,
        used.row_key AS row_key
    FROM ask.used AS used
    WHERE used.list_type = $list_type
      AND used.org_type = '1'
),

scoped AS (
    SELECT
        event.month AS month,
        event.back AS back,
        event.county AS county,
        event.subject_code AS subject_code,
        CASE WHEN state.hval_flag = '1' THEN 'high_value' ELSE 'low_value' END AS value_class,
        event.num AS num,
        event.den AS den,
        event.source_table AS source_table,
        event.row_key AS row_key
    FROM event
    LEFT JOIN ask.product_state AS state
        ON state.month = event.month
        AND state.prod_type = $prod_type
        AND state.prod_code = event.prod_code
    WHERE event.source_table IN ('fact_receipt', 'fact_return')
       OR COALESCE(state.scope_flag, '1') = '1'
)

SELECT
    'main' AS measure,
    scoped.month AS month,
    scoped.county AS county,
    scoped.subject_code AS subject_code,
    scoped.num AS num,
    scoped.den AS den,
    scoped.source_table AS source_table,
    scoped.row_key AS row_key
FROM scoped
WHERE scoped.back = 0
UNION ALL
SELECT
    scoped.value_class AS measure,
    scoped.month AS month,
    scoped.county AS county,
    scoped.subject_code AS subject_code,
    scoped.num AS num,
    scoped.den AS den,
    scoped.source_table AS source_table,
    scoped.row_key AS row_key
FROM scoped
WHERE scoped.back = 0
  AND $prod_type = '2'
UNION ALL
SELECT
    'r12' AS measure,
    scoped.month AS month,
    scoped.county AS county,
    scoped.subject_code AS subject_code,
    CAST(SUM(scoped.num) AS DECIMAL(38, 6)) AS num,
    CAST(SUM(scoped.den) AS DECIMAL(38, 6)) AS den,
    'dim_institution' AS source_table,
    scoped.subject_code AS row_key
FROM scoped
GROUP BY
    scoped.month,
    scoped.county,
    scoped.subject_code
