-- Pharmacy price deviation: price = amount ÷ minimum units of the month, by pharmacy and known in-scope drug. listing_ratio: against the listing price at T;
-- index: Σ amount ÷ Σ round(listing price × minimum units, 2), by pharmacy; dual_price: insured against own-pay price;
-- mode_ratio: against the price (to 2 places) that most pharmacies of the region take, of equally common ones the lowest.
WITH sold AS (
    SELECT
        known.month AS month,
        known.county AS county,
        known.fixmedins_code AS fixmedins_code,
        known.prod_code AS prod_code,
        known.ref_pric AS ref_pric,
        CAST(SUM(known.min_cnt) AS DECIMAL(38, 10)) AS used_cnt,
        CAST(SUM(known.used_amt) AS DECIMAL(38, 2)) AS used_amt,
        CAST(SUM(CASE WHEN known.hi_feesetl_type = '1' THEN known.min_cnt ELSE 0 END) AS DECIMAL(38, 10)) AS insured_cnt,
        CAST(SUM(CASE WHEN known.hi_feesetl_type = '1' THEN known.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS insured_amt,
        CAST(SUM(CASE WHEN known.hi_feesetl_type = '2' THEN known.min_cnt ELSE 0 END) AS DECIMAL(38, 10)) AS own_cnt,
        CAST(SUM(CASE WHEN known.hi_feesetl_type = '2' THEN known.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS own_amt,
        COUNT(*) AS sample_n
    FROM ask.basis AS known
    GROUP BY
        known.month,
        known.county,
        known.fixmedins_code,
        known.prod_code,
        known.ref_pric
),

priced AS (
    SELECT
        sold.month AS month,
        sold.county AS county,
        sold.fixmedins_code AS fixmedins_code,
        sold.prod_code AS prod_code,
        sold.ref_pric AS ref_pric,
        sold.used_cnt AS used_cnt,
        sold.used_amt AS used_amt,
        sold.insured_cnt AS insured_cnt,
        sold.insured_amt AS insured_amt,
        sold.own_cnt AS own_cnt,
        sold.own_amt AS own_amt,
        sold.sample_n AS sample_n,
        div6(sold.used_amt, sold.used_cnt) AS price
    FROM sold
    WHERE sold.used_cnt > 0
),

common AS (
    SELECT
        ranked.month AS month,
        ranked.prod_code AS prod_code,
        ranked.price AS price,
        ranked.pharmacies AS pharmacies
    FROM (
        SELECT
            counted.month AS month,
            counted.prod_code AS prod_code,
            counted.price AS price,
            SUM(counted.pharmacies) OVER (PARTITION BY counted.month, counted.prod_code) AS pharmacies,
            ROW_NUMBER() OVER (
                PARTITION BY counted.month, counted.prod_code
                ORDER BY counted.pharmacies DESC, counted.price, counted.prod_code
            ) AS place
        FROM (
            SELECT
                priced.month AS month,
                priced.prod_code AS prod_code,
                round2(priced.price) AS price,
                COUNT(*) AS pharmacies
            FROM priced
            GROUP BY
                priced.month,
                priced.prod_code,
                round2(priced.price)
        ) AS counted
    ) AS ranked
    WHERE ranked.place = 1
)

SELECT
    'listing_ratio' AS measure,
    priced.month AS month,
    priced.county AS county,
    'subject' AS level,
    priced.fixmedins_code AS subject_code,
    priced.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    CAST(priced.price AS DECIMAL(38, 6)) AS numerator,
    CAST(priced.ref_pric AS DECIMAL(38, 6)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    priced.sample_n AS sample_n,
    CAST(NULL AS BOOLEAN) AS insufficient
FROM priced
UNION ALL
SELECT
    'index' AS measure,
    priced.month AS month,
    priced.county AS county,
    'subject' AS level,
    priced.fixmedins_code AS subject_code,
    '' AS product_code,
    '' AS batch_code,
    '' AS group_code,
    CAST(
        SUM(CASE WHEN priced.ref_pric IS NOT NULL THEN priced.used_amt END) AS DECIMAL(38, 6)
    ) AS numerator,
    CAST(SUM(mul2(priced.ref_pric, priced.used_cnt)) AS DECIMAL(38, 6)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    COUNT(*) AS sample_n,
    CAST(NULL AS BOOLEAN) AS insufficient
FROM priced
GROUP BY
    priced.month,
    priced.county,
    priced.fixmedins_code
UNION ALL
SELECT
    'dual_price' AS measure,
    priced.month AS month,
    priced.county AS county,
    'subject' AS level,
    priced.fixmedins_code AS subject_code,
    priced.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    div6(priced.insured_amt, priced.insured_cnt) AS numerator,
    div6(priced.own_amt, priced.own_cnt) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    priced.sample_n AS sample_n,
    CAST(NULL AS BOOLEAN) AS insufficient
FROM priced
WHERE priced.insured_cnt > 0
  AND priced.own_cnt > 0
UNION ALL
SELECT
    'mode_ratio' AS measure,
    priced.month AS month,
    priced.county AS county,
    'subject' AS level,
    priced.fixmedins_code AS subject_code,
    priced.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    CAST(priced.price AS DECIMAL(38, 6)) AS numerator,
    CAST(common.price AS DECIMAL(38, 6)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    priced.sample_n AS sample_n,
    common.pharmacies < $mode_pharmacies AS insufficient
FROM priced
INNER JOIN common
    ON common.month = priced.month
    AND common.prod_code = priced.prod_code
