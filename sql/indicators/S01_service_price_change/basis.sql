-- What institutions charged for services in the month (period `this`), the month before (`last`) and the same month a year before (`year_ago`),
-- a row a source row.
SELECT
    used.month AS month,
    CASE WHEN used.back = 0 THEN 'this' ELSE 'last' END AS period,
    used.county AS county,
    used.fixmedins_code AS fixmedins_code,
    used.serv_code AS serv_code,
    used.cnt AS cnt,
    used.used_amt AS used_amt,
    used.source_table AS source_table,
    used.row_key AS row_key
FROM ask.used AS used
WHERE used.back <= 1
  AND used.list_type = '201'
  AND used.org_type = '1'
UNION ALL
SELECT
    m.month AS month,
    'year_ago' AS period,
    usage.county AS county,
    usage.fixmedins_code AS fixmedins_code,
    CASE WHEN usage.med_list_codg = '' THEN usage.medins_list_codg ELSE usage.med_list_codg END AS serv_code,
    usage.used_cnt AS cnt,
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
INNER JOIN ask.month AS m
    ON m.year_ago_month = usage.month
WHERE usage.list_type = '201'
  AND usage.org_type = '1'
