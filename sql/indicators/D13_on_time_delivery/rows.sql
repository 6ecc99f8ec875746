-- On-time delivery: order lines that turn seven days old in the month (less those the institution cancelled), by distributor and county;
-- on time when some receipt came within the term: 48 hours, urgent 4; in remote counties 72, urgent 8.
WITH first_receipt AS (
    SELECT
        receipt.ord_detl_id AS ord_detl_id,
        MIN(receipt.shpp_time) AS shpp_time
    FROM gold.fact_receipt AS receipt
    GROUP BY receipt.ord_detl_id
)

SELECT
    m.month AS month,
    line.county AS county,
    line.delventp_code AS subject_code,
    CAST(
        CASE
            WHEN first_receipt.shpp_time < m.as_of
                AND CAST(first_receipt.shpp_time AS BIGINT) - CAST(line.send_time AS BIGINT)
                    <= 3600000000 * CASE
                        WHEN area.remote_flag = '1' AND line.emrg_flag = '1' THEN $remote_urgent_hours
                        WHEN area.remote_flag = '1' THEN $remote_hours
                        WHEN line.emrg_flag = '1' THEN $urgent_hours
                        ELSE $normal_hours
                    END
                THEN 1
            ELSE 0
        END AS DECIMAL(38, 6)
    ) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    'fact_order' AS source_table,
    line.ord_detl_id AS row_key,
    CASE WHEN line.cncl_type IN ('1', '3') AND line.cncl_time < m.as_of THEN 'cancelled by the institution' END AS excluded_reason
FROM gold.fact_order AS line
INNER JOIN ask.month AS m
    ON m.month = to_char(line.send_time + INTERVAL '168 hours', '%Y-%m')
LEFT JOIN first_receipt
    ON first_receipt.ord_detl_id = line.ord_detl_id
LEFT JOIN gold.dim_admdvs AS area
    ON area.admdvs = line.county
WHERE line.prod_type = $prod_type
  AND line.send_time + INTERVAL '168 hours' < m.as_of
