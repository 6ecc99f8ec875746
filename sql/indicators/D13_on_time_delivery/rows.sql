-- On-time delivery: order lines that turn seven days old in the month (less those the institution cancelled), by distributor and county;
-- on time when some receipt came within the term: 48 hours, urgent 4; in remote counties 72, urgent 8.
SELECT
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
