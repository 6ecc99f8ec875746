-- Price-per-unit saving: of each institution and group of drugs with the same generic name, form and specification (attributes at T),
-- round(max(0, amount − quantity × p10), 2), p10 the exact 10th percentile of the region's institutions' unit prices; rows under the minimum are dropped.
WITH bought AS (
    SELECT
        m.month AS month,
        moved.county AS county,
        moved.medins_code AS medins_code,
        concat(state.genname, '|', state.dosform, '|', state.prod_spec) AS grp,
        CAST(SUM(moved.min_cnt) AS DECIMAL(38, 10)) AS q,
        CAST(SUM(moved.event_amt) AS DECIMAL(38, 2)) AS a,
        COUNT(*) AS sample_n
    FROM ask.moved AS moved
    INNER JOIN ask.month AS m
        ON m.month = moved.event_month
    INNER JOIN ask.product_state AS state
        ON state.month = m.month
        AND state.prod_code = moved.prod_code
    WHERE state.prod_type = '1'
      AND moved.prod_type = '1'
      AND moved.org_type = '1'
      AND moved.scope_flag = '1'
      AND moved.event_time < m.as_of
    GROUP BY
        m.month,
        moved.county,
        moved.medins_code,
        concat(state.genname, '|', state.dosform, '|', state.prod_spec)
),

ranked AS (
    SELECT
        bought.month AS month,
        bought.county AS county,
        bought.medins_code AS medins_code,
        bought.grp AS grp,
        bought.q AS q,
        bought.a AS a,
        bought.sample_n AS sample_n,
        div6(bought.a, bought.q) AS price,
        ROW_NUMBER() OVER (
            PARTITION BY bought.month, bought.grp
            ORDER BY div6(bought.a, bought.q), bought.medins_code
        ) - 1 AS place,
        COUNT(*) OVER (PARTITION BY bought.month, bought.grp) - 1 AS last_place
    FROM bought
    WHERE bought.q > 0
      AND bought.a > 0
),

low AS (
    SELECT
        ranked.month AS month,
        ranked.grp AS grp,
        SUM(
            CASE
                WHEN 10 * ranked.place <= ranked.last_place AND 10 * (ranked.place + 1) > ranked.last_place
                    THEN CAST(10 - ranked.last_place % 10 AS DECIMAL(3, 0)) * ranked.price
                WHEN 10 * (ranked.place - 1) <= ranked.last_place AND 10 * ranked.place > ranked.last_place
                    THEN CAST(ranked.last_place % 10 AS DECIMAL(3, 0)) * ranked.price
                ELSE CAST(0 AS DECIMAL(38, 6))
            END
        ) AS tenfold
    FROM ranked
    GROUP BY
        ranked.month,
        ranked.grp
),

saving AS (
    SELECT
        ranked.month AS month,
        ranked.county AS county,
        ranked.medins_code AS medins_code,
        ranked.grp AS grp,
        ranked.sample_n AS sample_n,
        muldiv2(
            CAST(ranked.a AS DECIMAL(38, 10)) * CAST(10 AS DECIMAL(2, 0)) - CAST(ranked.q * CAST(low.tenfold AS DECIMAL(18, 6)) AS DECIMAL(38, 10)),
            CAST(1 AS DECIMAL(2, 0)),
            CAST(10 AS DECIMAL(2, 0))
        ) AS saving
    FROM ranked
    INNER JOIN low
        ON low.month = ranked.month
        AND low.grp = ranked.grp
)

SELECT
    'main' AS measure,
    saving.month AS month,
    saving.county AS county,
    'subject' AS level,
    saving.medins_code AS subject_code,
    '' AS product_code,
    '' AS batch_code,
    saving.grp AS group_code,
    saving.saving AS numerator,
    CAST(NULL AS DECIMAL(38, 2)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    saving.sample_n AS sample_n
FROM saving
WHERE saving.saving >= $min_saving
