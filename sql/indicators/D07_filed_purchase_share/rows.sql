-- Filed-purchase share: net received amount of in-scope drugs on filed orders (purc_type 2) ÷ on all orders, twelve months, by institution.
WITH moved AS (
    SELECT
        receipt.county AS county,
        receipt.month AS event_month,
        receipt.shpp_time AS event_time,
        receipt.medins_code AS medins_code,
        receipt.prod_code AS prod_code,
        receipt.purc_type AS purc_type,
        CAST(receipt.shpp_cnt * receipt.convrat AS DECIMAL(38, 10)) AS min_cnt,
        receipt.receipt_amt AS event_amt,
        'fact_receipt' AS source_table,
        receipt.shp_id AS row_key
    FROM gold.fact_receipt AS receipt
    WHERE receipt.prod_type = $prod_type
      AND receipt.org_type = '1'
      AND receipt.scope_flag = '1'
    UNION ALL
    SELECT
        back.county AS county,
        back.month AS event_month,
        back.medins_retn_time AS event_time,
        back.medins_code AS medins_code,
        back.prod_code AS prod_code,
        back.purc_type AS purc_type,
        CAST(-(back.retn_cnt * back.convrat) AS DECIMAL(38, 10)) AS min_cnt,
        -back.retn_amt AS event_amt,
        'fact_return' AS source_table,
        back.retn_id AS row_key
    FROM gold.fact_return AS back
    WHERE back.prod_type = $prod_type
      AND back.org_type = '1'
      AND back.scope_flag = '1'
)

SELECT
    m.month AS month,
    moved.county AS county,
    moved.medins_code AS subject_code,
    CAST(CASE WHEN moved.purc_type = '2' THEN moved.event_amt ELSE 0 END AS DECIMAL(38, 6)) AS num,
    CAST(moved.event_amt AS DECIMAL(38, 6)) AS den,
    moved.source_table AS source_table,
    moved.row_key AS row_key
FROM moved
INNER JOIN ask.span AS span
    ON span.window_month = moved.event_month
INNER JOIN ask.month AS m
    ON m.month = span.month
WHERE moved.event_time < m.as_of
