-- Service price against cost: average charge of the month ÷ unit cost of the institution's latest cost month not after it.
WITH total AS (
    SELECT
        service.month AS month,
        service.county AS county,
        service.fixmedins_code AS fixmedins_code,
        service.serv_code AS serv_code,
        CAST(SUM(service.cnt) AS DECIMAL(38, 4)) AS this_cnt,
        CAST(SUM(service.used_amt) AS DECIMAL(38, 2)) AS this_amt,
        COUNT(*) AS sample_n
    FROM ask.used AS service
    WHERE service.back = 0
      AND service.list_type = '201'
      AND service.org_type = '1'
    GROUP BY
        service.month,
        service.county,
        service.fixmedins_code,
        service.serv_code
),

cost AS (
    SELECT
        ranked.month AS month,
        ranked.fixmedins_code AS fixmedins_code,
        ranked.serv_code AS serv_code,
        ranked.unit_cost AS unit_cost
    FROM (
        SELECT
            m.month AS month,
            cost.fixmedins_code AS fixmedins_code,
            cost.serv_code AS serv_code,
            cost.unit_cost AS unit_cost,
            ROW_NUMBER() OVER (
                PARTITION BY m.month, cost.fixmedins_code, cost.serv_code
                ORDER BY cost.cost_month DESC, cost.serv_code
            ) AS cost_no
        FROM gold.fact_service_cost AS cost
        INNER JOIN ask.month AS m
            ON cost.cost_month <= m.month
    ) AS ranked
    WHERE ranked.cost_no = 1
)

SELECT
    'main' AS measure,
    total.month AS month,
    total.county AS county,
    'subject' AS level,
    total.fixmedins_code AS subject_code,
    total.serv_code AS product_code,
    '' AS batch_code,
    '' AS group_code,
    div6(total.this_amt, total.this_cnt) AS numerator,
    CAST(cost.unit_cost AS DECIMAL(38, 6)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    total.sample_n AS sample_n
FROM total
LEFT JOIN cost
    ON cost.month = total.month
    AND cost.fixmedins_code = total.fixmedins_code
    AND cost.serv_code = total.serv_code
WHERE total.this_cnt > 0
