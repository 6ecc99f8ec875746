-- Retained surplus, from the month an agreement begins to the month it ends (mark `estimate` while it runs), by institution and batch, over the groups completed
-- at T that have a base and an assessment: budget = Σ agreed × price before × last fund share × insured share; spend = Σ (agreed × award + non-winning amount)
-- × this fund share × insured share; surplus = budget − spend; retained = max(surplus, 0) × rate by score.
WITH agreed AS (
    SELECT
        m.month AS month,
        line.county AS county,
        line.medins_code AS medins_code,
        line.btch_code AS btch_code,
        line.grp_code AS grp_code,
        MAX(CASE WHEN m.as_of >= CAST(line.agrt_end_date + INTERVAL '1 day' AS TIMESTAMP) THEN 0 ELSE 1 END) AS running,
        CAST(SUM(line.agrm_cnt) AS DECIMAL(38, 4)) AS agrm_cnt,
        CAST(SUM(line.agrm_cnt * COALESCE(line.award_unit_pric, 0)) AS DECIMAL(38, 10)) AS award_amt
    FROM gold.fact_agreement AS line
    INNER JOIN ask.month AS m
        ON m.month >= to_char(line.agrt_begn_date, '%Y-%m')
        AND m.month <= to_char(line.agrt_end_date, '%Y-%m')
    WHERE line.org_type = '1'
    GROUP BY
        m.month,
        line.county,
        line.medins_code,
        line.btch_code,
        line.grp_code
),

progress AS (
    SELECT
        agreed.month AS month,
        agreed.county AS county,
        agreed.medins_code AS medins_code,
        agreed.btch_code AS btch_code,
        agreed.grp_code AS grp_code,
        agreed.running AS running,
        agreed.agrm_cnt AS agrm_cnt,
        agreed.award_amt AS award_amt,
        CAST(COALESCE(SUM(CASE WHEN movement.prod_role IN ('1', '2') THEN movement.min_cnt END), 0) AS DECIMAL(38, 10)) AS win_cnt,
        CAST(COALESCE(SUM(CASE WHEN movement.prod_role = '3' THEN movement.dear_amt END), 0) AS DECIMAL(38, 2)) AS nonwin_amt
    FROM agreed
    LEFT JOIN ask.batch_monthly AS movement
        ON movement.medins_code = agreed.medins_code
        AND movement.btch_code = agreed.btch_code
        AND movement.grp_code = agreed.grp_code
        AND movement.event_month <= agreed.month
    GROUP BY
        agreed.month,
        agreed.county,
        agreed.medins_code,
        agreed.btch_code,
        agreed.grp_code,
        agreed.running,
        agreed.agrm_cnt,
        agreed.award_amt
),

completed AS (
    SELECT
        progress.month AS month,
        progress.county AS county,
        progress.medins_code AS medins_code,
        progress.btch_code AS btch_code,
        MAX(progress.running) AS running,
        MAX(assess.score) AS score,
        COUNT(*) AS sample_n,
        CAST(
            SUM(
                mul2(
                    progress.agrm_cnt * base.pre_unit_pric,
                    assess.prev_fund_ratio * assess.insured_share
                )
            ) AS DECIMAL(38, 2)
        ) AS budget,
        CAST(
            SUM(
                mul2(
                    progress.award_amt + progress.nonwin_amt,
                    assess.cur_fund_ratio * assess.insured_share
                )
            ) AS DECIMAL(38, 2)
        ) AS spend
    FROM progress
    INNER JOIN gold.fact_surplus_base AS base
        ON base.btch_code = progress.btch_code
        AND base.grp_code = progress.grp_code
    INNER JOIN gold.fact_surplus_assess AS assess
        ON assess.fixmedins_code = progress.medins_code
        AND assess.btch_code = progress.btch_code
    WHERE progress.agrm_cnt > 0
      AND div6(progress.win_cnt, progress.agrm_cnt) >= 1
    GROUP BY
        progress.month,
        progress.county,
        progress.medins_code,
        progress.btch_code
)

SELECT
    pick.measure AS measure,
    completed.month AS month,
    completed.county AS county,
    'subject' AS level,
    completed.medins_code AS subject_code,
    '' AS product_code,
    completed.btch_code AS batch_code,
    '' AS group_code,
    CASE pick.measure
        WHEN 'budget' THEN completed.budget
        WHEN 'spend' THEN completed.spend
        WHEN 'surplus' THEN CAST(completed.budget - completed.spend AS DECIMAL(38, 2))
        WHEN 'retained' THEN mul2(
            GREATEST(completed.budget - completed.spend, CAST(0 AS DECIMAL(38, 2))),
            CASE
                WHEN completed.score >= $score_1 THEN $rate_1
                WHEN completed.score >= $score_2 THEN $rate_2
                WHEN completed.score >= $score_3 THEN $rate_3
                ELSE $rate_4
            END
        )
    END AS numerator,
    CAST(NULL AS DECIMAL(38, 2)) AS denominator,
    CAST(NULL AS DECIMAL(38, 6)) AS value,
    CAST(NULL AS DECIMAL(38, 2)) AS amount_at_risk,
    CASE WHEN completed.running = 1 THEN 'estimate' ELSE '' END AS mark,
    completed.sample_n AS sample_n
FROM completed
CROSS JOIN (
    SELECT 'budget' AS measure
    UNION ALL
    SELECT 'spend' AS measure
    UNION ALL
    SELECT 'surplus' AS measure
    UNION ALL
    SELECT 'retained' AS measure
) AS pick
