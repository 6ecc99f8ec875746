-- fact_surplus_base 结余留用基数：批次 × 分组一行。
-- Questions: what did a minimum unit of the group cost before volume-based procurement?
SELECT
    base.btch_code AS btch_code,
    base.grp_code AS grp_code,
    base.pre_unit_pric AS pre_unit_pric,
    base.updt_time AS updt_time,
    base.county AS county,
    base.month AS month
FROM silver.surplus_base AS base
