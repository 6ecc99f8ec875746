-- Evidence of suspected off-platform purchase: usage, receipts, returns and stock that make up the balance (num adds up to off where it is above zero).
WITH state AS (
    SELECT
        ranked.month AS month,
        ranked.prod_code AS prod_code,
        ranked.scope_flag AS scope_flag
    FROM (
        SELECT
            m.month AS month,
            state.prod_code AS prod_code,
            state.scope_flag AS scope_flag,
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

used AS (
    SELECT
        m.month AS month,
        span.back AS back,
        usage.county AS county,
        usage.fixmedins_code AS fixmedins_code,
        usage.med_list_codg AS med_list_codg,
        usage.used_cnt AS cnt,
        CAST(usage.used_cnt * usage.convrat AS DECIMAL(38, 10)) AS min_cnt,
        usage.used_amt AS used_amt,
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
        AND span.back <= 2
    INNER JOIN ask.month AS m
        ON m.month = span.month
    WHERE (span.back > 0 OR m.as_of = m.month_end)
      AND usage.list_type = $list_type
      AND usage.org_type = '1'
    UNION ALL
    SELECT
        m.month AS month,
        CAST(0 AS BIGINT) AS back,
        fee.county AS county,
        fee.fixmedins_code AS fixmedins_code,
        fee.med_list_codg AS med_list_codg,
        fee.cnt AS cnt,
        CAST(fee.cnt * fee.convrat AS DECIMAL(38, 10)) AS min_cnt,
        fee.det_item_fee_sumamt AS used_amt,
        'fact_fee_line' AS source_table,
        fee.bkkp_sn AS row_key
    FROM gold.fact_fee_line AS fee
    INNER JOIN ask.month AS m
        ON m.month = fee.month
    WHERE m.as_of < m.month_end
      AND fee.fee_ocur_time < m.as_of
      AND fee.list_type = $list_type
      AND fee.org_type = '1'
),

known AS (
    SELECT
        used.month AS month,
        used.back AS back,
        used.county AS county,
        used.fixmedins_code AS medins_code,
        used.med_list_codg AS prod_code,
        used.min_cnt AS min_cnt,
        used.used_amt AS used_amt,
        used.source_table AS source_table,
        used.row_key AS row_key
    FROM used
    INNER JOIN state
        ON state.month = used.month
        AND state.prod_code = used.med_list_codg
        AND state.scope_flag = '1'
),

moved AS (
    SELECT
        receipt.county AS county,
        receipt.month AS event_month,
        receipt.shpp_time AS event_time,
        receipt.medins_code AS medins_code,
        receipt.prod_code AS prod_code,
        CAST(receipt.shpp_cnt * receipt.convrat AS DECIMAL(38, 10)) AS min_cnt,
        receipt.receipt_amt AS event_amt,
        'fact_receipt' AS source_table,
        receipt.shp_id AS row_key
    FROM gold.fact_receipt AS receipt
    WHERE receipt.prod_type = $prod_type
      AND receipt.org_type = '1'
    UNION ALL
    SELECT
        back.county AS county,
        back.month AS event_month,
        back.medins_retn_time AS event_time,
        back.medins_code AS medins_code,
        back.prod_code AS prod_code,
        CAST(-(back.retn_cnt * back.convrat) AS DECIMAL(38, 10)) AS min_cnt,
        -back.retn_amt AS event_amt,
        'fact_return' AS source_table,
        back.retn_id AS row_key
    FROM gold.fact_return AS back
    WHERE back.prod_type = $prod_type
      AND back.org_type = '1'
),

received AS (
    SELECT
        span.month AS month,
        moved.county AS county,
        moved.medins_code AS medins_code,
        moved.prod_code AS prod_code,
        moved.min_cnt AS min_cnt,
        moved.source_table AS source_table,
        moved.row_key AS row_key
    FROM moved
    INNER JOIN ask.span AS span
        ON span.window_month = moved.event_month
        AND span.back <= 2
    INNER JOIN ask.month AS m
        ON m.month = span.month
    WHERE moved.event_time < m.as_of
),

stock AS (
    SELECT
        m.month AS month,
        stock.county AS county,
        stock.fixmedins_code AS medins_code,
        stock.med_list_codg AS prod_code,
        m.side AS side,
        CAST(stock.inv_end_cnt AS DECIMAL(38, 10)) AS min_cnt,
        concat_ws('|', stock.fixmedins_code, stock.med_list_codg, stock.inv_month) AS row_key
    FROM gold.fact_stock AS stock
    INNER JOIN (
        SELECT
            m.month AS month,
            m.month AS inv_month,
            1 AS side
        FROM ask.month AS m
        UNION ALL
        SELECT
            m.month AS month,
            to_char(m.month_start - INTERVAL '3 months', '%Y-%m') AS inv_month,
            -1 AS side
        FROM ask.month AS m
    ) AS m
        ON m.inv_month = stock.inv_month
),

ever AS (
    SELECT DISTINCT
        span.month AS month,
        receipt.medins_code AS medins_code,
        receipt.prod_code AS prod_code
    FROM gold.fact_receipt AS receipt
    INNER JOIN ask.span AS span
        ON span.window_month = receipt.month
    INNER JOIN ask.month AS m
        ON m.month = span.month
    WHERE receipt.prod_type = $prod_type
      AND receipt.shpp_time < m.as_of
)

SELECT
    'main' AS measure,
    known.month AS month,
    known.county AS county,
    'subject' AS level,
    known.medins_code AS subject_code,
    known.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    known.source_table AS source_table,
    known.row_key AS row_key,
    known.min_cnt AS num,
    known.min_cnt AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM known
UNION ALL
SELECT
    'main' AS measure,
    received.month AS month,
    received.county AS county,
    'subject' AS level,
    received.medins_code AS subject_code,
    received.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    received.source_table AS source_table,
    received.row_key AS row_key,
    -received.min_cnt AS num,
    CAST(0 AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM received
UNION ALL
SELECT
    'main' AS measure,
    stock.month AS month,
    stock.county AS county,
    'subject' AS level,
    stock.medins_code AS subject_code,
    stock.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    'fact_stock' AS source_table,
    stock.row_key AS row_key,
    CASE WHEN stock.side = 1 THEN stock.min_cnt ELSE -stock.min_cnt END AS num,
    CAST(0 AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM stock
UNION ALL
SELECT
    'never_received' AS measure,
    known.month AS month,
    known.county AS county,
    'subject' AS level,
    known.medins_code AS subject_code,
    known.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    known.source_table AS source_table,
    known.row_key AS row_key,
    CAST(known.used_amt AS DECIMAL(38, 10)) AS num,
    CAST(NULL AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM known
LEFT ANTI JOIN ever
    ON ever.month = known.month
    AND ever.medins_code = known.medins_code
    AND ever.prod_code = known.prod_code
WHERE known.back = 0
