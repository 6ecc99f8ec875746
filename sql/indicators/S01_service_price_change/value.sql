-- Service price changes: average charge (amount ÷ count) by institution and service, against the month before (mom) and the year before (yoy).
-- serv_code = national code, else the institution's own.
WITH service AS (
    SELECT
        m.month AS month,
        'this' AS period,
        usage.county AS county,
        usage.fixmedins_code AS fixmedins_code,
        CASE WHEN usage.med_list_codg = '' THEN usage.medins_list_codg ELSE usage.med_list_codg END AS serv_code,
        usage.hi_feesetl_type AS hi_feesetl_type,
        usage.used_cnt AS cnt,
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
      AND usage.list_type = '201'
      AND usage.org_type = '1'
    UNION ALL
    SELECT
        m.month AS month,
        'this' AS period,
        fee.county AS county,
        fee.fixmedins_code AS fixmedins_code,
        CASE WHEN fee.med_list_codg = '' THEN fee.medins_list_codg ELSE fee.med_list_codg END AS serv_code,
        fee.hi_feesetl_type AS hi_feesetl_type,
        fee.cnt AS cnt,
        fee.det_item_fee_sumamt AS used_amt,
        'fact_fee_line' AS source_table,
        fee.bkkp_sn AS row_key
    FROM gold.fact_fee_line AS fee
    INNER JOIN ask.month AS m
        ON m.month = fee.month
    WHERE m.as_of < m.month_end
      AND fee.fee_ocur_time < m.as_of
      AND fee.list_type = '201'
      AND fee.org_type = '1'
    UNION ALL
    SELECT
        m.month AS month,
        'last' AS period,
        usage.county AS county,
        usage.fixmedins_code AS fixmedins_code,
        CASE WHEN usage.med_list_codg = '' THEN usage.medins_list_codg ELSE usage.med_list_codg END AS serv_code,
        usage.hi_feesetl_type AS hi_feesetl_type,
        usage.used_cnt AS cnt,
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
        ON m.prev_month = usage.month
    WHERE usage.list_type = '201'
      AND usage.org_type = '1'
    UNION ALL
    SELECT
        m.month AS month,
        'year_ago' AS period,
        usage.county AS county,
        usage.fixmedins_code AS fixmedins_code,
        CASE WHEN usage.med_list_codg = '' THEN usage.medins_list_codg ELSE usage.med_list_codg END AS serv_code,
        usage.hi_feesetl_type AS hi_feesetl_type,
        usage.used_cnt AS cnt,
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
        ON m.year_ago_month = usage.month
    WHERE usage.list_type = '201'
      AND usage.org_type = '1'
),

total AS (
    SELECT
        service.month AS month,
        service.county AS county,
        service.fixmedins_code AS fixmedins_code,
        service.serv_code AS serv_code,
        CAST(SUM(CASE WHEN service.period = 'this' THEN service.cnt ELSE 0 END) AS DECIMAL(38, 4)) AS this_cnt,
        CAST(SUM(CASE WHEN service.period = 'this' THEN service.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS this_amt,
        CAST(SUM(CASE WHEN service.period = 'last' THEN service.cnt ELSE 0 END) AS DECIMAL(38, 4)) AS last_cnt,
        CAST(SUM(CASE WHEN service.period = 'last' THEN service.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS last_amt,
        CAST(SUM(CASE WHEN service.period = 'year_ago' THEN service.cnt ELSE 0 END) AS DECIMAL(38, 4)) AS year_cnt,
        CAST(SUM(CASE WHEN service.period = 'year_ago' THEN service.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS year_amt,
        COUNT(*) AS sample_n
    FROM service
    GROUP BY
        service.month,
        service.county,
        service.fixmedins_code,
        service.serv_code
)

SELECT
    'mom' AS measure,
    total.month AS month,
    total.county AS county,
    'subject' AS level,
    total.fixmedins_code AS subject_code,
    total.serv_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    div6(total.this_amt, total.this_cnt) AS numerator,
    CASE WHEN total.last_cnt > 0 THEN div6(total.last_amt, total.last_cnt) END AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    total.sample_n AS sample_n,
    total.this_cnt AS in_cnt
FROM total
WHERE total.this_cnt > 0
UNION ALL
SELECT
    'yoy' AS measure,
    total.month AS month,
    total.county AS county,
    'subject' AS level,
    total.fixmedins_code AS subject_code,
    total.serv_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    div6(total.this_amt, total.this_cnt) AS numerator,
    CASE WHEN total.year_cnt > 0 THEN div6(total.year_amt, total.year_cnt) END AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    total.sample_n AS sample_n,
    total.this_cnt AS in_cnt
FROM total
WHERE total.this_cnt > 0
