-- fact_payment 货款支付：一行一条支付明细，带所付发货的机构、产品与收货时间。
-- Questions: what was paid, when, by the fund or by the institution, how many days after receipt?
-- receipt_flag 1: the shipment is a receipt (received, with time and quantity); whether it was one by T says shpp_time.
SELECT
    pay.pay_detl_id AS pay_detl_id,
    pay.shp_id AS shp_id,
    shp.ord_detl_id AS ord_detl_id,
    line.medins_code AS medins_code,
    line.org_type AS org_type,
    line.delventp_code AS delventp_code,
    line.prod_type AS prod_type,
    line.prod_code AS prod_code,
    pay.pay_mode AS pay_mode,
    pay.pay_amt AS pay_amt,
    pay.pay_time AS pay_time,
    shp.shpp_time AS shpp_time,
    CASE
        WHEN shp.shp_stas = '3' AND shp.shpp_time IS NOT NULL AND shp.shpp_cnt > 0 THEN '1'
        ELSE '0'
    END AS receipt_flag,
    pay.updt_time AS updt_time,
    pay.county AS county,
    pay.month AS month
FROM silver.pay_detl AS pay
INNER JOIN silver.shp AS shp
    ON shp.shp_id = pay.shp_id
INNER JOIN gold.fact_order AS line
    ON line.ord_detl_id = shp.ord_detl_id
