-- Suspected off-platform purchase, a balance test over three months by institution and known in-scope product that was used:
-- off = max(0, used + closing stock − opening stock − net received), value = off ÷ used, amount at risk = off × used amount ÷ used.
-- never_received: used in the month, not received once in twelve. uncoded (consumables only): net amount of lines without a known code.
WITH ever AS (
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
    FROM ask.basis AS known
    WHERE known.part = 'used'
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
    FROM ask.basis AS received
    WHERE received.part = 'received'
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
    FROM ask.basis AS stock
    WHERE stock.part = 'stock'
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
    uncoded.month AS month,
    uncoded.county AS county,
    'subject' AS level,
    uncoded.medins_code AS subject_code,
    '' AS product_code,
    '' AS batch_code,
    '' AS group_code,
    CAST(SUM(uncoded.used_amt) AS DECIMAL(38, 10)) AS numerator,
    CAST(NULL AS DECIMAL(38, 10)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    COUNT(*) AS sample_n,
    CAST(NULL AS BIGINT) AS in_stock_known
FROM ask.basis AS uncoded
WHERE uncoded.part = 'uncoded'
GROUP BY
    uncoded.month,
    uncoded.county,
    uncoded.medins_code
