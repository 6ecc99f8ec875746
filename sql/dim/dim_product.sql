-- dim_product 产品维度：一行一个药品或耗材编码，取最近一次状态（含尚未到期的版本；指标按时点取 fact_product_state）。
-- Questions: what is a product called, who makes it, in which groups and flags does it fall, what does it cost now?
WITH ranked AS (
    SELECT
        state.prod_type AS prod_type,
        state.prod_code AS prod_code,
        state.state_time AS state_time,
        state.listed_flag AS listed_flag,
        state.unit_pric AS unit_pric,
        state.pubonln_rslt_id AS pubonln_rslt_id,
        state.convrat AS convrat,
        state.prod_name AS prod_name,
        state.genname AS genname,
        state.dosform AS dosform,
        state.prod_spec AS prod_spec,
        state.unt AS unt,
        state.prodentp_code AS prodentp_code,
        state.prodentp_name AS prodentp_name,
        state.drug_type AS drug_type,
        state.bas_medn_flag AS bas_medn_flag,
        state.conseval_flag AS conseval_flag,
        state.nego_flag AS nego_flag,
        state.shortage_flag AS shortage_flag,
        state.injection_flag AS injection_flag,
        state.hval_flag AS hval_flag,
        state.sep_chrg_flag AS sep_chrg_flag,
        state.scope_flag AS scope_flag,
        state.county AS county,
        state.month AS month,
        ROW_NUMBER() OVER (
            PARTITION BY state.prod_type, state.prod_code
            ORDER BY state.state_time DESC, state.prod_type, state.prod_code
        ) AS state_no
    FROM gold.fact_product_state AS state
)

SELECT
    ranked.prod_type AS prod_type,
    ranked.prod_code AS prod_code,
    ranked.prod_name AS prod_name,
    ranked.genname AS genname,
    ranked.dosform AS dosform,
    ranked.prod_spec AS prod_spec,
    ranked.unt AS unt,
    ranked.convrat AS convrat,
    ranked.prodentp_code AS prodentp_code,
    ranked.prodentp_name AS prodentp_name,
    ranked.drug_type AS drug_type,
    ranked.bas_medn_flag AS bas_medn_flag,
    ranked.conseval_flag AS conseval_flag,
    ranked.nego_flag AS nego_flag,
    ranked.shortage_flag AS shortage_flag,
    ranked.injection_flag AS injection_flag,
    ranked.hval_flag AS hval_flag,
    ranked.sep_chrg_flag AS sep_chrg_flag,
    ranked.scope_flag AS scope_flag,
    ranked.listed_flag AS listed_flag,
    ranked.unit_pric AS unit_pric,
    ranked.pubonln_rslt_id AS pubonln_rslt_id,
    ranked.state_time AS state_time,
    ranked.county AS county,
    ranked.month AS month
FROM ranked
WHERE ranked.state_no = 1
