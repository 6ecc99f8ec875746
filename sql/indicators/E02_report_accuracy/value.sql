-- Report accuracy, in the month in which an agreement ends, once it has: 1 − |reported − received| ÷ received, both kinds of products,
-- by institution, batch and group; received = net minimum units of winners and reserves in the agreement.
WITH movement AS (
    SELECT
        event.medins_code AS medins_code,
        prod.btch_code AS btch_code,
        prod.grp_code AS grp_code,
        event.event_month AS event_month,
        SUM(event.min_cnt) AS min_cnt
    FROM (
        SELECT
            receipt.medins_code AS medins_code,
            receipt.prod_type AS prod_type,
            receipt.prod_code AS prod_code,
            receipt.shpp_time AS event_time,
            receipt.month AS event_month,
            receipt.shpp_cnt * receipt.convrat AS min_cnt
        FROM gold.fact_receipt AS receipt
        WHERE receipt.org_type = '1'
        UNION ALL
        SELECT
            back.medins_code AS medins_code,
            back.prod_type AS prod_type,
            back.prod_code AS prod_code,
            back.medins_retn_time AS event_time,
            back.month AS event_month,
            -(back.retn_cnt * back.convrat) AS min_cnt
        FROM gold.fact_return AS back
        WHERE back.org_type = '1'
    ) AS event
    INNER JOIN gold.fact_vbp_product AS prod
        ON prod.prod_code = event.prod_code
        AND prod.prod_type = event.prod_type
        AND prod.prod_role IN ('1', '2')
        AND prod.agrt_begn_date <= CAST(event.event_time AS DATE)
        AND prod.agrt_end_date >= CAST(event.event_time AS DATE)
    LEFT JOIN ask.month AS own
        ON own.month = event.event_month
    WHERE own.month IS NULL
       OR event.event_time < own.as_of
    GROUP BY
        event.medins_code,
        prod.btch_code,
        prod.grp_code,
        event.event_month
),

reported AS (
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
    LEFT JOIN movement
        ON movement.medins_code = reported.medins_code
        AND movement.btch_code = reported.btch_code
        AND movement.grp_code = reported.grp_code
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
