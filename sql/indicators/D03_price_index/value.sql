-- Price index: chained over the products bought in both of two neighbouring months (net received amount and minimum units above zero in both),
-- per county and region, per category and ALL. link = S1 ÷ S0, S1 = Σ round(amount × last quantity ÷ quantity, 6), S0 = Σ last amount.
-- index(M) = round(index(M−1) × S1 ÷ S0, 6), 100 in the first month; mom, yoy and the covered share of last month's amount beside it.
WITH area AS (
    SELECT
        moved.event_month AS month,
        place.level AS level,
        CASE WHEN place.level = 'region' THEN $region ELSE moved.county END AS area_code,
        CASE
            WHEN place.category = 'ALL' THEN 'ALL'
            WHEN $prod_type = '2' THEN substr(moved.prod_code, 1, 3)
            WHEN substr(moved.prod_code, 1, 1) = 'Z' THEN 'Z'
            ELSE substr(moved.prod_code, 2, 1)
        END AS category,
        moved.prod_code AS prod_code,
        SUM(moved.min_cnt) AS q,
        SUM(moved.event_amt) AS a
    FROM ask.moved AS moved
    CROSS JOIN (
        SELECT
            heights.level AS level,
            sorts.category AS category
        FROM (
            SELECT 'county' AS level
            UNION ALL
            SELECT 'region' AS level
        ) AS heights
        CROSS JOIN (
            SELECT 'ALL' AS category
            UNION ALL
            SELECT 'own' AS category
        ) AS sorts
    ) AS place
    INNER JOIN ask.calendar AS own
        ON own.month = moved.event_month
    WHERE moved.prod_type = $prod_type
      AND moved.scope_flag = '1'
      AND moved.event_time < own.as_of
    GROUP BY
        moved.event_month,
        place.level,
        CASE WHEN place.level = 'region' THEN $region ELSE moved.county END,
        CASE
            WHEN place.category = 'ALL' THEN 'ALL'
            WHEN $prod_type = '2' THEN substr(moved.prod_code, 1, 3)
            WHEN substr(moved.prod_code, 1, 1) = 'Z' THEN 'Z'
            ELSE substr(moved.prod_code, 2, 1)
        END,
        moved.prod_code
),

stepped AS (
    SELECT
        area.month AS month,
        area.level AS level,
        area.area_code AS area_code,
        area.category AS category,
        area.q AS q,
        area.a AS a,
        LAG(area.month) OVER (
            PARTITION BY area.level, area.area_code, area.category, area.prod_code
            ORDER BY area.month
        ) AS step_month,
        LAG(area.q) OVER (
            PARTITION BY area.level, area.area_code, area.category, area.prod_code
            ORDER BY area.month
        ) AS last_q,
        LAG(area.a) OVER (
            PARTITION BY area.level, area.area_code, area.category, area.prod_code
            ORDER BY area.month
        ) AS last_a
    FROM area
),

monthly AS (
    SELECT
        stepped.month AS month,
        stepped.level AS level,
        stepped.area_code AS area_code,
        stepped.category AS category,
        SUM(stepped.a) AS a,
        MAX(CASE WHEN stepped.q > 0 AND stepped.a > 0 THEN 1 ELSE 0 END) AS priced,
        SUM(
            CASE
                WHEN stepped.step_month = calendar.prev_month
                    AND stepped.q > 0
                    AND stepped.a > 0
                    AND stepped.last_q > 0
                    AND stepped.last_a > 0
                    THEN muldiv6(stepped.a, stepped.last_q, stepped.q)
            END
        ) AS s1,
        SUM(
            CASE
                WHEN stepped.step_month = calendar.prev_month
                    AND stepped.q > 0
                    AND stepped.a > 0
                    AND stepped.last_q > 0
                    AND stepped.last_a > 0
                    THEN stepped.last_a
            END
        ) AS s0
    FROM stepped
    INNER JOIN ask.calendar AS calendar
        ON calendar.month = stepped.month
    GROUP BY
        stepped.month,
        stepped.level,
        stepped.area_code,
        stepped.category
),

begun AS (
    SELECT
        monthly.level AS level,
        monthly.area_code AS area_code,
        monthly.category AS category,
        MIN(monthly.month) AS first_month
    FROM monthly
    WHERE monthly.priced = 1
    GROUP BY
        monthly.level,
        monthly.area_code,
        monthly.category
),

chained AS (
    SELECT
        calendar.month AS month,
        begun.level AS level,
        begun.area_code AS area_code,
        begun.category AS category,
        CAST(this.s1 AS DECIMAL(38, 6)) AS s1,
        CAST(this.s0 AS DECIMAL(38, 6)) AS s0,
        CAST(COALESCE(last.a, 0) AS DECIMAL(38, 6)) AS last_amt,
        chain_index(CAST(this.s1 AS DECIMAL(38, 6)), CAST(this.s0 AS DECIMAL(38, 6))) OVER (
            PARTITION BY begun.level, begun.area_code, begun.category
            ORDER BY calendar.month
        ) AS index_value
    FROM begun
    INNER JOIN ask.calendar AS calendar
        ON calendar.month >= begun.first_month
    LEFT JOIN monthly AS this
        ON this.month = calendar.month
        AND this.level = begun.level
        AND this.area_code = begun.area_code
        AND this.category = begun.category
    LEFT JOIN monthly AS last
        ON last.month = calendar.prev_month
        AND last.level = begun.level
        AND last.area_code = begun.area_code
        AND last.category = begun.category
),

result AS (
    SELECT
        chained.month AS month,
        chained.level AS level,
        chained.area_code AS area_code,
        chained.category AS category,
        chained.s1 AS s1,
        chained.s0 AS s0,
        COALESCE(chained.s0, CAST(0 AS DECIMAL(38, 6))) AS covered,
        chained.last_amt AS last_amt,
        chained.index_value AS index_value,
        LAG(chained.index_value, 12) OVER (
            PARTITION BY chained.level, chained.area_code, chained.category
            ORDER BY chained.month
        ) AS year_ago_value,
        CASE
            WHEN chained.last_amt > 0 THEN div6(COALESCE(chained.s0, CAST(0 AS DECIMAL(38, 6))), chained.last_amt)
        END AS coverage
    FROM chained
)

SELECT
    pick.measure AS measure,
    result.month AS month,
    result.area_code AS county,
    result.level AS level,
    result.area_code AS subject_code,
    '' AS product_code,
    '' AS batch_code,
    result.category AS group_code,
    CASE
        WHEN pick.measure = 'mom' THEN result.s1
        WHEN pick.measure = 'yoy' AND result.year_ago_value IS NOT NULL THEN result.index_value
        WHEN pick.measure = 'coverage' THEN result.covered
    END AS numerator,
    CASE pick.measure
        WHEN 'mom' THEN result.s0
        WHEN 'yoy' THEN result.year_ago_value
        WHEN 'coverage' THEN result.last_amt
    END AS denominator,
    CASE pick.measure
        WHEN 'index' THEN result.index_value
        WHEN 'mom' THEN div6(result.s1 - result.s0, result.s0)
        WHEN 'yoy' THEN div6(result.index_value - result.year_ago_value, result.year_ago_value)
        WHEN 'coverage' THEN result.coverage
    END AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    CAST(NULL AS BIGINT) AS sample_n,
    COALESCE(result.coverage < $min_coverage, FALSE) AS insufficient
FROM result
INNER JOIN ask.month AS m
    ON m.month = result.month
CROSS JOIN (
    SELECT 'index' AS measure
    UNION ALL
    SELECT 'mom' AS measure
    UNION ALL
    SELECT 'yoy' AS measure
    UNION ALL
    SELECT 'coverage' AS measure
) AS pick
