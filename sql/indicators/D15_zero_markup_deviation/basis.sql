-- What a public institution charged for known in-scope products in the month (part `used`), and what institutions received in the 90 days
-- before T (part `received`, with its unit price), a row a source row.
SELECT
    'used' AS part,
    used.month AS month,
    used.county AS county,
    used.fixmedins_code AS medins_code,
    used.med_list_codg AS prod_code,
    CAST(NULL AS DECIMAL(38, 6)) AS unit_pric,
    used.used_amt AS amt,
    used.min_cnt AS min_cnt,
    used.source_table AS source_table,
    used.row_key AS row_key
FROM ask.used AS used
INNER JOIN ask.product_state AS state
    ON state.month = used.month
    AND state.prod_code = used.med_list_codg
WHERE used.back = 0
  AND used.list_type = $list_type
  AND used.org_type = '1'
  AND used.publ_flag = '1'
  AND state.prod_type = $prod_type
  AND state.scope_flag = '1'
UNION ALL
SELECT
    'received' AS part,
    m.month AS month,
    receipt.county AS county,
    receipt.medins_code AS medins_code,
    receipt.prod_code AS prod_code,
    CAST(receipt.unit_pric AS DECIMAL(38, 6)) AS unit_pric,
    receipt.receipt_amt AS amt,
    CAST(receipt.shpp_cnt * receipt.convrat AS DECIMAL(38, 10)) AS min_cnt,
    'fact_receipt' AS source_table,
    receipt.shp_id AS row_key
FROM gold.fact_receipt AS receipt
INNER JOIN ask.month AS m
    ON receipt.shpp_time < m.as_of
    AND receipt.shpp_time >= m.as_of - INTERVAL '90 days'
WHERE receipt.prod_type = $prod_type
