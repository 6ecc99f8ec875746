-- Response and delivery rate of the order lines that turn seven days old in the month (less those the institution cancelled), by distributor and county:
-- lines answered ÷ lines; Σ min(received packs before returns, ordered packs) × price ÷ Σ ordered amount.
SELECT
    'response_rate' AS measure,
    cohort.month AS month,
    cohort.county AS county,
    cohort.delventp_code AS subject_code,
    CAST(CASE WHEN cohort.resp_stas = '1' AND cohort.resp_time < cohort.as_of THEN 1 ELSE 0 END AS DECIMAL(38, 10)) AS num,
    CAST(1 AS DECIMAL(38, 10)) AS den,
    'fact_order' AS source_table,
    cohort.ord_detl_id AS row_key,
    cohort.excluded_reason AS excluded_reason
FROM ask.cohort AS cohort
WHERE cohort.prod_type = $prod_type
UNION ALL
SELECT
    'delivery_rate' AS measure,
    cohort.month AS month,
    cohort.county AS county,
    cohort.delventp_code AS subject_code,
    CAST(LEAST(COALESCE(cohort.received_cnt, 0), cohort.purc_cnt) * cohort.purcpric AS DECIMAL(38, 10)) AS num,
    CAST(cohort.purc_amt AS DECIMAL(38, 10)) AS den,
    'fact_order' AS source_table,
    cohort.ord_detl_id AS row_key,
    cohort.excluded_reason AS excluded_reason
FROM ask.cohort AS cohort
WHERE cohort.prod_type = $prod_type
