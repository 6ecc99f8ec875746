-- On-time payment. main: receipts whose due date (day of receipt + the term) lies in the month and not after T: paid by then ÷ received less returned.
-- overdue: Σ of what is still unpaid at T of receipts more than the term ago, any month. dso: amount-weighted days from receipt to payment.
-- direct_rate: share of payments made by the fund, products with role 1 or 2 in a batch active at T.
WITH receipt AS (
    SELECT
        receipt.shp_id AS shp_id,
        receipt.county AS county,
        receipt.medins_code AS medins_code,
        receipt.receipt_amt AS receipt_amt,
        receipt.shpp_time AS shpp_time,
        CAST(CAST(receipt.shpp_time AS DATE) AS INTEGER) AS receipt_day,
        CAST(CAST(CAST(receipt.shpp_time AS DATE) AS INTEGER) + $due_days AS INTEGER) AS due_day
    FROM gold.fact_receipt AS receipt
    WHERE receipt.prod_type = $prod_type
      AND receipt.org_type = '1'
),

movement AS (
    SELECT
        back.shp_id AS shp_id,
        concat('r', back.retn_id) AS movement_id,
        back.medins_retn_time AS movement_time,
        back.retn_amt AS returned_amt,
        CAST(0 AS DECIMAL(38, 2)) AS paid_amt
    FROM gold.fact_return AS back
    WHERE back.prod_type = $prod_type
      AND back.org_type = '1'
    UNION ALL
    SELECT
        pay.shp_id AS shp_id,
        concat('p', pay.pay_detl_id) AS movement_id,
        pay.pay_time AS movement_time,
        CAST(0 AS DECIMAL(38, 2)) AS returned_amt,
        pay.pay_amt AS paid_amt
    FROM gold.fact_payment AS pay
    WHERE pay.prod_type = $prod_type
      AND pay.org_type = '1'
),

running AS (
    SELECT
        movement.shp_id AS shp_id,
        movement.movement_time AS movement_time,
        SUM(movement.returned_amt + movement.paid_amt) OVER (
            PARTITION BY movement.shp_id
            ORDER BY movement.movement_time, movement.movement_id
        ) AS settled_amt
    FROM movement
),

settled AS (
    SELECT
        receipt.shp_id AS shp_id,
        MIN(running.movement_time) AS settled_time
    FROM receipt
    INNER JOIN running
        ON running.shp_id = receipt.shp_id
    WHERE running.settled_amt >= receipt.receipt_amt
    GROUP BY receipt.shp_id
),

due AS (
    SELECT
        m.month AS month,
        receipt.county AS county,
        receipt.medins_code AS medins_code,
        receipt.shp_id AS shp_id,
        receipt.receipt_amt - COALESCE(
            SUM(CASE WHEN movement.movement_time < m.as_of THEN movement.returned_amt ELSE 0 END),
            0
        ) AS owed_amt,
        COALESCE(
            SUM(
                CASE
                    WHEN movement.movement_time < m.as_of AND CAST(CAST(movement.movement_time AS DATE) AS INTEGER) <= receipt.due_day
                        THEN movement.paid_amt
                    ELSE 0
                END
            ),
            0
        ) AS in_time_amt
    FROM receipt
    INNER JOIN ask.month AS m
        ON m.month = to_char(CAST(receipt.due_day AS DATE), '%Y-%m')
        AND receipt.due_day <= CAST(m.as_of_date AS INTEGER)
        AND receipt.shpp_time < m.as_of
    LEFT JOIN movement
        ON movement.shp_id = receipt.shp_id
    GROUP BY
        m.month,
        receipt.county,
        receipt.medins_code,
        receipt.shp_id,
        receipt.receipt_amt
),

unpaid AS (
    SELECT
        m.month AS month,
        receipt.county AS county,
        receipt.medins_code AS medins_code,
        receipt.shp_id AS shp_id,
        receipt.receipt_amt - COALESCE(
            SUM(CASE WHEN movement.movement_time < m.as_of THEN movement.returned_amt + movement.paid_amt ELSE 0 END),
            0
        ) AS open_amt
    FROM receipt
    LEFT JOIN settled
        ON settled.shp_id = receipt.shp_id
    INNER JOIN ask.month AS m
        ON receipt.receipt_day + $overdue_days < CAST(m.as_of_date AS INTEGER)
        AND (settled.settled_time IS NULL OR settled.settled_time >= m.as_of)
    LEFT JOIN movement
        ON movement.shp_id = receipt.shp_id
    GROUP BY
        m.month,
        receipt.county,
        receipt.medins_code,
        receipt.shp_id,
        receipt.receipt_amt
),

first_receipt AS (
    SELECT
        receipt.county AS county,
        receipt.medins_code AS medins_code,
        MIN(receipt.receipt_day) AS receipt_day
    FROM receipt
    GROUP BY
        receipt.county,
        receipt.medins_code
),

batch AS (
    SELECT DISTINCT
        m.month AS month,
        prod.prod_code AS prod_code
    FROM gold.fact_vbp_product AS prod
    INNER JOIN ask.month AS m
        ON prod.agrt_begn_date <= m.as_of_date
        AND prod.agrt_end_date >= m.as_of_date
    WHERE prod.prod_role IN ('1', '2')
)

SELECT
    'main' AS measure,
    due.month AS month,
    due.county AS county,
    due.medins_code AS subject_code,
    CAST(LEAST(due.in_time_amt, GREATEST(due.owed_amt, 0)) AS DECIMAL(38, 6)) AS num,
    CAST(GREATEST(due.owed_amt, 0) AS DECIMAL(38, 6)) AS den,
    'fact_receipt' AS source_table,
    due.shp_id AS row_key
FROM due
UNION ALL
SELECT
    'overdue' AS measure,
    unpaid.month AS month,
    unpaid.county AS county,
    unpaid.medins_code AS subject_code,
    CAST(unpaid.open_amt AS DECIMAL(38, 6)) AS num,
    CAST(NULL AS DECIMAL(38, 6)) AS den,
    'fact_receipt' AS source_table,
    unpaid.shp_id AS row_key
FROM unpaid
WHERE unpaid.open_amt > 0
UNION ALL
SELECT
    'overdue' AS measure,
    m.month AS month,
    first_receipt.county AS county,
    first_receipt.medins_code AS subject_code,
    CAST(0 AS DECIMAL(38, 6)) AS num,
    CAST(NULL AS DECIMAL(38, 6)) AS den,
    'dim_institution' AS source_table,
    first_receipt.medins_code AS row_key
FROM first_receipt
INNER JOIN ask.month AS m
    ON first_receipt.receipt_day + $overdue_days < CAST(m.as_of_date AS INTEGER)
UNION ALL
SELECT
    'dso' AS measure,
    m.month AS month,
    pay.county AS county,
    pay.medins_code AS subject_code,
    CAST(
        pay.pay_amt * CAST(
            CAST(CAST(pay.pay_time AS DATE) AS INTEGER) - CAST(CAST(pay.shpp_time AS DATE) AS INTEGER) AS DECIMAL(9, 0)
        ) AS DECIMAL(38, 6)
    ) AS num,
    CAST(pay.pay_amt AS DECIMAL(38, 6)) AS den,
    'fact_payment' AS source_table,
    pay.pay_detl_id AS row_key
FROM gold.fact_payment AS pay
INNER JOIN ask.month AS m
    ON m.month = pay.month
WHERE pay.prod_type = $prod_type
  AND pay.org_type = '1'
  AND pay.receipt_flag = '1'
  AND pay.shpp_time < m.as_of
  AND pay.pay_time < m.as_of
UNION ALL
SELECT
    'direct_rate' AS measure,
    m.month AS month,
    pay.county AS county,
    pay.medins_code AS subject_code,
    CAST(CASE WHEN pay.pay_mode = '1' THEN pay.pay_amt ELSE 0 END AS DECIMAL(38, 6)) AS num,
    CAST(pay.pay_amt AS DECIMAL(38, 6)) AS den,
    'fact_payment' AS source_table,
    pay.pay_detl_id AS row_key
FROM gold.fact_payment AS pay
INNER JOIN ask.month AS m
    ON m.month = pay.month
INNER JOIN batch
    ON batch.month = m.month
    AND batch.prod_code = pay.prod_code
WHERE pay.prod_type = $prod_type
  AND pay.org_type = '1'
  AND pay.pay_time < m.as_of
