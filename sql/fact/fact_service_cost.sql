-- fact_service_cost 医疗服务项目成本：机构 × 项目 × 成本月份一行。
-- Questions: what does a service cost the institution that charges for it?
SELECT
    cost.fixmedins_code AS fixmedins_code,
    cost.serv_code AS serv_code,
    cost.cost_month AS cost_month,
    cost.unit_cost AS unit_cost,
    cost.updt_time AS updt_time,
    cost.county AS county,
    cost.month AS month
FROM silver.serv_cost AS cost
