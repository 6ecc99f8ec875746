-- The balance of an institution and product over three months, a row a source row. part `used`: usage of known in-scope products; `received`: net
-- receipts; `stock`: what it held at the end of the month (side 1) and before the three months (side −1); `uncoded`: usage of the month under a code
-- that is null or that no listing knows at T (consumables).
SELECT
    'used' AS part,
    used.month AS month,
    used.back AS back,
    used.county AS county,
    used.fixmedins_code AS medins_code,
    used.med_list_codg AS prod_code,
    CAST(1 AS BIGINT) AS side,
    used.min_cnt AS min_cnt,
    used.used_amt AS used_amt,
    used.source_table AS source_table,
    used.row_key AS row_key
FROM ask.used AS used
INNER JOIN ask.product_state AS state
    ON state.month = used.month
    AND state.prod_code = used.med_list_codg
WHERE used.back <= 2
  AND used.list_type = $list_type
  AND used.org_type = '1'
  AND state.prod_type = $prod_type
  AND state.scope_flag = '1'
UNION ALL
SELECT
    'received' AS part,
    span.month AS month,
    span.back AS back,
    moved.county AS county,
    moved.medins_code AS medins_code,
    moved.prod_code AS prod_code,
    CAST(-1 AS BIGINT) AS side,
    moved.min_cnt AS min_cnt,
    CAST(NULL AS DECIMAL(38, 2)) AS used_amt,
    moved.source_table AS source_table,
    moved.row_key AS row_key
FROM ask.moved AS moved
INNER JOIN ask.span AS span
    ON span.window_month = moved.event_month
    AND span.back <= 2
INNER JOIN ask.month AS m
    ON m.month = span.month
WHERE moved.prod_type = $prod_type
  AND moved.org_type = '1'
  AND moved.event_time < m.as_of
UNION ALL
SELECT
    'stock' AS part,
    m.month AS month,
    CAST(0 AS BIGINT) AS back,
    stock.county AS county,
    stock.fixmedins_code AS medins_code,
    stock.med_list_codg AS prod_code,
    m.side AS side,
    CAST(stock.inv_end_cnt AS DECIMAL(38, 10)) AS min_cnt,
    CAST(NULL AS DECIMAL(38, 2)) AS used_amt,
    'fact_stock' AS source_table,
    concat_ws('|', stock.fixmedins_code, stock.med_list_codg, stock.inv_month) AS row_key
FROM gold.fact_stock AS stock
INNER JOIN (
    SELECT
        m.month AS month,
        m.month AS inv_month,
        CAST(1 AS BIGINT) AS side
    FROM ask.month AS m
    UNION ALL
    SELECT
        m.month AS month,
        to_char(m.month_start - INTERVAL '3 months', '%Y-%m') AS inv_month,
        CAST(-1 AS BIGINT) AS side
    FROM ask.month AS m
) AS m
    ON m.inv_month = stock.inv_month
UNION ALL
SELECT
    'uncoded' AS part,
    used.month AS month,
    used.back AS back,
    used.county AS county,
    used.fixmedins_code AS medins_code,
    '' AS prod_code,
    CAST(1 AS BIGINT) AS side,
    used.min_cnt AS min_cnt,
    used.used_amt AS used_amt,
    used.source_table AS source_table,
    used.row_key AS row_key
FROM ask.used AS used
LEFT ANTI JOIN ask.product_state AS state
    ON state.month = used.month
    AND state.prod_code = used.med_list_codg
    AND state.prod_type = $prod_type
WHERE used.back = 0
  AND used.list_type = $list_type
  AND used.org_type = '1'
  AND $prod_type = '2'
