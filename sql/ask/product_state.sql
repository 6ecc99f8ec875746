-- product_state 产品在T的状态：所问月份 × 产品一行，取 T 之前最近的状态；没有的产品在 T 时未知。
-- Questions: which products were known at T, listed or not, at which listing price, with which attributes?
SELECT
    ranked.month AS month,
    ranked.prod_type AS prod_type,
    ranked.prod_code AS prod_code,
    ranked.listed_flag AS listed_flag,
    ranked.unit_pric AS unit_pric,
    ranked.pubonln_rslt_id AS pubonln_rslt_id,
    ranked.pric_eff_time AS pric_eff_time,
    ranked.genname AS genname,
    ranked.dosform AS dosform,
    ranked.prod_spec AS prod_spec,
    ranked.unt AS unt,
    ranked.drug_type AS drug_type,
    ranked.conseval_flag AS conseval_flag,
    ranked.nego_flag AS nego_flag,
    ranked.shortage_flag AS shortage_flag,
    ranked.injection_flag AS injection_flag,
    ranked.hval_flag AS hval_flag,
    ranked.scope_flag AS scope_flag
FROM (
    SELECT
        m.month AS month,
        state.prod_type AS prod_type,
        state.prod_code AS prod_code,
        state.listed_flag AS listed_flag,
        state.unit_pric AS unit_pric,
        state.pubonln_rslt_id AS pubonln_rslt_id,
        state.pric_eff_time AS pric_eff_time,
        state.genname AS genname,
        state.dosform AS dosform,
        state.prod_spec AS prod_spec,
        state.unt AS unt,
        state.drug_type AS drug_type,
        state.conseval_flag AS conseval_flag,
        state.nego_flag AS nego_flag,
        state.shortage_flag AS shortage_flag,
        state.injection_flag AS injection_flag,
        state.hval_flag AS hval_flag,
        state.scope_flag AS scope_flag,
        ROW_NUMBER() OVER (
            PARTITION BY m.month, state.prod_type, state.prod_code
            ORDER BY state.state_time DESC, state.prod_type, state.prod_code
        ) AS state_no
    FROM gold.fact_product_state AS state
    INNER JOIN ask.month AS m
        ON state.state_time < m.as_of
) AS ranked
WHERE ranked.state_no = 1
