-- Price-rise impact: by product and county, (unit price − last month's unit price) × last month's quantity of net received in-scope products,
-- where both months have amount and quantity above zero and the price rose.
WITH monthly AS (
    SELECT
        pair.month AS month,
        pair.period AS period,
        moved.county AS county,
        moved.prod_code AS prod_code,
        CAST(SUM(moved.min_cnt) AS DECIMAL(38, 10)) AS q,
        CAST(SUM(moved.event_amt) AS DECIMAL(38, 2)) AS a,
        COUNT(*) AS sample_n
    FROM ask.moved AS moved
    INNER JOIN (
        SELECT
            m.month AS month,
            'this' AS period,
            m.month AS event_month,
            m.as_of AS as_of
        FROM ask.month AS m
        UNION ALL
        SELECT
            m.month AS month,
            'last' AS period,
            m.prev_month AS event_month,
            m.as_of AS as_of
        FROM ask.month AS m
    ) AS pair
        ON pair.event_month = moved.event_month
    WHERE moved.scope_flag = '1'
      AND moved.event_time < pair.as_of
    GROUP BY
        pair.month,
        pair.period,
        moved.county,
        moved.prod_code
)

SELECT
    'main' AS measure,
    this.month AS month,
    this.county AS county,
    'subject' AS level,
    this.prod_code AS subject_code,
    this.prod_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    mul2(
        div6(this.a, this.q) - div6(last.a, last.q),
        last.q
    ) AS numerator,
    CAST(NULL AS DECIMAL(38, 2)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    this.sample_n + last.sample_n AS sample_n
FROM monthly AS this
INNER JOIN monthly AS last
    ON last.month = this.month
    AND last.county = this.county
    AND last.prod_code = this.prod_code
WHERE this.period = 'this'
  AND last.period = 'last'
  AND this.q > 0
  AND this.a > 0
  AND last.q > 0
  AND last.a > 0
  AND div6(this.a, this.q) > div6(last.a, last.q)
