-- Above-price purchase: order lines sent in the month whose price exceeds the cap by more than the tolerance, or whose listing was suspended.
SELECT
    line.month AS month,
    line.county AS county,
    line.medins_code AS subject_code,
    line.prod_code AS product_code,
    CAST(CASE WHEN line.excess_pric > $price_tolerance OR line.list_stas = '0' THEN 1 ELSE 0 END AS DECIMAL(38, 6)) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    CAST(CASE WHEN line.excess_pric > $price_tolerance THEN mul2(line.excess_pric, line.purc_cnt) ELSE 0 END AS DECIMAL(38, 2)) AS amount,
    CASE WHEN line.list_stas = '0' THEN 'suspended' END AS mark,
    'fact_order' AS source_table,
    line.ord_detl_id AS row_key,
    line.excluded_reason AS excluded_reason
FROM ask.ordered AS line
WHERE line.prod_type = $prod_type
  AND line.org_type = '1'
