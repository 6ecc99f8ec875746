-- Evidence of zero-markup deviation: the usage of the month and the receipts at the highest unit price of the 90 days.
-- num and den are those of the row (charged amount and minimum units; received minimum units × price): prices are no sums.
WITH cost AS (
    SELECT
        receipt.month AS month,
        receipt.medins_code AS medins_code,
        receipt.prod_code AS prod_code,
        MAX(receipt.unit_pric) AS unit_pric
    FROM ask.basis AS receipt
    WHERE receipt.part = 'received'
    GROUP BY
        receipt.month,
        receipt.medins_code,
        receipt.prod_code
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
    CAST(line.amt AS DECIMAL(38, 10)) AS num,
    line.min_cnt AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM ask.basis AS line
LEFT JOIN cost
    ON cost.month = line.month
    AND cost.medins_code = line.medins_code
    AND cost.prod_code = line.prod_code
WHERE line.part = 'used'
   OR line.unit_pric = cost.unit_pric
