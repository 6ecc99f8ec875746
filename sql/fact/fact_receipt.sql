-- fact_receipt 收货：一行一条已收货的发货明细（发货状态已收货、有收货时间、收货数量大于零）。
-- Questions: what did an institution receive, when, from whom, at which unit price; was it confirmed by hand; when is it due for payment?
-- Convrat, scope and listing are those of the order line; receipt_amt = round(shpp_cnt × shp_pric, 2); unit_pric = shp_pric ÷ convrat.
SELECT
    shp.shp_id AS shp_id,
    shp.ord_detl_id AS ord_detl_id,
    line.medins_code AS medins_code,
    line.org_type AS org_type,
    line.delventp_code AS delventp_code,
    line.prod_type AS prod_type,
    line.prod_code AS prod_code,
    line.pubonln_rslt_id AS pubonln_rslt_id,
    line.purc_type AS purc_type,
    line.scope_flag AS scope_flag,
    line.send_time AS send_time,
    shp.shp_time AS shp_time,
    shp.arvl_time AS arvl_time,
    shp.shpp_time AS shpp_time,
    COALESCE(shp.auto_shpp_flag, '0') AS auto_shpp_flag,
    shp.shpp_cnt AS shpp_cnt,
    shp.shp_pric AS shp_pric,
    line.convrat AS convrat,
    round6(shp.shpp_cnt * line.convrat) AS min_cnt,
    CAST(mul2(shp.shpp_cnt, shp.shp_pric) AS DECIMAL(38, 2)) AS receipt_amt,
    CAST(div6(shp.shp_pric, line.convrat) AS DECIMAL(38, 6)) AS unit_pric,
    shp.updt_time AS updt_time,
    shp.county AS county,
    shp.month AS month
FROM silver.shp AS shp
INNER JOIN gold.fact_order AS line
    ON line.ord_detl_id = shp.ord_detl_id
WHERE shp.shp_stas = '3'
  AND shp.shpp_time IS NOT NULL
  AND shp.shpp_cnt > 0
