-- Agreed-volume progress: net received minimum units of winners and reserves in the agreement up to T ÷ agreed minimum units,
-- by institution, batch and group; against the share of the agreement's days that has passed (time_progress, gap, forecast).
-- on_track and completion_amt feed the roll-ups only; lagging_groups counts an institution's groups behind the clock.
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
            receipt.prod_code AS prod_code,
            receipt.shpp_time AS event_time,
            receipt.month AS event_month,
            receipt.shpp_cnt * receipt.convrat AS min_cnt
        FROM gold.fact_receipt AS receipt
        WHERE receipt.prod_type = $prod_type
          AND receipt.org_type = '1'
        UNION ALL
        SELECT
            back.medins_code AS medins_code,
            back.prod_code AS prod_code,
            back.medins_retn_time AS event_time,
            back.month AS event_month,
            -(back.retn_cnt * back.convrat) AS min_cnt
        FROM gold.fact_return AS back
        WHERE back.prod_type = $prod_type
          AND back.org_type = '1'
    ) AS event
    INNER JOIN gold.fact_vbp_product AS prod
        ON prod.prod_code = event.prod_code
        AND prod.prod_type = $prod_type
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

agreed AS (
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
    LEFT JOIN movement
        ON movement.medins_code = asked.medins_code
        AND movement.btch_code = asked.btch_code
        AND movement.grp_code = asked.grp_code
        AND movement.event_month <= asked.month
    GROUP BY
        asked.month,
        asked.county,
        asked.medins_code,
        asked.btch_code,
        asked.grp_code,
        asked.first_prod_code
),

judged AS (
    SELECT
        progress.month AS month,
        progress.county AS county,
        progress.medins_code AS medins_code,
        progress.btch_code AS btch_code,
        progress.grp_code AS grp_code,
        progress.agrm_cnt AS agrm_cnt,
        progress.agrm_amt AS agrm_amt,
        progress.all_days AS all_days,
        progress.run_days AS run_days,
        progress.ended AS ended,
        progress.full_months AS full_months,
        progress.win_cnt AS win_cnt,
        mul2(progress.win_cnt, COALESCE(prod.award_unit_pric, 0)) AS win_amt,
        div6(progress.win_cnt, progress.agrm_cnt) AS completion,
        div6(
            progress.win_cnt * progress.all_days - progress.agrm_cnt * progress.run_days,
            progress.agrm_cnt * progress.all_days
        ) AS gap,
        div6(progress.win_cnt * progress.all_days, progress.agrm_cnt * progress.run_days) AS forecast
    FROM progress
    LEFT JOIN gold.fact_vbp_product AS prod
        ON prod.btch_code = progress.btch_code
        AND prod.grp_code = progress.grp_code
        AND prod.prod_code = progress.first_prod_code
)

SELECT
    pick.measure AS measure,
    judged.month AS month,
    judged.county AS county,
    'subject' AS level,
    judged.medins_code AS subject_code,
    '' AS product_code,
    judged.btch_code AS batch_code,
    judged.grp_code AS group_code,
    CASE pick.measure
        WHEN 'main' THEN judged.win_cnt
        WHEN 'time_progress' THEN CAST(judged.run_days AS DECIMAL(38, 10))
        WHEN 'on_track' THEN CAST(
            CASE
                WHEN judged.ended = 1 AND judged.completion >= 1 THEN 1
                WHEN judged.ended = 0 AND judged.gap >= 0 THEN 1
                ELSE 0
            END AS DECIMAL(38, 10)
        )
        WHEN 'completion_amt' THEN CAST(judged.win_amt AS DECIMAL(38, 10))
    END AS numerator,
    CASE pick.measure
        WHEN 'main' THEN judged.agrm_cnt
        WHEN 'time_progress' THEN CAST(judged.all_days AS DECIMAL(38, 10))
        WHEN 'on_track' THEN CAST(1 AS DECIMAL(38, 10))
        WHEN 'completion_amt' THEN CAST(judged.agrm_amt AS DECIMAL(38, 10))
    END AS denominator,
    CASE pick.measure
        WHEN 'gap' THEN judged.gap
        WHEN 'forecast' THEN judged.forecast
    END AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    CAST(1 AS BIGINT) AS sample_n,
    CASE WHEN pick.measure = 'main' THEN CAST(judged.ended AS BIGINT) END AS in_ended,
    CASE WHEN pick.measure = 'main' THEN CAST(judged.full_months AS BIGINT) END AS in_full_months,
    CASE WHEN pick.measure = 'main' THEN judged.gap END AS in_gap
FROM judged
CROSS JOIN (
    SELECT 'main' AS measure
    UNION ALL
    SELECT 'time_progress' AS measure
    UNION ALL
    SELECT 'gap' AS measure
    UNION ALL
    SELECT 'forecast' AS measure
    UNION ALL
    SELECT 'on_track' AS measure
    UNION ALL
    SELECT 'completion_amt' AS measure
) AS pick
WHERE judged.agrm_cnt > 0
   OR pick.measure NOT IN ('on_track', 'completion_amt')
UNION ALL
SELECT
    'lagging_groups' AS measure,
    judged.month AS month,
    judged.county AS county,
    'subject' AS level,
    judged.medins_code AS subject_code,
    '' AS product_code,
    judged.btch_code AS batch_code,
    '' AS group_code,
    CAST(SUM(CASE WHEN judged.gap < 0 THEN 1 ELSE 0 END) AS DECIMAL(38, 10)) AS numerator,
    CAST(NULL AS DECIMAL(38, 10)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    '' AS mark,
    CAST(COUNT(*) AS BIGINT) AS sample_n,
    CAST(NULL AS BIGINT) AS in_ended,
    CAST(NULL AS BIGINT) AS in_full_months,
    CAST(NULL AS DECIMAL(38, 6)) AS in_gap
FROM judged
GROUP BY
    judged.month,
    judged.county,
    judged.medins_code,
    judged.btch_code
