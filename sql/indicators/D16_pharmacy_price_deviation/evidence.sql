-- Evidence of pharmacy price deviation: the usage rows of the pharmacy and drug (of the pharmacy, for `index`).
-- For `index` num adds up to the amount; for the price measures num and den are the amount and the minimum units of the row: prices are no sums.
SELECT
    pick.measure AS measure,
    known.month AS month,
    known.county AS county,
    'subject' AS level,
    known.fixmedins_code AS subject_code,
    CASE WHEN pick.measure = 'index' THEN '' ELSE known.prod_code END AS product_code,
    '' AS batch_code,
    '' AS group_code,
    known.source_table AS source_table,
    known.row_key AS row_key,
    CAST(known.used_amt AS DECIMAL(38, 10)) AS num,
    CASE
        WHEN pick.measure = 'index' THEN CAST(known.ref_pric * known.min_cnt AS DECIMAL(38, 10))
        ELSE known.min_cnt
    END AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM ask.basis AS known
CROSS JOIN (
    SELECT 'listing_ratio' AS measure
    UNION ALL
    SELECT 'dual_price' AS measure
    UNION ALL
    SELECT 'index' AS measure
) AS pick
WHERE pick.measure <> 'index'
   OR known.ref_pric IS NOT NULL
