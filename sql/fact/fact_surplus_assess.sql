-- fact_surplus_assess 结余留用考核：机构 × 批次一行。
-- Questions: with which fund shares and which score is the surplus of an institution reckoned?
SELECT
    assess.fixmedins_code AS fixmedins_code,
    assess.btch_code AS btch_code,
    assess.prev_fund_ratio AS prev_fund_ratio,
    assess.cur_fund_ratio AS cur_fund_ratio,
    assess.insured_share AS insured_share,
    assess.score AS score,
    assess.updt_time AS updt_time,
    assess.county AS county,
    assess.month AS month
FROM silver.surplus_assess AS assess
