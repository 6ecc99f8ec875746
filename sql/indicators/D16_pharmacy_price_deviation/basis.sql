-- What pharmacies charged for known in-scope drugs in the month, a row a source row, with the listing price at T.
SELECT
    used.month AS month,
    used.county AS county,
    used.fixmedins_code AS fixmedins_code,
    used.med_list_codg AS prod_code,
    used.hi_feesetl_type AS hi_feesetl_type,
    used.min_cnt AS min_cnt,
    used.used_amt AS used_amt,
    used.source_table AS source_table,
    used.row_key AS row_key,
    state.unit_pric AS ref_pric
FROM ask.used AS used
INNER JOIN ask.product_state AS state
    ON state.month = used.month
    AND state.prod_code = used.med_list_codg
WHERE used.back = 0
  AND used.list_type = $list_type
  AND used.org_type = '2'
  AND state.prod_type = $prod_type
  AND state.scope_flag = '1'
