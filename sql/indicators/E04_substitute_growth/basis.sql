-- Receipts and returns of a group's role-4 products in both spans, a row a source row: num and amount in the later, den in the one a year before.
-- whole_base 0: the earlier span begins before the first month.
WITH span_days AS (
    SELECT
        m.month AS month,
        m.as_of AS as_of,
        prod.btch_code AS btch_code,
        prod.grp_code AS grp_code,
        prod.prod_type AS prod_type,
        prod.prod_code AS prod_code,
        GREATEST(
            prod.agrt_begn_date,
            CAST(m.as_of_date - INTERVAL '12 months' + INTERVAL '1 day' AS DATE)
        ) AS from_date,
        m.as_of_date AS to_date
    FROM gold.fact_vbp_product AS prod
    INNER JOIN ask.month AS m
        ON prod.agrt_begn_date <= m.as_of_date
        AND prod.agrt_end_date >= m.as_of_date
    WHERE prod.prod_role = '4'
)

SELECT
    span_days.month AS month,
    moved.county AS county,
    moved.medins_code AS medins_code,
    span_days.btch_code AS btch_code,
    span_days.grp_code AS grp_code,
    CASE
        WHEN CAST(CAST(span_days.from_date - INTERVAL '12 months' AS DATE) AS TIMESTAMP)
            >= CAST(concat($first_month, '-01') AS TIMESTAMP) THEN 1
        ELSE 0
    END AS whole_base,
    CASE WHEN CAST(moved.event_time AS DATE) >= span_days.from_date THEN moved.min_cnt ELSE CAST(0 AS DECIMAL(38, 10)) END AS num,
    CASE
        WHEN CAST(moved.event_time AS DATE) >= CAST(span_days.from_date - INTERVAL '12 months' AS DATE)
            AND CAST(moved.event_time AS DATE) <= CAST(span_days.to_date - INTERVAL '12 months' AS DATE)
            THEN moved.min_cnt
        ELSE CAST(0 AS DECIMAL(38, 10))
    END AS den,
    CASE WHEN CAST(moved.event_time AS DATE) >= span_days.from_date THEN moved.event_amt ELSE CAST(0 AS DECIMAL(38, 2)) END AS amount,
    moved.source_table AS source_table,
    moved.row_key AS row_key
FROM ask.moved AS moved
INNER JOIN span_days
    ON span_days.prod_code = moved.prod_code
    AND span_days.prod_type = moved.prod_type
WHERE moved.org_type = '1'
  AND moved.event_time < span_days.as_of
  AND (
      CAST(moved.event_time AS DATE) >= span_days.from_date
      OR (
          CAST(moved.event_time AS DATE) >= CAST(span_days.from_date - INTERVAL '12 months' AS DATE)
          AND CAST(moved.event_time AS DATE) <= CAST(span_days.to_date - INTERVAL '12 months' AS DATE)
      )
  )
