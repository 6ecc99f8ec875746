-- fact_order_line 订单明细履约（下单、响应、发货、收货、退货、付款）：一行一条订单明细，随运行更新的累计快照。
-- Questions: how far has an order line been fulfilled and paid; what is still open, with whom?
-- The totals (shipped … paid) are as of the run and serve BI; indicators take the event facts with their own times.
WITH receipt AS (
    SELECT
        shp.ord_detl_id AS ord_detl_id,
        SUM(shp.shp_cnt) AS shipped_cnt,
        SUM(CASE WHEN shp.shp_stas = '3' AND shp.shpp_time IS NOT NULL THEN shp.shpp_cnt END) AS received_cnt,
        SUM(
            CASE WHEN shp.shp_stas = '3' AND shp.shpp_time IS NOT NULL THEN mul2(shp.shpp_cnt, shp.shp_pric) END
        ) AS received_amt,
        MIN(CASE WHEN shp.shp_stas = '3' AND shp.shpp_cnt > 0 THEN shp.shpp_time END) AS first_shpp_time,
        MAX(CASE WHEN shp.shp_stas = '3' AND shp.shpp_cnt > 0 THEN shp.shpp_time END) AS last_shpp_time
    FROM silver.shp AS shp
    WHERE shp.shp_stas <> '4'
    GROUP BY shp.ord_detl_id
),

back AS (
    SELECT
        shp.ord_detl_id AS ord_detl_id,
        SUM(retn.retn_cnt) AS returned_cnt,
        SUM(retn.retn_amt) AS returned_amt
    FROM silver.retn AS retn
    INNER JOIN silver.shp AS shp
        ON shp.shp_id = retn.shp_id
    WHERE retn.retn_chk_stas = '2'
    GROUP BY shp.ord_detl_id
),

paid AS (
    SELECT
        shp.ord_detl_id AS ord_detl_id,
        SUM(pay.pay_amt) AS paid_amt
    FROM silver.pay_detl AS pay
    INNER JOIN silver.shp AS shp
        ON shp.shp_id = pay.shp_id
    GROUP BY shp.ord_detl_id
)

SELECT
    line.ord_detl_id AS ord_detl_id,
    line.ord_id AS ord_id,
    line.ord_code AS ord_code,
    line.purc_plan_detl_id AS purc_plan_detl_id,
    line.prod_type AS prod_type,
    line.prod_code AS prod_code,
    line.pubonln_rslt_id AS pubonln_rslt_id,
    line.medins_code AS medins_code,
    line.org_type AS org_type,
    line.delventp_code AS delventp_code,
    line.purc_type AS purc_type,
    line.emrg_flag AS emrg_flag,
    line.purc_cnt AS purc_cnt,
    line.purcpric AS purcpric,
    line.purc_amt AS purc_amt,
    line.convrat AS convrat,
    line.min_cnt AS min_cnt,
    line.scope_flag AS scope_flag,
    line.list_pric AS list_pric,
    line.award_cap_pric AS award_cap_pric,
    line.send_time AS send_time,
    line.resp_stas AS resp_stas,
    line.resp_time AS resp_time,
    line.cncl_type AS cncl_type,
    line.cncl_time AS cncl_time,
    line.ord_detl_stas AS ord_detl_stas,
    receipt.first_shpp_time AS first_shpp_time,
    receipt.last_shpp_time AS last_shpp_time,
    CAST(COALESCE(receipt.shipped_cnt, 0) AS DECIMAL(38, 6)) AS shipped_cnt,
    CAST(COALESCE(receipt.received_cnt, 0) AS DECIMAL(38, 6)) AS received_cnt,
    CAST(COALESCE(receipt.received_amt, 0) AS DECIMAL(38, 2)) AS received_amt,
    CAST(COALESCE(back.returned_cnt, 0) AS DECIMAL(38, 6)) AS returned_cnt,
    CAST(COALESCE(back.returned_amt, 0) AS DECIMAL(38, 2)) AS returned_amt,
    CAST(COALESCE(paid.paid_amt, 0) AS DECIMAL(38, 2)) AS paid_amt,
    line.county AS county,
    line.month AS month
FROM gold.fact_order AS line
LEFT JOIN receipt
    ON receipt.ord_detl_id = line.ord_detl_id
LEFT JOIN back
    ON back.ord_detl_id = line.ord_detl_id
LEFT JOIN paid
    ON paid.ord_detl_id = line.ord_detl_id
