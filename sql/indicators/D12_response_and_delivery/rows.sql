-- Response and delivery rate of the order lines that turn seven days old in the month (less those the institution cancelled), by distributor and county:
-- lines answered ÷ lines; Σ min(received packs before returns, ordered packs) × price ÷ Σ ordered amount.
WITH cohort AS (
    SELECT
        m.month AS month,
        m.as_of AS as_of,
        line.ord_detl_id AS ord_detl_id,
        line.county AS county,
        line.delventp_code AS delventp_code,
        line.medins_code AS medins_code,
        line.org_type AS org_type,
        line.prod_code AS prod_code,
        line.send_time AS send_time,
        line.purc_cnt AS purc_cnt,
        line.purcpric AS purcpric,
        line.purc_amt AS purc_amt,
        line.resp_stas AS resp_stas,
        line.resp_time AS resp_time,
        CASE WHEN line.cncl_type IN ('1', '3') AND line.cncl_time < m.as_of THEN 'cancelled by the institution' END AS excluded_reason
    FROM gold.fact_order AS line
    INNER JOIN ask.month AS m
        ON m.month = to_char(line.send_time + INTERVAL '168 hours', '%Y-%m')
    WHERE line.prod_type = $prod_type
      AND line.send_time + INTERVAL '168 hours' < m.as_of
),

received AS (
    SELECT
        cohort.ord_detl_id AS ord_detl_id,
        SUM(receipt.shpp_cnt) AS shpp_cnt
    FROM cohort
    INNER JOIN gold.fact_receipt AS receipt
        ON receipt.ord_detl_id = cohort.ord_detl_id
    WHERE receipt.shpp_time < cohort.as_of
    GROUP BY cohort.ord_detl_id
)

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
FROM cohort
UNION ALL
SELECT
    'delivery_rate' AS measure,
    cohort.month AS month,
    cohort.county AS county,
    cohort.delventp_code AS subject_code,
    CAST(LEAST(COALESCE(received.shpp_cnt, 0), cohort.purc_cnt) * cohort.purcpric AS DECIMAL(38, 10)) AS num,
    CAST(cohort.purc_amt AS DECIMAL(38, 10)) AS den,
    'fact_order' AS source_table,
    cohort.ord_detl_id AS row_key,
    cohort.excluded_reason AS excluded_reason
FROM cohort
LEFT JOIN received
    ON received.ord_detl_id = cohort.ord_detl_id
