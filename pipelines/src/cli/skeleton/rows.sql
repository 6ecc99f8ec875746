-- One row per source row that counts: order lines sent in the month, by institution. The engine adds up `num`, rolls up and judges.
SELECT
    m.month AS month,
    line.county AS county,
    line.medins_code AS subject_code,
    CAST(1 AS DECIMAL(38, 6)) AS num,
    'fact_order' AS source_table,
    line.ord_detl_id AS row_key
FROM gold.fact_order AS line
INNER JOIN ask.month AS m
    ON m.month = line.month
WHERE line.send_time < m.as_of
