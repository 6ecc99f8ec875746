-- Above-price purchase as D11 (`main`). `above_min`: lines whose unit price exceeds $min_multiple × the lowest unit price received in the region in the
-- twelve months before (fewer than $min_receipts receipts: not judged). `dispersion`: exact p90 ÷ p10 of the unit prices received in the month.
WITH monthly AS (
    SELECT
        receipt.month AS event_month,
        receipt.prod_code AS prod_code,
        MIN(receipt.unit_pric) AS min_pric,
        COUNT(*) AS receipts
    FROM gold.fact_receipt AS receipt
    WHERE receipt.prod_type = $prod_type
      AND receipt.month >= $first_month
    GROUP BY
        receipt.month,
        receipt.prod_code
),

history AS (
    SELECT
        m.month AS month,
        monthly.prod_code AS prod_code,
        MIN(monthly.min_pric) AS min_pric,
        SUM(monthly.receipts) AS receipts
    FROM monthly
    INNER JOIN ask.month AS m
        ON monthly.event_month < m.month
        AND monthly.event_month >= to_char(m.month_start - INTERVAL '12 months', '%Y-%m')
    GROUP BY
        m.month,
        monthly.prod_code
),

ranked AS (
    SELECT
        m.month AS month,
        receipt.prod_code AS prod_code,
        receipt.unit_pric AS unit_pric,
        ROW_NUMBER() OVER (
            PARTITION BY m.month, receipt.prod_code
            ORDER BY receipt.unit_pric, receipt.shp_id
        ) - 1 AS place,
        COUNT(*) OVER (PARTITION BY m.month, receipt.prod_code) - 1 AS last_place
    FROM gold.fact_receipt AS receipt
    INNER JOIN ask.month AS m
        ON m.month = receipt.month
    WHERE receipt.prod_type = $prod_type
      AND receipt.shpp_time < m.as_of
),

spread AS (
    SELECT
        ranked.month AS month,
        ranked.prod_code AS prod_code,
        MAX(ranked.last_place) + 1 AS receipts,
        SUM(
            CASE
                WHEN 10 * ranked.place <= ranked.last_place AND 10 * (ranked.place + 1) > ranked.last_place
                    THEN (10 - ranked.last_place % 10) * ranked.unit_pric
                WHEN 10 * (ranked.place - 1) <= ranked.last_place AND 10 * ranked.place > ranked.last_place
                    THEN (ranked.last_place % 10) * ranked.unit_pric
                ELSE CAST(0 AS DECIMAL(18, 6))
            END
        ) * CAST('0.1' AS DECIMAL(2, 1)) AS p10,
        SUM(
            CASE
                WHEN 10 * ranked.place <= 9 * ranked.last_place AND 10 * (ranked.place + 1) > 9 * ranked.last_place
                    THEN (10 - 9 * ranked.last_place % 10) * ranked.unit_pric
                WHEN 10 * (ranked.place - 1) <= 9 * ranked.last_place AND 10 * ranked.place > 9 * ranked.last_place
                    THEN (9 * ranked.last_place % 10) * ranked.unit_pric
                ELSE CAST(0 AS DECIMAL(18, 6))
            END
        ) * CAST('0.1' AS DECIMAL(2, 1)) AS p90
    FROM ranked
    GROUP BY
        ranked.month,
        ranked.prod_code
)

SELECT
    'main' AS measure,
    line.month AS month,
    line.county AS county,
    line.medins_code AS subject_code,
    line.prod_code AS product_code,
    CAST(CASE WHEN line.excess_pric > $price_tolerance OR line.list_stas = '0' THEN 1 ELSE 0 END AS DECIMAL(38, 6)) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    CAST(CASE WHEN line.excess_pric > $price_tolerance THEN mul2(line.excess_pric, line.purc_cnt) ELSE 0 END AS DECIMAL(38, 2)) AS amount,
    CASE WHEN line.list_stas = '0' THEN 'suspended' END AS mark,
    CAST(NULL AS BIGINT) AS max_receipts,
    'fact_order' AS source_table,
    line.ord_detl_id AS row_key,
    line.excluded_reason AS excluded_reason
FROM ask.ordered AS line
WHERE line.prod_type = $prod_type
  AND line.org_type = '1'
UNION ALL
SELECT
    'above_min' AS measure,
    line.month AS month,
    line.county AS county,
    line.medins_code AS subject_code,
    line.prod_code AS product_code,
    CAST(
        CASE
            WHEN history.receipts >= $min_receipts AND div6(line.purcpric, line.convrat) > $min_multiple * history.min_pric THEN 1
            WHEN history.receipts >= $min_receipts THEN 0
        END AS DECIMAL(38, 6)
    ) AS num,
    CAST(CASE WHEN history.receipts >= $min_receipts THEN 1 END AS DECIMAL(38, 6)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount,
    CAST(NULL AS VARCHAR) AS mark,
    CAST(history.receipts AS BIGINT) AS max_receipts,
    'fact_order' AS source_table,
    line.ord_detl_id AS row_key,
    line.excluded_reason AS excluded_reason
FROM ask.ordered AS line
LEFT JOIN history
    ON history.month = line.month
    AND history.prod_code = line.prod_code
WHERE line.prod_type = $prod_type
  AND line.org_type = '1'
UNION ALL
SELECT
    'dispersion' AS measure,
    spread.month AS month,
    $region AS county,
    spread.prod_code AS subject_code,
    spread.prod_code AS product_code,
    CAST(spread.p90 AS DECIMAL(38, 10)) AS num,
    CAST(spread.p10 AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount,
    CAST(NULL AS VARCHAR) AS mark,
    CAST(spread.receipts AS BIGINT) AS max_receipts,
    'dim_product' AS source_table,
    concat_ws('|', $prod_type, spread.prod_code) AS row_key,
    CAST(NULL AS VARCHAR) AS excluded_reason
FROM spread
