-- fact_purchase_plan 采购计划：采购计划明细一行。
-- Questions: what did an institution plan to buy, and what became of it (fact_order.purc_plan_detl_id)?
SELECT
    plan.purc_plan_detl_id AS purc_plan_detl_id,
    plan.medins_code AS medins_code,
    plan.prod_code AS prod_code,
    plan.plan_cnt AS plan_cnt,
    plan.plan_amt AS plan_amt,
    plan.plan_time AS plan_time,
    plan.updt_time AS updt_time,
    plan.county AS county,
    plan.month AS month
FROM silver.purc_plan AS plan
