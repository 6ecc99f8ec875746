-- Filed-purchase share: net received amount of in-scope drugs on filed orders (purc_type 2) ÷ on all orders, twelve months, by institution.
SELECT
    m.month AS month,
    moved.county AS county,
    moved.medins_code AS subject_code,
    CAST(CASE WHEN moved.purc_type = '2' THEN moved.event_amt ELSE 0 END AS DECIMAL(38, 6)) AS num,
    CAST(moved.event_amt AS DECIMAL(38, 6)) AS den,
    moved.source_table AS source_table,
    moved.row_key AS row_key
FROM ask.moved AS moved
INNER JOIN ask.span AS span
    ON span.window_month = moved.event_month
INNER JOIN ask.month AS m
    ON m.month = span.month
WHERE moved.prod_type = $prod_type
  AND moved.org_type = '1'
  AND moved.scope_flag = '1'
  AND moved.event_time < m.as_of
