-- fact_service_price 医疗服务政府指导价：项目 × 机构等级 × 生效日一行。
-- Questions: what may an institution of a level charge for a service on a day?
SELECT
    price.serv_code AS serv_code,
    price.medins_lv AS medins_lv,
    price.eff_date AS eff_date,
    price.serv_name AS serv_name,
    price.pric_uplmt AS pric_uplmt,
    price.updt_time AS updt_time,
    price.county AS county,
    price.month AS month
FROM silver.serv_pric AS price
