-- Substitute growth: net received minimum units of a group's role-4 products, from the later of the agreement's beginning and twelve months before T, to T,
-- against the same days a year before; both kinds of products. whole_base 0: those days begin before the first month.
WITH moved AS (
    SELECT
        receipt.county AS county,
        receipt.month AS event_month,
        receipt.shpp_time AS event_time,
        receipt.medins_code AS medins_code,
        receipt.prod_type AS prod_type,
        receipt.prod_code AS prod_code,
        CAST(receipt.shpp_cnt * receipt.convrat AS DECIMAL(38, 10)) AS min_cnt,
        receipt.receipt_amt AS event_amt,
        'fact_receipt' AS source_table,
        receipt.shp_id AS row_key
    FROM gold.fact_receipt AS receipt
    WHERE receipt.org_type = '1'
    UNION ALL
    SELECT
        back.county AS county,
        back.month AS event_month,
        back.medins_retn_time AS event_time,
        back.medins_code AS medins_code,
        back.prod_type AS prod_type,
        back.prod_code AS prod_code,
        CAST(-(back.retn_cnt * back.convrat) AS DECIMAL(38, 10)) AS min_cnt,
        -back.retn_amt AS event_amt,
        'fact_return' AS source_table,
        back.retn_id AS row_key
    FROM gold.fact_return AS back
    WHERE back.org_type = '1'
),

span_days AS (
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
),

event AS (
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
    FROM moved
    INNER JOIN span_days
        ON span_days.prod_code = moved.prod_code
        AND span_days.prod_type = moved.prod_type
    WHERE moved.event_time < span_days.as_of
      AND (
          CAST(moved.event_time AS DATE) >= span_days.from_date
          OR (
              CAST(moved.event_time AS DATE) >= CAST(span_days.from_date - INTERVAL '12 months' AS DATE)
              AND CAST(moved.event_time AS DATE) <= CAST(span_days.to_date - INTERVAL '12 months' AS DATE)
          )
      )
)

SELECT
    'main' AS measure,
    event.month AS month,
    event.county AS county,
    'subject' AS level,
    event.medins_code AS subject_code,
    '' AS product_code,
    event.btch_code AS batch_code,
    event.grp_code AS group_code,
    CAST(SUM(event.num) AS DECIMAL(38, 10)) AS numerator,
    CAST(SUM(event.den) AS DECIMAL(38, 10)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(SUM(event.amount) AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    COUNT(*) AS sample_n,
    MIN(event.whole_base) AS in_whole_base
FROM event
GROUP BY
    event.month,
    event.county,
    event.medins_code,
    event.btch_code,
    event.grp_code
HAVING SUM(event.num) <> 0
    OR SUM(event.den) <> 0
