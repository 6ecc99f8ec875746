-- fact_return 退货：一行一条已确认的退货。
-- Questions: what went back, when, from which shipment, and how much comes off what was received?
-- Line, product and unit price are those of the shipment; the month is that of the return itself.
SELECT
    retn.retn_id AS retn_id,
    retn.shp_id AS shp_id,
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
    shp.shpp_time AS shpp_time,
    retn.medins_retn_time AS medins_retn_time,
    retn.retn_cnt AS retn_cnt,
    retn.retn_amt AS retn_amt,
    line.convrat AS convrat,
    round6(retn.retn_cnt * line.convrat) AS min_cnt,
    CAST(div6(shp.shp_pric, line.convrat) AS DECIMAL(38, 6)) AS unit_pric,
    retn.updt_time AS updt_time,
    retn.county AS county,
    retn.month AS month
FROM silver.retn AS retn
INNER JOIN silver.shp AS shp
    ON shp.shp_id = retn.shp_id
INNER JOIN gold.fact_order AS line
    ON line.ord_detl_id = shp.ord_detl_id
WHERE retn.retn_chk_stas = '2'
