-- On-time delivery of consumables as D13 (`main`), and by institution: `confirm_rate`, receipts of the month confirmed by hand within 24 hours of
-- arrival ÷ receipts with an arrival time; `auto_rate`, receipts confirmed automatically ÷ receipts.
SELECT
    'main' AS measure,
    cohort.month AS month,
    cohort.county AS county,
    cohort.delventp_code AS subject_code,
    CAST(
        CASE
            WHEN CAST(cohort.first_shpp_time AS BIGINT) - CAST(cohort.send_time AS BIGINT)
                <= 3600000000 * CASE
                    WHEN area.remote_flag = '1' AND cohort.emrg_flag = '1' THEN $remote_urgent_hours
                    WHEN area.remote_flag = '1' THEN $remote_hours
                    WHEN cohort.emrg_flag = '1' THEN $urgent_hours
                    ELSE $normal_hours
                END
                THEN 1
            ELSE 0
        END AS DECIMAL(38, 6)
    ) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    'fact_order' AS source_table,
    cohort.ord_detl_id AS row_key,
    cohort.excluded_reason AS excluded_reason
FROM ask.cohort AS cohort
LEFT JOIN gold.dim_admdvs AS area
    ON area.admdvs = cohort.county
WHERE cohort.prod_type = $prod_type
UNION ALL
SELECT
    'confirm_rate' AS measure,
    m.month AS month,
    receipt.county AS county,
    receipt.medins_code AS subject_code,
    CAST(
        CASE
            WHEN CAST(receipt.shpp_time AS BIGINT) - CAST(receipt.arvl_time AS BIGINT) <= 3600000000 * $confirm_hours
                AND receipt.auto_shpp_flag <> '1'
                THEN 1
            ELSE 0
        END AS DECIMAL(38, 6)
    ) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    'fact_receipt' AS source_table,
    receipt.shp_id AS row_key,
    CASE WHEN receipt.arvl_time IS NULL THEN 'no arrival time' END AS excluded_reason
FROM gold.fact_receipt AS receipt
INNER JOIN ask.month AS m
    ON m.month = receipt.month
WHERE receipt.prod_type = $prod_type
  AND receipt.org_type = '1'
  AND receipt.shpp_time < m.as_of
UNION ALL
SELECT
    'auto_rate' AS measure,
    m.month AS month,
    receipt.county AS county,
    receipt.medins_code AS subject_code,
    CAST(CASE WHEN receipt.auto_shpp_flag = '1' THEN 1 ELSE 0 END AS DECIMAL(38, 6)) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    'fact_receipt' AS source_table,
    receipt.shp_id AS row_key,
    CAST(NULL AS VARCHAR) AS excluded_reason
FROM gold.fact_receipt AS receipt
INNER JOIN ask.month AS m
    ON m.month = receipt.month
WHERE receipt.prod_type = $prod_type
  AND receipt.org_type = '1'
  AND receipt.shpp_time < m.as_of
