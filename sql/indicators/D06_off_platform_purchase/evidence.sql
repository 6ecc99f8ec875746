-- Evidence of suspected off-platform purchase: usage, receipts, returns and stock that make up the balance (num adds up to off where it is above zero);
-- for `never_received` and `uncoded` the usage of the month.
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
)

SELECT
    'main' AS measure,
    line.month AS month,
    line.county AS county,
    'subject' AS level,
    line.medins_code AS subject_code,
    line.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    line.source_table AS source_table,
    line.row_key AS row_key,
    CASE WHEN line.side = 1 THEN line.min_cnt ELSE -line.min_cnt END AS num,
    CASE WHEN line.part = 'used' THEN line.min_cnt ELSE CAST(0 AS DECIMAL(38, 10)) END AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM ask.basis AS line
WHERE line.part <> 'uncoded'
UNION ALL
SELECT
    CASE WHEN line.part = 'uncoded' THEN 'uncoded' ELSE 'never_received' END AS measure,
    line.month AS month,
    line.county AS county,
    'subject' AS level,
    line.medins_code AS subject_code,
    line.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    line.source_table AS source_table,
    line.row_key AS row_key,
    CAST(line.used_amt AS DECIMAL(38, 10)) AS num,
    CAST(NULL AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM ask.basis AS line
LEFT ANTI JOIN ever
    ON ever.month = line.month
    AND ever.medins_code = line.medins_code
    AND ever.prod_code = line.prod_code
WHERE line.back = 0
  AND line.part IN ('used', 'uncoded')
