-- fact_ref_price 外省参考价：产品 × 省 × 生效日一行。
-- Questions: what does the same product cost in other provinces, since when, and is that zone active?
SELECT
    ref.prod_code AS prod_code,
    ref.prov_admdvs AS prov_admdvs,
    ref.eff_date AS eff_date,
    ref.ref_pric AS ref_pric,
    ref.ref_convrat AS ref_convrat,
    CAST(div6(ref.ref_pric, ref.ref_convrat) AS DECIMAL(38, 6)) AS unit_pric,
    ref.actv_zone_flag AS actv_zone_flag,
    ref.updt_time AS updt_time,
    ref.county AS county,
    ref.month AS month
FROM silver.ref_pric AS ref
