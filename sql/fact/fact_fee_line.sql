-- fact_fee_line 费用明细：一行一条结算费用明细（窄表）。
-- Questions: which lines stand behind a usage figure or an alert; what was charged per line against the guide price (S03)?
-- fact_usage adds these lines up by month; a month still open at T is taken from here, so that T cuts exactly.
SELECT
    fee.bkkp_sn AS bkkp_sn,
    fee.init_feedetl_sn AS init_feedetl_sn,
    fee.fixmedins_code AS fixmedins_code,
    org.org_type AS org_type,
    org.publ_flag AS publ_flag,
    org.medins_lv AS medins_lv,
    fee.list_type AS list_type,
    COALESCE(fee.med_list_codg, '') AS med_list_codg,
    fee.medins_list_codg AS medins_list_codg,
    fee.hi_feesetl_type AS hi_feesetl_type,
    fee.fee_ocur_time AS fee_ocur_time,
    fee.cnt AS cnt,
    fee.pric AS pric,
    fee.det_item_fee_sumamt AS det_item_fee_sumamt,
    fee.convrat AS convrat,
    fee.county AS county,
    fee.month AS month
FROM silver.fee_list AS fee
INNER JOIN silver.institution AS org
    ON org.org_code = fee.fixmedins_code
