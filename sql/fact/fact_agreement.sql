-- fact_agreement 约定采购量：批次 × 分组 × 机构 × 中选产品一行，带协议期与中选价。
-- Questions: how much has an institution agreed to buy, at which award price, until when, and how much had it reported?
SELECT
    agrm.btch_code AS btch_code,
    agrm.grp_code AS grp_code,
    agrm.medins_code AS medins_code,
    agrm.prod_code AS prod_code,
    batch.prod_type AS prod_type,
    batch.agrt_begn_date AS agrt_begn_date,
    batch.agrt_end_date AS agrt_end_date,
    org.org_type AS org_type,
    agrm.agrm_cnt AS agrm_cnt,
    agrm.rpt_cnt AS rpt_cnt,
    prod.award_unit_pric AS award_unit_pric,
    agrm.updt_time AS updt_time,
    agrm.county AS county,
    agrm.month AS month
FROM silver.vbp_agrm AS agrm
INNER JOIN silver.vbp_batch AS batch
    ON batch.btch_code = agrm.btch_code
INNER JOIN silver.institution AS org
    ON org.org_code = agrm.medins_code
LEFT JOIN gold.fact_vbp_product AS prod
    ON prod.btch_code = agrm.btch_code
    AND prod.grp_code = agrm.grp_code
    AND prod.prod_code = agrm.prod_code
