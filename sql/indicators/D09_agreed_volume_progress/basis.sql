-- The progress of each institution, batch and group in each asked month of its agreement: agreed and received minimum units, days, completion,
-- gap and forecast (of exact quotients, rounded to 6 places; none where the days to divide by are none). The award price of an institution's group is that of its first agreement line.
WITH agreed AS (
    SELECT
        line.county AS county,
        line.medins_code AS medins_code,
        line.btch_code AS btch_code,
        line.grp_code AS grp_code,
        line.agrt_begn_date AS begn,
        line.agrt_end_date AS fin,
        MIN(line.prod_code) AS first_prod_code,
        SUM(line.agrm_cnt) AS agrm_cnt,
        SUM(mul2(line.agrm_cnt, COALESCE(line.award_unit_pric, 0))) AS agrm_amt
    FROM gold.fact_agreement AS line
    WHERE line.prod_type = $prod_type
      AND line.org_type = '1'
    GROUP BY
        line.county,
        line.medins_code,
        line.btch_code,
        line.grp_code,
        line.agrt_begn_date,
        line.agrt_end_date
),

asked AS (
    SELECT
        m.month AS month,
        agreed.county AS county,
        agreed.medins_code AS medins_code,
        agreed.btch_code AS btch_code,
        agreed.grp_code AS grp_code,
        agreed.first_prod_code AS first_prod_code,
        agreed.agrm_cnt AS agrm_cnt,
        agreed.agrm_amt AS agrm_amt,
        CAST(agreed.fin AS INTEGER) - CAST(agreed.begn AS INTEGER) + 1 AS all_days,
        LEAST(CAST(m.as_of_date AS INTEGER), CAST(agreed.fin AS INTEGER)) - CAST(agreed.begn AS INTEGER) + 1 AS run_days,
        CASE WHEN m.as_of >= CAST(agreed.fin + INTERVAL '1 day' AS TIMESTAMP) THEN 1 ELSE 0 END AS ended,
        (CAST(date_part('year', m.as_of_date + INTERVAL '1 day') AS INTEGER) - CAST(date_part('year', agreed.begn) AS INTEGER)) * 12
            + CAST(date_part('month', m.as_of_date + INTERVAL '1 day') AS INTEGER) - CAST(date_part('month', agreed.begn) AS INTEGER)
            - CASE
                WHEN date_part('day', m.as_of_date + INTERVAL '1 day') >= date_part('day', agreed.begn)
                    OR date_part('day', m.as_of_date + INTERVAL '2 days') = 1
                    THEN 0
                ELSE 1
            END AS full_months
    FROM agreed
    INNER JOIN ask.month AS m
        ON m.month >= to_char(agreed.begn, '%Y-%m')
        AND m.month <= to_char(agreed.fin, '%Y-%m')
),

progress AS (
    SELECT
        asked.month AS month,
        asked.county AS county,
        asked.medins_code AS medins_code,
        asked.btch_code AS btch_code,
        asked.grp_code AS grp_code,
        asked.first_prod_code AS first_prod_code,
        CAST(MAX(asked.agrm_cnt) AS DECIMAL(38, 10)) AS agrm_cnt,
        CAST(MAX(asked.agrm_amt) AS DECIMAL(38, 2)) AS agrm_amt,
        CAST(MAX(asked.all_days) AS DECIMAL(9, 0)) AS all_days,
        CAST(MAX(asked.run_days) AS DECIMAL(9, 0)) AS run_days,
        MAX(asked.ended) AS ended,
        MAX(asked.full_months) AS full_months,
        CAST(COALESCE(SUM(movement.min_cnt), 0) AS DECIMAL(38, 10)) AS win_cnt
    FROM asked
    LEFT JOIN ask.batch_monthly AS movement
        ON movement.medins_code = asked.medins_code
        AND movement.btch_code = asked.btch_code
        AND movement.grp_code = asked.grp_code
        AND movement.prod_type = $prod_type
        AND movement.prod_role IN ('1', '2')
        AND movement.event_month <= asked.month
    GROUP BY
        asked.month,
        asked.county,
        asked.medins_code,
        asked.btch_code,
        asked.grp_code,
        asked.first_prod_code
)

SELECT
    progress.month AS month,
    progress.county AS county,
    progress.medins_code AS medins_code,
    progress.btch_code AS btch_code,
    progress.grp_code AS grp_code,
    progress.first_prod_code AS first_prod_code,
    progress.agrm_cnt AS agrm_cnt,
    progress.agrm_amt AS agrm_amt,
    progress.all_days AS all_days,
    progress.run_days AS run_days,
    progress.ended AS ended,
    progress.full_months AS full_months,
    progress.win_cnt AS win_cnt,
    mul2(progress.win_cnt, COALESCE(prod.award_unit_pric, 0)) AS win_amt,
    div6(progress.win_cnt, progress.agrm_cnt) AS completion,
    CASE
        WHEN progress.all_days > 0 THEN div6(
            progress.win_cnt * progress.all_days - progress.agrm_cnt * progress.run_days,
            progress.agrm_cnt * progress.all_days
        )
    END AS gap,
    CASE
        WHEN progress.all_days > 0 AND progress.run_days > 0
            THEN div6(progress.win_cnt * progress.all_days, progress.agrm_cnt * progress.run_days)
    END AS forecast
FROM progress
LEFT JOIN gold.fact_vbp_product AS prod
    ON prod.btch_code = progress.btch_code
    AND prod.grp_code = progress.grp_code
    AND prod.prod_code = progress.first_prod_code
