-- Pharmacy price deviation: price = amount ÷ minimum units of the month, by pharmacy and known in-scope drug. listing_ratio: against the listing price at T;
-- index: Σ amount ÷ Σ round(listing price × minimum units, 2), by pharmacy; dual_price: insured against own-pay price;
-- mode_ratio: against the price (to 2 places) that most pharmacies of the region take, of equally common ones the lowest.
WITH state AS (
    SELECT
        ranked.month AS month,
        ranked.prod_code AS prod_code,
        ranked.scope_flag AS scope_flag,
        ranked.unit_pric AS unit_pric
    FROM (
        SELECT
            m.month AS month,
            state.prod_code AS prod_code,
            state.scope_flag AS scope_flag,
            state.unit_pric AS unit_pric,
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
        usage.county AS county,
        usage.fixmedins_code AS fixmedins_code,
        usage.med_list_codg AS med_list_codg,
        usage.hi_feesetl_type AS hi_feesetl_type,
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
    INNER JOIN ask.month AS m
        ON m.month = usage.month
    WHERE m.as_of = m.month_end
      AND usage.list_type = $list_type
      AND usage.org_type = '2'
    UNION ALL
    SELECT
        m.month AS month,
        fee.county AS county,
        fee.fixmedins_code AS fixmedins_code,
        fee.med_list_codg AS med_list_codg,
        fee.hi_feesetl_type AS hi_feesetl_type,
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
      AND fee.org_type = '2'
),

known AS (
    SELECT
        used.month AS month,
        used.county AS county,
        used.fixmedins_code AS fixmedins_code,
        used.med_list_codg AS prod_code,
        used.hi_feesetl_type AS hi_feesetl_type,
        used.min_cnt AS min_cnt,
        used.used_amt AS used_amt,
        used.source_table AS source_table,
        used.row_key AS row_key,
        state.unit_pric AS ref_pric
    FROM used
    INNER JOIN state
        ON state.month = used.month
        AND state.prod_code = used.med_list_codg
        AND state.scope_flag = '1'
),

sold AS (
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
    FROM known
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
