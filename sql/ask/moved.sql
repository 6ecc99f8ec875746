-- moved 净收货事件：收货一行（正），已确认的退货一行（负），各计入自己发生的月份；退货的机构、产品、单价随其发货。
-- Questions: what was received and sent back, by whom, of which product and type, at which unit price, on which kind of order?
-- Not cut at T: who reads it joins the months asked and takes event_time < as_of.
SELECT
    receipt.county AS county,
    receipt.month AS event_month,
    receipt.shpp_time AS event_time,
    receipt.medins_code AS medins_code,
    receipt.org_type AS org_type,
    receipt.prod_type AS prod_type,
    receipt.prod_code AS prod_code,
    receipt.purc_type AS purc_type,
    receipt.scope_flag AS scope_flag,
    receipt.unit_pric AS unit_pric,
    CAST(receipt.shpp_cnt * receipt.convrat AS DECIMAL(38, 10)) AS min_cnt,
    receipt.receipt_amt AS event_amt,
    'fact_receipt' AS source_table,
    receipt.shp_id AS row_key
FROM gold.fact_receipt AS receipt
UNION ALL
SELECT
    back.county AS county,
    back.month AS event_month,
    back.medins_retn_time AS event_time,
    back.medins_code AS medins_code,
    back.org_type AS org_type,
    back.prod_type AS prod_type,
    back.prod_code AS prod_code,
    back.purc_type AS purc_type,
    back.scope_flag AS scope_flag,
    back.unit_pric AS unit_pric,
    CAST(-(back.retn_cnt * back.convrat) AS DECIMAL(38, 10)) AS min_cnt,
    -back.retn_amt AS event_amt,
    'fact_return' AS source_table,
    back.retn_id AS row_key
FROM gold.fact_return AS back
