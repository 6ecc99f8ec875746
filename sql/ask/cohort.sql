-- cohort 订单行队列：在所问月份满七天（168小时）的订单行，带 T 之前的收货数量与首次收货时间。
-- Questions: which order lines are old enough to be judged by in the month, and what had come of them by T?
-- Lines that the institution cancelled are there with their reason: they do not count.
WITH line AS (
    SELECT
        m.month AS month,
        m.as_of AS as_of,
        line.ord_detl_id AS ord_detl_id,
        line.county AS county,
        line.delventp_code AS delventp_code,
        line.medins_code AS medins_code,
        line.org_type AS org_type,
        line.prod_type AS prod_type,
        line.prod_code AS prod_code,
        line.emrg_flag AS emrg_flag,
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
    WHERE line.send_time + INTERVAL '168 hours' < m.as_of
),

received AS (
    SELECT
        line.ord_detl_id AS ord_detl_id,
        line.prod_type AS prod_type,
        SUM(receipt.shpp_cnt) AS shpp_cnt,
        MIN(receipt.shpp_time) AS shpp_time
    FROM line
    INNER JOIN gold.fact_receipt AS receipt
        ON receipt.ord_detl_id = line.ord_detl_id
    WHERE receipt.shpp_time < line.as_of
    GROUP BY
        line.ord_detl_id,
        line.prod_type
)

SELECT
    line.month AS month,
    line.as_of AS as_of,
    line.ord_detl_id AS ord_detl_id,
    line.county AS county,
    line.delventp_code AS delventp_code,
    line.medins_code AS medins_code,
    line.org_type AS org_type,
    line.prod_type AS prod_type,
    line.prod_code AS prod_code,
    line.emrg_flag AS emrg_flag,
    line.send_time AS send_time,
    line.purc_cnt AS purc_cnt,
    line.purcpric AS purcpric,
    line.purc_amt AS purc_amt,
    line.resp_stas AS resp_stas,
    line.resp_time AS resp_time,
    line.excluded_reason AS excluded_reason,
    received.shpp_cnt AS received_cnt,
    received.shpp_time AS first_shpp_time
FROM line
LEFT JOIN received
    ON received.ord_detl_id = line.ord_detl_id
    AND received.prod_type = line.prod_type
