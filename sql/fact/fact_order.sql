-- fact_order 订单事件：一行一条订单明细，只含下单、响应、作废的事件及下单时的挂网、中选价界。
-- Questions: what was ordered from whom, when and at which price; was it answered or cancelled; which price was the cap when it was sent?
-- The listing is the line's own as of send_time, before its first version the first; list_pric and list_stas are null before it.
-- award_cap_pric: the lowest award price per pack of the line, where the product is a winner of a batch active on the day of sending.
WITH award AS (
    SELECT
        line.ord_detl_id AS ord_detl_id,
        MIN(CAST(muldiv6(prod.award_pric, version.convrat, prod.award_convrat) AS DECIMAL(38, 6))) AS award_cap_pric
    FROM silver.ord_detl AS line
    INNER JOIN gold.fact_listing_period AS version
        ON version.pubonln_rslt_id = line.pubonln_rslt_id
        AND (version.version_no = 1 OR line.send_time >= version.valid_from)
        AND (version.valid_to IS NULL OR line.send_time < version.valid_to)
    INNER JOIN gold.fact_vbp_product AS prod
        ON prod.prod_code = line.prod_code
        AND prod.prod_role = '1'
        AND prod.agrt_begn_date <= CAST(line.send_time AS DATE)
        AND prod.agrt_end_date >= CAST(line.send_time AS DATE)
    GROUP BY line.ord_detl_id
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
    org.org_type AS org_type,
    line.delventp_code AS delventp_code,
    line.purc_type AS purc_type,
    COALESCE(line.emrg_flag, '0') AS emrg_flag,
    line.purc_cnt AS purc_cnt,
    line.purcpric AS purcpric,
    line.purc_amt AS purc_amt,
    version.convrat AS convrat,
    round6(line.purc_cnt * version.convrat) AS min_cnt,
    CASE
        WHEN line.prod_type = '1' AND version.drug_type IN ('1', '2') THEN '1'
        WHEN line.prod_type = '2' AND version.sep_chrg_flag = '1' THEN '1'
        ELSE '0'
    END AS scope_flag,
    CASE WHEN line.send_time >= version.valid_from THEN version.pubonln_pric END AS list_pric,
    CASE WHEN line.send_time >= version.valid_from THEN version.pubonln_stas END AS list_stas,
    award.award_cap_pric AS award_cap_pric,
    line.send_time AS send_time,
    line.resp_stas AS resp_stas,
    line.resp_time AS resp_time,
    line.cncl_type AS cncl_type,
    line.cncl_time AS cncl_time,
    line.ord_detl_stas AS ord_detl_stas,
    line.updt_time AS updt_time,
    line.county AS county,
    line.month AS month
FROM silver.ord_detl AS line
INNER JOIN silver.institution AS org
    ON org.org_code = line.medins_code
INNER JOIN gold.fact_listing_period AS version
    ON version.pubonln_rslt_id = line.pubonln_rslt_id
    AND (version.version_no = 1 OR line.send_time >= version.valid_from)
    AND (version.valid_to IS NULL OR line.send_time < version.valid_to)
LEFT JOIN award
    ON award.ord_detl_id = line.ord_detl_id
