-- used 使用：所问月份 × 其近12个月（back 0..11）的使用量，一行一条 fact_usage；T 落在月中的月份改取该月的费用明细，使 T 精确切断。
-- Questions: what did institutions and pharmacies charge in the month, or in the months before it, up to T?
-- An indicator of one month takes back = 0. serv_code: the national code, else the institution's own. Lines of all list types.
SELECT
    span.month AS month,
    span.back AS back,
    usage.county AS county,
    usage.fixmedins_code AS fixmedins_code,
    usage.org_type AS org_type,
    usage.publ_flag AS publ_flag,
    usage.list_type AS list_type,
    usage.med_list_codg AS med_list_codg,
    CASE WHEN usage.med_list_codg = '' THEN usage.medins_list_codg ELSE usage.med_list_codg END AS serv_code,
    usage.hi_feesetl_type AS hi_feesetl_type,
    usage.used_cnt AS cnt,
    CAST(usage.used_cnt * usage.convrat AS DECIMAL(38, 10)) AS min_cnt,
    usage.used_amt AS used_amt,
    'fact_usage' AS source_table,
    concat_ws(
        '|',
        usage.fixmedins_code,
        usage.list_type,
        usage.med_list_codg,
        usage.medins_list_codg,
        usage.hi_feesetl_type,
        usage.month
    ) AS row_key
FROM gold.fact_usage AS usage
INNER JOIN ask.span AS span
    ON span.window_month = usage.month
INNER JOIN ask.month AS m
    ON m.month = span.month
WHERE span.back > 0
   OR m.as_of = m.month_end
UNION ALL
SELECT
    m.month AS month,
    CAST(0 AS BIGINT) AS back,
    fee.county AS county,
    fee.fixmedins_code AS fixmedins_code,
    fee.org_type AS org_type,
    fee.publ_flag AS publ_flag,
    fee.list_type AS list_type,
    fee.med_list_codg AS med_list_codg,
    CASE WHEN fee.med_list_codg = '' THEN fee.medins_list_codg ELSE fee.med_list_codg END AS serv_code,
    fee.hi_feesetl_type AS hi_feesetl_type,
    fee.cnt AS cnt,
    CAST(fee.cnt * fee.convrat AS DECIMAL(38, 10)) AS min_cnt,
    fee.det_item_fee_sumamt AS used_amt,
    'fact_fee_line' AS source_table,
    fee.bkkp_sn AS row_key
FROM gold.fact_fee_line AS fee
INNER JOIN ask.month AS m
    ON m.month = fee.month
WHERE m.as_of < m.month_end
  AND fee.fee_ocur_time < m.as_of
