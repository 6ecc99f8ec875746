-- fact_tri_agreement 三方协议：协议行一行，带批次的产品类型与协议期。
-- Questions: which agreements were pushed, who has signed when, and who blocks?
SELECT
    agrm.agrm_id AS agrm_id,
    agrm.btch_code AS btch_code,
    agrm.prod_code AS prod_code,
    agrm.medins_code AS medins_code,
    agrm.prodentp_code AS prodentp_code,
    agrm.delventp_code AS delventp_code,
    batch.prod_type AS prod_type,
    batch.agrt_begn_date AS agrt_begn_date,
    batch.agrt_end_date AS agrt_end_date,
    org.org_type AS org_type,
    agrm.push_time AS push_time,
    agrm.medins_sign_time AS medins_sign_time,
    agrm.delventp_sign_time AS delventp_sign_time,
    agrm.prodentp_sign_time AS prodentp_sign_time,
    agrm.sign_ddln AS sign_ddln,
    agrm.updt_time AS updt_time,
    agrm.county AS county,
    agrm.month AS month
FROM silver.tri_agrm AS agrm
INNER JOIN silver.vbp_batch AS batch
    ON batch.btch_code = agrm.btch_code
INNER JOIN silver.institution AS org
    ON org.org_code = agrm.medins_code
