-- Suspected off-platform purchase, a balance test over three months by institution and known in-scope product that was used:
-- off = max(0, used + closing stock − opening stock − net received), value = off ÷ used, amount at risk = off × used amount ÷ used.
-- never_received: used in the month, not received once in twelve.
-- uncoded: net amount of consumable lines without a code, or with one that no listing knows at T.
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
),

used_sum AS (
    SELECT
        known.month AS month,
        known.county AS county,
        known.medins_code AS medins_code,
        known.prod_code AS prod_code,
        CAST(SUM(known.min_cnt) AS DECIMAL(38, 10)) AS used_cnt,
        CAST(SUM(known.used_amt) AS DECIMAL(38, 2)) AS used_amt,
        CAST(SUM(CASE WHEN known.back = 0 THEN known.min_cnt ELSE 0 END) AS DECIMAL(38, 10)) AS month_cnt,
        CAST(SUM(CASE WHEN known.back = 0 THEN known.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS month_amt,
        COUNT(*) AS sample_n
    FROM known
    GROUP BY
        known.month,
        known.county,
        known.medins_code,
        known.prod_code
),

received_sum AS (
    SELECT
        received.month AS month,
        received.medins_code AS medins_code,
        received.prod_code AS prod_code,
        SUM(received.min_cnt) AS min_cnt
    FROM received
    GROUP BY
        received.month,
        received.medins_code,
        received.prod_code
),

stock_sum AS (
    SELECT
        stock.month AS month,
        stock.medins_code AS medins_code,
        stock.prod_code AS prod_code,
        SUM(CASE WHEN stock.side = 1 THEN stock.min_cnt ELSE -stock.min_cnt END) AS min_cnt,
        COUNT(*) AS ends
    FROM stock
    GROUP BY
        stock.month,
        stock.medins_code,
        stock.prod_code
),

balance AS (
    SELECT
        used_sum.month AS month,
        used_sum.county AS county,
        used_sum.medins_code AS medins_code,
        used_sum.prod_code AS prod_code,
        used_sum.used_cnt AS used_cnt,
        used_sum.used_amt AS used_amt,
        used_sum.sample_n AS sample_n,
        CAST(
            GREATEST(
                used_sum.used_cnt + COALESCE(stock_sum.min_cnt, 0) - COALESCE(received_sum.min_cnt, 0),
                CAST(0 AS DECIMAL(38, 10))
            ) AS DECIMAL(38, 10)
        ) AS off_cnt,
        CAST(CASE WHEN stock_sum.ends = 2 THEN 1 ELSE 0 END AS BIGINT) AS stock_known
    FROM used_sum
    LEFT JOIN received_sum
        ON received_sum.month = used_sum.month
        AND received_sum.medins_code = used_sum.medins_code
        AND received_sum.prod_code = used_sum.prod_code
    LEFT JOIN stock_sum
        ON stock_sum.month = used_sum.month
        AND stock_sum.medins_code = used_sum.medins_code
        AND stock_sum.prod_code = used_sum.prod_code
    WHERE used_sum.used_cnt > 0
)

SELECT
    'main' AS measure,
    balance.month AS month,
    balance.county AS county,
    'subject' AS level,
    balance.medins_code AS subject_code,
    balance.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    balance.off_cnt AS numerator,
    balance.used_cnt AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(muldiv2(balance.off_cnt, balance.used_amt, balance.used_cnt) AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    balance.sample_n AS sample_n,
    balance.stock_known AS in_stock_known
FROM balance
UNION ALL
SELECT
    'never_received' AS measure,
    used_sum.month AS month,
    used_sum.county AS county,
    'subject' AS level,
    used_sum.medins_code AS subject_code,
    used_sum.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    CAST(used_sum.month_amt AS DECIMAL(38, 10)) AS numerator,
    CAST(NULL AS DECIMAL(38, 10)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    used_sum.sample_n AS sample_n,
    CAST(NULL AS BIGINT) AS in_stock_known
FROM used_sum
LEFT ANTI JOIN ever
    ON ever.month = used_sum.month
    AND ever.medins_code = used_sum.medins_code
    AND ever.prod_code = used_sum.prod_code
WHERE used_sum.month_cnt > 0
UNION ALL
SELECT
    'uncoded' AS measure,
    used.month AS month,
    used.county AS county,
    'subject' AS level,
    used.fixmedins_code AS subject_code,
    '' AS product_code,
    '' AS batch_code,
    '' AS group_code,
    CAST(SUM(used.used_amt) AS DECIMAL(38, 10)) AS numerator,
    CAST(NULL AS DECIMAL(38, 10)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    COUNT(*) AS sample_n,
    CAST(NULL AS BIGINT) AS in_stock_known
FROM used
LEFT ANTI JOIN state
    ON state.month = used.month
    AND state.prod_code = used.med_list_codg
WHERE used.back = 0
GROUP BY
    used.month,
    used.county,
    used.fixmedins_code
