-- Service price changes: average charge (amount ÷ count) by institution and service, against the month before (mom) and the year before (yoy).
-- serv_code = national code, else the institution's own.
WITH total AS (
    SELECT
        service.month AS month,
        service.county AS county,
        service.fixmedins_code AS fixmedins_code,
        service.serv_code AS serv_code,
        CAST(SUM(CASE WHEN service.period = 'this' THEN service.cnt ELSE 0 END) AS DECIMAL(38, 4)) AS this_cnt,
        CAST(SUM(CASE WHEN service.period = 'this' THEN service.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS this_amt,
        CAST(SUM(CASE WHEN service.period = 'last' THEN service.cnt ELSE 0 END) AS DECIMAL(38, 4)) AS last_cnt,
        CAST(SUM(CASE WHEN service.period = 'last' THEN service.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS last_amt,
        CAST(SUM(CASE WHEN service.period = 'year_ago' THEN service.cnt ELSE 0 END) AS DECIMAL(38, 4)) AS year_cnt,
        CAST(SUM(CASE WHEN service.period = 'year_ago' THEN service.used_amt ELSE 0 END) AS DECIMAL(38, 2)) AS year_amt,
        COUNT(*) AS sample_n
    FROM ask.basis AS service
    GROUP BY
        service.month,
        service.county,
        service.fixmedins_code,
        service.serv_code
)

SELECT
    'mom' AS measure,
    total.month AS month,
    total.county AS county,
    'subject' AS level,
    total.fixmedins_code AS subject_code,
    total.serv_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    div6(total.this_amt, total.this_cnt) AS numerator,
    CASE WHEN total.last_cnt > 0 THEN div6(total.last_amt, total.last_cnt) END AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    total.sample_n AS sample_n,
    total.this_cnt AS in_cnt
FROM total
WHERE total.this_cnt > 0
UNION ALL
SELECT
    'yoy' AS measure,
    total.month AS month,
    total.county AS county,
    'subject' AS level,
    total.fixmedins_code AS subject_code,
    total.serv_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    div6(total.this_amt, total.this_cnt) AS numerator,
    CASE WHEN total.year_cnt > 0 THEN div6(total.year_amt, total.year_cnt) END AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    total.sample_n AS sample_n,
    total.this_cnt AS in_cnt
FROM total
WHERE total.this_cnt > 0
