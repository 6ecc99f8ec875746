-- Evidence of service price against cost: the usage rows behind the averages (num = amount, den = count of the row: averages are no sums).
WITH service AS (
    SELECT
        m.month AS month,
        'this' AS period,
        usage.county AS county,
        usage.fixmedins_code AS fixmedins_code,
        CASE WHEN usage.med_list_codg = '' THEN usage.medins_list_codg ELSE usage.med_list_codg END AS serv_code,
        usage.hi_feesetl_type AS hi_feesetl_type,
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
        ON m.month = usage.month
    WHERE m.as_of = m.month_end
      AND usage.list_type = '201'
      AND usage.org_type = '1'
    UNION ALL
    SELECT
        m.month AS month,
        'this' AS period,
        fee.county AS county,
        fee.fixmedins_code AS fixmedins_code,
        CASE WHEN fee.med_list_codg = '' THEN fee.medins_list_codg ELSE fee.med_list_codg END AS serv_code,
        fee.hi_feesetl_type AS hi_feesetl_type,
        fee.cnt AS cnt,
        fee.det_item_fee_sumamt AS used_amt,
        'fact_fee_line' AS source_table,
        fee.bkkp_sn AS row_key
    FROM gold.fact_fee_line AS fee
    INNER JOIN ask.month AS m
        ON m.month = fee.month
    WHERE m.as_of < m.month_end
      AND fee.fee_ocur_time < m.as_of
      AND fee.list_type = '201'
      AND fee.org_type = '1'
)

SELECT
    'main' AS measure,
    service.month AS month,
    service.county AS county,
    'subject' AS level,
    service.fixmedins_code AS subject_code,
    service.serv_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    service.source_table AS source_table,
    service.row_key AS row_key,
    CAST(service.used_amt AS DECIMAL(38, 10)) AS num,
    CAST(service.cnt AS DECIMAL(38, 10)) AS den,
    CAST(NULL AS DECIMAL(38, 2)) AS amount
FROM service
