-- Above-price purchase: order lines sent in the month whose price exceeds the cap by more than the tolerance, or whose listing was suspended.
-- cap = the lower of the line's own listing price when sent and, for a winner of a batch active that day, the award price in the line's pack.
SELECT
    m.month AS month,
    line.county AS county,
    line.medins_code AS subject_code,
    line.prod_code AS product_code,
    CAST(
        CASE
            WHEN line.purcpric - LEAST(line.list_pric, line.award_cap_pric) > $price_tolerance THEN 1
            WHEN line.list_stas = '0' THEN 1
            ELSE 0
        END AS DECIMAL(38, 6)
    ) AS num,
    CAST(1 AS DECIMAL(38, 6)) AS den,
    CAST(
        CASE
            WHEN line.purcpric - LEAST(line.list_pric, line.award_cap_pric) > $price_tolerance
                THEN mul2(line.purcpric - LEAST(line.list_pric, line.award_cap_pric), line.purc_cnt)
            ELSE 0
        END AS DECIMAL(38, 2)
    ) AS amount,
    CASE WHEN line.list_stas = '0' THEN 'suspended' END AS mark,
    'fact_order' AS source_table,
    line.ord_detl_id AS row_key,
    CASE WHEN line.cncl_type IS NOT NULL AND line.cncl_time < m.as_of THEN 'cancelled' END AS excluded_reason
FROM gold.fact_order AS line
INNER JOIN ask.month AS m
    ON m.month = line.month
WHERE line.prod_type = $prod_type
  AND line.org_type = '1'
  AND line.send_time < m.as_of
