-- Online purchase rate: net received on platform orders (purc_type 1) ÷ used, both of in-scope products, by institution.
-- `main`, and for consumables `high_value` and `low_value`, look at the month; `r12` at twelve months, one row per institution.
-- A closed month is taken from fact_usage; the month still open at T from its fee lines, so that T cuts exactly.
WITH state AS (
    SELECT
        ranked.month AS month,
        ranked.prod_code AS prod_code,
        ranked.scope_flag AS scope_flag,
        ranked.hval_flag AS hval_flag
    FROM (
        SELECT
            m.month AS month,
            state.prod_code AS prod_code,
            state.scope_flag AS scope_flag,
            COALESCE(state.hval_flag, '0') AS hval_flag,
            ROW_NUMBER() OVER (
                PARTITION BY m.month, state.prod_code
                ORDER BY state.state_time DESC, state.prod_code
            ) AS state_no
        FROM gold.fact_product_state AS state
        INNER JOIN ask.month AS m
            ON state.state_time < m.as_of
        WHERE state.prod_type = $prod_type
    ) AS ranked
    WHERE ranked.state_no = 1
),

event AS (
    SELECT
        span.month AS month,
        span.back AS back,
        receipt.county AS county,
        receipt.medins_code AS subject_code,
        receipt.prod_code AS prod_code,
        CAST(receipt.receipt_amt AS DECIMAL(38, 6)) AS num,
        CAST(0 AS DECIMAL(38, 6)) AS den,
        'fact_receipt' AS source_table,
        receipt.shp_id AS row_key
    FROM gold.fact_receipt AS receipt
    INNER JOIN ask.span AS span
        ON span.window_month = receipt.month
    INNER JOIN ask.month AS m
        ON m.month = span.month
    WHERE receipt.prod_type = $prod_type
      AND receipt.org_type = '1'
      AND receipt.purc_type = '1'
      AND receipt.scope_flag = '1'
      AND receipt.shpp_time < m.as_of
    UNION ALL
    SELECT
        span.month AS month,
        span.back AS back,
        back.county AS county,
        back.medins_code AS subject_code,
        back.prod_code AS prod_code,
        CAST(-back.retn_amt AS DECIMAL(38, 6)) AS num,
        CAST(0 AS DECIMAL(38, 6)) AS den,
        'fact_return' AS source_table,
        back.retn_id AS row_key
    FROM gold.fact_return AS back
    INNER JOIN ask.span AS span
        ON span.window_month = back.month
    INNER JOIN ask.month AS m
        ON m.month = span.month
    WHERE back.prod_type = $prod_type
      AND back.org_type = '1'
      AND back.purc_type = '1'
      AND back.scope_flag = '1'
      AND back.medins_retn_time < m.as_of
    UNION ALL
    SELECT
        span.month AS month,
        span.back AS back,
        usage.county AS county,
        usage.fixmedins_code AS subject_code,
        usage.med_list_codg AS prod_code,
        CAST(0 AS DECIMAL(38, 6)) AS num,
        CAST(usage.used_amt AS DECIMAL(38, 6)) AS den,
        'fact_usage' AS source_table,
        concat_ws(
            '|',
            usage.fixmedins_code,
            usage.list_type,
            usage.med_list_codg,
            usage.medins_list_codg,
            usage.hi_feesetl_type,
            usage.month
        ) AS row_key
    FROM gold.fact_usage AS usage
    INNER JOIN ask.span AS span
        ON span.window_month = usage.month
    INNER JOIN ask.month AS m
        ON m.month = span.month
    WHERE usage.list_type = $list_type
      AND usage.org_type = '1'
      AND (span.back > 0 OR m.as_of = m.month_end)
    UNION ALL
    SELECT
        m.month AS month,
        CAST(0 AS BIGINT) AS back,
        fee.county AS county,
        fee.fixmedins_code AS subject_code,
        fee.med_list_codg AS prod_code,
        CAST(0 AS DECIMAL(38, 6)) AS num,
        CAST(fee.det_item_fee_sumamt AS DECIMAL(38, 6)) AS den,
        'fact_fee_line' AS source_table,
        fee.bkkp_sn AS row_key
    FROM gold.fact_fee_line AS fee
    INNER JOIN ask.month AS m
        ON m.month = fee.month
    WHERE fee.list_type = $list_type
      AND fee.org_type = '1'
      AND m.as_of < m.month_end
      AND fee.fee_ocur_time < m.as_of
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
    LEFT JOIN state
        ON state.month = event.month
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
