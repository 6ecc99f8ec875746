-- fact_usage 使用量：机构 × 目录类别 × 国家编码 × 院内编码 × 费用结算类型（医保、自费）× 月一行，冲销已净。
-- Questions: what did an institution or pharmacy charge for an item in a month, how many minimum units, insured or at own expense?
-- med_list_codg is '' where the line has no national code. last_ocur_time tells whether the whole month lies before a T.
SELECT
    fee.fixmedins_code AS fixmedins_code,
    fee.list_type AS list_type,
    COALESCE(fee.med_list_codg, '') AS med_list_codg,
    fee.medins_list_codg AS medins_list_codg,
    fee.hi_feesetl_type AS hi_feesetl_type,
    MAX(org.org_type) AS org_type,
    MAX(org.publ_flag) AS publ_flag,
    MAX(org.medins_lv) AS medins_lv,
    MAX(fee.convrat) AS convrat,
    CAST(SUM(fee.cnt) AS DECIMAL(38, 6)) AS used_cnt,
    round6(SUM(fee.cnt * fee.convrat)) AS used_min_cnt,
    CAST(SUM(fee.det_item_fee_sumamt) AS DECIMAL(38, 2)) AS used_amt,
    COUNT(*) AS fee_lines,
    MAX(fee.fee_ocur_time) AS last_ocur_time,
    fee.county AS county,
    fee.month AS month
FROM silver.fee_list AS fee
INNER JOIN silver.institution AS org
    ON org.org_code = fee.fixmedins_code
GROUP BY
    fee.fixmedins_code,
    fee.list_type,
    COALESCE(fee.med_list_codg, ''),
    fee.medins_list_codg,
    fee.hi_feesetl_type,
    fee.county,
    fee.month
