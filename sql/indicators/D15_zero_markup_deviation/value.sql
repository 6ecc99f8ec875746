-- Zero-markup deviation of public institutions, by known in-scope product: charged unit price (used amount ÷ used minimum units of the month)
-- ÷ the highest unit price the institution received in the 90 days before T, − 1; amount at risk = max(0, used amount − cost × used quantity).
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
),

used_sum AS (
    SELECT
        known.month AS month,
        known.county AS county,
        known.medins_code AS medins_code,
        known.prod_code AS prod_code,
        CAST(SUM(known.min_cnt) AS DECIMAL(38, 10)) AS used_cnt,
        CAST(SUM(known.amt) AS DECIMAL(38, 2)) AS used_amt,
        COUNT(*) AS sample_n
    FROM ask.basis AS known
    WHERE known.part = 'used'
    GROUP BY
        known.month,
        known.county,
        known.medins_code,
        known.prod_code
)

SELECT
    'main' AS measure,
    used_sum.month AS month,
    used_sum.county AS county,
    'subject' AS level,
    used_sum.medins_code AS subject_code,
    used_sum.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    div6(used_sum.used_amt, used_sum.used_cnt) AS numerator,
    cost.unit_pric AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CASE
        WHEN cost.unit_pric IS NOT NULL
            THEN CAST(
                GREATEST(
                    round2(used_sum.used_amt - CAST(cost.unit_pric * used_sum.used_cnt AS DECIMAL(38, 12))),
                    CAST(0 AS DECIMAL(38, 2))
                ) AS DECIMAL(38, 2)
            )
    END AS amount_at_risk,
    '' AS mark,
    used_sum.sample_n AS sample_n
FROM used_sum
LEFT JOIN cost
    ON cost.month = used_sum.month
    AND cost.medins_code = used_sum.medins_code
    AND cost.prod_code = used_sum.prod_code
WHERE used_sum.used_cnt > 0
