-- Report accuracy, in the month in which an agreement ends, once it has: 1 − |reported − received| ÷ received, both kinds of products,
-- by institution, batch and group; received = net minimum units of winners and reserves in the agreement.
WITH reported AS (
    SELECT
        m.month AS month,
        line.county AS county,
        line.medins_code AS medins_code,
        line.btch_code AS btch_code,
        line.grp_code AS grp_code,
        CAST(SUM(line.rpt_cnt) AS DECIMAL(38, 10)) AS rpt_cnt,
        COUNT(*) AS sample_n
    FROM gold.fact_agreement AS line
    INNER JOIN ask.month AS m
        ON m.month = to_char(line.agrt_end_date, '%Y-%m')
        AND m.as_of >= CAST(line.agrt_end_date + INTERVAL '1 day' AS TIMESTAMP)
    WHERE line.org_type = '1'
      AND line.rpt_cnt IS NOT NULL
    GROUP BY
        m.month,
        line.county,
        line.medins_code,
        line.btch_code,
        line.grp_code
),

compared AS (
    SELECT
        reported.month AS month,
        reported.county AS county,
        reported.medins_code AS medins_code,
        reported.btch_code AS btch_code,
        reported.grp_code AS grp_code,
        reported.rpt_cnt AS rpt_cnt,
        reported.sample_n AS sample_n,
        CAST(COALESCE(SUM(movement.min_cnt), 0) AS DECIMAL(38, 10)) AS win_cnt
    FROM reported
    LEFT JOIN ask.batch_monthly AS movement
        ON movement.medins_code = reported.medins_code
        AND movement.btch_code = reported.btch_code
        AND movement.grp_code = reported.grp_code
        AND movement.prod_role IN ('1', '2')
        AND movement.event_month <= reported.month
    GROUP BY
        reported.month,
        reported.county,
        reported.medins_code,
        reported.btch_code,
        reported.grp_code,
        reported.rpt_cnt,
        reported.sample_n
)

SELECT
    'main' AS measure,
    compared.month AS month,
    compared.county AS county,
    'subject' AS level,
    compared.medins_code AS subject_code,
    '' AS product_code,
    compared.btch_code AS batch_code,
    compared.grp_code AS group_code,
    CASE
        WHEN compared.rpt_cnt >= compared.win_cnt THEN compared.rpt_cnt - compared.win_cnt
        ELSE compared.win_cnt - compared.rpt_cnt
    END AS numerator,
    compared.win_cnt AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    compared.sample_n AS sample_n
FROM compared
